import json
from typing import Any

import pytest

from pricing.usage import Usage
from tests.ingest.otlp.bodies import any_value, dropped, metadata, only_event

REQUEST: dict[str, Any] = {
    "event.name": "api_request",
    "model": "claude-sonnet-4-5",
    "input_tokens": 10,
    "output_tokens": "20",
    "cache_read_tokens": 30,
    "cache_creation_tokens": 40,
    "cost_usd": 0.5,
    "duration_ms": "600",
    "request_id": "req_1",
}


def test_a_request_is_the_call_with_its_usage() -> None:
    event = only_event(REQUEST, body=any_value("claude_code.api_request"))

    assert (event.event_type, event.duration_ms, event.source) == ("llm_request", 600, "otel")
    assert (event.tokens_in, event.tokens_out, event.cache_read_tokens, event.cache_write_tokens) == (
        10,
        20,
        30,
        40,
    )
    assert event.call is not None
    assert event.call.key == "request:req_1"
    assert event.call.usage == Usage(
        uncached_input_tokens=10, output_tokens=20, cache_read_tokens=30, cache_write_5m_tokens=40
    )
    assert metadata(event) == {"otel_event_name": "api_request", "request_id": "req_1"}


@pytest.mark.parametrize(
    ("stated", "split"),
    [
        ({"cache_creation_5m_tokens": 10, "cache_creation_1h_tokens": "30"}, (10, 30)),
        ({"cache_creation_5m_tokens": 0, "cache_creation_1h_tokens": 40}, (0, 40)),
        # Not of the same sum: not believed.
        ({"cache_creation_5m_tokens": 10, "cache_creation_1h_tokens": 10}, (40, 0)),
        ({}, (40, 0)),
    ],
)
def test_the_split_of_cache_writes_is_the_stated_one(stated: dict[str, Any], split: tuple[int, int]) -> None:
    event = only_event(REQUEST | stated)

    assert event.call is not None
    assert (event.call.usage.cache_write_5m_tokens, event.call.usage.cache_write_1h_tokens) == split


@pytest.mark.parametrize(("speed", "kept"), [("fast", "fast"), ("normal", None), ("standard", None), (None, None)])
def test_a_speed_out_of_the_ordinary_is_kept_on_the_call(speed: str | None, kept: str | None) -> None:
    event = only_event(REQUEST | {"speed": speed})

    assert event.call is not None
    assert event.call.usage.speed == kept


def test_the_request_names_the_call_also_when_the_record_has_the_message_s_id() -> None:
    event = only_event(REQUEST | {"message_id": "msg_1"})

    assert event.call is not None
    assert event.call.key == "request:req_1"


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-of-tomorrow", None])
def test_the_client_s_estimate_is_shown_and_is_no_price(model: str | None) -> None:
    event = only_event(REQUEST | {"model": model})

    assert event.cost_nanos == 500_000_000
    assert event.call is not None
    assert event.call.cost_nanos is None


def test_a_repeated_request_is_the_same_call() -> None:
    first, retold = only_event(REQUEST), only_event(REQUEST | {"event.sequence": 9})

    assert first.event_id != retold.event_id
    assert first.call is not None
    assert retold.call is not None
    assert first.call.key == retold.call.key


def test_a_tool_s_result_has_the_id_that_hooks_give_it() -> None:
    tool_input = json.dumps({"file_path": "/w/a.py", "old_string": "x", "new_string": "y\nz"})
    result = {"event.name": "tool_result", "tool_name": "Edit", "tool_use_id": "toolu_1", "success": "true"}
    sizes = {"tool_input": tool_input, "tool_input_size_bytes": str(len(tool_input))}

    event = only_event(result | sizes | {"duration_ms": "48"})

    assert (event.event_id, event.event_type, event.tool_name) == ("cc-tool-toolu_1", "tool_use", "Edit")
    assert (event.status, event.duration_ms) == ("success", 48)
    assert (event.edited_path, event.lines_added, event.lines_removed) == ("/w/a.py", 2, 1)
    assert metadata(event)["tool_use_id"] == "toolu_1"


def test_lines_are_not_counted_in_an_input_that_was_cut() -> None:
    result = {"event.name": "tool_result", "tool_name": "Write", "tool_use_id": "toolu_2"}
    cut = {"tool_input": '{"file_path":"/w/a.py","content":"a\\nb"}', "tool_input_size_bytes": "9000"}

    event = only_event(result | cut)

    assert (event.edited_path, event.lines_added) == ("/w/a.py", 0)


def test_a_command_is_found_in_the_parameters_when_the_input_is_kept_back() -> None:
    parameters = '{"bash_command":"git","full_command":"git status --short"}'
    event = only_event({"event.name": "tool_result", "tool_name": "Bash", "tool_parameters": parameters})

    assert metadata(event)["command"] == "git status --short"


def test_a_failed_tool_is_an_error_with_its_reason() -> None:
    failed = {"event.name": "tool_result", "tool_name": "Bash", "success": "false", "error": "exit 1"}
    event = only_event(failed)

    assert event.status == "error"
    assert metadata(event)["error"] == "exit 1"


def test_only_refused_decisions_are_told() -> None:
    decision = {
        "event.name": "tool_decision",
        "tool_name": "Bash",
        "tool_use_id": "toolu_3",
        "source": "user_reject",
    }
    refused = only_event(decision | {"decision": "reject"})

    assert dropped(decision | {"decision": "accept"}) == {"tool_decision": 1}
    assert (refused.event_type, refused.status, refused.event_id) == ("tool_use", "error", "cc-tool-toolu_3")
    assert metadata(refused)["decision_source"] == "user_reject"


def test_a_prompt_has_the_id_that_hooks_give_it() -> None:
    event = only_event(
        {"event.name": "user_prompt", "prompt": "Fix it", "prompt.id": "p-1"},
        body=any_value("claude_code.user_prompt"),
    )

    assert event.event_id == "cc-prompt-p-1"
    assert metadata(event) == {"message": "Fix it", "otel_event_name": "user_prompt", "prompt_id": "p-1"}


def test_an_api_error_is_an_error_with_status_and_attempt() -> None:
    event = only_event(
        {
            "event.name": "api_error",
            "error": "Overloaded",
            "status_code": 529,
            "attempt": 3,
            "model": "claude-opus-4-5",
        }
    )

    assert (event.event_type, event.status, event.model) == ("error", "error", "claude-opus-4-5")
    assert metadata(event) == {
        "otel_event_name": "api_error",
        "error": "Overloaded",
        "status_code": 529,
        "attempt": 3,
    }


@pytest.mark.parametrize("name", ["claude_code.response", "hook_registered", "assistant_response", "compaction"])
def test_what_says_nothing_new_is_dropped_and_counted(name: str) -> None:
    assert dropped({"event.name": name, "total_tokens": 5}) == {name: 1}

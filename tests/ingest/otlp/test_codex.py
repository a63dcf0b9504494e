from typing import Any

import pytest

from ingest.contract import NewEvent
from pricing.usage import Usage
from tests.ingest.otlp.bodies import TIME_NS, any_value, log_record, logs, metadata, read
from tests.ingest.otlp.bodies import dropped as dropped_of
from tests.ingest.otlp.bodies import only_event as event_of

COMPLETED: dict[str, Any] = {
    "event.name": "codex.sse_event",
    "event.kind": "response.completed",
    "model": "gpt-5.1-codex",
    "input_token_count": "1000",
    "cached_token_count": 700,
    "cache_write_token_count": 100,
    "output_token_count": "50",
    "reasoning_token_count": 20,
    "tool_token_count": "1050",
}


def only_event(attributes: dict[str, Any], **fields: Any) -> NewEvent:
    return event_of({"conversation.id": "c-1"} | attributes, service="codex_cli_rs", **fields)


def dropped(attributes: dict[str, Any]) -> dict[str, int]:
    return dropped_of(attributes, service="codex_cli_rs")


def test_the_end_of_a_response_is_the_call() -> None:
    event = only_event(COMPLETED)

    assert (event.event_type, event.agent_type, event.model) == ("llm_response", "codex", "gpt-5.1-codex")
    assert (event.tokens_in, event.tokens_out, event.cache_read_tokens, event.cache_write_tokens) == (
        200,
        50,
        700,
        100,
    )
    assert event.call is not None
    assert event.call.usage == Usage(
        uncached_input_tokens=200,
        cache_read_tokens=700,
        cache_write_5m_tokens=100,
        output_tokens=50,
        reasoning_tokens=20,
    )


def test_the_end_is_told_twice_and_counted_once() -> None:
    timing = {"event.name": "codex.sse_event", "event.kind": "response.completed", "duration_ms": "20"}

    assert dropped(timing) == {"codex.sse_event": 1}


def test_the_same_usage_at_another_time_is_another_call() -> None:
    first = log_record(COMPLETED | {"conversation.id": "c"}, time_ns=0, observedTimeUnixNano=str(TIME_NS))
    second = log_record(COMPLETED | {"conversation.id": "c"}, time_ns=0, observedTimeUnixNano=str(TIME_NS + 1))

    events = read(logs(first, second, service="codex_exec")).events

    assert len({event.call.key for event in events if event.call}) == 2
    assert all(event.client_at_ms == TIME_NS // 1_000_000 for event in events)


@pytest.mark.parametrize(
    ("attributes", "event_type", "status"),
    [
        ({"event.name": "codex.conversation_starts"}, "session_start", "success"),
        ({"event.name": "codex.websocket_request"}, "llm_request", "success"),
        ({"event.name": "codex.user_message"}, "user_prompt", "success"),
        ({"event.name": "codex.tool_decision"}, "tool_use", "success"),
        ({"event.name": "codex.tool_result", "success": "false"}, "tool_use", "error"),
        ({"event.name": "codex.api_request", "error.message": "refused"}, "llm_request", "error"),
        ({"event.name": "codex.sse_event", "event.kind": "response.completed"}, "llm_response", "success"),
        ({"event.name": "codex.sse_event", "event.kind": "response.failed"}, "error", "error"),
        ({"event.name": "codex.sse_event", "success": "false"}, "error", "error"),
        ({"event.name": "codex.sse_event", "error.message": "cut off"}, "error", "error"),
        ({"event.name": "codex.sse_event", "event.kind": "response.created"}, "response", "success"),
        ({"event.name": "codex.websocket_event", "event.kind": "response.completed"}, "llm_response", "success"),
        ({"event.name": "codex.websocket_event", "event.kind": "response.failed"}, "error", "error"),
        ({"event.name": "codex.websocket.event", "event.kind": "response.created"}, "response", "success"),
        ({"event.name": "codex.response", "item.type": "message"}, "response", "success"),
        ({"event.name": "codex.event_msg", "type": "user_message"}, "user_prompt", "success"),
    ],
)
def test_each_event_has_its_type(attributes: dict[str, Any], event_type: str, status: str) -> None:
    event = only_event(attributes)

    assert (event.event_type, event.status) == (event_type, status)


@pytest.mark.parametrize(
    "attributes",
    [
        {"event.name": "codex.sse_event"},
        {"event.name": "codex.sse_event", "event.kind": "response.output_text.delta"},
        {"event.name": "codex.websocket_event", "event.kind": "response.reasoning_summary_text.delta"},
        {"event.name": "codex.websocket_event", "event.kind": "codex.rate_limits"},
        {"event.name": "codex.response"},
        {"event.name": "codex.event_msg", "type": "token_count"},
        {"event.name": "codex.startup_phase"},
    ],
)
def test_noise_is_dropped_and_counted(attributes: dict[str, Any]) -> None:
    assert dropped(attributes) == {attributes["event.name"]: 1}


def test_items_bring_their_text() -> None:
    prompt = only_event(
        {"event.name": "codex.event_msg"},
        body=any_value({"payload": {"type": "user_message", "message": "Do it"}}),
    )
    answer = only_event(
        {"event.name": "codex.response"},
        body=any_value(
            {"type": "message", "content": [{"type": "output_text", "text": "Done."}, {"text": "Bye."}]}
        ),
    )

    assert (prompt.event_type, metadata(prompt)["message"]) == ("user_prompt", "Do it")
    assert (answer.event_type, metadata(answer)["content_preview"]) == ("response", "Done.\nBye.")


def test_both_results_of_a_tool_in_code_mode_have_one_id() -> None:
    result = {"event.name": "codex.tool_result", "tool_name": "shell", "call_id": "call_1", "success": "true"}
    first, again = only_event(result), only_event(result | {"tool_result_seq": 2, "duration_ms": "9"})

    assert first.event_id == again.event_id
    assert first.event_id is not None
    assert first.event_id.startswith("cdx-tool-")
    assert first.event_id != only_event(result | {"conversation.id": "c-2", "session.id": "c-2"}).event_id


def test_an_approved_tool_is_told_by_its_result() -> None:
    decision = {"event.name": "codex.tool_decision", "tool_name": "shell", "call_id": "call_2"}

    assert dropped(decision | {"decision": "approved"}) == {"codex.tool_decision": 1}
    denied = only_event(decision | {"decision": "denied", "source": "User"})
    assert (denied.event_type, denied.status) == ("tool_use", "error")
    assert metadata(denied)["decision_source"] == "User"


@pytest.mark.parametrize(
    "arguments", ['{"cmd": "git status"}', '{"command": "git status"}', '{"command": ["git", "status"]}']
)
def test_a_command_is_told(arguments: str) -> None:
    event = only_event(
        {"event.name": "codex.tool_result", "tool_name": "shell", "arguments": arguments, "output": "x" * 900}
    )

    assert metadata(event)["command"] == "git status"
    assert len(metadata(event)["content_preview"]) == 500


def test_a_patch_in_the_arguments_counts_its_lines() -> None:
    patch = "*** Begin Patch\n*** Update File: a.py\n-x\n+y\n+z\n*** End Patch"
    event = only_event({"event.name": "codex.tool_result", "tool_name": "apply_patch", "arguments": patch})

    assert (event.edited_path, event.lines_added, event.lines_removed) == ("a.py", 2, 1)


def test_a_session_s_start_tells_how_the_agent_was_set_up() -> None:
    event = only_event(
        {
            "event.name": "codex.conversation_starts",
            "approval_policy": "never",
            "mcp_servers": "docs, github",
            "app.version": "0.169.0",
        }
    )

    assert metadata(event) == {
        "otel_event_name": "codex.conversation_starts",
        "approval_policy": "never",
        "mcp_servers": ["docs", "github"],
        "client_version": "0.169.0",
    }

from typing import Any

import pytest

from ingest.contract import NewEvent
from pricing.usage import Usage
from tests.ingest.otlp.bodies import any_value, metadata
from tests.ingest.otlp.bodies import dropped as dropped_of
from tests.ingest.otlp.bodies import only_event as event_of

COUNTS = {
    "input_token_count": 1000,
    "cached_content_token_count": 400,
    "output_token_count": 50,
    "thoughts_token_count": 30,
    "tool_token_count": 7,
    "total_token_count": 1087,
}


def only_event(attributes: dict[str, Any], **fields: Any) -> NewEvent:
    return event_of(attributes, service="gemini-cli", **fields)


def test_a_response_is_the_call_with_thoughts_as_output_and_tool_prompts_as_input() -> None:
    event = only_event({"event.name": "gemini_cli.api_response", "model": "gemini-2.5-pro", **COUNTS})

    assert (event.event_type, event.agent_type) == ("llm_response", "gemini_cli")
    assert event.call is not None
    assert event.call.usage == Usage(
        uncached_input_tokens=607, cache_read_tokens=400, output_tokens=80, reasoning_tokens=30
    )
    assert event.tokens_out == 80


@pytest.mark.parametrize(
    "name", ["gen_ai.client.inference.operation.details", "gemini_cli.config", "gemini_cli.rewind"]
)
def test_the_second_telling_of_a_call_and_other_noise_are_dropped(name: str) -> None:
    counts = {"gen_ai.usage.input_tokens": 1000, "gen_ai.usage.output_tokens": 50}

    assert dropped_of({"event.name": name, **counts}, service="gemini-cli") == {name: 1}


def test_usage_counts_in_responses_only() -> None:
    event = only_event({"event.name": "gemini_cli.tool_call", "function_name": "glob", **COUNTS})

    assert (event.call, event.tokens_in) == (None, 0)


WRITING = {
    "event.name": "gemini_cli.tool_call",
    "function_name": "write_file",
    "function_args": '{"file_path": "/w/a.py", "content": "x"}',
    "metadata": '{"model_added_lines": 3, "model_removed_lines": 1}',
    "duration_ms": 12,
}


def test_a_tool_call_tells_tool_arguments_and_lines() -> None:
    event = only_event({**WRITING, "success": True})

    told = (event.event_type, event.tool_name, event.status, event.duration_ms)
    assert told == ("tool_use", "write_file", "success", 12)
    assert (event.lines_added, event.lines_removed) == (3, 1)
    assert metadata(event)["file_path"] == "/w/a.py"


def test_a_failed_tool_changed_no_lines() -> None:
    event = only_event({**WRITING, "success": False, "error": "no space"})

    assert (event.status, event.lines_added, event.lines_removed) == ("error", 0, 0)
    assert metadata(event)["error"] == "no space"
    assert "lines_added" not in metadata(event)


def test_a_prompt_is_its_text_not_the_sentence_about_it() -> None:
    body = any_value("User prompt. Length: 5.")
    told = only_event({"event.name": "gemini_cli.user_prompt", "prompt": "Hello"}, body=body)
    kept_back = only_event({"event.name": "gemini_cli.user_prompt", "prompt_length": 5}, body=body)

    assert metadata(told)["message"] == "Hello"
    assert "message" not in metadata(kept_back)


def test_an_api_error_is_an_error() -> None:
    event = only_event(
        {"event.name": "gemini_cli.api_error", "error": "quota", "status_code": 429, "model": "gemini-2.5-pro"}
    )

    assert (event.event_type, event.model) == ("error", "gemini-2.5-pro")
    assert metadata(event)["status_code"] == 429

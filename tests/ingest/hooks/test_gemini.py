"""Gemini CLI's hook bodies."""

import json
from typing import Any

import pytest

from ingest.contract import NewEvent, SessionFacts
from ingest.hooks.claude_body import HookFault
from ingest.hooks.gemini import read, read_body
from ingest.hooks.outcome import HookOutcome
from tests.ingest.hooks.bodies import LIMIT_BYTES
from tests.ingest.hooks.recorded import RECORDINGS, bodies

RECORDING = max(RECORDINGS.glob("gemini-*/hooks.jsonl"))
AT = "2026-11-25T00:44:47.949Z"


def outcome_of(name: str, /, **fields: Any) -> HookOutcome:
    body = {"session_id": "s-1", "cwd": "/home/u/myapp", "hook_event_name": name, "timestamp": AT} | fields
    return read(body, payload_limit_bytes=LIMIT_BYTES)


def one(outcome: HookOutcome) -> tuple[NewEvent, SessionFacts]:
    (event,), (facts,) = outcome.events, outcome.facts
    return event, facts


def test_a_prompt_is_told_with_its_time() -> None:
    event, facts = one(outcome_of("BeforeAgent", prompt="Fix it"))
    assert (event.event_type, event.agent_type, event.project) == ("user_prompt", "gemini_cli", "myapp")
    assert (json.loads(event.metadata), event.client_at_ms) == ({"message": "Fix it"}, 1795567487949)
    assert facts.state == "working"


def test_a_tool_use_keeps_what_it_did() -> None:
    shown = {"diffStat": {"model_added_lines": 2, "model_removed_lines": 1}}
    fields = {"tool_name": "write_file", "tool_input": {"file_path": "/a.py", "content": "x"}}
    event, facts = one(outcome_of("AfterTool", **fields, tool_response={"returnDisplay": shown}))
    assert (event.event_type, event.tool_name, event.status) == ("tool_use", "write_file", "success")
    assert json.loads(event.metadata) == {"file_path": "/a.py", "lines_added": 2, "lines_removed": 1}
    assert (event.lines_added, event.lines_removed, facts.state) == (2, 1, "working")


@pytest.mark.parametrize(
    ("error", "told"), [("No file", "No file"), ({"message": "Denied"}, "Denied"), ({"x": 1}, "the tool failed")]
)
def test_a_failed_tool_is_an_error(error: object, told: str) -> None:
    event, _ = one(outcome_of("AfterTool", tool_name="replace", tool_response={"error": error}))
    assert (event.status, json.loads(event.metadata)) == ("error", {"error": told})


@pytest.mark.parametrize(
    ("name", "fields", "state"),
    [
        (
            "BeforeTool",
            {"tool_name": "run_shell_command", "tool_input": {"command": "make"}},
            ("tool", "run_shell_command: make"),
        ),
        ("BeforeTool", {"tool_name": "ask_user"}, ("question", "ask_user")),
        (
            "Notification",
            {
                "notification_type": "ToolPermission",
                "message": "m",
                "details": {"type": "exec", "command": "rm x"},
            },
            ("permission", "rm x"),
        ),
        ("Notification", {"notification_type": "ToolPermission", "message": "Tool x"}, ("permission", "Tool x")),
        ("Notification", {"notification_type": "Other", "message": "x"}, (None, None)),
        ("AfterAgent", {"prompt_response": "Done."}, ("turn_ended", None)),
        ("PreCompress", {"trigger": "auto"}, (None, None)),
        ("SessionStart", {"source": "startup"}, (None, None)),
        ("SomethingNew", {"level": 3}, (None, None)),
    ],
)
def test_what_the_agent_does_after_a_hook(
    name: str, fields: dict[str, Any], state: tuple[str | None, ...]
) -> None:
    (facts,) = outcome_of(name, **fields).facts
    assert (facts.state, facts.state_detail) == state


@pytest.mark.parametrize("name", ["PreCompress", "BeforeModel", "AfterModel", "BeforeToolSelection"])
def test_what_comes_with_every_answer_is_a_sign_of_life_only(name: str) -> None:
    assert outcome_of(name, llm_request={"model": "x"}).events == []


@pytest.mark.parametrize("content", [b"", b"[]", b"not json", b"{}"])
def test_what_is_no_body_is_a_fault(content: bytes) -> None:
    with pytest.raises(HookFault):
        read_body(content, payload_limit_bytes=LIMIT_BYTES)


def test_a_run_is_told_from_start_to_goodbye() -> None:
    outcomes = [read(body, payload_limit_bytes=LIMIT_BYTES) for body in bodies(RECORDING, "tools")]
    events = [event for outcome in outcomes for event in outcome.events]
    facts = [fact for outcome in outcomes for fact in outcome.facts]
    assert [event.event_type for event in events] == [
        "session_start",
        "user_prompt",
        *["tool_use"] * 4,
        "response",
        "session_end",
    ]
    assert [fact.ends for fact in facts] == [False] * (len(facts) - 1) + [True]
    states = [fact.state for fact in facts if fact.state]
    assert (states[0], states[-1], set(states[1:-1])) == ("working", "turn_ended", {"tool", "working"})

"""Codex's hook bodies and notifications."""

import json
from typing import Any

import pytest

from importers.codex import CodexReader
from importers.reader import PathFacts
from ingest.contract import NewEvent, SessionFacts
from ingest.hooks.claude_body import HookFault
from ingest.hooks.codex import read, read_body
from ingest.hooks.outcome import HookOutcome
from ingest.otlp.keys import codex_tool_event_id
from tests.ingest.hooks.bodies import LIMIT_BYTES
from tests.ingest.hooks.recorded import RECORDINGS, bodies

RECORDING = max(RECORDINGS.glob("codex-*/hooks.jsonl"))


def outcome_of(name: str, /, **fields: Any) -> HookOutcome:
    body = {"session_id": "root", "cwd": "/home/u/myapp", "hook_event_name": name, "turn_id": "t-1"} | fields
    return read(body, payload_limit_bytes=LIMIT_BYTES)


def one(outcome: HookOutcome) -> tuple[NewEvent, SessionFacts]:
    (event,), (facts,) = outcome.events, outcome.facts
    return event, facts


def replay(scenario: str) -> tuple[list[NewEvent], list[SessionFacts]]:
    outcomes = [read(body, payload_limit_bytes=LIMIT_BYTES) for body in bodies(RECORDING, scenario)]
    return [e for outcome in outcomes for e in outcome.events], [f for outcome in outcomes for f in outcome.facts]


def test_a_prompt_is_one_with_the_prompt_of_the_rollout() -> None:
    event, facts = one(outcome_of("UserPromptSubmit", prompt="Fix it", model="gpt-5.5"))
    assert (event.event_type, event.event_id, event.agent_type) == ("user_prompt", "cdx-prompt-t-1", "codex")
    assert (event.project, event.source, json.loads(event.metadata)) == ("myapp", "hook", {"message": "Fix it"})
    assert (facts.state, facts.model) == ("working", "gpt-5.5")


def test_a_sub_agents_prompt_is_its_parents_word() -> None:
    outcome = outcome_of("UserPromptSubmit", prompt="Count", agent_id="thread-2", agent_type="explorer")
    assert outcome.events == []
    assert outcome.facts[0].state is None


@pytest.mark.parametrize(("agent_id", "thread_id"), [(None, "root"), ("thread-2", "thread-2")])
def test_a_tool_use_is_one_with_that_of_its_threads_rollout(agent_id: str | None, thread_id: str) -> None:
    fields = {"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_use_id": "call-1", "agent_id": agent_id}
    event, facts = one(outcome_of("PostToolUse", **fields, tool_response="a\nb"))
    assert (event.event_type, event.tool_name) == ("tool_use", "exec_command")
    assert event.event_id == codex_tool_event_id(thread_id, "call-1")
    assert event.session_id == facts.session_id == "root"
    assert facts.state == (None if agent_id else "working")


def test_a_patch_counts_its_lines() -> None:
    patch = "*** Begin Patch\n*** Update File: a.py\n@@\n-old\n+new\n+more\n*** End Patch"
    event, _ = one(outcome_of("PostToolUse", tool_name="apply_patch", tool_input={"command": patch}))
    assert (event.edited_path, event.lines_added, event.lines_removed) == ("a.py", 2, 1)
    assert "command" not in json.loads(event.metadata)


@pytest.mark.parametrize(
    ("name", "fields", "state"),
    [
        ("PreToolUse", {"tool_name": "Bash", "tool_input": {"command": "make"}}, ("tool", "Bash: make")),
        ("PreToolUse", {"tool_name": "request_user_input", "tool_input": {}}, ("question", "request_user_input")),
        ("PermissionRequest", {"tool_name": "Bash", "tool_input": {"command": "x"}}, ("permission", "Bash: x")),
        ("PreCompact", {"trigger": "auto"}, ("working", "compacting")),
        ("PostCompact", {"trigger": "auto"}, ("working", None)),
        ("PostCompact", {"trigger": "manual"}, ("turn_ended", None)),
        ("Stop", {"last_assistant_message": "Done."}, ("turn_ended", None)),
        ("Interrupt", {}, ("turn_ended", None)),
        ("SessionStart", {"source": "startup"}, (None, None)),
        ("SubagentStop", {"agent_id": "thread-2"}, (None, None)),
        ("SomethingNew", {"level": 3}, (None, None)),
    ],
)
def test_what_the_agent_does_after_a_hook(
    name: str, fields: dict[str, Any], state: tuple[str | None, ...]
) -> None:
    (facts,) = outcome_of(name, **fields).facts
    assert (facts.state, facts.state_detail) == state


def test_the_end_of_a_turn_told_twice_is_one_event() -> None:
    hook, _ = one(outcome_of("Stop", last_assistant_message="Done."))
    told = {"type": "agent-turn-complete", "thread-id": "root", "turn-id": "t-1", "cwd": "/home/u/myapp"}
    said = {"client": "codex-tui", "last-assistant-message": "Done.", "input-messages": ["Fix it"]}
    notified, facts = one(read(told | said, payload_limit_bytes=LIMIT_BYTES))
    assert hook == notified
    assert (notified.event_type, notified.event_id) == ("response", "cdx-turn-t-1")
    assert facts.state == "turn_ended"


def test_a_sub_agent_that_notifies_makes_no_session() -> None:
    told = {
        "type": "agent-turn-complete",
        "thread-id": "thread-2",
        "turn-id": "t-2",
        "last-assistant-message": "x",
    }
    assert read(told, payload_limit_bytes=LIMIT_BYTES) == HookOutcome(hook="notify")


@pytest.mark.parametrize("content", [b"", b"[]", b"not json", b'{"thread-id": 5, "client": "x"}', b"{}"])
def test_what_is_no_body_is_a_fault_or_nothing(content: bytes) -> None:
    try:
        assert read_body(content, payload_limit_bytes=LIMIT_BYTES) == HookOutcome(hook="notify")
    except HookFault as fault:
        assert fault.faults


def test_a_run_is_told_from_start_to_goodbye() -> None:
    events, facts = replay("tools")
    assert [event.event_type for event in events] == [
        "session_start",
        "user_prompt",
        *["tool_use"] * 4,
        "response",
        "response",
        "session_end",
    ]
    assert events[-3].event_id == events[-2].event_id
    assert [fact.ends for fact in facts] == [False] * (len(facts) - 1) + [True]
    assert {event.project for event in events} == {"shop-api"}


def test_sub_agents_belong_to_the_session_of_their_root() -> None:
    events, facts = replay("agents")
    assert len({event.session_id for event in events} | {fact.session_id for fact in facts}) == 1
    states = [fact.state for fact in facts if fact.state]
    assert states == [
        "working",
        "tool",
        "working",
        "tool",
        "working",
        "tool",
        "working",
        "turn_ended",
        "turn_ended",
    ]


def test_a_compaction_starts_no_session_anew() -> None:
    events, _ = replay("compact")
    assert [event.event_type for event in events].count("session_start") == 1


def test_events_that_a_rollout_tells_too_have_its_ids() -> None:
    for scenario in ("tools", "code-mode", "agents"):
        told = {event.event_id for event in replay(scenario)[0] if event.event_type in ("tool_use", "user_prompt")}
        session_id = bodies(RECORDING, scenario)[0]["session_id"]
        written: set[str | None] = set()
        for path in sorted((RECORDING.parent / "sessions").rglob("*.jsonl")):
            reader = CodexReader(PathFacts(str(path), path.stem))
            for number, line in enumerate(path.read_text().splitlines()):
                reader.read(number, json.loads(line))
            written |= {event.event_id for event in reader.take(everything=True) if event.session_id == session_id}
        assert told and told <= written, scenario

"""What a real client sent, read from beginning to end."""

from collections import Counter
from pathlib import Path

import pytest

from ingest.contract import NewEvent, SessionFacts
from ingest.hooks.claude_code import read
from tests.ingest.hooks import recorded
from tests.ingest.hooks.bodies import LIMIT_BYTES

RECORDINGS = sorted(recorded.RECORDINGS.glob("claude-*/hooks.jsonl"))


def replay(recording: Path, scenario: str) -> tuple[list[NewEvent], list[SessionFacts]]:
    outcomes = [
        read(body, payload_limit_bytes=LIMIT_BYTES, safety=True) for body in recorded.bodies(recording, scenario)
    ]
    return [e for outcome in outcomes for e in outcome.events], [f for outcome in outcomes for f in outcome.facts]


@pytest.fixture(params=RECORDINGS, ids=lambda path: path.parent.name)
def recording(request: pytest.FixtureRequest) -> Path:
    return request.param  # type: ignore[no-any-return]


def test_there_is_a_recording() -> None:
    assert RECORDINGS


def test_a_run_is_told_from_start_to_goodbye(recording: Path) -> None:
    events, facts = replay(recording, "tools")
    assert (events[0].event_type, events[-1].event_type) == ("session_start", "session_end")
    counted = Counter(event.event_type for event in events)
    assert (counted["user_prompt"], counted["session_end"]) == (1, 2)
    used = [event for event in events if event.event_type == "tool_use"]
    assert [event.tool_name for event in used] == ["Bash", "Read", "Write", "Edit", "Bash", "Bash"]
    assert [event.status for event in used].count("error") == 1
    assert all(event.duration_ms is not None for event in used)
    assert {event.project for event in events} == {"shop-api"}
    assert [fact.ends for fact in facts] == [False] * (len(facts) - 1) + [True]


def test_each_tool_use_is_told_once(recording: Path) -> None:
    events, _ = replay(recording, "parallel")
    ids = [event.event_id for event in events if event.event_type == "tool_use"]
    assert len(ids) == len(set(ids)) == 4


def test_sub_agents_do_not_change_what_the_session_does(recording: Path) -> None:
    _, facts = replay(recording, "agents")
    states = [fact.state for fact in facts if fact.state is not None]
    assert states == ["working", "tool", "tool", "working", "working", "turn_ended"]


def test_a_background_agent_does_not_end_the_wait_for_the_human(recording: Path) -> None:
    events, facts = replay(recording, "background")
    assert [event.event_type for event in events].count("user_prompt") == 1
    states = [(fact.state, fact.state_detail) for fact in facts if fact.state is not None]
    assert states[-3:] == [
        ("turn_ended", "in the background: Find slow code"),
        ("working", None),
        ("turn_ended", None),
    ]


def test_going_into_a_directory_does_not_change_the_project(recording: Path) -> None:
    events, facts = replay(recording, "command")
    assert {event.project for event in events} == {"shop-api"}
    assert {fact.cwd for fact in facts if fact.cwd} > {"/tmp/agentmonitor-demo/shop-api"}


def test_a_person_at_the_terminal_is_waited_for(recording: Path) -> None:
    _, facts = replay(recording, "terminal")
    first = facts[0].session_id
    states = [fact.state for fact in facts if fact.session_id == first and fact.state is not None]
    assert states == [
        "working",
        "tool",
        "permission",
        "permission",
        "working",
        "turn_ended",
        "turn_ended",
        "working",
    ]
    assert len({fact.session_id for fact in facts}) == 2


def test_sub_agents_are_told_from_start_to_stop(recording: Path) -> None:
    _, facts = replay(recording, "agents")
    told = [agent for fact in facts for agent in fact.subagents]
    assert {agent.kind for agent in told} == {"Explore", "general-purpose"}
    for agent_id in {agent.subagent_id for agent in told}:
        moments = [agent.now for agent in told if agent.subagent_id == agent_id]
        assert (moments[0], moments[-1]) == ("starts", "ends")
        assert set(moments[1:-1]) == {"works"}


def test_the_helper_of_a_compaction_is_no_sub_agent(recording: Path) -> None:
    assert "SubagentStop" in {body["hook_event_name"] for body in recorded.bodies(recording, "compact")}
    _, facts = replay(recording, "compact")
    assert not [agent for fact in facts for agent in fact.subagents]

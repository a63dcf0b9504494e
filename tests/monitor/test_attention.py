"""What waits for the human: every sequence, from real captures too, under a clock that the tests move."""

import json
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from ingest.contract import SessionFacts
from ingest.hooks.claude_code import read
from ingest.store import Batch, advance, write_group
from monitor.attention import attention_of
from monitor.lifecycle import MINUTE_MS
from tests.storing import START_MS, TIMEOUT_MINUTES, Clock, opened, rules, session_row

CAPTURE = Path(__file__).parents[1] / "fixtures/attention/claude-2.1.197-hooks.jsonl"
LIMIT_BYTES = 10240
Shown = tuple[str, str | None]


class Watch:
    """One session `s`, told of by hooks and files, and what it shows."""

    def __init__(self, connection: sqlite3.Connection, projects_dir: Path) -> None:
        self.connection, self.clock, self._rules = connection, Clock(), rules(projects_dir)

    def hook(self, name: str, session_id: str = "s", **fields: Any) -> "Watch":
        body = {"session_id": session_id, "hook_event_name": name, "cwd": "/home/u/shop"} | fields
        outcome = read(body, payload_limit_bytes=LIMIT_BYTES, safety=False)
        return self._store(Batch(outcome.events, outcome.facts))

    def file(self, **fields: Any) -> "Watch":
        """What a file tells: nothing of life."""
        facts = SessionFacts(session_id="s", agent_type="claude_code", sign_of_life=False, **fields)
        return self._store(Batch(facts=[facts]))

    def _store(self, batch: Batch) -> "Watch":
        write_group(self.connection, [batch], self.clock(), self._rules)
        self.clock.now_ms += 1000
        return self

    def wait(self, minutes: float) -> "Watch":
        self.clock.pass_minutes(minutes)
        advance(self.connection, self.clock(), TIMEOUT_MINUTES * MINUTE_MS)
        return self

    @property
    def shown(self) -> Shown:
        row = session_row(self.connection)
        word = attention_of(row["status"], row["state"], row["state_at"], row["seen_at"])
        return word, row["state_detail"]

    @property
    def since_s(self) -> float:
        return float(session_row(self.connection)["state_at"] - START_MS) / 1000


@pytest.fixture
def watch(database: Path) -> Iterator[Watch]:
    with opened(database) as connection:
        yield Watch(connection, database.parent / "projects")


BASH = {"tool_name": "Bash", "tool_input": {"command": "make"}}
SUB = {"agent_id": "a1", "agent_type": "general-purpose"}
OTHER_SUB = {"agent_id": "a2", "agent_type": "general-purpose"}
ASKS = {"tool_name": "AskUserQuestion", "tool_input": {"questions": [{"question": "Which one?"}]}}


def test_a_turn_from_prompt_to_end(watch: Watch) -> None:
    assert watch.hook("SessionStart", source="startup").shown == ("working", None)
    assert watch.hook("UserPromptSubmit", prompt="Build it").shown == ("working", None)
    assert watch.hook("PreToolUse", **BASH).shown == ("tool", "Bash: make")
    assert watch.since_s == 2
    assert watch.hook("PermissionRequest", **BASH).shown == ("permission", "Bash: make")
    assert watch.hook("Notification", notification_type="permission_prompt", message="x").since_s == 3
    assert watch.hook("PostToolUse", **BASH).shown == ("working", None)
    assert watch.hook("PreToolUse", **ASKS).shown == ("question", "Which one?")
    assert watch.hook("PostToolUse", **ASKS).shown == ("working", None)
    assert watch.hook("Stop").shown == ("finished", None)
    assert watch.hook("SessionEnd", reason="other").shown == ("ended", None)


def test_a_finished_turn_that_was_seen_is_idle_until_the_next_one_ends(watch: Watch) -> None:
    watch.hook("Stop").file(seen_at_ms=START_MS + 60_000)
    assert watch.shown == ("idle", None)
    watch.wait(2).hook("UserPromptSubmit", prompt="More")
    assert watch.shown == ("working", None)
    assert watch.hook("Stop").shown == ("finished", None)


def test_a_start_that_comes_after_the_first_prompt_changes_nothing(watch: Watch) -> None:
    watch.hook("UserPromptSubmit", prompt="Build it").hook("PreToolUse", **BASH)
    assert watch.hook("SessionStart", source="startup", model="opus").shown == ("tool", "Bash: make")
    assert watch.since_s == 1


class TestSubAgents:
    @pytest.fixture
    def watch(self, watch: Watch) -> Watch:
        agent = {"tool_name": "Agent", "tool_input": {"description": "Clean up"}}
        return watch.hook("UserPromptSubmit", prompt="x").hook("PreToolUse", **agent).hook("SubagentStart", **SUB)

    def test_a_wait_is_shown_until_the_sub_agent_goes_on(self, watch: Watch) -> None:
        watch.hook("PermissionRequest", **BASH, **SUB)
        assert watch.shown == ("permission", "Bash: make")
        watch.hook("Notification", notification_type="permission_prompt", message="Claude needs your permission")
        assert watch.shown == ("permission", "Bash: make")
        assert watch.hook("PostToolUse", **BASH, **SUB).shown == ("tool", "Agent: Clean up")
        assert watch.since_s == 1

    @pytest.mark.parametrize("end", ["SubagentStop", "PostToolUseFailure", "PreToolUse"])
    def test_a_wait_ends_with_any_word_of_the_sub_agent(self, end: str, watch: Watch) -> None:
        watch.hook("PermissionRequest", **BASH, **SUB)
        assert watch.hook(end, **BASH, **SUB).shown == ("tool", "Agent: Clean up")

    def test_of_two_that_wait_the_longest_is_shown_first(self, watch: Watch) -> None:
        watch.hook("PermissionRequest", **BASH, **SUB)
        watch.hook("PermissionRequest", tool_name="Bash", tool_input={"command": "ls"}, **OTHER_SUB)
        assert watch.shown == ("permission", "Bash: make")
        assert watch.hook("PostToolUse", **BASH, **SUB).shown == ("permission", "Bash: ls")
        assert watch.hook("PostToolUse", **BASH, **OTHER_SUB).shown == ("tool", "Agent: Clean up")

    def test_what_the_main_agent_does_meanwhile_is_remembered(self, watch: Watch) -> None:
        watch.hook("PermissionRequest", **BASH, **SUB).hook("Stop")
        assert watch.shown == ("permission", "Bash: make")
        assert watch.hook("SubagentStop", **SUB).shown == ("finished", None)

    def test_a_new_turn_of_the_human_means_that_nobody_waits(self, watch: Watch) -> None:
        watch.hook("PermissionRequest", **BASH, **SUB)
        assert watch.hook("UserPromptSubmit", prompt="Never mind").shown == ("working", None)

    def test_the_end_of_a_background_agent_is_no_turn_of_the_human(self, watch: Watch) -> None:
        watch.hook("PermissionRequest", **BASH, **SUB)
        watch.hook("UserPromptSubmit", prompt="<task-notification>a2 is done</task-notification>")
        assert watch.shown == ("permission", "Bash: make")

    def test_the_end_of_the_session_ends_every_wait(self, watch: Watch) -> None:
        watch.hook("PermissionRequest", **BASH, **SUB).hook("SessionEnd", reason="other")
        assert watch.shown == ("ended", None)
        assert watch.hook("UserPromptSubmit", prompt="Again").shown == ("working", None)


class TestWithoutAGoodbye:
    def test_a_process_that_is_gone_is_a_death_in_its_tool(self, watch: Watch) -> None:
        watch.hook("PreToolUse", **BASH).file(dies=True)
        assert watch.shown == ("died", "Bash: make")
        assert watch.file(dies=True).since_s == 1
        assert watch.file(seen_at_ms=START_MS + 60_000).shown[0] == "ended"

    def test_who_is_heard_of_again_has_not_died(self, watch: Watch) -> None:
        watch.hook("PreToolUse", **BASH).file(dies=True)
        assert watch.hook("UserPromptSubmit", prompt="Again").shown == ("working", None)

    def test_a_death_after_the_goodbye_is_none(self, watch: Watch) -> None:
        assert watch.hook("SessionEnd", reason="other").file(dies=True).shown == ("ended", None)

    def test_a_question_is_believed_for_half_a_day(self, watch: Watch) -> None:
        watch.hook("PermissionRequest", **BASH)
        assert watch.wait(11 * 60).shown == ("permission", "Bash: make")
        assert watch.wait(2 * 60).shown == ("ended", None)

    def test_work_that_falls_silent_is_idle_and_then_over(self, watch: Watch) -> None:
        watch.hook("UserPromptSubmit", prompt="x")
        assert watch.wait(TIMEOUT_MINUTES + 1).shown[0] == "idle"
        assert watch.wait(TIMEOUT_MINUTES + 1).shown == ("ended", None)

    def test_a_process_that_runs_keeps_its_session(self, watch: Watch) -> None:
        watch.hook("Stop").wait(TIMEOUT_MINUTES)
        for _ in range(4):
            watch.file(alive_at_ms=watch.clock())
            assert watch.wait(TIMEOUT_MINUTES).shown == ("finished", None)
        assert watch.wait(2 * TIMEOUT_MINUTES).shown == ("ended", None)

    def test_an_interruption_that_only_a_file_tells_of_ends_the_turn(self, watch: Watch) -> None:
        watch.hook("PreToolUse", **BASH).hook("PermissionRequest", **BASH, **SUB)
        watch.wait(2).file(state="turn_ended", state_at_ms=START_MS + 90_000, new_turn=True)
        assert watch.shown == ("finished", None)

    def test_what_is_told_late_and_is_older_changes_nothing(self, watch: Watch) -> None:
        watch.hook("Stop").wait(1).hook("PermissionRequest", **BASH)
        assert watch.file(state="turn_ended", state_at_ms=START_MS + 30_000).shown == ("permission", "Bash: make")


def captured() -> Iterator[tuple[int, str, dict[str, Any]]]:
    for line in CAPTURE.read_text().splitlines():
        hook = json.loads(line)
        yield round(datetime.fromisoformat(hook["at"]).timestamp() * 1000), hook["event"], hook["body"]


def test_a_real_terminal_with_a_sub_agents_permission_a_question_and_an_interruption(watch: Watch) -> None:
    shown = []
    for at_ms, _, body in captured():
        watch.clock.now_ms = at_ms
        outcome = read(body, payload_limit_bytes=LIMIT_BYTES, safety=True)
        write_group(watch.connection, [Batch(outcome.events, outcome.facts)], at_ms, watch._rules)
        row = session_row(watch.connection, body["session_id"])
        shown.append((attention_of(row["status"], row["state"], row["state_at"], None), row["state_detail"]))
    assert [step for step, _ in groupby(shown)] == [
        ("working", None),
        ("tool", "Agent: Clean up"),
        ("permission", "Bash: touch a-file && rm a-file"),
        ("tool", "Agent: Clean up"),
        ("working", None),
        ("finished", None),
        ("working", None),
        ("question", "Which colour?"),
        ("working", None),
        ("finished", None),
        ("working", None),
        ("tool", "Bash: sleep 30"),
        # Esc: no hook. The next prompt goes on; then the client is killed in its tool.
        ("working", None),
        ("tool", "Bash: git log --oneline && sleep 60"),
    ]

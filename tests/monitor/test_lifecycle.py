"""The life of a session, under a clock that the tests move."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.contract import NewEvent, SessionFacts
from ingest.store import Batch, StatusChange, advance, write_group
from monitor.lifecycle import MINUTE_MS, recent_ms
from tests.storing import (
    RECENT_MINUTES,
    START_MS,
    TIMEOUT_MINUTES,
    Clock,
    Row,
    new_event,
    opened,
    rules,
    session_row,
)

HOUR = 60


class Life:
    """A database, its clock, and what happens to the session `s` in it."""

    def __init__(self, connection: sqlite3.Connection, projects_dir: Path) -> None:
        self.connection, self.clock, self._rules = connection, Clock(), rules(projects_dir)

    def store(self, *events: NewEvent, facts: SessionFacts | None = None) -> list[StatusChange]:
        batch = Batch(events, [facts] if facts else [])
        return write_group(self.connection, [batch], self.clock(), self._rules).changes

    def after(self, minutes: float) -> Row:
        """The session when so many minutes have passed."""
        self.clock.pass_minutes(minutes)
        return self.now()

    def now(self) -> Row:
        self.advance()
        return self.session

    def advance(self) -> tuple[list[StatusChange], int]:
        return advance(self.connection, self.clock(), TIMEOUT_MINUTES * MINUTE_MS)

    @property
    def session(self) -> Row:
        return session_row(self.connection)

    @property
    def status(self) -> str:
        return str(self.session["status"])

    def minutes_ago(self, minutes: float) -> int:
        return round(self.clock() - minutes * MINUTE_MS)


@pytest.fixture
def life(database: Path) -> Iterator[Life]:
    with opened(database) as connection:
        yield Life(connection, database.parent / "projects")


def end(agent_type: str, **fields: Any) -> NewEvent:
    return new_event(event_type="session_end", agent_type=agent_type, **fields)


class TestTime:
    def test_makes_a_session_idle_and_then_ends_it(self, life: Life) -> None:
        life.store(new_event())
        assert life.after(TIMEOUT_MINUTES)["status"] == "active"
        assert life.after(0.001)["status"] == "idle"
        assert life.after(TIMEOUT_MINUTES - 0.001)["status"] == "idle"
        ended = life.after(0.001)
        assert (ended["status"], ended["ended_at"]) == ("ended", life.clock())

    def test_that_passed_unseen_does_both_at_once(self, life: Life) -> None:
        life.store(new_event())
        life.clock.pass_minutes(3 * HOUR)
        changes, idled = life.advance()
        assert ([change.status for change in changes], idled) == (["idle", "ended"], 1)
        assert life.status == "ended"

    def test_is_counted_from_the_last_event(self, life: Life) -> None:
        life.store(new_event())
        for _ in range(5):
            life.clock.pass_minutes(TIMEOUT_MINUTES - 1)
            life.store(new_event())
        assert life.now()["status"] == "active"
        assert life.session["started_at"] == START_MS

    def test_changes_nothing_twice(self, life: Life) -> None:
        life.store(new_event())
        life.clock.pass_minutes(HOUR)
        life.advance()
        before = life.session
        life.clock.pass_minutes(HOUR)
        assert life.advance() == ([], 0)
        assert life.session == before


class TestClockThatJumps:
    def test_ahead_ends_sessions_and_the_next_event_revives_them(self, life: Life) -> None:
        life.store(new_event())
        assert life.after(30 * 24 * HOUR)["status"] == "ended"
        life.store(new_event())
        assert (life.status, life.session["ended_at"]) == ("active", None)

    def test_back_leaves_a_session_no_longer_active_than_the_time_out(self, life: Life) -> None:
        life.store(new_event())
        assert life.after(-3 * HOUR)["status"] == "active"
        assert life.after(TIMEOUT_MINUTES)["status"] == "active"
        assert life.after(0.001)["status"] == "idle"
        assert life.after(TIMEOUT_MINUTES)["status"] == "ended"

    def test_back_and_forth_ends_where_it_would_have(self, life: Life) -> None:
        life.store(new_event())
        life.after(-24 * HOUR)
        life.store(new_event())
        assert life.after(24 * HOUR)["status"] == "ended"
        life.store(new_event())
        assert life.after(1)["status"] == "active"


class TestSessionEnd:
    def test_of_claude_code_is_the_end_of_a_turn(self, life: Life) -> None:
        life.store(new_event(agent_type="claude_code"), end("claude_code"))
        assert (life.status, life.session["ended_at"]) == ("idle", None)
        assert life.after(2 * TIMEOUT_MINUTES)["status"] == "idle"
        assert life.after(0.001)["status"] == "ended"

    @pytest.mark.parametrize("agent_type", ["codex", "gemini_cli", "anything"])
    def test_of_any_other_agent_is_the_end(self, life: Life, agent_type: str) -> None:
        life.store(new_event(agent_type=agent_type))
        life.clock.pass_minutes(1)
        life.store(end(agent_type))
        assert (life.status, life.session["ended_at"]) == ("ended", life.clock())

    def test_as_the_first_event_makes_an_ended_session(self, life: Life) -> None:
        life.store(end("codex"))
        assert (life.status, life.session["ended_at"]) == ("ended", START_MS)


class TestRevival:
    @pytest.mark.parametrize("agent_type", ["claude_code", "codex"])
    def test_by_any_later_event(self, life: Life, agent_type: str) -> None:
        life.store(end(agent_type))
        life.clock.pass_minutes(3)
        life.store(new_event(agent_type=agent_type))
        revived = life.session
        assert (revived["status"], revived["ended_at"]) == ("active", None)
        assert (revived["started_at"], revived["last_event_at"]) == (START_MS, life.clock())

    def test_keeps_the_first_agent(self, life: Life) -> None:
        life.store(end("codex"))
        life.store(new_event(agent_type="aider"))
        assert (life.session["agent_type"], life.session["agent_id"]) == ("codex", "codex-default")

    def test_is_told_as_a_change_and_further_events_are_not(self, life: Life) -> None:
        told = [
            life.store(new_event()),
            life.store(end("codex")),
            life.store(new_event()),
            life.store(new_event()),
        ]
        assert [[change.status for change in changes] for changes in told] == [
            ["active"],
            ["ended"],
            ["active"],
            [],
        ]


class TestImport:
    def imported(self, life: Life, minutes_ago: float | None, event_type: str = "response") -> NewEvent:
        at_ms = None if minutes_ago is None else life.minutes_ago(minutes_ago)
        return new_event(event_type=event_type, source="import", client_at_ms=at_ms)

    def test_of_old_events_makes_an_ended_session_at_its_times(self, life: Life) -> None:
        life.store(self.imported(life, 3 * HOUR), self.imported(life, 2 * HOUR))
        session = life.session
        assert session["status"] == "ended"
        assert (session["started_at"], session["ended_at"]) == (
            life.minutes_ago(3 * HOUR),
            life.minutes_ago(2 * HOUR),
        )
        assert session["last_event_at"] == life.minutes_ago(2 * HOUR)

    def test_of_recent_events_makes_a_live_session(self, life: Life) -> None:
        life.store(self.imported(life, 1))
        assert life.now()["status"] == "active"

    def test_of_recent_events_rests_by_the_time_they_happened(self, life: Life) -> None:
        life.store(self.imported(life, RECENT_MINUTES - 1))
        assert life.now()["status"] == "ended"

    def test_without_times_makes_an_ended_session(self, life: Life) -> None:
        life.store(self.imported(life, None))
        assert life.status == "ended"

    def test_of_old_events_does_not_end_a_live_session(self, life: Life) -> None:
        life.store(new_event())
        life.store(self.imported(life, 3 * HOUR), self.imported(life, 2 * HOUR, "session_end"))
        session = life.session
        assert (session["status"], session["ended_at"]) == ("active", None)
        assert (session["started_at"], session["last_event_at"]) == (life.minutes_ago(3 * HOUR), START_MS)

    def test_of_old_events_does_not_revive_an_ended_one(self, life: Life) -> None:
        life.store(end("codex"))
        life.store(self.imported(life, 2 * HOUR))
        assert (life.status, life.session["ended_at"]) == ("ended", START_MS)

    def test_of_a_recent_goodbye_does_not_end_the_session(self, life: Life) -> None:
        life.store(self.imported(life, 2), self.imported(life, 1, "session_end"))
        assert life.status == "active"

    def test_from_a_clock_that_is_ahead_dates_nothing_in_the_future(self, life: Life) -> None:
        life.store(self.imported(life, -10 * HOUR))
        assert life.session["last_event_at"] == life.clock()
        assert life.session["started_at"] == life.clock()

    def test_order_does_not_matter_for_the_times(self, life: Life) -> None:
        life.store(self.imported(life, 2 * HOUR))
        life.store(self.imported(life, 4 * HOUR))
        assert life.session["started_at"] == life.minutes_ago(4 * HOUR)
        assert life.session["last_event_at"] == life.session["ended_at"] == life.minutes_ago(2 * HOUR)

    @pytest.mark.parametrize(("minutes", "recent"), [(0, 30), (10, 30), (11, 33), (60, 180)])
    def test_is_recent_for_half_an_hour_or_three_rounds(self, minutes: int, recent: int) -> None:
        assert recent_ms(minutes) == recent * MINUTE_MS


class TestFacts:
    """What a source says of a session beside events."""

    def facts(self, **fields: object) -> SessionFacts:
        return SessionFacts(**{"session_id": "s", "agent_type": "claude_code", **fields})  # type: ignore[arg-type]

    def test_alone_make_a_session(self, life: Life) -> None:
        life.store(facts=self.facts(cwd="/home/u/shop", title="Fix it", model="claude-opus-4-6"))
        session = life.session
        assert (session["status"], session["cwd"], session["title"]) == ("active", "/home/u/shop", "Fix it")

    def test_never_clear_what_others_said(self, life: Life) -> None:
        life.store(facts=self.facts(cwd="/a", title="t", branch="main"))
        life.store(facts=self.facts(title="u"))
        session = life.session
        assert (session["cwd"], session["title"], session["branch"]) == ("/a", "u", "main")

    def test_that_the_client_ended_end_any_session(self, life: Life) -> None:
        life.store(new_event(agent_type="claude_code"), facts=self.facts(state="working"))
        life.store(facts=self.facts(ends=True))
        session = life.session
        assert (session["status"], session["ended_at"], session["state"]) == ("ended", START_MS, "ended")

    @pytest.mark.parametrize("source", ["otel", "import"])
    def test_that_came_late_do_not_undo_a_goodbye(self, source: str, life: Life) -> None:
        life.store(facts=self.facts(state="working"))
        life.clock.pass_minutes(1)
        life.store(facts=self.facts(ends=True))
        life.clock.pass_minutes(1)
        life.store(new_event(source=source, agent_type="claude_code", client_at_ms=life.minutes_ago(1.5)))
        assert (life.status, life.session["state"]) == ("ended", "ended")
        life.store(new_event(source=source, agent_type="claude_code", client_at_ms=life.minutes_ago(0)))
        assert (life.status, life.session["state"]) == ("active", None)

    def test_of_what_the_agent_does_are_told_once(self, life: Life) -> None:
        life.store(new_event(agent_type="claude_code"))
        asked = self.facts(state="permission", state_detail="Bash")
        assert [change.state for change in life.store(facts=asked)] == ["permission"]
        assert life.store(facts=asked) == []

    def test_of_what_it_does_hold_since_they_began(self, life: Life) -> None:
        life.store(facts=self.facts(state="working"))
        life.clock.pass_minutes(1)
        life.store(facts=self.facts(state="working"))
        assert life.session["state_at"] == START_MS

    def test_from_old_files_are_no_sign_of_life(self, life: Life) -> None:
        old = self.facts(sign_of_life=False, title="t", last_at_ms=life.minutes_ago(3 * HOUR))
        life.store(facts=old)
        assert (life.status, life.session["last_event_at"]) == ("ended", life.minutes_ago(3 * HOUR))

    def test_from_old_files_leave_a_live_session_alone(self, life: Life) -> None:
        life.store(new_event(agent_type="claude_code"))
        life.store(facts=self.facts(sign_of_life=False, title="t", started_at_ms=life.minutes_ago(HOUR)))
        session = life.session
        assert (session["status"], session["title"]) == ("active", "t")
        assert session["started_at"] == life.minutes_ago(HOUR)

"""Reads stay flat as data grows: budgets of queries, plans without scans, work that does not grow with events."""

import random
import sqlite3
from pathlib import Path
from typing import cast

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from ingest.contract import NewEvent
from ingest.entries import NewEntry, entry
from ingest.store import Batch, write_group
from monitor import search
from monitor.filters import EventFilter
from monitor.queries import MOST_RANGES, _hours_of_page, _ranges
from monitor.times import HOUR_MS
from tests.storing import START_MS, new_event, rules

HOURS = 24
STEP = 100
# Each GET of the API that answers from the database, and how many queries it may take.
BUDGETS = {
    "/api/events": 2,
    "/api/events?limit=500&offset=200": 2,
    "/api/events?agent_type=codex": 3,
    "/api/events?event_type=error": 3,
    "/api/events?tool_name=Bash&limit=10": 3,
    "/api/events?tool_name=Rare": 3,
    "/api/events?model=o3": 3,
    "/api/events?project=shop&branch=main": 3,
    "/api/events?source=api": 3,
    "/api/events?session_id=s1": 2,
    "/api/events?session_id=s1&event_type=response": 2,
    "/api/events?since=2027-01-15T20:00:00Z": 2,
    "/api/events?agent_type=codex&since=2027-01-15T09:00:00Z&until=2027-01-15T20:00:00Z": 4,
    "/api/stats": 11,
    "/api/stats?agent_type=codex&since=2027-01-15T09:00:00Z": 11,
    "/api/stats/cost": 5,
    "/api/stats/cost?since=2027-01-15T09:00:00Z": 5,
    "/api/stats/tools": 1,
    "/api/stats/usage-monitor": 5,
    "/api/sessions": 3,
    "/api/sessions?status=active&agent_type=codex&project=shop": 1,
    "/api/sessions/s1": 5,
    "/api/sessions/s1?event_limit=0": 4,
    "/api/agents": 1,
    "/api/filter-options": 8,
    "/api/calls": 2,
    "/api/calls?session_id=s1": 2,
    "/api/calls?subagent_id=a1": 2,
    "/api/calls?session_id=s1&subagent_id=a1": 2,
    "/api/calls?agent_type=codex&model=o3&project=shop": 2,
    "/api/calls?received_since=2027-01-15T20:30:00Z&unnamed=project": 2,
    "/api/usage": 1,
    "/api/usage?received_since=2027-01-15T20:30:00Z&since=2027-01-15T09:10:00Z": 1,
    "/api/usage?unpriced=1": 1,
    "/api/usage?group_by=model&since=2027-01-15T09:00:00Z": 1,
    "/api/status": 3,
    "/api/health": 0,
    "/api/provider-quotas": 1,
    "/api/sessions/s1/entries": 1,
    "/api/sessions/s1/entries?limit=10&before=1800003600001-400&kind=prompt,answer&subagent_id=a1": 2,
    "/api/sessions/s1/entries?after=1800003600001-400&limit=10": 1,
    "/api/entries/7": 2,
    "/api/search?q=rounding": 3,
    "/api/search?q=rounding+-error+%22of+tax%22+roun*": 3,
    "/api/search?q=rounding&session_id=s1": 4,
    "/api/search?q=rounding&agent_type=codex&project=shop&kind=answer&tool_name=Bash": 3,
    "/api/search?q=rounding&since=2027-01-15T09:00:00Z&until=2027-01-15T20:00:00Z&limit=100": 3,
}
# At most so many entries with the words are looked at.
MATCHES = 100


def store(database: Path, count: int) -> None:
    """So many events, over the same day, sessions and tools, however many they are."""
    chance = random.Random(3)
    raw = cast(sqlite3.Connection, connection.connection)
    for hour in range(HOURS):
        at_ms = START_MS + hour * HOUR_MS + 1
        new = [some_event(chance, number) for number in range(count // HOURS)]
        entries = [some_entry(event, f"{count} {hour} {number}", at_ms) for number, event in enumerate(new)]
        write_group(raw, [Batch(new, entries=entries)], at_ms, rules(database.parent))


def some_event(chance: random.Random, number: int) -> NewEvent:
    model = chance.choice(["o3", "claude-opus-4-5"])
    project = chance.choice(["shop", "pay"])
    return new_event(
        f"s{number % 5}",
        chance.choice(["response", "tool_use", "error"]),
        agent_type="codex" if model == "o3" else "claude_code",
        tool_name="Rare" if number == 0 else chance.choice(["Bash", "Edit", None]),
        model=model,
        project=project,
        branch="main" if project == "shop" else "dev",
        tokens_in=10,
    )


def some_entry(event: NewEvent, key: str, at_ms: int) -> NewEntry:
    text = f"rounding of tax {key}"
    return entry(event.session_id, event.agent_type, key, "answer", at_ms, text, tool_name=event.tool_name)


@pytest.fixture(autouse=True)
def few_matches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_MATCHES", MATCHES)


@pytest.fixture(scope="module")
def filled(django_database: Path) -> Path:
    connection.ensure_connection()
    store(django_database, 2400)
    return django_database


def get(path: str) -> None:
    response = Client().get(path)
    assert response.status_code == 200, response.content


@pytest.mark.parametrize(("path", "budget"), BUDGETS.items())
def test_a_request_keeps_its_budget_and_scans_no_events(filled: Path, path: str, budget: int) -> None:
    with CaptureQueriesContext(connection) as captured:
        get(path)
    statements = [query["sql"] for query in captured if query["sql"].startswith("SELECT")]
    assert len(statements) <= budget, "\n".join(statements)
    for statement in statements:
        check_plan(statement)


def check_plan(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {statement}")
        plan = [row[3] for row in cursor.fetchall()]
    for line in plan:
        is_walk = line.startswith(("SCAN events", "SCAN calls", "SCAN c ", "SCAN entries", "SCAN e "))
        # The newest page is a walk along an index that ends with the page.
        is_page = "USING INDEX" in line and " LIMIT " in statement and "USE TEMP B-TREE FOR ORDER BY" not in plan
        assert not is_walk or is_page, f"{statement}\n" + "\n".join(plan)


class Work:
    """Counts what SQLite does, in steps of its virtual machine: the same in every run."""

    def __init__(self, path: str) -> None:
        self.steps = 0
        raw = cast(sqlite3.Connection, connection.connection)
        raw.set_progress_handler(self._step, STEP)
        try:
            get(path)
        finally:
            raw.set_progress_handler(None, STEP)

    def _step(self) -> int:
        self.steps += STEP
        return 0


# These read the hours, or the session, that they ask for, with all that is in them.
GROWING = {
    "/api/events?tool_name=Rare",
    "/api/events?session_id=s1&event_type=response",
    "/api/search?q=rounding&session_id=s1",
}


def test_work_does_not_grow_with_events(filled: Path) -> None:
    paths = BUDGETS.keys() - GROWING
    before = {path: Work(path).steps for path in paths}
    store(filled, 5 * 2400)
    after = {path: Work(path).steps for path in paths}
    grown = {path: (before[path], after[path]) for path in paths if after[path] > 2 * before[path] + 20 * STEP}
    assert not grown, "\n".join(f"{path}: {steps}" for path, steps in grown.items())


def test_a_rare_value_is_looked_for_only_in_the_hours_that_hold_it(filled: Path) -> None:
    rare = [START_MS + 2 * HOUR_MS, START_MS + 3 * HOUR_MS, START_MS + 20 * HOUR_MS]
    for hour in rare:
        write_group(
            cast(sqlite3.Connection, connection.connection),
            [Batch([new_event(project="rare")])],
            hour + 5,
            rules(filled.parent),
        )
    hours = _hours_of_page(EventFilter(project="rare"), 50)
    assert hours == rare[::-1]
    assert _ranges(hours) == [(rare[2], rare[2] + HOUR_MS), (rare[0], rare[1] + HOUR_MS)]
    assert _hours_of_page(EventFilter(project="rare"), 1) == rare[2:]
    assert _hours_of_page(EventFilter(project="rare", until_ms=rare[1]), 50) == rare[1::-1]
    assert _hours_of_page(EventFilter(project="rare", since_ms=rare[1] + HOUR_MS), 50) == rare[2:]


def test_too_many_separate_hours_are_one_range() -> None:
    hours = [START_MS - 2 * number * HOUR_MS for number in range(MOST_RANGES + 1)]
    assert len(_ranges(hours[:-1])) == MOST_RANGES
    assert _ranges(hours) == [(hours[-1], hours[0] + HOUR_MS)]
    assert _ranges([]) == []

"""Events that are told again: the row, the sums and the stream follow what further witnesses say."""

import json
import sqlite3
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from ingest.contract import NewEvent
from ingest.store import Batch, GroupOutcome, write_group
from ingest.writer import RECENT_EVENTS
from monitor.rows import EVENT_COLUMNS
from tests.storing import START_MS, Kept, new_event, opened, rules, running_writer, session_row, table

ID = "cc-tool-toolu_1"
AT_MS = START_MS - 40_000


def told(source: str, **columns: Any) -> NewEvent:
    metadata = json.dumps(columns.pop("metadata", {}))
    return new_event(
        **{"event_type": "tool_use", "event_id": ID, "source": source, "metadata": metadata, **columns}
    )


def call() -> NewEvent:
    """A transcript's tool use whose result is not written yet."""
    edit = {"file_path": "/a.py", "lines_added": 3}
    columns = {"edited_path": "/a.py", "lines_added": 3, "client_at_ms": AT_MS, "project": "shop"}
    return told("import", tool_name="Edit", metadata=edit, **columns)


def result() -> NewEvent:
    """What the hook says when the tool has run."""
    return told("hook", tool_name="Edit", duration_ms=840, metadata={"tool_use_id": "toolu_1"})


def telemetry() -> NewEvent:
    failed = {"error": "no such text", "otel_event_name": "tool_result"}
    return told("otel", status="error", duration_ms=841, client_at_ms=AT_MS + 841, metadata=failed)


class Store:
    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.connection, self._rules = connection, rules(path.parent / "projects")

    def tell(self, *events: NewEvent, now_ms: int = START_MS) -> GroupOutcome:
        return write_group(self.connection, [Batch([event]) for event in events], now_ms, self._rules)

    def rows(self, sql: str) -> list[dict[str, Any]]:
        return table(self.connection, sql)

    def event(self) -> dict[str, Any]:
        (row,) = self.rows("SELECT * FROM events")
        return row | {"metadata": json.loads(row["metadata"])}

    def statements(self, *events: NewEvent) -> int:
        seen: list[str] = []
        self.connection.set_trace_callback(seen.append)
        self.tell(*events)
        self.connection.set_trace_callback(None)
        return len(seen)


@pytest.fixture
def store(database: Path) -> Iterator[Store]:
    with opened(database) as connection:
        yield Store(database, connection)


def test_a_result_that_comes_later_completes_the_tool_use(store: Store) -> None:
    store.tell(call())
    outcome = store.tell(result(), now_ms=START_MS + 9)
    event = store.event()
    assert (event["id"], event["created_at"], event["source"]) == (1, START_MS, "import")
    assert (event["duration_ms"], event["client_timestamp"]) == (840, AT_MS)
    assert event["metadata"] == {"file_path": "/a.py", "lines_added": 3, "tool_use_id": "toolu_1"}
    assert (outcome.stored[0].ids, outcome.stored[0].duplicates, outcome.rows) == ([], 1, [])
    (completed,) = outcome.completed
    assert dict(zip(EVENT_COLUMNS, completed, strict=True))["duration_ms"] == 840


@pytest.mark.parametrize("at_once", [True, False])
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_witnesses_is_not_seen(store: Store, order: tuple[int, ...], *, at_once: bool) -> None:
    witnesses = [(call, result, telemetry)[number]() for number in order]
    if at_once:
        store.tell(*witnesses)
    else:
        for witness in witnesses:
            store.tell(witness)
    event = store.event()
    assert event["source"] == witnesses[0].source
    assert (event["status"], event["duration_ms"], event["client_timestamp"]) == ("error", 840, AT_MS)
    assert (event["tool_name"], event["edited_path"], event["lines_added"]) == ("Edit", None, 0)
    assert set(event["metadata"]) == {"file_path", "tool_use_id", "error", "otel_event_name"}


def test_an_edit_that_failed_is_taken_back_from_the_sums(store: Store) -> None:
    store.tell(call())
    assert [session_row(store.connection)[name] for name in ("files_edited", "lines_added")] == [1, 3]
    store.tell(telemetry())
    session = session_row(store.connection)
    assert [session[name] for name in ("event_count", "files_edited", "lines_added")] == [1, 0, 0]
    assert store.rows("SELECT * FROM session_files") == []
    assert store.rows("SELECT events, errors, timed_events, duration_total_ms FROM event_hours") == [
        {"events": 1, "errors": 1, "timed_events": 1, "duration_total_ms": 841}
    ]


def test_witnesses_in_one_group_make_one_new_event(store: Store) -> None:
    outcome = store.tell(call(), result())
    (row,) = outcome.rows
    assert dict(zip(EVENT_COLUMNS, row, strict=True))["duration_ms"] == 840
    assert (outcome.completed, store.event()["duration_ms"]) == ([], 840)


def test_who_says_nothing_new_writes_nothing(store: Store) -> None:
    store.tell(call())
    store.tell(result())
    before = store.event()
    assert store.tell(call(), result()).completed == []
    assert store.event() == before


@pytest.mark.parametrize(("event_id", "source"), [("evt-1", "hook"), (ID, "api")])
def test_a_repeated_post_changes_nothing(store: Store, event_id: str, source: str) -> None:
    store.tell(told(source, event_id=event_id, tool_name="Bash"))
    before = store.event()
    outcome = store.tell(told(source, event_id=event_id, duration_ms=5, status="error"))
    assert (store.event(), outcome.completed) == (before, [])


def test_an_event_moves_to_the_session_where_it_happened(store: Store) -> None:
    store.tell(told("import", session_id="fork", client_at_ms=AT_MS + 1), told("import", event_id=None))
    store.tell(told("import", session_id="s", client_at_ms=AT_MS))
    assert store.rows("SELECT session_id FROM events WHERE id = 1") == [{"session_id": "s"}]
    assert store.rows("SELECT id, event_count FROM sessions ORDER BY id") == [
        {"id": "fork", "event_count": 0},
        {"id": "s", "event_count": 2},
    ]


def test_a_witness_makes_no_session(store: Store) -> None:
    store.tell(call())
    store.tell(told("otel", session_id="unheard-of", duration_ms=7, client_at_ms=0))
    assert (store.event()["session_id"], store.event()["duration_ms"]) == ("s", 7)
    assert store.rows("SELECT id FROM sessions") == [{"id": "s"}]


def test_new_events_cost_no_statement_more(store: Store) -> None:
    store.tell(new_event())
    without = store.statements(new_event(event_id="evt-1"))
    assert store.statements(new_event(event_id="cc-tool-2", source="hook")) == without


def test_the_writer_tells_what_was_completed(database: Path) -> None:
    kept = Kept()
    with running_writer(database, listener=kept) as writer:
        writer.store_blocking(Batch([call(), new_event()]), 100)
        writer.store_blocking(Batch([result()]), 100)
    assert (kept.ids, kept.completed_ids) == ([1, 2], [1])


def test_what_was_completed_long_after_is_not_told(database: Path) -> None:
    kept = Kept()
    with running_writer(database, listener=kept) as writer:
        writer.store_blocking(Batch([call(), *(new_event() for _ in range(RECENT_EVENTS))]), 100)
        writer.store_blocking(Batch([result()]), 100)
    assert kept.completed_ids == []

"""The SQL of writing: one transaction for a group, sums kept as rows are stored."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ingest.store import Batch, FileProgress, GroupOutcome, write_group
from monitor.lifecycle import MINUTE_MS
from tests.storing import START_MS, new_event, opened, rules, session_row, table


class Store:
    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.connection, self._rules = connection, rules(path.parent / "projects")

    def write(self, *batches: Batch, now_ms: int = START_MS) -> GroupOutcome:
        return write_group(self.connection, batches, now_ms, self._rules)

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        return table(self.connection, sql, *parameters)


TABLES = ("agents", "sessions", "events", "calls", "event_hours", "usage_hours", "session_files", "import_state")


@pytest.fixture
def store(database: Path) -> Iterator[Store]:
    with opened(database) as connection:
        yield Store(database, connection)


def contents(store: Store) -> dict[str, list[dict[str, Any]]]:
    return {name: store.rows(f"SELECT * FROM {name}") for name in TABLES}


def test_each_batch_of_a_group_gets_its_own_answer(store: Store) -> None:
    twice = new_event(event_id="e-1")
    outcome = store.write(
        Batch([new_event(), twice]), Batch([]), Batch([new_event(event_id="e-1"), new_event(event_id="e-2")])
    )
    assert [(answer.ids, answer.duplicates) for answer in outcome.stored] == [([1, 2], 0), ([], 0), ([3], 1)]
    assert [row[0] for row in outcome.rows] == [1, 2, 3]


def test_a_group_that_fails_leaves_nothing(store: Store) -> None:
    store.write(Batch([new_event(tokens_in=1, edited_path="a")]))
    before = contents(store)
    with pytest.raises(UnicodeEncodeError):
        store.write(Batch([new_event("good", tokens_in=5)]), Batch([new_event("\ud800")]))
    assert contents(store) == before
    assert store.write(Batch([new_event()])).stored[0].ids == [2]


def test_ids_are_never_given_twice(store: Store) -> None:
    store.write(Batch([new_event(), new_event()]))
    store.connection.execute("DELETE FROM events WHERE id = 2")
    assert store.write(Batch([new_event()])).stored[0].ids == [3]


def test_agents_are_met_once_and_seen_with_each_event(store: Store) -> None:
    store.write(Batch([new_event(), new_event(agent_type="aider")]))
    store.write(Batch([new_event()]), now_ms=START_MS + 5)
    store.write(Batch([new_event()]), now_ms=START_MS - 5)
    agents = {row["id"]: (row["registered_at"], row["last_seen_at"]) for row in store.rows("SELECT * FROM agents")}
    assert agents == {
        "codex-default": (START_MS, START_MS + 5),
        "aider-default": (START_MS, START_MS),
    }


def test_a_duplicate_is_no_sign_of_life(store: Store) -> None:
    store.write(Batch([new_event(event_id="e")]))
    store.write(Batch([new_event(event_id="e")]), now_ms=START_MS + MINUTE_MS)
    assert session_row(store.connection)["last_event_at"] == START_MS
    assert store.rows("SELECT last_seen_at FROM agents") == [{"last_seen_at": START_MS}]


def test_progress_of_an_import_is_stored_with_what_it_read(store: Store) -> None:
    def progress(digest: str, size_bytes: int) -> FileProgress:
        return FileProgress("a.jsonl", digest, size_bytes, "claude-code", 1)

    store.write(Batch([new_event()], files=[progress("d1", 10)]))
    with pytest.raises(UnicodeEncodeError):
        store.write(Batch([new_event("\ud800")], files=[progress("d2", 20)]))
    (row,) = store.rows("SELECT * FROM import_state")
    assert (row["file_hash"], row["file_size"], row["imported_at"]) == ("d1", 10, START_MS)
    store.write(Batch([new_event()], files=[progress("d3", 30)]), now_ms=START_MS + 1)
    (row,) = store.rows("SELECT * FROM import_state")
    assert (row["file_hash"], row["file_size"], row["imported_at"]) == ("d3", 30, START_MS + 1)


def test_files_that_a_session_edited_count_once(store: Store) -> None:
    edit: dict[str, Any] = {"tool_name": "Edit", "lines_added": 2, "lines_removed": 1}
    store.write(Batch([new_event(edited_path="a", **edit), new_event(edited_path="a", **edit)]))
    store.write(Batch([new_event(edited_path="a", **edit), new_event(edited_path="b", **edit)]))
    session = session_row(store.connection)
    assert (session["files_edited"], session["lines_added"], session["lines_removed"]) == (2, 8, 4)

"""The SQL of transcript entries and of their search index, within the group's transaction."""

from collections.abc import Iterable
from sqlite3 import Connection
from typing import Any, Final

import msgspec

from ingest.entries import NewEntry
from monitor.sql import insert, replaced, update

ENTRY_COLUMNS: Final = (
    "entry_key",
    "session_id",
    "agent_type",
    "subagent_id",
    "kind",
    "at",
    "tool_name",
    "tool_id",
    "call_key",
    "is_error",
    "text_bytes",
    "text",
)
INSERT_ENTRIES: Final = insert("entries", ("id", *ENTRY_COLUMNS))
UPDATE_ENTRIES: Final = update("entries", "id", replaced(*ENTRY_COLUMNS))
SELECT_KNOWN: Final = (
    "SELECT entry_key, id, text_bytes, subagent_id IS NULL FROM entries "
    "WHERE entry_key IN (SELECT value FROM json_each(?))"
)
INDEX_NEW: Final = "INSERT INTO entry_search (rowid, text) SELECT id, text FROM entries WHERE id >= ?"
# The index forgets a text only when it is told what it was.
FORGET: Final = (
    "INSERT INTO entry_search (entry_search, rowid, text) "
    "SELECT 'delete', id, text FROM entries WHERE id IN (SELECT value FROM json_each(?))"
)
INDEX_AGAIN: Final = (
    "INSERT INTO entry_search (rowid, text) "
    "SELECT id, text FROM entries WHERE id IN (SELECT value FROM json_each(?))"
)
NEXT_ID: Final = "SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'entries'), 0) + 1"


def write_entries(connection: Connection, told: Iterable[NewEntry]) -> int:
    """Store what is new and what has grown; how many were new. Their sessions are stored already."""
    best: dict[int, NewEntry] = {}
    for entry in told:
        key = entry.stored_key
        known = best.get(key)
        if known is None or _rank(entry) > _rank(known):
            best[key] = entry
    if not best:
        return 0
    known_rows = connection.execute(SELECT_KNOWN, (msgspec.json.encode(list(best)).decode(),)).fetchall()
    grown = []
    for key, row_id, *rank in known_rows:
        entry = best.pop(key)
        if _rank(entry) > tuple(rank):
            grown.append((row_id, *_values(key, entry)))
    _insert(connection, best)
    _replace(connection, grown)
    return len(best)


def _rank(entry: NewEntry) -> tuple[int, bool]:
    """The longer text is the later one; what the main conversation said, a sub-agent only repeats."""
    return entry.text_bytes, entry.subagent_id is None


def _insert(connection: Connection, fresh: dict[int, NewEntry]) -> None:
    if fresh:
        first = connection.execute(NEXT_ID).fetchone()[0]
        rows = [(row_id, *_values(*item)) for row_id, item in enumerate(fresh.items(), first)]
        INSERT_ENTRIES.run(connection, rows)
        connection.execute(INDEX_NEW, (first,))


def _replace(connection: Connection, grown: list[tuple[Any, ...]]) -> None:
    if grown:
        ids = msgspec.json.encode([row[0] for row in grown]).decode()
        connection.execute(FORGET, (ids,))
        UPDATE_ENTRIES.run(connection, grown)
        connection.execute(INDEX_AGAIN, (ids,))


def _values(key: int, entry: NewEntry) -> tuple[Any, ...]:
    return (
        key,
        entry.session_id,
        entry.agent_type,
        entry.subagent_id,
        entry.kind,
        entry.at_ms,
        entry.tool_name,
        entry.tool_id,
        entry.call_key,
        int(entry.is_error),
        entry.text_bytes,
        entry.text,
    )

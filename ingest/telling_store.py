"""The SQL of tellings: events that no id joins, brought up to date with each telling, within the transaction."""

from collections.abc import Iterator
from sqlite3 import Connection
from typing import Any, Final

import msgspec

from ingest.call_store import json_text
from ingest.completing import EventRecord, joined
from ingest.completion_store import CHANGING, INSERT_EVENTS, move_event, stored_events, tally_event
from ingest.contract import Telling
from ingest.telling import APART_MS, Told, event_of, together
from monitor.rollups import Tally
from monitor.sql import insert, replaced, update

# Of the very same tool use or prompt in one session, so many before and after it are compared.
MOST_NEAR: Final = 50
UPSERT_TELLING: Final = insert(
    "tellings",
    ("match_key", "source", "ref", "at", "content", "told"),
    "ON CONFLICT (match_key, source, ref) DO UPDATE SET at = excluded.at, content = excluded.content, "
    "told = excluded.told",
)
SELECT_TELLING: Final = "SELECT told FROM tellings WHERE match_key = ? AND source = ? AND ref = ?"
SELECT_OTHERS: Final = (
    "SELECT EXISTS (SELECT 1 FROM tellings WHERE match_key = :key AND source < :source) "
    "OR EXISTS (SELECT 1 FROM tellings WHERE match_key = :key AND source > :source)"
)
SELECT_BEFORE: Final = (
    "SELECT source, ref, at, content, told FROM tellings WHERE match_key = ? AND at <= ? "
    f"ORDER BY at DESC LIMIT {MOST_NEAR}"
)
SELECT_AFTER: Final = (
    "SELECT source, ref, at, content, told FROM tellings WHERE match_key = ? AND at > ? "
    f"ORDER BY at LIMIT {MOST_NEAR}"
)
CHANGED: Final = ("event_id", *CHANGING)
UPDATE_EVENTS: Final = update("events", "id", replaced(*CHANGED))
DELETE_EVENT: Final = "DELETE FROM events WHERE id = ?"


class TellingStore:
    """Takes tellings one by one; the rows of events that came of them are read at the end."""

    def __init__(self, connection: Connection, tally: Tally, limit_bytes: int) -> None:
        self.connection, self.tally, self.limit_bytes = connection, tally, limit_bytes
        self.fresh: set[int] = set()
        self.changed: set[int] = set()

    def take(self, telling: Telling, record: EventRecord, ids: Iterator[int]) -> list[int]:
        """Store what one source told. Returns the ids of events that are new with it."""
        told = self._note(telling, record)
        if told is None:
            return []
        groups = together(self._near(telling, told))
        refs = [one.ref for group in groups for one in group]
        rows = stored_events(self.connection, refs)
        return [new for group in groups if (new := self._settle(group, rows, record, ids)) is not None]

    def rows(self, ids: set[int]) -> list[EventRecord]:
        """Events as they are now, in id order; some may be gone."""
        sql = f"SELECT {', '.join(EventRecord._fields)} FROM events WHERE id IN (SELECT value FROM json_each(?))"
        return sorted(map(EventRecord._make, self.connection.execute(sql, (json_text(list(ids)),)).fetchall()))

    def _note(self, telling: Telling, record: EventRecord) -> EventRecord | None:
        """Keep what its source has told so far; None when that was known."""
        key = (telling.key, record.source, record.event_id)
        found = self.connection.execute(SELECT_TELLING, key).fetchone()
        if found is not None:
            known = _record(found[0])
            record = joined(known, record, self.limit_bytes)
            if record == known and stored_events(self.connection, [record.event_id]):
                return None
        UPSERT_TELLING.run(self.connection, [(*key, telling.at_ms, telling.content, json_text(list(record)))])
        return record

    def _near(self, telling: Telling, record: EventRecord) -> list[Told]:
        """The tellings that may have to do with this one, over others between them too."""
        own = {"key": telling.key, "source": record.source}
        (has_others,) = self.connection.execute(SELECT_OTHERS, own).fetchone()
        if not has_others:
            return [Told(record.source, record.event_id or "", telling.at_ms, telling.content, record)]
        return [*self._row_of(SELECT_BEFORE, telling), *self._row_of(SELECT_AFTER, telling)]

    def _row_of(self, sql: str, telling: Telling) -> Iterator[Told]:
        """As far as no gap is too wide for any two to be one event."""
        last_ms = telling.at_ms
        found = self.connection.execute(sql, (telling.key, telling.at_ms)).fetchall()
        for source, ref, at_ms, content, told in found:
            if abs(at_ms - last_ms) > APART_MS:
                return
            last_ms = at_ms
            yield Told(source, ref, at_ms, content, _record(told))

    def _settle(
        self, group: list[Told], rows: dict[str | None, EventRecord], told: EventRecord, ids: Iterator[int]
    ) -> int | None:
        """Make the one row of a group say what the group tells; the id of a row that is new."""
        event = event_of(group, self.limit_bytes)
        stored = sorted(rows[ref] for ref in {one.ref for one in group} if ref in rows)
        for extra in stored[1:]:
            self.connection.execute(DELETE_EVENT, (extra.id,))
            tally_event(self.tally, extra, -1)
        if not stored:
            event = event._replace(id=next(ids), created_at=told.created_at, source=told.source)
            INSERT_EVENTS.run(self.connection, [event])
            tally_event(self.tally, event)
            self.fresh.add(event.id)
            return event.id
        known = stored[0]
        event = event._replace(
            id=known.id,
            created_at=known.created_at,
            source=known.source,
            project=known.project or event.project,
            branch=known.branch or event.branch,
        )
        if event != known:
            UPDATE_EVENTS.run(self.connection, [(event.id, *(getattr(event, name) for name in CHANGED))])
            move_event(self.tally, known, event)
            self.changed.add(event.id)
        return None


def _record(text: str) -> EventRecord:
    values: list[Any] = msgspec.json.decode(text)
    return EventRecord._make(values)

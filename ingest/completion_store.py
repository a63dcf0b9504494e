"""The SQL of completing: rows of `events` take what further witnesses say, within the group's transaction."""

from collections.abc import Sequence
from sqlite3 import Connection
from typing import Any, Final

from ingest.call_store import json_text
from ingest.completing import FIRST_TELLER, EventRecord, joined, says_nothing_new
from monitor.rollups import Tally
from monitor.sql import insert, replaced, update
from monitor.times import HOUR_MS

EVENT_INSERT_COLUMNS: Final = EventRecord._fields
INSERT_EVENTS: Final = insert("events", EVENT_INSERT_COLUMNS)
CHANGING: Final = tuple(name for name in EventRecord._fields if name not in FIRST_TELLER)
CHANGING_INDEXES: Final = tuple(EventRecord._fields.index(name) for name in CHANGING)
UPDATE_EVENTS: Final = update("events", "id", replaced(*CHANGING))
SELECT_EVENTS: Final = (
    f"SELECT {', '.join(EventRecord._fields)} FROM events WHERE event_id IN (SELECT value FROM json_each(?))"
)


def complete_events(
    connection: Connection,
    told: Sequence[EventRecord],
    fresh: list[tuple[Any, ...]],
    tally: Tally,
    limit_bytes: int,
) -> list[EventRecord]:
    """Join what was told of known events with their rows, or with those of this group, not yet written (`fresh`).

    Returns the stored rows that changed, in id order; `fresh` is changed in place, the tally follows.
    """
    before = stored_events(connection, [record.event_id for record in told])
    of_group = {values[1]: index for index, values in enumerate(fresh) if values[1] is not None}
    after = dict(before)
    for record in told:
        index = of_group.get(record.event_id)
        known = EventRecord._make(fresh[index]) if index is not None else after[record.event_id]
        # An id of another client's is no witness, whatever it looks like.
        if known.agent_type != record.agent_type or says_nothing_new(known, record):
            continue
        completed = joined(known, record, limit_bytes)
        if index is None:
            after[record.event_id] = completed
        else:
            move_event(tally, known, completed)
            fresh[index] = completed
    changed = sorted(record for key, record in after.items() if record != before[key])
    for record in changed:
        move_event(tally, before[record.event_id], record)
    rows = [(record.id, *(record[index] for index in CHANGING_INDEXES)) for record in changed]
    UPDATE_EVENTS.run(connection, rows)
    return changed


def stored_events(connection: Connection, event_ids: Sequence[str | None]) -> dict[str | None, EventRecord]:
    """Events by their ids."""
    rows = connection.execute(SELECT_EVENTS, (json_text(event_ids),))
    return {record.event_id: record for record in map(EventRecord._make, rows.fetchall())}


def move_event(tally: Tally, before: EventRecord, after: EventRecord) -> None:
    """Count an event as it is now, no longer as it was."""
    tally_event(tally, before, -1)
    tally_event(tally, after)


def tally_event(tally: Tally, values: Sequence[Any], sign: int = 1) -> None:
    """Count an event's row, or take it back."""
    (_, _, session_id, agent_type, event_type, tool_name, status, _, _, branch, project, duration_ms, received) = (
        values[:13]
    )
    happened = received if values[13] is None else values[13]
    tally.add_event(
        (
            received - received % HOUR_MS,
            happened - happened % HOUR_MS,
            agent_type,
            event_type,
            tool_name or "",
            values[16] or "",
            project or "",
            branch or "",
            values[20],
        ),
        is_error=status == "error",
        duration_ms=duration_ms,
        session_id=session_id,
        edited_path=values[21],
        lines_added=values[22],
        lines_removed=values[23],
        sign=sign,
    )

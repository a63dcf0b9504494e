"""Reading transcript entries: a page of one session, and one entry by its id."""

from typing import Any, Final, NamedTuple

import msgspec

from monitor.filters import FilterFault
from monitor.queries import fetch
from monitor.times import iso_text

DEFAULT_ENTRIES: Final = 100
MOST_ENTRIES: Final = 500
# Entries may hold 64,000 characters each: a page ends before it grows beyond what a browser takes at once.
LONGEST_PAGE_CHARACTERS: Final = 2_000_000
COLUMNS: Final = (
    "id, session_id, agent_type, subagent_id, kind, at, tool_name, tool_id, call_key, is_error, text_bytes, text"
)


class Position(NamedTuple):
    """A place in the order of time, then of ids; ms."""

    at_ms: int
    entry_id: int

    def __str__(self) -> str:
        return f"{self.at_ms}-{self.entry_id}"


THE_END: Final = Position(2**63 - 1, 2**63 - 1)


class EntryRow(msgspec.Struct):
    """An entry as clients see it. `at` is null for what has no time; `text_bytes` is the size before any cut."""

    id: int
    session_id: str
    agent_type: str
    subagent_id: str | None
    kind: str
    at: str | None
    tool_name: str | None
    tool_id: str | None
    call_key: str | None
    is_error: bool
    text: str
    text_bytes: int
    truncated: bool
    position: str


class EntryFilter(NamedTuple):
    """Which entries of a session; `after` or `before` a place, both left out. None takes everything."""

    session_id: str
    kinds: list[str] | None = None
    subagent_id: str | None = None
    after: Position | None = None
    before: Position | None = None


class EntryPage(msgspec.Struct):
    """Oldest first. `next` and `previous` are the places to go on from, null where there is nothing more."""

    entries: list[EntryRow]
    next: str | None
    previous: str | None


def position_of(name: str, text: str | None) -> Position | None:
    """A place that an answer named (`next`, `previous`, `position`), or the end."""
    if not text:
        return None
    if text == "end":
        return THE_END
    at, _, entry_id = text.rpartition("-")
    if not all(part.isascii() and part.isdigit() and len(part) < 19 for part in (at.removeprefix("-"), entry_id)):
        raise FilterFault(f"{name}: must be a place that an earlier answer named")
    return Position(int(at), int(entry_id))


def list_entries(wanted: EntryFilter, limit: int) -> EntryPage:
    """The first entries after a place, or the last ones before it."""
    is_backward = wanted.before is not None and wanted.after is None
    conditions, parameters = _conditions(wanted)
    way = "DESC" if is_backward else ""
    rows = fetch(
        f"SELECT {COLUMNS} FROM entries WHERE {' AND '.join(conditions)} ORDER BY at {way}, id {way} LIMIT %s",
        [*parameters, limit + 1],
    )
    entries = _as_far_as_it_fits([_entry_row(row) for row in rows[:limit]])
    has_more = len(entries) < len(rows)
    if is_backward:
        entries.reverse()
        return EntryPage(entries, None, entries[0].position if has_more else None)
    return EntryPage(entries, entries[-1].position if has_more else None, None)


def get_entry(entry_id: int) -> EntryRow | None:
    rows = fetch(f"SELECT {COLUMNS} FROM entries WHERE id = %s", [entry_id])
    return _entry_row(rows[0]) if rows else None


def _conditions(wanted: EntryFilter) -> tuple[list[str], list[Any]]:
    conditions, parameters = ["session_id = %s"], [wanted.session_id]
    more: list[Any] = parameters
    if wanted.after is not None:
        conditions.append("(at, id) > (%s, %s)")
        more += wanted.after
    if wanted.before is not None:
        conditions.append("(at, id) < (%s, %s)")
        more += wanted.before
    if wanted.subagent_id is not None:
        conditions.append("subagent_id = %s")
        more.append(wanted.subagent_id)
    if wanted.kinds is not None:
        conditions.append(f"kind IN ({', '.join(['%s'] * len(wanted.kinds))})")
        more += wanted.kinds
    return conditions, more


def _as_far_as_it_fits(entries: list[EntryRow]) -> list[EntryRow]:
    """At least one, so that every page leads on."""
    characters = 0
    for number, entry in enumerate(entries):
        characters += len(entry.text)
        if number and characters > LONGEST_PAGE_CHARACTERS:
            return entries[:number]
    return entries


def _entry_row(values: tuple[Any, ...]) -> EntryRow:
    entry_id, session_id, agent_type, subagent_id, kind, at_ms, tool_name, tool_id, call_key, is_error = values[
        :10
    ]
    text_bytes, text = values[10:]
    return EntryRow(
        id=entry_id,
        session_id=session_id,
        agent_type=agent_type,
        subagent_id=subagent_id,
        kind=kind,
        at=iso_text(at_ms) if at_ms else None,
        tool_name=tool_name,
        tool_id=tool_id,
        call_key=call_key,
        is_error=bool(is_error),
        text=text,
        text_bytes=text_bytes,
        truncated=len(text.encode()) < text_bytes,
        position=str(Position(at_ms, entry_id)),
    )

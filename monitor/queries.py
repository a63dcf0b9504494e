"""Reading events, sessions and agents: one function per question, in SQL that uses an index or a rollup."""

from typing import Any

import msgspec
from django.db import connection

from monitor.attention import attention_of
from monitor.filters import EventFilter
from monitor.rows import EVENT_COLUMNS_SQL, EventRow, dollars, event_row
from monitor.times import HOUR_MS, iso_text, row_text

TEXT_FILTERS = ("agent_type", "event_type", "tool_name", "session_id", "branch", "model", "source", "project")
# Beyond so many separate hours one range around all of them is cheaper.
MOST_RANGES = 100
STATUS_ORDER = ("active", "idle", "ended")


def fetch(sql: str, parameters: list[Any] | tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """All rows at once: an open cursor would keep the write-ahead log from being reset."""
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def list_events(wanted: EventFilter, limit: int, offset: int) -> tuple[list[EventRow], int]:
    """One page, newest first, and the number of all matches."""
    total = count_events(wanted)
    if offset >= total:
        return [], total
    where, parameters = _where(wanted, _ranges(_hours_of_page(wanted, offset + limit)))
    rows = fetch(
        f"SELECT {EVENT_COLUMNS_SQL} FROM events {where} ORDER BY created_at DESC, id DESC LIMIT %s OFFSET %s",
        [*parameters, limit, offset],
    )
    return [event_row(values) for values in rows], total


def _hours_of_page(wanted: EventFilter, needed: int) -> list[int]:
    """The hours that hold the page, newest first, so that a rare value costs no walk over all events.

    The rollup tells how many matches each hour has: the page ends in the hour where `needed` are reached.
    Empty when every hour may be read: an index leads to the page by itself.
    """
    conditions, parameters = _text_conditions(wanted)
    if wanted.session_id is not None or not conditions:
        return []
    counts = fetch(
        f"SELECT received_hour, sum(events) FROM event_hours WHERE {' AND '.join(conditions)} "
        "GROUP BY 1 ORDER BY 1 DESC",
        parameters,
    )
    hours: list[int] = []
    matches = 0
    for hour, events in counts:
        if wanted.until_ms is not None and hour > wanted.until_ms:
            continue
        if matches >= needed or (wanted.since_ms is not None and hour + HOUR_MS <= wanted.since_ms):
            break
        hours.append(hour)
        # An hour that `until` cuts may hold fewer matches than the rollup says.
        matches += events if wanted.until_ms is None or hour + HOUR_MS <= wanted.until_ms else 0
    return hours


def _ranges(hours: list[int]) -> list[tuple[int, int]]:
    """Hours, newest first, as ranges of time; neighbours are one. Too many are one range around all."""
    ranges: list[tuple[int, int]] = []
    for hour in hours:
        if ranges and ranges[-1][0] == hour + HOUR_MS:
            ranges[-1] = (hour, ranges[-1][1])
        else:
            ranges.append((hour, hour + HOUR_MS))
    return [(hours[-1], hours[0] + HOUR_MS)] if len(ranges) > MOST_RANGES else ranges


def _where(wanted: EventFilter, ranges: list[tuple[int, int]]) -> tuple[str, list[Any]]:
    conditions, parameters = _text_conditions(wanted)
    if wanted.since_ms is not None:
        conditions.append("created_at >= %s")
        parameters.append(wanted.since_ms)
    if wanted.until_ms is not None:
        conditions.append("created_at <= %s")
        parameters.append(wanted.until_ms)
    if ranges:
        conditions.append("(" + " OR ".join(["(created_at >= %s AND created_at < %s)"] * len(ranges)) + ")")
        parameters.extend(bound for pair in ranges for bound in pair)
    return ("WHERE " + " AND ".join(conditions) if conditions else ""), parameters


def _text_conditions(wanted: EventFilter) -> tuple[list[str], list[Any]]:
    named = [(name, getattr(wanted, name)) for name in TEXT_FILTERS if getattr(wanted, name) is not None]
    # In one session the index of sessions is the one to use; the planner must not choose that of event types.
    hidden = {"event_type"} if wanted.session_id is not None else set()
    conditions = [f"{name} || '' = %s" if name in hidden else f"{name} = %s" for name, _ in named]
    return conditions, [value for _, value in named]


def count_events(wanted: EventFilter) -> int:
    """From the hourly rollup, with the cut hours at the ends counted one by one; never a scan of all events."""
    if wanted.session_id is not None:
        return _count_in_session(wanted)
    conditions, parameters = _text_conditions(wanted)
    first_hour = None if wanted.since_ms is None else -(-wanted.since_ms // HOUR_MS) * HOUR_MS
    end_hour = None if wanted.until_ms is None else (wanted.until_ms + 1) // HOUR_MS * HOUR_MS
    if first_hour is not None and end_hour is not None and first_hour > end_hour:
        return _count_rows(wanted)
    hours, bounds = list(conditions), list(parameters)
    if first_hour is not None:
        hours.append("received_hour >= %s")
        bounds.append(first_hour)
    if end_hour is not None:
        hours.append("received_hour < %s")
        bounds.append(end_hour)
    where = "WHERE " + " AND ".join(hours) if hours else ""
    whole = fetch(f"SELECT coalesce(sum(events), 0) FROM event_hours {where}", bounds)[0][0]
    if first_hour is not None and first_hour != wanted.since_ms:
        whole += _count_rows(wanted._replace(until_ms=first_hour - 1))
    if end_hour is not None and end_hour != (wanted.until_ms or 0) + 1:
        whole += _count_rows(wanted._replace(since_ms=end_hour))
    return int(whole)


def _count_in_session(wanted: EventFilter) -> int:
    if wanted == EventFilter(session_id=wanted.session_id):
        rows = fetch("SELECT event_count FROM sessions WHERE id = %s", [wanted.session_id])
        return int(rows[0][0]) if rows else 0
    return _count_rows(wanted)


def _count_rows(wanted: EventFilter) -> int:
    where, parameters = _where(wanted, [])
    return int(fetch(f"SELECT count(*) FROM events {where}", parameters)[0][0])


def events_after(event_id: int, limit: int) -> list[EventRow]:
    """The next events in the order of ids, for a stream that catches up."""
    rows = fetch(f"SELECT {EVENT_COLUMNS_SQL} FROM events WHERE id > %s ORDER BY id LIMIT %s", [event_id, limit])
    return [event_row(values) for values in rows]


def count_events_after(event_id: int, most: int) -> int:
    """How many events came after, counted up to `most`."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM events WHERE id > %s LIMIT %s) AS missed"
    return int(fetch(sql, [event_id, most])[0][0])


class SessionRow(msgspec.Struct):
    """A session as clients see it: the contract's fields first, ours after them."""

    id: str
    agent_id: str
    agent_type: str
    project: str | None
    branch: str | None
    status: str
    started_at: str
    ended_at: str | None
    last_event_at: str
    metadata: str
    event_count: int
    tokens_in: int
    tokens_out: int
    total_cost_usd: float
    files_edited: int
    lines_added: int
    lines_removed: int
    cwd: str | None
    title: str | None
    model: str | None
    client_version: str | None
    permission_mode: str | None
    parent_id: str | None
    state: str | None
    state_detail: str | None
    state_at: str | None
    attention: str
    call_count: int
    unpriced_calls: int
    cache_read_tokens: int
    cache_write_tokens: int


SESSION_COLUMNS = (
    "id, agent_id, agent_type, project, branch, status, started_at, ended_at, last_event_at, metadata, "
    "event_count, uncached_input_tokens, output_tokens, cost_nanos, files_edited, lines_added, lines_removed, "
    "cwd, title, model, client_version, permission_mode, parent_id, state, state_detail, state_at, "
    "call_count, unpriced_calls, cache_read_tokens, cache_write_tokens, seen_at"
)


def _session_row(values: tuple[Any, ...]) -> SessionRow:
    ended_at = None if values[7] is None else row_text(values[7])
    state_at = None if values[25] is None else iso_text(values[25])
    return SessionRow(
        *(
            *values[:6],
            row_text(values[6]),
            ended_at,
            row_text(values[8]),
            *values[9:13],
            dollars(values[13]) or 0,
        ),
        *(*values[14:25], state_at, attention_of(values[5], values[23], values[25], values[30]), *values[26:30]),
    )


class SessionFilter(msgspec.Struct):
    """What `GET /api/sessions` filters by; `since_ms` is of the last event."""

    status: str | None = None
    exclude_status: str | None = None
    agent_type: str | None = None
    project: str | None = None
    since_ms: int | None = None


def list_sessions(wanted: SessionFilter, limit: int) -> list[SessionRow]:
    """Active, idle, ended; in each the latest first. Each status is one walk along an index."""
    found: list[SessionRow] = []
    for status in STATUS_ORDER:
        if len(found) < limit and wanted.status in (None, status) and wanted.exclude_status != status:
            found += _sessions_of(status, wanted, limit - len(found))
    return found


def _sessions_of(status: str, wanted: SessionFilter, limit: int) -> list[SessionRow]:
    conditions, parameters = ["status = %s"], [status]
    for name, operator, value in (
        ("agent_type", "=", wanted.agent_type),
        ("project", "=", wanted.project),
        ("last_event_at", ">=", wanted.since_ms),
    ):
        if value is not None:
            conditions.append(f"{name} {operator} %s")
            parameters.append(value)  # type: ignore[arg-type]
    rows = fetch(
        f"SELECT {SESSION_COLUMNS} FROM sessions WHERE {' AND '.join(conditions)} "
        "ORDER BY last_event_at DESC, id DESC LIMIT %s",
        [*parameters, limit],
    )
    return [_session_row(values) for values in rows]


def get_session(session_id: str) -> SessionRow | None:
    rows = fetch(f"SELECT {SESSION_COLUMNS} FROM sessions WHERE id = %s", [session_id])
    return _session_row(rows[0]) if rows else None


def session_events(session_id: str, limit: int) -> list[EventRow]:
    """The newest events of one session, newest first."""
    rows = fetch(
        f"SELECT {EVENT_COLUMNS_SQL} FROM events WHERE session_id = %s ORDER BY created_at DESC, id DESC LIMIT %s",
        [session_id, limit],
    )
    return [event_row(values) for values in rows]


def session_story(session_id: str) -> list[EventRow]:
    """All events of one session, oldest first."""
    rows = fetch(
        f"SELECT {EVENT_COLUMNS_SQL} FROM events WHERE session_id = %s ORDER BY created_at, id", [session_id]
    )
    return [event_row(values) for values in rows]


def list_agents() -> list[dict[str, Any]]:
    rows = fetch(
        "SELECT id, agent_type, name, registered_at, last_seen_at FROM agents ORDER BY last_seen_at DESC, id"
    )
    return [
        {
            "id": agent_id,
            "agent_type": agent_type,
            "name": name,
            "registered_at": row_text(registered_at),
            "last_seen_at": row_text(last_seen_at),
        }
        for agent_id, agent_type, name, registered_at, last_seen_at in rows
    ]


def filter_options() -> dict[str, Any]:
    """Distinct values to filter by; of events from the rollup, of sessions from their table."""
    options: dict[str, Any] = {
        f"{name}s": _distinct(f"SELECT DISTINCT {name} FROM event_hours WHERE {name} <> '' ORDER BY 1")
        for name in ("agent_type", "event_type", "tool_name", "model")
    }
    options["projects"] = _distinct("SELECT DISTINCT project FROM sessions WHERE project <> '' ORDER BY 1")
    pairs = fetch(
        "SELECT project, branch FROM sessions WHERE branch IS NOT NULL AND branch <> 'HEAD' "
        "GROUP BY project, branch ORDER BY max(last_event_at) DESC, branch"
    )
    options["branches"] = [
        {"value": branch, "label": f"{project} / {branch}" if project else branch} for project, branch in pairs
    ]
    options["sources"] = _distinct("SELECT DISTINCT source FROM event_hours ORDER BY 1")
    return options


def _distinct(sql: str) -> list[str]:
    return [value for (value,) in fetch(sql)]

"""The SQL of the rollups: what the writer adds as it stores, and the same numbers computed anew.

`Tally` gathers one group's additions; `apply` writes them in the caller's transaction. `rebuild` is one
transaction of its own. That both give the same numbers is held by a property test.
"""

from collections import defaultdict
from collections.abc import Sequence
from sqlite3 import Connection
from typing import Any, Final

import msgspec

from monitor.models.rollup import EventHour
from monitor.sql import added, update, upsert_sums
from monitor.times import HOUR_MS
from pricing.usage import Usage

EVENT_KEY: Final = EventHour.KEY
EVENT_SUMS: Final = ("events", "errors", "timed_events", "duration_total_ms")
USAGE_KEY: Final = ("received_hour", "called_hour", "session_id", "agent_type", "model")
USAGE_SUMS: Final = (
    "calls",
    "unpriced_calls",
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_nanos",
)
SESSION_EVENT_SUMS: Final = ("event_count", "lines_added", "lines_removed", "files_edited")
SESSION_CALL_SUMS: Final = (
    "call_count",
    "unpriced_calls",
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "cost_nanos",
)
SESSION_SUMS: Final = (*SESSION_EVENT_SUMS, *SESSION_CALL_SUMS)
FILES_EDITED: Final = SESSION_SUMS.index("files_edited")
FIRST_CALL_SUM: Final = len(SESSION_EVENT_SUMS)

FILE_KEY: Final = ("session_id", "path")
ADD_EVENTS: Final = upsert_sums("event_hours", EVENT_KEY, EVENT_SUMS)
ADD_USAGE: Final = upsert_sums("usage_hours", USAGE_KEY, USAGE_SUMS)
ADD_FILE: Final = upsert_sums("session_files", FILE_KEY, ("edits",))
ADD_SESSIONS: Final = update("sessions", "id", added("sessions", *SESSION_SUMS))


def _drop_empty(table: str, key: Sequence[str], counted: str) -> str:
    return f"DELETE FROM {table} WHERE {' AND '.join(f'{name} = ?' for name in key)} AND {counted} = 0"


DROP_EMPTY_EVENTS: Final = _drop_empty("event_hours", EVENT_KEY, "events")
DROP_EMPTY_USAGE: Final = _drop_empty("usage_hours", USAGE_KEY, "calls")
DROP_EMPTY_FILE: Final = _drop_empty("session_files", FILE_KEY, "edits")


class Tally:
    """What one group adds to the rollups. Text keys are "" where a row has null."""

    def __init__(self) -> None:
        self.events: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0, 0])
        self.usage: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0] * len(USAGE_SUMS))
        self.files: dict[tuple[str, str], int] = defaultdict(int)
        self.sessions: dict[str, list[int]] = defaultdict(lambda: [0] * len(SESSION_SUMS))
        # Keys of which something was taken back: nothing may be left of their row.
        self._less_events: set[tuple[Any, ...]] = set()
        self._less_usage: set[tuple[Any, ...]] = set()
        self._less_files: set[tuple[str, str]] = set()

    def add_event(
        self,
        key: tuple[Any, ...],
        *,
        is_error: bool,
        duration_ms: int | None,
        session_id: str,
        lines_added: int,
        lines_removed: int,
        edited_path: str | None,
        sign: int = 1,
    ) -> None:
        """Add an event, or with `sign=-1` take one back that its completed form replaces."""
        sums = self.events[key]
        sums[0] += sign
        sums[1] += is_error * sign
        if duration_ms is not None:
            sums[2] += sign
            sums[3] += duration_ms * sign
        session = self.sessions[session_id]
        session[0] += sign
        session[1] += lines_added * sign
        session[2] += lines_removed * sign
        if edited_path is not None:
            self.files[session_id, edited_path] += sign
        if sign < 0:
            self._less_events.add(key)
            if edited_path is not None:
                self._less_files.add((session_id, edited_path))

    def add_call(
        self,
        *,
        session_id: str,
        agent_type: str,
        model: str | None,
        called_at: int,
        received_at: int,
        usage: Usage,
        cost_nanos: int | None,
        sign: int = 1,
    ) -> None:
        """Add a call, or with `sign=-1` take one back that another version replaces."""
        unpriced, cost = int(cost_nanos is None), cost_nanos or 0
        key = (
            received_at - received_at % HOUR_MS,
            called_at - called_at % HOUR_MS,
            session_id,
            agent_type,
            model or "",
        )
        if sign < 0:
            self._less_usage.add(key)
        amounts = (
            1,
            unpriced,
            usage.uncached_input_tokens,
            usage.cache_read_tokens,
            usage.cache_write_5m_tokens,
            usage.cache_write_1h_tokens,
            usage.output_tokens,
            usage.reasoning_tokens,
            cost,
        )
        _add(self.usage[key], amounts, sign)
        cache_write = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
        of_session = (*amounts[:4], cache_write, usage.output_tokens, cost)
        _add(self.sessions[session_id], of_session, sign, FIRST_CALL_SUM)

    def count_files(self, connection: Connection) -> None:
        """Add to each session the files that it had not edited before; take off those without an edit left."""
        if not self.files:
            return
        rows = connection.execute(
            "SELECT f.session_id, f.path, f.edits FROM json_each(?) AS pair JOIN session_files f "
            "ON f.session_id = pair.value ->> 0 AND f.path = pair.value ->> 1",
            (msgspec.json.encode(list(self.files)).decode(),),
        )
        before = {(session_id, path): edits for session_id, path, edits in rows.fetchall()}
        for (session_id, path), more in self.files.items():
            edits = before.get((session_id, path), 0)
            self.sessions[session_id][FILES_EDITED] += (edits + more > 0) - (edits > 0)

    def take_session(self, session_id: str) -> list[int] | None:
        """SESSION_SUMS of a session, for a caller that writes its row anyway; `apply` leaves it out then."""
        return self.sessions.pop(session_id, None)

    def apply(self, connection: Connection) -> None:
        """Write the additions; part of the transaction that stores what they count."""
        ADD_EVENTS.run(connection, [(*key, *sums) for key, sums in self.events.items()])
        ADD_FILE.run(connection, [(*key, edits) for key, edits in self.files.items()])
        ADD_USAGE.run(connection, [(*key, *sums) for key, sums in self.usage.items()])
        ADD_SESSIONS.run(connection, [(name, *sums) for name, sums in self.sessions.items()])
        connection.executemany(DROP_EMPTY_EVENTS, self._less_events)
        connection.executemany(DROP_EMPTY_USAGE, self._less_usage)
        connection.executemany(DROP_EMPTY_FILE, self._less_files)


def _add(sums: list[int], amounts: tuple[int, ...], sign: int, first: int = 0) -> None:
    for index, amount in enumerate(amounts, first):
        sums[index] += sign * amount


REBUILD: Final = (
    "DELETE FROM event_hours",
    f"""
    INSERT INTO event_hours ({", ".join(EVENT_KEY + EVENT_SUMS)})
    SELECT created_at - created_at % {HOUR_MS} AS received_hour,
           coalesce(client_timestamp, created_at)
             - ((coalesce(client_timestamp, created_at) % {HOUR_MS}) + {HOUR_MS}) % {HOUR_MS} AS happened_hour,
           agent_type, event_type, coalesce(tool_name, ''), coalesce(model, ''),
           coalesce(project, ''), coalesce(branch, ''), source,
           count(*), sum(CASE WHEN status = 'error' THEN 1 ELSE 0 END),
           count(duration_ms), coalesce(sum(duration_ms), 0)
    FROM events GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
    """,
    "DELETE FROM session_files",
    """
    INSERT INTO session_files (session_id, path, edits)
    SELECT session_id, edited_path, count(*) FROM events WHERE edited_path IS NOT NULL GROUP BY 1, 2
    """,
    "DELETE FROM usage_hours",
    f"""
    INSERT INTO usage_hours ({", ".join(USAGE_KEY + USAGE_SUMS)})
    SELECT received_at - ((received_at % {HOUR_MS}) + {HOUR_MS}) % {HOUR_MS} AS received_hour,
           called_at - ((called_at % {HOUR_MS}) + {HOUR_MS}) % {HOUR_MS} AS called_hour,
           session_id, agent_type, coalesce(model, ''),
           count(*), sum(CASE WHEN cost_nanos IS NULL THEN 1 ELSE 0 END), sum(uncached_input_tokens),
           sum(cache_read_tokens), sum(cache_write_5m_tokens), sum(cache_write_1h_tokens),
           sum(output_tokens), sum(reasoning_tokens), coalesce(sum(cost_nanos), 0)
    FROM calls GROUP BY 1, 2, 3, 4, 5
    """,
    f"UPDATE sessions SET {', '.join(f'{name} = 0' for name in SESSION_SUMS)}",
    """
    UPDATE sessions SET event_count = e.n, lines_added = e.added, lines_removed = e.removed
    FROM (SELECT session_id, count(*) AS n, sum(lines_added) AS added, sum(lines_removed) AS removed
          FROM events GROUP BY session_id) AS e
    WHERE sessions.id = e.session_id
    """,
    """
    UPDATE sessions SET files_edited = f.n
    FROM (SELECT session_id, count(*) AS n FROM session_files GROUP BY session_id) AS f
    WHERE sessions.id = f.session_id
    """,
    """
    UPDATE sessions SET call_count = u.calls, unpriced_calls = u.unpriced,
           uncached_input_tokens = u.input, cache_read_tokens = u.read, cache_write_tokens = u.written,
           output_tokens = u.output, cost_nanos = u.cost
    FROM (SELECT session_id, sum(calls) AS calls, sum(unpriced_calls) AS unpriced,
                 sum(uncached_input_tokens) AS input, sum(cache_read_tokens) AS read,
                 sum(cache_write_5m_tokens + cache_write_1h_tokens) AS written,
                 sum(output_tokens) AS output, sum(cost_nanos) AS cost
          FROM usage_hours GROUP BY session_id) AS u
    WHERE sessions.id = u.session_id
    """,
)


def rebuild(connection: Connection) -> None:
    """Compute every rollup anew from events and calls, inside the caller's transaction."""
    for statement in REBUILD:
        connection.execute(statement)

"""The SQL of metrics: points are counted once, and the ledger holds what they alone tell of."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import groupby
from sqlite3 import Connection
from typing import Any, Final

from ingest.call_store import CALL_COLUMNS, CallStore, json_text, ledger_row
from ingest.contract import NewEvent
from ingest.ledger import METRIC, LedgerRow
from ingest.metric_ledger import (
    COST,
    UNKNOWN_SESSION,
    MetricHour,
    Reading,
    Seen,
    Sums,
    added,
    event_of,
    grown,
    rows_of,
    same_model,
    shown_model,
)
from monitor.sql import insert
from monitor.times import HOUR_MS

MARK_COLUMNS: Final = ("key", "total", "at")
SELECT_MARKS: Final = "SELECT key, total, at FROM metric_marks WHERE key IN (SELECT value FROM json_each(?))"
UPSERT_MARKS: Final = insert(
    "metric_marks", MARK_COLUMNS, "ON CONFLICT (key) DO UPDATE SET total = excluded.total, at = excluded.at"
)
HOUR_KEY: Final = ("session_id", "agent_type", "model", "hour", "is_paid")
HOUR_SUMS: Final = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "output_tokens",
    COST,
)
UPSERT_HOURS: Final = insert(
    "metric_hours",
    (*HOUR_KEY, *HOUR_SUMS, "last_at"),
    f"ON CONFLICT ({', '.join(HOUR_KEY)}) DO UPDATE SET last_at = max(last_at, excluded.last_at), "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in HOUR_SUMS),
)
SELECT_COVERED: Final = (
    "SELECT value FROM json_each(?) "
    f"WHERE EXISTS (SELECT 1 FROM calls WHERE session_id = value AND authority > {METRIC})"
)
# What was told of a session that is gone by now waits for its return.
SELECT_HOURS: Final = (
    f"SELECT session_id, agent_type, model, hour, is_paid, {', '.join(HOUR_SUMS)}, last_at FROM metric_hours "
    "WHERE session_id IN (SELECT value FROM json_each(?)) "
    "AND EXISTS (SELECT 1 FROM sessions WHERE id = session_id) ORDER BY 1, 2"
)
SELECT_HELD: Final = (
    f"SELECT model, called_at - called_at % {HOUR_MS} AS hour, sum(uncached_input_tokens), "
    "sum(cache_read_tokens), sum(cache_write_5m_tokens + cache_write_1h_tokens), sum(output_tokens) "
    f"FROM calls WHERE {{}} AND agent_type = ? AND authority > {METRIC} GROUP BY 1, 2"
)
SELECT_HELD_OF_SESSION: Final = SELECT_HELD.format("session_id = ?")
SELECT_HELD_SINCE: Final = SELECT_HELD.format("called_at >= ?")
SELECT_ROWS: Final = (
    f"SELECT {', '.join(CALL_COLUMNS)}, id FROM calls "
    f"WHERE session_id = ? AND agent_type = ? AND authority = {METRIC} AND call_key GLOB 'metric:*'"
)

HourRow = tuple[Any, ...]


class MetricStore:
    """Takes readings at the beginning of a transaction, and settles the ledger at its end."""

    def __init__(self, connection: Connection, now_ms: int) -> None:
        self.connection, self.now_ms = connection, now_ms

    def take(self, readings: Sequence[Reading]) -> list[NewEvent]:
        """Count what is new; the events of sessions of which no call tells more."""
        marks = self._marks(readings)
        fresh: dict[str, tuple[str, int | None, int | None]] = {}
        grown_by: list[tuple[Reading, int]] = []
        for reading in readings:
            amount = _taken(reading, marks, fresh)
            if amount > 0:
                grown_by.append((reading, amount))
        UPSERT_MARKS.run(self.connection, list(fresh.values()))
        self._add_hours(grown_by)
        covered = self._covered({reading.session_id for reading, _ in grown_by})
        return [event_of(reading, amount) for reading, amount in grown_by if reading.session_id not in covered]

    def _marks(self, readings: Sequence[Reading]) -> dict[str, Seen]:
        keys = [reading.series or reading.event_id for reading in readings]
        found = self.connection.execute(SELECT_MARKS, (json_text([key for key in keys if key]),)).fetchall()
        return {key: Seen(total or 0, at_ms) for key, total, at_ms in found}

    def _add_hours(self, grown_by: Iterable[tuple[Reading, int]]) -> None:
        hours: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0] * (len(HOUR_SUMS) + 1))
        for reading, amount in grown_by:
            at_ms = self.now_ms if reading.at_ms is None else min(reading.at_ms, self.now_ms)
            hour = at_ms - at_ms % HOUR_MS
            sums = hours[reading.session_id, reading.agent_type, reading.model or "", hour, int(reading.is_paid)]
            sums[HOUR_SUMS.index(reading.kind)] += amount
            sums[-1] = max(sums[-1], at_ms)
        UPSERT_HOURS.run(self.connection, [(*key, *sums) for key, sums in hours.items()])

    def _covered(self, session_ids: set[str]) -> set[str]:
        """Sessions whose calls are told by better witnesses; who names no session can't be compared in detail."""
        found = self.connection.execute(SELECT_COVERED, (json_text(list(session_ids - {UNKNOWN_SESSION})),))
        return {session_id for (session_id,) in found.fetchall()}

    def settle(self, session_ids: Iterable[str], calls: CallStore) -> None:
        """Bring the rows of metrics up to date with the calls of these sessions, whose own rows are written."""
        wanted = json_text(sorted({*session_ids, UNKNOWN_SESSION}))
        hours = self.connection.execute(SELECT_HOURS, (wanted,)).fetchall()
        for (session_id, agent_type), rows in groupby(hours, key=lambda row: row[:2]):
            self._settle(session_id, agent_type, list(rows), calls)

    def _settle(self, session_id: str, agent_type: str, hours: list[HourRow], calls: CallStore) -> None:
        first_hour = min(row[3] for row in hours)
        held = self._held(session_id, agent_type, first_hour)
        wanted: list[LedgerRow] = []
        for model, told in _by_model(hours).items():
            name = shown_model(row[2] for row in hours if same_model(row[2]) == model)
            wanted += rows_of(session_id, agent_type, name, told, held.get(model, {}), calls.registry)
        found = self.connection.execute(SELECT_ROWS, (session_id, agent_type)).fetchall()
        calls.replace([ledger_row(values) for values in found], wanted)

    def _held(self, session_id: str, agent_type: str, first_hour: int) -> dict[str, dict[int, Sums]]:
        """By model and hour; for points without a session, all calls of the agent since the first of them."""
        if session_id == UNKNOWN_SESSION:
            found = self.connection.execute(SELECT_HELD_SINCE, (first_hour, agent_type))
        else:
            found = self.connection.execute(SELECT_HELD_OF_SESSION, (session_id, agent_type))
        held: dict[str, dict[int, Sums]] = defaultdict(dict)
        for model, hour, *sums in found.fetchall():
            of_model = held[same_model(model)]
            of_model[hour] = added(of_model.get(hour, Sums()), Sums(*sums))
        return held


def _taken(reading: Reading, marks: dict[str, Seen], fresh: dict[str, tuple[str, int | None, int | None]]) -> int:
    """What the reading adds; `marks` and `fresh` then know it."""
    if reading.series is not None:
        amount, marks[reading.series] = grown(marks.get(reading.series), reading.amount, reading.at_ms)
        fresh[reading.series] = (reading.series, *marks[reading.series])
        return amount
    if reading.event_id is not None:
        if reading.event_id in marks:
            return 0
        marks[reading.event_id] = Seen(0, None)
        fresh[reading.event_id] = (reading.event_id, None, None)
    return reading.amount


def _by_model(hours: Iterable[HourRow]) -> dict[str, dict[int, MetricHour]]:
    told: dict[str, dict[int, MetricHour]] = defaultdict(dict)
    for _, _, model, hour, is_paid, *sums, cost_nanos, last_at in hours:
        of_model = told[same_model(model)]
        known = of_model.get(hour, MetricHour(Sums(), Sums(), 0, 0))
        paid, unpaid = (Sums(*sums), Sums()) if is_paid else (Sums(), Sums(*sums))
        of_model[hour] = MetricHour(
            added(known.paid, paid),
            added(known.unpaid, unpaid),
            known.cost_nanos + cost_nanos,
            max(known.last_at, last_at),
        )
    return told

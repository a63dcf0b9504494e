"""Reading the ledger: calls one by one, and usage summed by day, model, project and more."""

from collections.abc import Sequence
from datetime import UTC, timedelta, tzinfo
from typing import Any

import msgspec

from monitor.queries import fetch
from monitor.queries_stats import USAGE_TOKENS, Source
from monitor.rows import dollars
from monitor.times import EARLIEST_MS, HOUR_MS, LATEST_MS, iso_text, to_datetime

DAY_MS = 24 * HOUR_MS
SUMS = ("calls", "unpriced_calls", *USAGE_TOKENS, "cost_nanos")


class UsageFilter(msgspec.Struct):
    """Which calls: by the time of the call (ms), and by exact values. None takes everything."""

    since_ms: int | None = None
    until_ms: int | None = None
    agent_type: str | None = None
    model: str | None = None
    project: str | None = None
    branch: str | None = None
    session_id: str | None = None


class CallRow(msgspec.Struct):
    """One row of the ledger as clients see it."""

    id: int
    session_id: str
    agent_type: str
    model: str | None
    called_at: str
    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    web_searches: int
    service_tier: str | None
    speed: str | None
    cost_usd: float | None
    price: str | None
    unpriced_terms: str | None
    call_key: str
    project: str | None
    witnesses: list[dict[str, Any]]


class UsageSums(msgspec.Struct):
    """Sums of calls. `input_tokens` is uncached; `cost_usd` is of the priced calls, the others are counted."""

    calls: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_usd: float
    unpriced_calls: int


CALL_SQL = (
    "SELECT c.id, c.session_id, c.agent_type, c.model, c.called_at, c.uncached_input_tokens, "
    "c.cache_read_tokens, c.cache_write_5m_tokens, c.cache_write_1h_tokens, c.output_tokens, "
    "c.reasoning_tokens, c.web_searches, c.service_tier, c.speed, c.cost_nanos, c.price, c.unpriced_terms, "
    "c.call_key, s.project, c.witnesses "
    "FROM calls c JOIN sessions s ON s.id = c.session_id"
)


def list_calls(wanted: UsageFilter, limit: int, offset: int) -> tuple[list[CallRow], int]:
    """One page of calls, newest first, and the number of all matches."""
    total = count_calls(wanted)
    if offset >= total:
        return [], total
    where, parameters = call_conditions(wanted)
    rows = fetch(
        f"{CALL_SQL} {where} ORDER BY c.called_at DESC, c.id DESC LIMIT %s OFFSET %s",
        [*parameters, limit, offset],
    )
    return [_call_row(values) for values in rows], total


def count_calls(wanted: UsageFilter) -> int:
    """From the hourly rollup, with the calls of cut hours counted one by one; never a scan of all calls."""
    source = _usage_source(wanted)
    where, parameters = _session_conditions(wanted)
    rows = fetch(
        f"SELECT coalesce(sum(u.calls), 0) FROM {source.sql} JOIN sessions s ON s.id = u.session_id {where}",
        [*source.parameters, *parameters],
    )
    return int(rows[0][0])


def call_conditions(wanted: UsageFilter) -> tuple[str, list[Any]]:
    """WHERE with its parameters, over calls c and sessions s."""
    pairs = [
        ("c.called_at >= %s", wanted.since_ms),
        ("c.called_at <= %s", wanted.until_ms),
        ("c.agent_type = %s", wanted.agent_type),
        ("c.model = %s", wanted.model),
        ("s.project = %s", wanted.project),
        ("s.branch = %s", wanted.branch),
        ("c.session_id = %s", wanted.session_id),
    ]
    used = [(condition, value) for condition, value in pairs if value is not None]
    where = "WHERE " + " AND ".join(condition for condition, _ in used) if used else ""
    return where, [value for _, value in used]


def _call_row(values: tuple[Any, ...]) -> CallRow:
    witnesses = [_witness(witness) for witness in msgspec.json.decode(values[19])]
    shown = (*values[:4], iso_text(values[4]), *values[5:14], dollars(values[14]), *values[15:19], witnesses)
    return CallRow(*shown)


def _witness(witness: dict[str, Any]) -> dict[str, Any]:
    return {**witness, "at": iso_text(witness["at"])}


# What usage is grouped by: periods of the call's time in a zone, and columns of usage_hours u and sessions s.
PERIODS = ("hour", "day", "week", "month")
GROUPS = {
    "agent_type": "u.agent_type",
    "model": "nullif(u.model, '')",
    "project": "s.project",
    "branch": "s.branch",
    "session_id": "u.session_id",
}


def usage(wanted: UsageFilter, groups: Sequence[str], zone: tzinfo = UTC) -> dict[str, Any]:
    """Sums of the calls in each group, and of all, from the hourly rollup; cut hours at the ends from the calls.

    A row has the group's values by name: an hour as UTC time, a day, the Monday of a week, a month (YYYY-MM).
    Periods are made of whole UTC hours. With a period first, rows are in the order of time, else of cost.
    """
    columns = ["u.called_hour"] if set(PERIODS) & set(groups) else []
    columns += [GROUPS[name] for name in groups if name in GROUPS]
    folded = _folded(_sums_by(columns, wanted), groups, zone)
    by_time = bool(groups) and groups[0] in PERIODS
    ordered = sorted(folded.items(), key=lambda item: _order(item, by_time=by_time))
    rows = [
        dict(zip(groups, key, strict=True)) | msgspec.structs.asdict(_usage_sums(sums)) for key, sums in ordered
    ]
    totals = [sum(sums[index] for sums in folded.values()) for index in range(len(SUMS))]
    return {"rows": rows, "totals": _usage_sums(totals)}


def _sums_by(columns: Sequence[str], wanted: UsageFilter) -> list[tuple[Any, ...]]:
    source = _usage_source(wanted)
    where, parameters = _session_conditions(wanted)
    sums = ", ".join(f"sum(u.{name})" for name in SUMS)
    return fetch(
        f"SELECT {', '.join((*columns, sums))} FROM {source.sql} JOIN sessions s ON s.id = u.session_id {where} "
        f"GROUP BY {', '.join(columns)}",
        [*source.parameters, *parameters],
    )


def _folded(
    rows: list[tuple[Any, ...]], groups: Sequence[str], zone: tzinfo
) -> dict[tuple[str | None, ...], list[int]]:
    """Hours put together to the periods asked for, which SQL can't do for zones that change their offset."""
    starts: dict[tuple[str, int], str] = {}
    folded: dict[tuple[str | None, ...], list[int]] = {}
    for row in rows:
        values, sums = iter(row[: -len(SUMS)]), row[-len(SUMS) :]
        hour = next(values) if set(PERIODS) & set(groups) else 0
        key = tuple(_period(name, hour, zone, starts) if name in PERIODS else next(values) for name in groups)
        known = folded.get(key)
        folded[key] = list(sums) if known is None else [old + new for old, new in zip(known, sums, strict=True)]
    return folded


def _period(name: str, hour_ms: int, zone: tzinfo, starts: dict[tuple[str, int], str]) -> str:
    known = starts.get((name, hour_ms))
    if known is None:
        known = starts[name, hour_ms] = period_start(name, hour_ms, zone)
    return known


def period_start(name: str, hour_ms: int, zone: tzinfo) -> str:
    """The name of the period that holds the hour: hours in UTC, all others by the calendar of the zone."""
    if name == "hour":
        return iso_text(hour_ms)[:19] + "Z"
    # A day from the ends of the calendar, so that no zone leads beyond them.
    inside = min(max(hour_ms, EARLIEST_MS + DAY_MS), LATEST_MS - DAY_MS)
    day = to_datetime(inside).astimezone(zone).date()
    if name == "month":
        return day.isoformat()[:7]
    return (day - timedelta(days=day.weekday()) if name == "week" else day).isoformat()


def _order(item: tuple[tuple[str | None, ...], list[int]], *, by_time: bool) -> tuple[Any, ...]:
    key, sums = item
    names = tuple(value or "" for value in key)
    return ((names[0],) if by_time else (), -sums[-1], -sums[0], names)


def _usage_sums(sums: Sequence[int]) -> UsageSums:
    calls, unpriced, *tokens, cost_nanos = sums
    shown: tuple[Any, ...] = (calls, *tokens, dollars(int(cost_nanos)) or 0, unpriced)
    return UsageSums(*shown)


def _session_conditions(wanted: UsageFilter) -> tuple[str, list[Any]]:
    pairs = [
        ("s.project = %s", wanted.project),
        ("s.branch = %s", wanted.branch),
        ("u.session_id = %s", wanted.session_id),
        ("u.agent_type = %s", wanted.agent_type),
        ("u.model = %s", wanted.model),
    ]
    used = [(condition, value) for condition, value in pairs if value is not None]
    where = "WHERE " + " AND ".join(condition for condition, _ in used) if used else ""
    return where, [value for _, value in used]


def _usage_source(wanted: UsageFilter) -> Source:
    """Whole hours from the rollup, the cut ones from the calls, with the columns of the rollup."""
    columns = f"session_id, agent_type, model, called_hour, {', '.join(SUMS)}"
    least, most = -(2**62), 2**62
    since = least if wanted.since_ms is None else wanted.since_ms
    end = most if wanted.until_ms is None else wanted.until_ms + 1
    first_hour = least if wanted.since_ms is None else -(-since // HOUR_MS) * HOUR_MS
    end_hour = most if wanted.until_ms is None else end // HOUR_MS * HOUR_MS
    if first_hour > end_hour:
        first_hour = end_hour = end
    sql = (
        f"(SELECT {columns} FROM usage_hours WHERE called_hour >= %s AND called_hour < %s UNION ALL "
        "SELECT session_id, agent_type, coalesce(model, ''), "
        f"called_at - ((called_at %% {HOUR_MS}) + {HOUR_MS}) %% {HOUR_MS}, 1, "
        f"CASE WHEN cost_nanos IS NULL THEN 1 ELSE 0 END, {', '.join(USAGE_TOKENS)}, coalesce(cost_nanos, 0) "
        "FROM calls WHERE (called_at >= %s AND called_at < %s) OR (called_at >= %s AND called_at < %s)) AS u"
    )
    return Source(sql, [first_hour, end_hour, since, first_hour, end_hour, end])

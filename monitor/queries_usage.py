"""Reading the ledger: calls one by one, and usage summed by day, model, project and more."""

from typing import Any

import msgspec

from monitor.queries import fetch
from monitor.queries_stats import USAGE_TOKENS, Source
from monitor.rows import dollars
from monitor.times import HOUR_MS, iso_text

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
    uncached_input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_usd: float | None
    price: str | None
    call_key: str
    project: str | None
    witnesses: list[dict[str, Any]]


class UsageRow(msgspec.Struct):
    """Sums of the calls of one group. `cost_usd` is of the priced ones; the others are counted."""

    key: str
    calls: int
    unpriced_calls: int
    uncached_input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    cost_usd: float


CALL_SQL = (
    "SELECT c.id, c.session_id, c.agent_type, c.model, c.called_at, c.uncached_input_tokens, "
    "c.cache_read_tokens, c.cache_write_5m_tokens, c.cache_write_1h_tokens, c.output_tokens, "
    "c.reasoning_tokens, c.cost_nanos, c.price, c.call_key, s.project, c.witnesses "
    "FROM calls c JOIN sessions s ON s.id = c.session_id"
)


def list_calls(wanted: UsageFilter, limit: int, offset: int) -> tuple[list[CallRow], int]:
    """One page of calls, newest first, and the number of all matches."""
    total = count_calls(wanted)
    if offset >= total:
        return [], total
    where, parameters = _call_conditions(wanted)
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


def _call_conditions(wanted: UsageFilter) -> tuple[str, list[Any]]:
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
    witnesses = [_witness(witness) for witness in msgspec.json.decode(values[15])]
    shown = (*values[:4], iso_text(values[4]), *values[5:11], dollars(values[11]), *values[12:15], witnesses)
    return CallRow(*shown)


def _witness(witness: dict[str, Any]) -> dict[str, Any]:
    return {**witness, "at": iso_text(witness["at"])}


def group_columns(tz_offset_minutes: int) -> dict[str, str]:
    """What usage can be grouped by, as SQL over usage_hours u and sessions s."""
    local = f"(u.called_hour + {tz_offset_minutes * 60_000})"
    return {
        "hour": "u.called_hour",
        "day": f"({local} - (({local} %% {DAY_MS}) + {DAY_MS}) %% {DAY_MS})",
        "model": "u.model",
        "project": "coalesce(s.project, 'unknown')",
        "branch": "coalesce(s.branch, 'unknown')",
        "agent_type": "u.agent_type",
        "session": "u.session_id",
    }


def usage(wanted: UsageFilter, group_by: str, tz_offset_minutes: int = 0) -> dict[str, Any]:
    """Rows by group and their total, from the hourly rollup; cut hours at the ends from the calls."""
    source = _usage_source(wanted)
    column = group_columns(tz_offset_minutes)[group_by]
    sums = ", ".join(f"sum(u.{name})" for name in SUMS)
    order = "1" if group_by in {"hour", "day"} else "cost DESC, 2 DESC, 1"
    rows = fetch(
        f"SELECT {column}, {sums}, sum(u.cost_nanos) AS cost FROM {source.sql} "
        f"JOIN sessions s ON s.id = u.session_id {_session_conditions(wanted)[0]} "
        f"GROUP BY 1 ORDER BY {order}",
        [*source.parameters, *_session_conditions(wanted)[1]],
    )
    groups = [_usage_row(_key(group_by, values[0]), values[1:10]) for values in rows]
    totals = [sum(values[index] for values in rows) for index in range(1, 10)]
    return {"rows": groups, "total": _usage_row("total", totals)}


def _key(group_by: str, value: Any) -> str:
    if group_by == "hour":
        return iso_text(value)[:19] + "Z"
    return iso_text(value)[:10] if group_by == "day" else str(value)


def _usage_row(key: str, sums: Any) -> UsageRow:
    return UsageRow(*(key, *sums[:8], dollars(int(sums[8])) or 0))


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

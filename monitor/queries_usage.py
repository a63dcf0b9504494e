"""Reading the ledger: calls one by one, and usage summed by day, model, project and more."""

from collections.abc import Sequence
from datetime import UTC, timedelta, tzinfo
from typing import Any, Final

import msgspec

from monitor.queries import fetch
from monitor.queries_stats import USAGE_TOKENS, Source
from monitor.rows import dollars
from monitor.times import EARLIEST_MS, HOUR_MS, LATEST_MS, iso_text, to_datetime

DAY_MS = 24 * HOUR_MS
SUMS = ("calls", "unpriced_calls", *USAGE_TOKENS, "cost_nanos")


class UsageFilter(msgspec.Struct):
    """Which calls: by the time of the call (ms), and by exact values. None takes everything.

    `unnamed` are those of model, project and branch that the calls name none of.
    """

    since_ms: int | None = None
    until_ms: int | None = None
    agent_type: str | None = None
    model: str | None = None
    project: str | None = None
    branch: str | None = None
    session_id: str | None = None
    received_since_ms: int | None = None
    unnamed: tuple[str, ...] = ()
    unpriced: bool = False
    subagent_id: str | None = None


class CallRow(msgspec.Struct):
    """One row of the ledger as clients see it. `provisional`: no transcript has told of it."""

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
    branch: str | None
    session_title: str | None
    subagent_id: str | None
    provisional: bool
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


# The authority of a call that a transcript told (ingest/ledger.py).
TRANSCRIPT: Final = 3
CALL_SQL = (
    "SELECT c.id, c.session_id, c.agent_type, c.model, c.called_at, c.uncached_input_tokens, "
    "c.cache_read_tokens, c.cache_write_5m_tokens, c.cache_write_1h_tokens, c.output_tokens, "
    "c.reasoning_tokens, c.web_searches, c.service_tier, c.speed, c.cost_nanos, c.price, c.unpriced_terms, "
    f"c.call_key, s.project, s.branch, s.title, c.subagent_id, c.authority < {TRANSCRIPT}, c.witnesses "
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
        ("c.received_at >= %s", wanted.received_since_ms),
        (f"c.session_id IN ({SUBAGENT_SESSIONS})", wanted.subagent_id),
        ("c.subagent_id = %s", wanted.subagent_id),
    ]
    more = ["c.cost_nanos IS NULL", f"c.session_id IN ({UNPRICED_SESSIONS})"] if wanted.unpriced else []
    return _where(pairs, [*(CALL_NAMES[name] for name in wanted.unnamed), *more])


def _where(pairs: Sequence[tuple[str, Any]], more: Sequence[str]) -> tuple[str, list[Any]]:
    """A WHERE of the conditions that have a value, and of those that need none."""
    used = [(condition, value) for condition, value in pairs if value is not None]
    conditions = [*(condition for condition, _ in used), *more]
    return "WHERE " + " AND ".join(conditions) if conditions else "", [value for _, value in used]


def _call_row(values: tuple[Any, ...]) -> CallRow:
    *facts, is_provisional, witnesses = values
    told = [_witness(witness) for witness in msgspec.json.decode(witnesses)]
    shown: tuple[Any, ...] = (*facts[:4], iso_text(facts[4]), *facts[5:14], dollars(facts[14]), *facts[15:])
    shown = (*shown, bool(is_provisional), told)
    return CallRow(*shown)


def _witness(witness: dict[str, Any]) -> dict[str, Any]:
    return {**witness, "at": iso_text(witness["at"])}


# What a call has to lack, by name, in calls c or usage_hours u, and sessions s.
UNNAMED = ("model", "project", "branch")
CALL_NAMES = {"model": "c.model IS NULL", "project": "s.project IS NULL", "branch": "s.branch IS NULL"}
USAGE_NAMES = {**CALL_NAMES, "model": "u.model = ''"}

# Before and after all times, in ms.
LEAST: Final = -(2**62)
MOST: Final = 2**62
UNPRICED_SESSIONS: Final = "SELECT session_id FROM usage_hours WHERE unpriced_calls > 0"
# The index of sub-agents begins with the session.
SUBAGENT_SESSIONS: Final = "SELECT session_id FROM subagents WHERE subagent_id = %s"
USAGE_COLUMNS: Final = f"session_id, agent_type, model, called_hour, {', '.join(SUMS)}"
CALLS_AS_USAGE: Final = (
    "SELECT session_id, agent_type, coalesce(model, '') AS model, "
    f"called_at - ((called_at %% {HOUR_MS}) + {HOUR_MS}) %% {HOUR_MS} AS called_hour, 1 AS calls, "
    "CASE WHEN cost_nanos IS NULL THEN 1 ELSE 0 END AS unpriced_calls, "
    f"{', '.join(USAGE_TOKENS)}, coalesce(cost_nanos, 0) AS cost_nanos FROM calls"
)

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
        dict(zip(groups, key, strict=True)) | msgspec.structs.asdict(usage_sums(sums)) for key, sums in ordered
    ]
    totals = [sum(sums[index] for sums in folded.values()) for index in range(len(SUMS))]
    return {"rows": rows, "totals": usage_sums(totals)}


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


def usage_sums(sums: Sequence[int]) -> UsageSums:
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
    return _where(pairs, [USAGE_NAMES[name] for name in wanted.unnamed])


def _usage_source(wanted: UsageFilter) -> Source:
    """Whole hours from the rollup, the cut ones from the calls, with the columns of the rollup."""
    since = LEAST if wanted.since_ms is None else wanted.since_ms
    end = MOST if wanted.until_ms is None else wanted.until_ms + 1
    if wanted.unpriced or wanted.subagent_id is not None:
        return _calls_source(wanted, since, end)
    first_hour = LEAST if wanted.since_ms is None else -(-since // HOUR_MS) * HOUR_MS
    end_hour = MOST if wanted.until_ms is None else end // HOUR_MS * HOUR_MS
    if first_hour > end_hour:
        first_hour = end_hour = end
    hours = "called_hour >= %s AND called_hour < %s"
    cut = "((called_at >= %s AND called_at < %s) OR (called_at >= %s AND called_at < %s))"
    pieces = [
        Source(f"SELECT {USAGE_COLUMNS} FROM usage_hours WHERE {hours}", [first_hour, end_hour]),
        Source(f"{CALLS_AS_USAGE} WHERE {cut}", [since, first_hour, end_hour, end]),
    ]
    if wanted.received_since_ms is not None:
        pieces = _received(pieces, wanted.received_since_ms, since, end)
    sql = " UNION ALL ".join(piece.sql for piece in pieces)
    return Source(f"({sql}) AS u", [value for piece in pieces for value in piece.parameters])


def _received(pieces: Sequence[Source], since_ms: int, called_since: int, called_end: int) -> list[Source]:
    """The pieces of what was received in whole hours, and the calls of the hour that `since_ms` cuts."""
    hour = -(-since_ms // HOUR_MS) * HOUR_MS
    by_hour, by_call = pieces
    # The plus keeps the planner to the index on the time of the call.
    whole = [
        Source(f"{by_hour.sql} AND received_hour >= %s", [*by_hour.parameters, hour]),
        Source(f"{by_call.sql} AND +received_at >= %s", [*by_call.parameters, hour]),
    ]
    cut = "received_at >= %s AND received_at < %s AND +called_at >= %s AND +called_at < %s"
    return [*whole, Source(f"{CALLS_AS_USAGE} WHERE {cut}", [since_ms, hour, called_since, called_end])]


def _calls_source(wanted: UsageFilter, since: int, end: int) -> Source:
    """Calls of one sub-agent, or without a price, which the rollup does not sum apart."""
    conditions = ["called_at >= %s", "called_at < %s"]
    chosen: list[Any] = [since, end]
    if wanted.received_since_ms is not None:
        conditions.append("received_at >= %s")
        chosen.append(wanted.received_since_ms)
    if wanted.unpriced:
        conditions += [f"session_id IN ({UNPRICED_SESSIONS})", "cost_nanos IS NULL"]
    if wanted.subagent_id is not None:
        conditions += [f"session_id IN ({SUBAGENT_SESSIONS})", "subagent_id = %s"]
        chosen += [wanted.subagent_id, wanted.subagent_id]
    return Source(f"({CALLS_AS_USAGE} WHERE {' AND '.join(conditions)}) AS u", chosen)

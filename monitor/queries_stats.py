"""Reading sums: everything from the rollups, with cut hours at the ends taken from the rows themselves."""

from collections import defaultdict
from typing import Any, NamedTuple

from monitor.queries import fetch
from monitor.rows import dollars
from monitor.times import HOUR_MS, hour_of, iso_text

USAGE_TOKENS = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
)


class Source(NamedTuple):
    """A table expression with its parameters."""

    sql: str
    parameters: list[Any]


def _ceil_hour(at_ms: int) -> int:
    return -(-at_ms // HOUR_MS) * HOUR_MS


def event_sums(agent_type: str | None, since_ms: int | None) -> Source:
    """Events received since then: agent_type, event_type, tool_name, model, events, errors, timed, total ms."""
    columns = "agent_type, event_type, tool_name, model, events, errors, timed_events, duration_total_ms"
    if since_ms is None:
        where, parameters = _agent_condition(agent_type, "")
        return Source(f"(SELECT {columns} FROM event_hours {where}) AS e", parameters)
    hour = _ceil_hour(since_ms)
    agent, agent_parameters = _agent_condition(agent_type, " AND ")
    sql = (
        f"(SELECT {columns} FROM event_hours WHERE received_hour >= %s{agent} UNION ALL "
        "SELECT agent_type, event_type, coalesce(tool_name, ''), coalesce(model, ''), 1, "
        "CASE WHEN status = 'error' THEN 1 ELSE 0 END, CASE WHEN duration_ms IS NULL THEN 0 ELSE 1 END, "
        f"coalesce(duration_ms, 0) FROM events WHERE created_at >= %s AND created_at < %s{agent}) AS e"
    )
    return Source(sql, [hour, *agent_parameters, since_ms, hour, *agent_parameters])


def usage_sums(agent_type: str | None, since_ms: int | None, axis: str = "received") -> Source:
    """Calls since then on an axis (received, called): session_id, agent_type, model, their sums, `called_hour`."""
    sums = ", ".join(("calls", "unpriced_calls", *USAGE_TOKENS, "cost_nanos"))
    columns = f"session_id, agent_type, model, called_hour, {sums}"
    if since_ms is None:
        where, parameters = _agent_condition(agent_type, "")
        return Source(f"(SELECT {columns} FROM usage_hours {where}) AS u", parameters)
    hour = _ceil_hour(since_ms)
    agent, agent_parameters = _agent_condition(agent_type, " AND ")
    sql = (
        f"(SELECT {columns} FROM usage_hours WHERE {axis}_hour >= %s{agent} UNION ALL "
        "SELECT session_id, agent_type, coalesce(model, ''), "
        f"called_at - ((called_at %% {HOUR_MS}) + {HOUR_MS}) %% {HOUR_MS}, 1, "
        f"CASE WHEN cost_nanos IS NULL THEN 1 ELSE 0 END, {', '.join(USAGE_TOKENS)}, coalesce(cost_nanos, 0) "
        f"FROM calls WHERE {axis}_at >= %s AND {axis}_at < %s{agent}) AS u"
    )
    return Source(sql, [hour, *agent_parameters, since_ms, hour, *agent_parameters])


def _agent_condition(agent_type: str | None, joiner: str) -> tuple[str, list[Any]]:
    if agent_type is None:
        return "", []
    return f"{joiner or 'WHERE '}agent_type = %s", [agent_type]


def stats(agent_type: str | None = None, since_ms: int | None = None) -> dict[str, Any]:
    """`GET /api/stats`, but for the usage monitor. Sessions and branches are always of everything."""
    events = event_sums(agent_type, since_ms)
    usage = usage_sums(agent_type, since_ms)
    grouped = fetch(
        f"SELECT agent_type, tool_name, model, sum(events) FROM {events.sql} GROUP BY 1, 2, 3",
        events.parameters,
    )
    tokens_in, tokens_out, cost_nanos, unpriced = fetch(
        "SELECT coalesce(sum(uncached_input_tokens), 0), coalesce(sum(output_tokens), 0), "
        f"coalesce(sum(cost_nanos), 0), coalesce(sum(unpriced_calls), 0) FROM {usage.sql}",
        usage.parameters,
    )[0]
    sessions = dict(fetch("SELECT status, count(*) FROM sessions GROUP BY status"))
    live_agents = fetch("SELECT count(DISTINCT agent_type) FROM sessions WHERE status IN ('active', 'idle')")
    return {
        "total_events": sum(row[3] for row in grouped),
        "active_sessions": sessions.get("active", 0),
        "total_sessions": sum(sessions.values()),
        "live_sessions": sessions.get("active", 0) + sessions.get("idle", 0),
        "active_agents": live_agents[0][0],
        "total_tokens_in": tokens_in,
        "total_tokens_out": tokens_out,
        "total_cost_usd": dollars(cost_nanos),
        "unpriced_calls": unpriced,
        "tool_breakdown": _breakdown((row[1], row[3]) for row in grouped),
        "agent_breakdown": _breakdown((row[0], row[3]) for row in grouped),
        "model_breakdown": _breakdown((row[2], row[3]) for row in grouped),
        "branches": branches(),
    }


def _breakdown(counts: Any) -> dict[str, int]:
    """Counts by name, most first; what has no name is left out."""
    sums: dict[str, int] = defaultdict(int)
    for name, count in counts:
        if name:
            sums[name] += count
    return dict(sorted(sums.items(), key=lambda item: (-item[1], item[0])))


def branches() -> list[str]:
    rows = fetch(
        "SELECT branch FROM sessions WHERE branch IS NOT NULL GROUP BY branch "
        "ORDER BY max(last_event_at) DESC, branch"
    )
    return [branch for (branch,) in rows]


def tool_stats(agent_type: str | None = None, since_ms: int | None = None) -> list[dict[str, Any]]:
    """Calls, errors and mean duration of each tool, most calls first."""
    source = event_sums(agent_type, since_ms)
    rows = fetch(
        "SELECT tool_name, agent_type, sum(events), sum(errors), sum(timed_events), sum(duration_total_ms) "
        f"FROM {source.sql} WHERE tool_name <> '' GROUP BY 1, 2 ORDER BY 1, 2",
        source.parameters,
    )
    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    by_agent: dict[str, dict[str, int]] = defaultdict(dict)
    for tool_name, agent, *amounts in rows:
        by_agent[tool_name][agent] = amounts[0]
        for index, amount in enumerate(amounts):
            sums[tool_name][index] += amount
    tools = [_tool(name, tuple(amounts), by_agent[name]) for name, amounts in sums.items()]
    return sorted(tools, key=lambda tool: (-tool["total_calls"], tool["tool_name"]))


def _tool(name: str, sums: tuple[int, ...], by_agent: dict[str, int]) -> dict[str, Any]:
    calls, errors, timed, duration_ms = sums
    return {
        "tool_name": name,
        "total_calls": calls,
        "error_count": errors,
        "error_rate": round(errors / calls, 4),
        "avg_duration_ms": (2 * duration_ms + timed) // (2 * timed) if timed else None,
        "by_agent": dict(sorted(by_agent.items(), key=lambda item: (-item[1], item[0]))),
    }


def cost_stats(agent_type: str | None = None, since_ms: int | None = None, limit: int = 10) -> dict[str, Any]:
    """`GET /api/stats/cost`: over time, by project (of the session), by model."""
    return {
        "timeline": _timeline(agent_type, since_ms),
        "by_project": _by_project(agent_type, since_ms, limit),
        "by_model": _by_model(agent_type, since_ms),
    }


def _timeline(agent_type: str | None, since_ms: int | None) -> list[dict[str, Any]]:
    """By the hour in which things happened; hours without events are left out."""
    buckets: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for hour, events in _events_by_hour(agent_type, since_ms):
        buckets[hour][3] += events
    usage = usage_sums(agent_type, since_ms, axis="called")
    for hour, *sums in fetch(
        "SELECT called_hour, sum(cost_nanos), sum(uncached_input_tokens), sum(output_tokens) "
        f"FROM {usage.sql} GROUP BY called_hour",
        usage.parameters,
    ):
        buckets[hour][:3] = sums
    return [
        {
            "bucket": iso_text(hour)[:19] + "Z",
            "cost_usd": dollars(cost_nanos),
            "tokens_in": tokens_in,
            "tokens_out": tokens_out,
            "event_count": events,
        }
        for hour, (cost_nanos, tokens_in, tokens_out, events) in sorted(buckets.items())
    ]


def _events_by_hour(agent_type: str | None, since_ms: int | None) -> list[tuple[Any, ...]]:
    agent, parameters = _agent_condition(agent_type, " AND ")
    hour = -(2**62) if since_ms is None else _ceil_hour(since_ms)
    rows = fetch(
        f"SELECT happened_hour, sum(events) FROM event_hours WHERE happened_hour >= %s{agent} GROUP BY 1",
        [hour, *parameters],
    )
    if since_ms is not None and hour != since_ms:
        count = _events_in_cut_hour(agent, parameters, since_ms)
        rows += [(hour_of(since_ms), count)] if count else []
    return rows


def _events_in_cut_hour(agent: str, parameters: list[Any], since_ms: int) -> int:
    """Events that happened in the rest of an hour. The rollup tells when they were received, which is indexed."""
    first, last = fetch(
        "SELECT min(received_hour), max(received_hour) FROM event_hours WHERE happened_hour = %s",
        [hour_of(since_ms)],
    )[0]
    if first is None:
        return 0
    rows = fetch(
        "SELECT count(*) FROM events WHERE created_at >= %s AND created_at < %s "
        f"AND coalesce(client_timestamp, created_at) >= %s AND coalesce(client_timestamp, created_at) < %s{agent}",
        [first, last + HOUR_MS, since_ms, _ceil_hour(since_ms), *parameters],
    )
    return int(rows[0][0])


def _by_project(agent_type: str | None, since_ms: int | None, limit: int) -> list[dict[str, Any]]:
    source = usage_sums(agent_type, since_ms)
    rows = fetch(
        "SELECT coalesce(s.project, 'unknown'), sum(u.cost_nanos), count(DISTINCT u.session_id), "
        "sum(u.calls - u.unpriced_calls) "
        f"FROM {source.sql} JOIN sessions s ON s.id = u.session_id WHERE u.cost_nanos > 0 "
        "GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT %s",
        [*source.parameters, limit],
    )
    return [
        {"project": project, "cost_usd": dollars(cost), "session_count": sessions, "event_count": calls}
        for project, cost, sessions, calls in rows
    ]


def _by_model(agent_type: str | None, since_ms: int | None) -> list[dict[str, Any]]:
    source = usage_sums(agent_type, since_ms)
    rows = fetch(
        "SELECT model, sum(cost_nanos), sum(calls - unpriced_calls), "
        "sum(uncached_input_tokens), sum(output_tokens) "
        f"FROM {source.sql} WHERE model <> '' AND cost_nanos > 0 GROUP BY 1 ORDER BY 2 DESC, 1",
        source.parameters,
    )
    return [
        {
            "model": model,
            "cost_usd": dollars(cost),
            "event_count": calls,
            "tokens_in": tokens_in,
            "tokens_out": tokens_out,
        }
        for model, cost, calls, tokens_in, tokens_out in rows
    ]


def used_since(agent_type: str, since_ms: int) -> tuple[int, int]:
    """Tokens (input and output) and nano-dollars of an agent type's calls received since then."""
    source = usage_sums(agent_type, since_ms)
    rows = fetch(
        "SELECT coalesce(sum(uncached_input_tokens + output_tokens), 0), coalesce(sum(cost_nanos), 0) "
        f"FROM {source.sql}",
        source.parameters,
    )
    return int(rows[0][0]), int(rows[0][1])


def agent_types_seen() -> set[str]:
    return {agent_type for (agent_type,) in fetch("SELECT agent_type FROM agents")}

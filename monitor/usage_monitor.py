"""`GET /api/stats/usage-monitor`: what each agent used of the limits that its human set."""

from typing import Any, NamedTuple

from django.conf import settings

from monitor.queries_stats import agent_types_seen, stats, used_since
from monitor.rows import dollars
from monitor.saved_quotas import told_limits
from monitor.times import HOUR_MS, iso_text, now_ms


class Window(NamedTuple):
    hours: int
    limit: float


class Limits(NamedTuple):
    """Limits of one agent type: `kind` is tokens or cost (dollars); a limit of 0 is none."""

    kind: str
    session: Window
    extended: Window


def _limits() -> dict[str, Limits]:
    env = settings.ENVIRONMENT
    return {
        "claude_code": Limits(
            "tokens",
            Window(env.window_hours("claude_code"), env.session_token_limit_claude_code),
            Window(env.extended_window_hours_claude_code, env.extended_token_limit_claude_code),
        ),
        "codex": Limits(
            "cost",
            Window(env.window_hours("codex"), env.session_cost_limit_codex),
            Window(env.extended_window_hours_codex, env.extended_cost_limit_codex),
        ),
    }


def usage_monitor(at_ms: int | None = None) -> list[dict[str, Any]]:
    """One entry for each agent type that was seen and has a limit; beside them what the providers told."""
    at_ms = now_ms() if at_ms is None else at_ms
    seen = agent_types_seen()
    own = [
        {
            "agent_type": agent_type,
            "limitType": limits.kind,
            "session": _used(agent_type, limits.kind, limits.session, at_ms),
            "extended": _used(agent_type, limits.kind, limits.extended, at_ms) if limits.extended.limit else None,
        }
        for agent_type, limits in _limits().items()
        if agent_type in seen and (limits.session.limit or limits.extended.limit)
    ]
    return own + [entry for entry in told_limits(at_ms) if entry["updated_at"]]


def stats_and_limits(agent_type: str | None = None, since_ms: int | None = None) -> dict[str, Any]:
    """`GET /api/stats`, and the payload of the live stream's stats frames."""
    quotas = told_limits(now_ms())
    return {**stats(agent_type, since_ms), "usage_monitor": usage_monitor(), "quota_monitor": quotas}


def _used(agent_type: str, kind: str, window: Window, at_ms: int) -> dict[str, Any]:
    since_ms = at_ms - window.hours * HOUR_MS
    tokens, cost_nanos = used_since(agent_type, since_ms)
    used = tokens if kind == "tokens" else dollars(cost_nanos)
    limit = int(window.limit) if float(window.limit).is_integer() else window.limit
    return {"used": used, "limit": limit, "windowHours": window.hours, "since": iso_text(since_ms)}

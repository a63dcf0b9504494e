"""The providers' own limits, as they state them: how much is used, of which window, until when. Pure."""

from datetime import datetime
from typing import Any, Final

import msgspec

from monitor.times import EARLIEST_MS, LATEST_MS, from_datetime, iso_text

AGENT_TYPES: Final = {"claude": "claude_code", "codex": "codex"}
AVAILABLE, UNAVAILABLE = "available", "unavailable"
STATUSLINE, ROLLOUT = "claude-statusline", "codex-rollout"
# Codex names further limits, of models of their own, beside that of the account.
AGENT_LIMIT: Final = "codex"
FIVE_HOURS_MINUTES, SEVEN_DAYS_MINUTES = 5 * 60, 7 * 24 * 60
NO_LIMITS: Final = "missing rate_limits payload"
LONGEST_TEXT: Final = 500
LONGEST_WINDOW_MINUTES: Final = 10 * 366 * 24 * 60
# Above this, a number is a time in milliseconds: as seconds it would be in the year 5138.
FIRST_MS: Final = 10**11


class UnknownProvider(Exception):
    """404: a provider whose limits are not kept."""

    def __init__(self) -> None:
        super().__init__("Unknown provider")


class QuotaFault(Exception):
    """400: not an object."""

    def __init__(self) -> None:
        super().__init__("Expected JSON object body")


class QuotaWindow(msgspec.Struct, frozen=True):
    """Percent from 0 to 100, None when not stated; `resets_at` is ISO text in UTC."""

    used_percent: float | int | None
    remaining_percent: float | int | None
    resets_at: str | None
    window_minutes: int | None


class Credits(msgspec.Struct, frozen=True):
    has_credits: bool | None = None
    unlimited: bool | None = None
    balance: str | float | int | None = None


class Quota(msgspec.Struct, frozen=True):
    """One provider's limits, in the contract's form; stored and answered as this very JSON."""

    provider: str
    agent_type: str
    status: str = UNAVAILABLE
    source: str | None = None
    updated_at: str | None = None
    account_label: str | None = None
    plan_type: str | None = None
    limit_id: str | None = None
    limit_name: str | None = None
    error_message: str | None = None
    primary: QuotaWindow | None = None
    secondary: QuotaWindow | None = None
    credits: Credits | None = None


def from_statusline(payload: object, at_ms: int) -> Quota | None:
    """From the JSON that Claude Code pipes to its status line; None when it states no limits."""
    limits = payload.get("rate_limits") if isinstance(payload, dict) else None
    if not isinstance(limits, dict):
        return None
    primary = _window(limits.get("five_hour"), "used_percentage", FIVE_HOURS_MINUTES)
    secondary = _window(limits.get("seven_day"), "used_percentage", SEVEN_DAYS_MINUTES)
    if primary is None and secondary is None:
        return None
    return Quota(
        provider="claude",
        agent_type=AGENT_TYPES["claude"],
        status=AVAILABLE,
        source=STATUSLINE,
        updated_at=iso_text(at_ms),
        primary=primary,
        secondary=secondary,
    )


def from_post(provider: str, payload: object, at_ms: int) -> Quota:
    """From the body of POST /api/provider-quotas/<provider>. Raises UnknownProvider or QuotaFault."""
    if provider not in AGENT_TYPES:
        raise UnknownProvider
    if not isinstance(payload, dict):
        raise QuotaFault
    texts = {
        name: _text(payload.get(name))
        for name in ("source", "account_label", "plan_type", "limit_id", "limit_name", "error_message")
    }
    return Quota(
        provider=provider,
        agent_type=AGENT_TYPES[provider],
        status=_text(payload.get("status")) or AVAILABLE,
        updated_at=iso_text(at_ms),
        primary=_window(payload.get("primary"), "used_percent"),
        secondary=_window(payload.get("secondary"), "used_percent"),
        credits=_credits(payload.get("credits")),
        **texts,
    )


def from_rollout(limits: object, at_ms: int) -> Quota | None:
    """From `rate_limits` of a Codex rollout, as of its line; None when it states none of the account's own."""
    if not isinstance(limits, dict) or limits.get("limit_id") not in (None, AGENT_LIMIT):
        return None
    primary, secondary = (_rollout_window(limits.get(name), at_ms) for name in ("primary", "secondary"))
    if primary is None and secondary is None:
        return None
    return Quota(
        provider="codex",
        agent_type=AGENT_TYPES["codex"],
        status=AVAILABLE,
        source=ROLLOUT,
        updated_at=iso_text(at_ms),
        plan_type=_text(limits.get("plan_type")),
        limit_id=_text(limits.get("limit_id")),
        limit_name=_text(limits.get("limit_name")),
        primary=primary,
        secondary=secondary,
        credits=_credits(limits.get("credits")),
    )


def _rollout_window(window: object, at_ms: int) -> QuotaWindow | None:
    """Older versions tell the seconds to the reset, not its time."""
    if isinstance(window, dict) and window.get("resets_at") is None:
        left = _number(window.get("resets_in_seconds"))
        window = window | {"resets_at": None if left is None else at_ms + left * 1000}
    return _window(window, "used_percent")


def quota_entries(saved: dict[str, Quota]) -> list[dict[str, Any]]:
    """The answer of GET /api/provider-quotas: always both providers, by name of provider what is known."""
    return [
        msgspec.to_builtins(saved.get(provider) or Quota(provider=provider, agent_type=agent_type))
        for provider, agent_type in AGENT_TYPES.items()
    ]


def _window(window: object, percent_name: str, minutes: int | None = None) -> QuotaWindow | None:
    if not isinstance(window, dict):
        return None
    used = _percent(window.get(percent_name))
    return QuotaWindow(
        used_percent=used,
        remaining_percent=None if used is None else 100 - used,
        resets_at=_resets_at(window.get("resets_at")),
        window_minutes=minutes or _minutes(window.get("window_minutes")),
    )


def _percent(value: object) -> float | int | None:
    number = _number(value)
    return None if number is None else max(0, min(100, number))


def _minutes(value: object) -> int | None:
    number = _number(value)
    return int(number) if number is not None and 0 < number <= LONGEST_WINDOW_MINUTES else None


def _resets_at(value: object) -> str | None:
    """Unix seconds or milliseconds, also as text, or an ISO time; None for anything else."""
    number = _number(value)
    if number is not None:
        at_ms = number if abs(number) >= FIRST_MS else number * 1000
        return iso_text(int(at_ms)) if EARLIEST_MS <= at_ms <= LATEST_MS else None
    try:
        return iso_text(from_datetime(datetime.fromisoformat(value))) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def _credits(value: object) -> Credits | None:
    if not isinstance(value, dict):
        return None
    has_credits, unlimited, balance = value.get("has_credits"), value.get("unlimited"), value.get("balance")
    return Credits(
        has_credits if isinstance(has_credits, bool) else None,
        unlimited if isinstance(unlimited, bool) else None,
        balance if isinstance(balance, (int, float)) and not isinstance(balance, bool) else _text(balance),
    )


def _number(value: object) -> float | int | None:
    """A finite number, also from text; NaN compares false with everything."""
    if isinstance(value, str) and len(value) <= 24:
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return value if abs(value) < float("inf") else None


def _text(value: object) -> str | None:
    return (value.strip()[:LONGEST_TEXT] or None) if isinstance(value, str) else None

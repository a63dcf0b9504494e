"""When a provider's limit is reached, should the use go on as it did in this window so far. Pure."""

from typing import Any, Final

from monitor.lifecycle import MINUTE_MS
from monitor.quotas import Quota, QuotaWindow
from monitor.times import from_iso, iso_text

# What was used in the first twentieth of a window says nothing of the rest.
LEAST_SHARE: Final = 1 / 20
FULL_PERCENT: Final = 100


def reached_at_ms(window: QuotaWindow, told_at_ms: int, at_ms: int) -> int | None:
    """Milliseconds; None when the limit is not reached before it is reset, or when that can't be told."""
    resets_at_ms = from_iso(window.resets_at) if window.resets_at else None
    if window.used_percent is None or window.window_minutes is None or resets_at_ms is None:
        return None
    if at_ms >= resets_at_ms or told_at_ms >= resets_at_ms:
        return None
    if window.used_percent >= FULL_PERCENT:
        return told_at_ms
    length_ms = window.window_minutes * MINUTE_MS
    passed_ms = told_at_ms - (resets_at_ms - length_ms)
    if window.used_percent <= 0 or passed_ms < length_ms * LEAST_SHARE:
        return None
    left = (FULL_PERCENT - window.used_percent) * passed_ms
    if left >= window.used_percent * (resets_at_ms - told_at_ms):
        return None
    return min(told_at_ms + round(left / window.used_percent), resets_at_ms - 1)


def forecasts(quota: Quota, at_ms: int) -> dict[str, Any]:
    """`{"forecast": {"primary"?, "secondary"?}}`, ISO text in UTC; empty when no limit will be reached."""
    told_at_ms = from_iso(quota.updated_at) if quota.updated_at else None
    if told_at_ms is None:
        return {}
    windows = {"primary": quota.primary, "secondary": quota.secondary}
    found = {
        name: iso_text(reached)
        for name, window in windows.items()
        if window is not None and (reached := reached_at_ms(window, told_at_ms, at_ms)) is not None
    }
    return {"forecast": found} if found else {}

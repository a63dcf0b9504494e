"""When a limit is reached at the rate of its window."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.quota_forecast import forecasts, reached_at_ms
from monitor.quotas import Quota, QuotaWindow
from monitor.times import iso_text

MINUTE = 60_000
BEGAN_MS = 1_795_531_200_000
RESETS_MS = BEGAN_MS + 300 * MINUTE


def window(used: Any, **fields: Any) -> QuotaWindow:
    known = {"used_percent": used, "remaining_percent": None, "window_minutes": 300}
    return QuotaWindow(**(known | {"resets_at": iso_text(RESETS_MS)} | fields))


def reached_minute(used: Any, told_minute: float, now_minute: float | None = None, **fields: Any) -> float | None:
    """Minutes since the window began."""
    told, now = (BEGAN_MS + round(at * MINUTE) for at in (told_minute, now_minute or told_minute))
    reached = reached_at_ms(window(used, **fields), told, now)
    return None if reached is None else (reached - BEGAN_MS) / MINUTE


def test_a_use_that_goes_on_reaches_its_limit() -> None:
    assert reached_minute(50, 100) == 200
    assert reached_minute(80, 200) == 250


def test_a_use_that_is_slow_enough_does_not() -> None:
    assert reached_minute(33, 100) is None
    assert reached_minute(0, 100) is None


def test_a_limit_that_is_reached_was_reached_when_that_was_told() -> None:
    assert reached_minute(100, 120, 130) == 120


def test_the_first_moments_of_a_window_say_nothing() -> None:
    assert reached_minute(10, 14) is None
    assert reached_minute(10, 15) == 150


def test_what_was_told_of_an_earlier_window_says_nothing_of_this_one() -> None:
    assert reached_minute(50, 100, now_minute=300) is None


@pytest.mark.parametrize("fields", [{"used": None}, {"resets_at": None}, {"window_minutes": None}])
def test_without_use_length_or_reset_nothing_can_be_told(fields: dict[str, Any]) -> None:
    assert reached_minute(fields.pop("used", 50), 100, **fields) is None


@given(used=st.floats(0, 100), minute=st.floats(-500, 500))
def test_a_forecast_lies_between_what_was_told_and_the_reset(used: float, minute: float) -> None:
    reached = reached_minute(used, minute)
    assert reached is None or minute - 0.01 <= reached < 300


def test_only_windows_with_a_forecast_are_named() -> None:
    at_ms = BEGAN_MS + 100 * MINUTE
    quota = Quota(
        provider="codex", agent_type="codex", updated_at=iso_text(at_ms), primary=window(50), secondary=window(1)
    )
    assert forecasts(quota, at_ms) == {"forecast": {"primary": iso_text(BEGAN_MS + 200 * MINUTE)}}
    assert forecasts(Quota(provider="codex", agent_type="codex"), at_ms) == {}

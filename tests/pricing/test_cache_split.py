"""A stated cost tells how cache writes were split, or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.cache_split import one_hour_writes, split_by_cost
from pricing.registry import default_registry
from pricing.rows import PriceRow
from pricing.usage import Usage

MODELS = ("claude-opus-4-8", "claude-haiku-4-5", "claude-sonnet-4-5")
AT_MS = 1_790_000_000_000


def row_of(model: str) -> PriceRow:
    row = default_registry().lookup(model, AT_MS)
    assert row is not None
    return row


def told(used: Usage) -> Usage:
    """As telemetry tells it."""
    return Usage(
        used.uncached_input_tokens,
        used.cache_read_tokens,
        used.cache_write_5m_tokens + used.cache_write_1h_tokens,
        0,
        used.output_tokens,
    )


tokens = st.integers(0, 10**6)
usages = st.builds(Usage, tokens, tokens, tokens, tokens, tokens)


@given(used=usages, model=st.sampled_from(MODELS))
def test_a_stated_cost_in_floats_gives_the_split_back(used: Usage, model: str) -> None:
    row = row_of(model)
    dollars = row.price(used).cost_nanos / 1e9
    found = one_hour_writes(row, told(used), round(dollars * 1e9))
    difference_nanos = row.price(used).cost_nanos - row.price(told(used)).cost_nanos
    # What as many web searches cost might be these.
    assert found == (
        None if used.cache_write_1h_tokens and difference_nanos % 10_000_000 == 0 else used.cache_write_1h_tokens
    )


@pytest.mark.parametrize(
    ("beyond_nanos", "why"),
    [
        (-3750, "fewer than none"),
        (3750 * 101, "more than were written"),
        (3750 * 40 + 1000, "no whole number of tokens"),
        (10_000_000, "a web search"),
    ],
)
def test_what_no_split_explains_is_left_as_it_was_told(beyond_nanos: int, why: str) -> None:
    used = Usage(uncached_input_tokens=10, cache_write_5m_tokens=100, output_tokens=5)
    cost_nanos = row_of(MODELS[0]).price(used).cost_nanos
    assert split_by_cost(MODELS[0], used, AT_MS, cost_nanos + beyond_nanos) == used, why


def test_searches_that_cost_as_much_as_longer_lives_leave_it_open() -> None:
    used = Usage(cache_write_5m_tokens=10_000)
    row = row_of(MODELS[0])
    assert one_hour_writes(row, used, row.price(used).cost_nanos + 30_000_000) is None
    assert one_hour_writes(row, used, row.price(used).cost_nanos + 30_000_000 - 3750) == 7999


def test_a_model_without_a_second_price_for_writes_has_no_split() -> None:
    used = Usage(cache_write_5m_tokens=100)
    assert one_hour_writes(row_of("gpt-5.5"), used, row_of("gpt-5.5").price(used).cost_nanos) is None
    assert split_by_cost("nobody-sells-this", used, AT_MS, 5) == used


def test_a_fast_call_is_split_by_its_own_rates() -> None:
    used = Usage(cache_write_5m_tokens=60, cache_write_1h_tokens=40, speed="fast")
    row = row_of("claude-opus-4-8")
    assert not row.price(used).unpriced
    stated = Usage(cache_write_5m_tokens=100, speed="fast")
    assert split_by_cost("claude-opus-4-8", stated, AT_MS, row.price(used).cost_nanos) == used

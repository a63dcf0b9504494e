"""The arithmetic of money: exact, rounded once, half to even, tiers for the whole request."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pricing.registry import default_registry
from pricing.rows import PriceRow, Rates, Tier, divide_half_even
from pricing.usage import Usage

TOKENS = st.integers(min_value=0, max_value=10_000_000)
RATES = st.builds(Rates, *(st.integers(min_value=0, max_value=200_000_000_000) for _ in Rates._fields))
BILLED = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
)
USAGES = st.builds(Usage, **dict.fromkeys(BILLED, TOKENS))
SHIPPED_ROWS = [row for model in default_registry().models for row in model.rows]


def used(**counts: Any) -> Usage:
    return Usage(**counts)


def row(rates: Rates, *tiers: Tier) -> PriceRow:
    return PriceRow("m@start", "m", None, None, rates, tiers)


@pytest.mark.parametrize(
    ("numerator", "expected"),
    [(0, 0), (4, 0), (5, 0), (6, 1), (14, 1), (15, 2), (16, 2), (25, 2), (26, 3), (35, 4)],
)
def test_a_half_goes_to_the_even_neighbour(numerator: int, expected: int) -> None:
    assert divide_half_even(numerator, 10) == expected


@pytest.mark.parametrize(("tokens", "cost_nanos"), [(1, 0), (2, 1), (3, 2), (5, 2), (7, 4)])
def test_half_a_nano_dollar_is_rounded_to_even(tokens: int, cost_nanos: int) -> None:
    half_a_nano_each = Rates(500_000, 0, 0, 0, 0)
    assert half_a_nano_each.cost_nanos(Usage(uncached_input_tokens=tokens)) == cost_nanos


@pytest.mark.parametrize(("field", "rate"), list(zip(BILLED, Rates._fields, strict=True)))
def test_each_class_of_tokens_has_its_own_rate(field: str, rate: str) -> None:
    rates = Rates(0, 0, 0, 0, 0)._replace(**{rate: 7_000_000})
    assert rates.cost_nanos(used(**{field: 3})) == 21
    assert rates.cost_nanos(used(**{other: 3 for other in BILLED if other != field})) == 0


def test_reasoning_is_a_part_of_output_and_costs_nothing_more() -> None:
    rates = Rates(1_000_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000)
    assert rates.cost_nanos(Usage(output_tokens=10, reasoning_tokens=8)) == 10


def test_a_prompt_is_all_input_and_no_output() -> None:
    assert Usage(1, 20, 300, 4000, output_tokens=50_000, reasoning_tokens=600_000).prompt_tokens == 4321


@pytest.mark.parametrize(
    ("prompt_tokens", "tier", "nanos_per_token"),
    [(0, None, 1), (200, None, 1), (201, 200, 2), (400, 200, 2), (401, 400, 3)],
)
def test_the_highest_tier_strictly_below_the_prompt_bills_the_whole_request(
    prompt_tokens: int, tier: int | None, nanos_per_token: int
) -> None:
    flat = [Rates(*(5 * [nanos * 1_000_000])) for nanos in (1, 2, 3)]
    priced = row(flat[0], Tier(400, flat[2]), Tier(200, flat[1])).price(
        Usage(cache_read_tokens=prompt_tokens, output_tokens=1000)
    )
    assert priced.tier_above_tokens == tier
    assert priced.cost_nanos == (prompt_tokens + 1000) * nanos_per_token


@pytest.mark.parametrize(
    "field",
    ["uncached_input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens"],
)
def test_each_class_of_input_counts_towards_the_tier(field: str) -> None:
    tiered = row(Rates(0, 0, 0, 0, 0), Tier(200, Rates(0, 0, 0, 0, 0)))
    assert tiered.price(used(**{field: 201})).tier_above_tokens == 200


def test_output_does_not_count_towards_the_tier() -> None:
    tiered = row(Rates(0, 0, 0, 0, 0), Tier(200, Rates(0, 0, 0, 0, 0)))
    assert tiered.price(Usage(output_tokens=1_000_000)).tier_above_tokens is None


@given(rates=RATES, usage=USAGES)
def test_cost_is_the_exact_sum_rounded_once(rates: Rates, usage: Usage) -> None:
    exact = sum(
        Fraction(getattr(usage, field) * rate, 1_000_000) for field, rate in zip(BILLED, rates, strict=True)
    )
    assert rates.cost_nanos(usage) == round(exact)


@given(rates=RATES, usage=USAGES)
def test_cost_is_the_sum_of_its_classes_up_to_rounding(rates: Rates, usage: Usage) -> None:
    apart = sum(rates.cost_nanos(used(**{field: getattr(usage, field)})) for field in BILLED)
    assert abs(rates.cost_nanos(usage) - apart) <= len(BILLED) / 2 + 0.5


@given(
    shipped=st.sampled_from(SHIPPED_ROWS),
    usage=USAGES,
    field=st.sampled_from(BILLED),
    more=st.integers(1, 10**6),
)
def test_more_tokens_never_cost_less(shipped: PriceRow, usage: Usage, field: str, more: int) -> None:
    counts = {name: getattr(usage, name) for name in BILLED}
    counts[field] += more
    assert shipped.price(used(**counts)).cost_nanos >= shipped.price(usage).cost_nanos

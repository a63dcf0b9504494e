"""A person's own prices win over the files, for as long as they hold."""

import pytest

from pricing.overrides import Override
from pricing.registry import PricingRegistry, default_registry
from pricing.rows import Rates
from pricing.usage import Usage

DAY_MS = 86_400_000
START_MS = 1_790_000_000_000
MILLION = Usage(uncached_input_tokens=1_000_000)
OWN = Rates(7 * 10**9, 10**9, 10**9, 10**9, 10**9)


def price(registry: PricingRegistry, model: str, at_ms: int = START_MS) -> tuple[int, str] | None:
    priced = registry.price(model, MILLION, at_ms)
    return None if priced is None else (priced.cost_nanos, priced.price_id)


def with_these(*overrides: Override) -> PricingRegistry:
    return default_registry().with_overrides(overrides)


@pytest.mark.parametrize("spelling", ["claude-sonnet-4-5", "anthropic/claude-sonnet-4-5-20250929"])
def test_rates_of_ones_own_hold_for_every_spelling(spelling: str) -> None:
    registry = with_these(Override(3, spelling, rates=OWN))
    assert price(registry, "claude-sonnet-4-5") == (7 * 10**9, "claude-sonnet-4-5@own-3")
    assert price(registry, "claude-sonnet-4-5@20250929") == (7 * 10**9, "claude-sonnet-4-5@own-3")


def test_outside_their_time_the_files_hold() -> None:
    registry = with_these(Override(1, "o3", START_MS, START_MS + DAY_MS, rates=OWN))
    files = default_registry()
    assert price(registry, "o3", START_MS) == (7 * 10**9, "o3@own-1")
    for outside in (START_MS - 1, START_MS + DAY_MS):
        assert price(registry, "o3", outside) == price(files, "o3", outside)
    assert registry.lookup("o3", None) == files.lookup("o3", None)


def test_an_unknown_model_gets_a_price_and_its_releases_too() -> None:
    registry = with_these(Override(1, "anvil-9", START_MS, rates=OWN))
    assert price(registry, "anvil-9-20260101") == (7 * 10**9, "anvil-9@own-1")
    assert price(registry, "anvil-9", START_MS - 1) is None


def test_a_discount_takes_its_part_of_each_rate_and_tier_and_ends() -> None:
    registry = with_these(Override(4, "claude-sonnet-4-5", None, START_MS, discount_basis_points=1250))
    plain = default_registry()
    short, long = Usage(1000, 1000, 1000, 1000, 1000), Usage(300_000, output_tokens=1000)
    for usage in (short, long):
        whole, less = (book.price("claude-sonnet-4-5", usage, START_MS - 1) for book in (plain, registry))
        assert whole is not None
        assert less is not None
        assert less.cost_nanos * 8 == whole.cost_nanos * 7
        assert less.tier_above_tokens == whole.tier_above_tokens
    assert price(registry, "claude-sonnet-4-5", START_MS) == price(plain, "claude-sonnet-4-5", START_MS)


def test_the_later_one_wins_and_a_discount_is_on_what_was_said_before_it() -> None:
    first, second = Override(1, "o3", rates=OWN), Override(2, "o3", discount_basis_points=5000)
    assert price(with_these(second, first), "o3") == (3_500_000_000, "o3@own-1+own-2")
    assert price(with_these(second._replace(id=0), first), "o3") == (7 * 10**9, "o3@own-1")


def test_a_mapped_name_is_the_other_model_with_all_that_is_said_of_it() -> None:
    registry = with_these(Override(1, "my-proxy-model", same_as="o3"), Override(2, "o3", rates=OWN))
    assert price(registry, "my-proxy-model") == price(registry, "o3") == (7 * 10**9, "o3@own-2")


def test_what_is_said_of_a_mapped_name_is_not_said_of_the_other() -> None:
    registry = with_these(Override(1, "mine", same_as="o3"), Override(2, "mine", discount_basis_points=10_000))
    assert price(registry, "mine") == (0, "o3@2025-06-10+own-2")
    assert price(registry, "o3") == price(default_registry(), "o3")


def test_names_that_mean_each_other_mean_nothing() -> None:
    registry = with_these(Override(1, "one", same_as="other"), Override(2, "other", same_as="one"))
    assert price(registry, "one") is None
    assert price(registry, "other") is None


def test_the_same_overrides_are_the_same_registry_and_none_are_the_files() -> None:
    override = Override(1, "o3", rates=OWN)
    assert with_these(override) is with_these(override)
    assert with_these(override) is not with_these(override._replace(id=2))
    assert with_these() is default_registry()

"""What is billed beside tokens, and terms out of the ordinary: priced where the row has a price, else named."""

import json
from pathlib import Path
from typing import Any

import pytest

from pricing.datafile import PriceDataError
from pricing.overrides import Override
from pricing.registry import PricingRegistry, default_registry
from pricing.rows import PriceRow, Rates, Variant
from pricing.usage import Usage

FAST = Variant("speed=fast", Rates(4, 4, 4, 4, 4))
ROW = PriceRow("m@start", "m", None, None, Rates(2, 2, 2, 2, 2), (), 10_000_000_001, (FAST,))


def test_searches_are_billed_by_the_thousand_and_rounded_with_the_call() -> None:
    assert ROW.price(Usage(web_searches=1000)).cost_nanos == 10_000_000_001
    assert ROW.price(Usage(uncached_input_tokens=250_000, web_searches=500)).cost_nanos == 5_000_000_001
    without = ROW._replace(web_search_nanos=None)
    assert without.price(Usage(1_000_000, web_searches=3)) == (2, "m@start", None, ("web_searches",))


def test_a_speed_has_rates_of_its_own_for_every_token() -> None:
    fast = Usage(uncached_input_tokens=1_000_000, output_tokens=1_000_000, speed="fast")
    assert ROW.price(fast) == (8, "m@start", None, ())


@pytest.mark.parametrize(
    ("terms", "unpriced"),
    [
        ({"speed": "turbo"}, ("speed=turbo",)),
        ({"service_tier": "priority"}, ("service_tier=priority",)),
        ({"service_tier": "priority", "speed": "turbo"}, ("service_tier=priority", "speed=turbo")),
    ],
)
def test_terms_without_a_price_are_named_and_billed_as_ordinary(
    terms: dict[str, Any], unpriced: tuple[str, ...]
) -> None:
    assert ROW.price(Usage(uncached_input_tokens=1_000_000, **terms)) == (2, "m@start", None, unpriced)


def test_a_discount_is_on_the_speed_too() -> None:
    registry = default_registry().with_overrides([Override(1, "claude-opus-5", discount_basis_points=5000)])
    usage = Usage(uncached_input_tokens=1_000_000, speed="fast")
    whole, half = (book.price("claude-opus-5", usage, 0) for book in (default_registry(), registry))
    assert whole is not None
    assert half is not None
    assert (whole.cost_nanos, half.cost_nanos) == (10 * 10**9, 5 * 10**9)


def test_the_shipped_price_of_a_search() -> None:
    priced = default_registry().price("claude-sonnet-4-5", Usage(web_searches=3), 0)
    assert priced is not None
    assert priced.cost_nanos == 30_000_000


def test_a_variant_names_one_term(tmp_path: Path) -> None:
    prices = {"inputCostPerMTok": 1, "outputCostPerMTok": 1}
    row = {**prices, "source": "s", "date": "2026-01-01", "variants": [prices]}
    content = {"provider": "p", "lastUpdated": "2026-01-01", "models": {"m": {"prices": [row]}}}
    (tmp_path / "p.json").write_text(json.dumps(content))
    with pytest.raises(PriceDataError, match="needs one of speed and serviceTier"):
        PricingRegistry.load(tmp_path)

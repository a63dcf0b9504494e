"""Why a call costs what it costs: its row, its tier, and each class of tokens times its price."""

from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from pricing.registry import DATA, PricingRegistry
from pricing.rows import TOKENS_PER_PRICE, PriceRow, Rates, divide_half_even
from pricing.usage import Usage

# Stands in a row's id between the row of the files and the person's own discount on it (pricing/overrides.py).
DISCOUNT_MARK = "+own-"


class Charge(NamedTuple):
    """One class of tokens, or searches; `price_nanos` is for a million of them."""

    kind: str
    tokens: int
    price_nanos: int

    @property
    def femto_dollars(self) -> int:
        """The exact amount, in millionths of a nano-dollar."""
        return self.tokens * self.price_nanos


class Explanation(NamedTuple):
    """A price, taken apart. `tier_above_tokens` is None when the row's own prices were applied."""

    row: PriceRow
    tier_above_tokens: int | None
    prompt_tokens: int
    charges: tuple[Charge, ...]

    @property
    def femto_dollars(self) -> int:
        return sum(charge.femto_dollars for charge in self.charges)

    @property
    def cost_nanos(self) -> int:
        """The sum of the charges, rounded once."""
        return divide_half_even(self.femto_dollars, TOKENS_PER_PRICE)


class Provenance(NamedTuple):
    """Where the figures of a row were read, and on which day."""

    source: str
    checked_on: str


def explain(registry: PricingRegistry, model: str, usage: Usage, at_ms: int | None) -> Explanation | None:
    """The price that `registry.price` gives, taken apart; None where it knows none."""
    row = registry.lookup(model, at_ms)
    return None if row is None else explain_row(row, usage)


def explain_row(row: PriceRow, usage: Usage) -> Explanation:
    applied = row.applied(usage)
    charges = _charges(applied.rates, usage)
    if usage.web_searches and row.web_search_nanos is not None:
        charges += (Charge("web_searches", usage.web_searches, row.web_search_nanos * 1000),)
    return Explanation(row, applied.tier_above_tokens, usage.prompt_tokens, charges)


def row_by_id(registry: PricingRegistry, model: str, price_id: str) -> PriceRow | None:
    """The row of the model that a stored price names, for as long as the book holds it."""
    return next((row for row in registry.rows(model) if row.price_id == price_id), None)


def provenance(price_id: str, directory: Path = DATA) -> Provenance | None:
    """What the price files say of a row, discounted or not; None for a row that stands in none of them."""
    return _provenances(directory).get(price_id.partition(DISCOUNT_MARK)[0])


def _charges(rates: Rates, usage: Usage) -> tuple[Charge, ...]:
    return (
        Charge("uncached_input", usage.uncached_input_tokens, rates.uncached_input_nanos),
        Charge("cache_read", usage.cache_read_tokens, rates.cache_read_nanos),
        Charge("cache_write_5m", usage.cache_write_5m_tokens, rates.cache_write_5m_nanos),
        Charge("cache_write_1h", usage.cache_write_1h_tokens, rates.cache_write_1h_nanos),
        Charge("output", usage.output_tokens, rates.output_nanos),
    )


class _Row(msgspec.Struct):
    source: str
    checked_on: str = msgspec.field(name="date")
    from_day: str | None = msgspec.field(name="from", default=None)


class _Model(msgspec.Struct):
    prices: list[_Row]


class _File(msgspec.Struct):
    models: dict[str, _Model]


@cache
def _provenances(directory: Path) -> dict[str, Provenance]:
    return {
        f"{name}@{row.from_day or 'start'}": Provenance(row.source, row.checked_on)
        for path in sorted(directory.glob("*.json"))
        for name, model in msgspec.json.decode(path.read_bytes(), type=_File).models.items()
        for row in model.prices
    }

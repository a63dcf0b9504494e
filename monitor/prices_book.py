"""The price book and one's own prices as clients see them. Money: dollars per million tokens; days are UTC."""

from collections.abc import Iterator

import msgspec

from monitor.models import PriceOverride
from monitor.prices_shown import row_as_dict
from monitor.times import from_datetime, row_text
from pricing.explain import provenance
from pricing.registry import PricingRegistry
from pricing.rows import PriceRow


class BookRow(msgspec.Struct):
    """What a model costs from a day on until just before another; null is open.

    `applies_to` is the name that a call would have; it differs from `model` where a name stands for another.
    `source` and `checked_on` are of the price files; null for a price of one's own.
    """

    applies_to: str
    price_id: str
    model: str
    valid_from: str | None
    valid_until: str | None
    input_usd: float
    cache_read_usd: float
    cache_write_5m_usd: float
    cache_write_1h_usd: float
    output_usd: float
    tiers_above_tokens: list[int]
    source: str | None
    checked_on: str | None


class OwnPrice(msgspec.Struct):
    """One of: the same as another model, a discount in percent, prices."""

    id: int
    model: str
    same_as: str | None
    discount_percent: float | None
    input_usd: float | None
    output_usd: float | None
    cache_read_usd: float | None
    cache_write_5m_usd: float | None
    cache_write_1h_usd: float | None
    valid_from: str | None
    valid_until: str | None
    note: str
    created_at: str


def book_rows(registry: PricingRegistry) -> list[BookRow]:
    """By name; of each, first what counts first."""
    return list(_rows(registry))


def _rows(registry: PricingRegistry) -> Iterator[BookRow]:
    names = {model.name for model in registry.models} | {each.model for each in registry.overrides}
    meant = {registry.resolve(name) or name for name in names}
    for name in sorted(meant, key=str.lower):
        yield from (_book_row(name, row) for row in registry.rows(name))


def _book_row(name: str, row: PriceRow) -> BookRow:
    shown = row_as_dict(row)
    told = provenance(row.price_id)
    return BookRow(
        applies_to=name,
        price_id=row.price_id,
        model=row.model,
        valid_from=shown["from"],
        valid_until=shown["until"],
        input_usd=shown["input_usd"],
        cache_read_usd=shown["cache_read_usd"],
        cache_write_5m_usd=shown["cache_write_5m_usd"],
        cache_write_1h_usd=shown["cache_write_1h_usd"],
        output_usd=shown["output_usd"],
        tiers_above_tokens=[tier.above_tokens for tier in row.tiers],
        source=told.source if told else None,
        checked_on=told.checked_on if told else None,
    )


def own_price(override: PriceOverride) -> OwnPrice:
    return OwnPrice(
        id=override.pk,
        model=override.model,
        same_as=override.same_as or None,
        discount_percent=_number(override.discount_percent),
        input_usd=_number(override.input_dollars),
        output_usd=_number(override.output_dollars),
        cache_read_usd=_number(override.cache_read_dollars),
        cache_write_5m_usd=_number(override.cache_write_5m_dollars),
        cache_write_1h_usd=_number(override.cache_write_1h_dollars),
        valid_from=override.valid_from.isoformat() if override.valid_from else None,
        valid_until=override.valid_until.isoformat() if override.valid_until else None,
        note=override.note,
        created_at=row_text(from_datetime(override.created_at)),
    )


def _number(value: object) -> float | None:
    return None if value is None else float(str(value))

"""The form of a price file, as it is written (docs/prices.md). Money: decimal dollars per million tokens."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import msgspec

Text = Annotated[str, msgspec.Meta(min_length=1)]
Percent = Annotated[int, msgspec.Meta(ge=0)]


class Prices(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """None: the provider names no price of its own for that class of tokens."""

    input_dollars: Decimal = msgspec.field(name="inputCostPerMTok")
    output_dollars: Decimal = msgspec.field(name="outputCostPerMTok")
    cache_read_dollars: Decimal | None = msgspec.field(name="cacheReadCostPerMTok", default=None)
    cache_write_5m_dollars: Decimal | None = msgspec.field(name="cacheWriteCostPerMTok", default=None)
    cache_write_1h_dollars: Decimal | None = msgspec.field(name="cacheWrite1hCostPerMTok", default=None)


class TierEntry(Prices, frozen=True, kw_only=True, forbid_unknown_fields=True):
    above_tokens: Annotated[int, msgspec.Meta(gt=0)] = msgspec.field(name="abovePromptTokens")


class VariantEntry(Prices, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Prices of a whole request at one other speed, or at one other service tier."""

    speed: Text | None = None
    service_tier: Text | None = msgspec.field(name="serviceTier", default=None)


class RowEntry(Prices, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Days are UTC; the row holds from `from` until just before `until`."""

    from_day: date | None = msgspec.field(name="from", default=None)
    until_day: date | None = msgspec.field(name="until", default=None)
    tiers: tuple[TierEntry, ...] = ()
    web_search_dollars: Decimal | None = msgspec.field(name="webSearchCostPerThousand", default=None)
    variants: tuple[VariantEntry, ...] = ()
    source: Text
    checked_on: date = msgspec.field(name="date")


class ModelEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    aliases: tuple[Text, ...] = ()
    deprecated: bool = False
    prices: Annotated[tuple[RowEntry, ...], msgspec.Meta(min_length=1)]


class CachePercents(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Cache prices in percent of the input price, for entries that do not name them.

    `write_1h` None: as much as a 5-minute write.
    """

    read: Percent = 100
    write_5m: Percent = msgspec.field(name="write", default=100)
    write_1h: Percent | None = msgspec.field(name="write1h", default=None)


class PriceFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    provider: Text
    last_updated: date = msgspec.field(name="lastUpdated")
    cache_percents: CachePercents = msgspec.field(name="cachePercentOfInput", default=CachePercents())
    # Each entry is read by itself, so that an error can name its model.
    models: dict[Text, Any]

"""Reads a provider's price file (form: pricing/schema.py, docs/prices.md) into exact, checked rows."""

import json
import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeVar

import msgspec

from pricing.rows import PriceRow, Rates, Tier, Variant, divide_half_even
from pricing.schema import CachePercents, ModelEntry, PriceFile, Prices, RowEntry, VariantEntry
from pricing.usage import Usage

NANOS_PER_DOLLAR = 1_000_000_000

# Far above any price there is: a figure beyond it is a slip of the unit.
MAX_DOLLARS_PER_MTOK = 1_000_000

T = TypeVar("T")


class PriceDataError(Exception):
    """A price file that cannot be used: names the file, the model, the field and what is wrong there."""


class PricedModel(NamedTuple):
    """A model, the other names that mean it, and its rows, newest first."""

    file: str
    name: str
    aliases: tuple[str, ...]
    rows: tuple[PriceRow, ...]


class Place(NamedTuple):
    """Where in the price data something stands, for the error that names it."""

    file: str
    model: str = ""
    field: str = ""

    def at(self, field: str) -> "Place":
        return self._replace(field=f"{self.field}.{field}" if self.field else field)

    def fail(self, problem: str) -> NoReturn:
        raise PriceDataError(": ".join(part for part in (*self, problem) if part))


def read_price_file(path: Path) -> list[PricedModel]:
    """Every model of one file. Raises PriceDataError."""
    place = Place(path.name)
    price_file = _convert(_parse(path, place), PriceFile, place)
    return [
        _priced_model(entry, price_file.cache_percents, place._replace(model=name))
        for name, entry in price_file.models.items()
    ]


def _parse(path: Path, place: Place) -> Any:
    try:
        return json.loads(
            path.read_bytes(), parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_unique_keys
        )
    except (ValueError, OSError) as error:
        place.fail(str(error))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no price")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of two equal keys one would silently win, and a price with it."""
    members = dict(pairs)
    if len(members) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)!r} stands twice")
    return members


def _convert(value: Any, form: type[T], place: Place) -> T:
    try:
        return msgspec.convert(value, form)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at `$")
        path = path.removeprefix(".").removesuffix("`")
        if named := re.search(r"(?:missing required|unknown) field `([^`]+)", problem):
            path = f"{path}.{named[1]}".removeprefix(".")
        place.at(path).fail(problem)


def _priced_model(entry: Any, percents: CachePercents, place: Place) -> PricedModel:
    model = _convert(entry, ModelEntry, place)
    _check_order(model.prices, place)
    rows = [_price_row(row, percents, place.at(f"prices[{index}]")) for index, row in enumerate(model.prices)]
    return PricedModel(place.file, place.model, model.aliases, tuple(reversed(rows)))


def _check_order(rows: Iterable[RowEntry], place: Place) -> None:
    """Oldest first, never two at a time: each row but the last ends before the next begins."""
    for index, (older, newer) in enumerate(pairwise(rows)):
        if newer.from_day is None or older.until_day is None or older.until_day > newer.from_day:
            place.at(f"prices[{index}].until").fail("must be set, and not after the next row's from")


def _price_row(row: RowEntry, percents: CachePercents, place: Place) -> PriceRow:
    if row.from_day and row.until_day and row.from_day >= row.until_day:
        place.at("until").fail("must be after from")
    tiers = [
        Tier(tier.above_tokens, _rates(tier, percents, place.at(f"tiers[{index}]")))
        for index, tier in enumerate(row.tiers)
    ]
    if any(lower.above_tokens >= upper.above_tokens for lower, upper in pairwise(tiers)):
        place.at("tiers").fail("abovePromptTokens must grow from tier to tier")
    return PriceRow(
        price_id=f"{place.model}@{row.from_day or 'start'}",
        model=place.model,
        from_ms=_day_start_ms(row.from_day),
        until_ms=_day_start_ms(row.until_day),
        rates=_rates(row, percents, place),
        tiers=tuple(reversed(tiers)),
        web_search_nanos=_web_search_nanos(row, place),
        variants=tuple(
            Variant(_term(variant, place), _rates(variant, percents, place.at(f"variants[{index}]")))
            for index, variant in enumerate(row.variants)
        ),
    )


def _web_search_nanos(row: RowEntry, place: Place) -> int | None:
    dollars = row.web_search_dollars
    return None if dollars is None else _nanos(dollars, place.at("webSearchCostPerThousand"))


def _term(variant: VariantEntry, place: Place) -> str:
    terms = Usage(service_tier=variant.service_tier, speed=variant.speed).terms
    if len(terms) != 1:
        place.at("variants").fail("needs one of speed and serviceTier")
    return terms[0]


def rates_of_row(prices: dict[str, Any], percents: dict[str, int]) -> PriceRow:
    """What a row of prices comes to, as it stands in a file. Raises PriceDataError."""
    place = Place("a row")
    # Through text, as a file is read: a float's shortest form is the decimal that was meant.
    entry = json.loads(json.dumps({**prices, "source": "-", "date": "1970-01-01"}), parse_float=Decimal)
    return _price_row(_convert(entry, RowEntry, place), _convert(percents, CachePercents, place), place)


def _rates(prices: Prices, percents: CachePercents, place: Place) -> Rates:
    """Integer rates; a cache class without a price of its own costs its percentage of input."""

    def rate(dollars: Decimal | None, field: str, otherwise: int) -> int:
        return otherwise if dollars is None else _nanos(dollars, place.at(field))

    def of_input(percent: int) -> int:
        return divide_half_even(input_nanos * percent, 100)

    input_nanos = _nanos(prices.input_dollars, place.at("inputCostPerMTok"))
    write_5m_nanos = rate(prices.cache_write_5m_dollars, "cacheWriteCostPerMTok", of_input(percents.write_5m))
    other_1h_nanos = write_5m_nanos if percents.write_1h is None else of_input(percents.write_1h)
    return Rates(
        uncached_input_nanos=input_nanos,
        cache_read_nanos=rate(prices.cache_read_dollars, "cacheReadCostPerMTok", of_input(percents.read)),
        cache_write_5m_nanos=write_5m_nanos,
        cache_write_1h_nanos=rate(prices.cache_write_1h_dollars, "cacheWrite1hCostPerMTok", other_1h_nanos),
        output_nanos=_nanos(prices.output_dollars, place.at("outputCostPerMTok")),
    )


def _nanos(dollars: Decimal, place: Place) -> int:
    """Dollars as nano-dollars, exactly."""
    if not dollars.is_finite() or not 0 <= dollars <= MAX_DOLLARS_PER_MTOK:
        place.fail(f"must be from 0 to {MAX_DOLLARS_PER_MTOK} dollars, is {dollars}")
    numerator, denominator = dollars.as_integer_ratio()
    nanos, rest = divmod(numerator * NANOS_PER_DOLLAR, denominator)
    if rest:
        place.fail(f"{dollars} is finer than a nano-dollar")
    return nanos


def _day_start_ms(day: date | None) -> int | None:
    if day is None:
        return None
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000

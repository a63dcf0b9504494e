"""What the installed genai-prices says of a model; a development dependency, so it may be missing."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from pricing.sync import ROW_PRICES, SourceModel, SourceRow

PROVIDERS = {"claude.json": "anthropic", "codex.json": "openai", "gemini.json": "google"}
THEIR_NAMES = dict(
    zip(
        ROW_PRICES,
        ("input_mtok", "output_mtok", "cache_read_mtok", "cache_write_mtok", "cache_write_1h_mtok"),
        strict=True,
    )
)


class SourceMissing(Exception):
    """genai-prices is not installed."""


def find_source_model(file: str, model: str) -> SourceModel | None:
    """The source's rows for a model of a price file. Raises SourceMissing."""
    try:
        from genai_prices.data import providers
    except ImportError:
        raise SourceMissing from None
    provider = next((each for each in providers if each.id == PROVIDERS.get(file)), None)
    theirs = None if provider is None else provider.find_model(model)
    if provider is None or theirs is None:
        return None
    rows = tuple(SourceRow(day, _prices(theirs, day)) for day in _days(theirs))
    return SourceModel(f"genai-prices {_version()}, {provider.id}/{theirs.id}", rows)


def _version() -> str:
    from importlib.metadata import version

    return version("genai-prices")


def _days(model: Any) -> Iterator[date | None]:
    """The start of each of its rows, oldest first; None is open."""
    yield None
    if isinstance(model.prices, list):
        starts = {getattr(row.constraint, "start_date", None) for row in model.prices}
        yield from sorted(day for day in starts if day is not None)


def _prices(model: Any, day: date | None) -> dict[str, Any]:
    """In the form of a row of a price file, without days."""
    moment = (
        datetime(1970, 1, 2, tzinfo=UTC) if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)
    )
    theirs = model.get_prices(moment)
    given = {ours: getattr(theirs, name) for ours, name in THEIR_NAMES.items()}
    given = {name: price for name, price in given.items() if price is not None}
    starts = sorted({tier.start for price in given.values() for tier in getattr(price, "tiers", ())})
    prices: dict[str, Any] = {name: _price_above(price, 0) for name, price in given.items()}
    if starts:
        prices["tiers"] = [
            {"abovePromptTokens": start, **{name: _price_above(price, start) for name, price in given.items()}}
            for start in starts
        ]
    return prices


def _price_above(price: Any, prompt_tokens: int) -> int | float:
    if not isinstance(price, Decimal):
        passed = [tier.price for tier in price.tiers if tier.start <= prompt_tokens]
        price = passed[-1] if passed else price.base
    return int(price) if price == int(price) else float(price)

"""A price row as JSON and as lines of a terminal. Pure. Money: dollars per million tokens."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from monitor.rows import NANOS_PER_DOLLAR
from monitor.times import to_datetime
from pricing.rows import PriceRow, Rates

RATE_NAMES: Final = ("input_usd", "cache_read_usd", "cache_write_5m_usd", "cache_write_1h_usd", "output_usd")
TITLES: Final = ("uncached input", "cache read", "5-minute cache write", "1-hour cache write", "output")
HEADS: Final = ("input", "read", "write 5m", "write 1h", "output")


def row_as_dict(row: PriceRow) -> dict[str, Any]:
    """Prices as numbers; days are UTC, null is open."""
    return {
        "price_id": row.price_id,
        "model": row.model,
        "from": _day(row.from_ms),
        "until": _day(row.until_ms),
        **_rates(row.rates),
        "tiers": [{"above_prompt_tokens": tier.above_tokens, **_rates(tier.rates)} for tier in row.tiers],
    }


def row_lines(row: PriceRow) -> list[str]:
    lines = [row.price_id, f"  {'model':<22}{row.model}", f"  {'from':<22}{_day(row.from_ms) or 'always'}"]
    lines += [f"  {'until':<22}{_day(row.until_ms) or 'open'}", *_rate_lines(row.rates)]
    for tier in row.tiers:
        lines += [f"  above {tier.above_tokens:,} tokens of prompt", *_rate_lines(tier.rates)]
    return lines


def table_lines(rows: Sequence[tuple[str, PriceRow]]) -> list[str]:
    width = max([len("model"), *(len(name) for name, _ in rows)])
    heads = "".join(f"{head:>10}" for head in HEADS)
    lines = [f"{'model':<{width}}{heads}  price"]
    for name, row in rows:
        rates = "".join(f"{dollar_text(nanos):>10}" for nanos in row.rates)
        lines.append(f"{name:<{width}}{rates}  {row.price_id}{' (tiers)' if row.tiers else ''}")
    return lines


def dollar_text(nanos: int) -> str:
    """Exact, without zeros at the end."""
    return f"{(Decimal(nanos) / NANOS_PER_DOLLAR).normalize():f}"


def _rate_lines(rates: Rates) -> list[str]:
    return [f"  {title:<22}${dollar_text(nanos)}" for title, nanos in zip(TITLES, rates, strict=True)]


def _rates(rates: Rates) -> dict[str, float]:
    return {name: nanos / NANOS_PER_DOLLAR for name, nanos in zip(RATE_NAMES, rates, strict=True)}


def _day(at_ms: int | None) -> str | None:
    return None if at_ms is None else to_datetime(at_ms).date().isoformat()

"""How many of a call's cache writes were of one hour, where its client states what the call cost. Pure.

Telemetry of Claude Code counts cache writes in one sum, and prices each kind at its own rate. The stated cost
then has one unknown, and the two rates are thousands of nano-dollars apart: the answer is exact, or there is none.
"""

from typing import Final

import msgspec

from pricing.registry import default_registry
from pricing.rows import PriceRow
from pricing.usage import Usage

# What a sum of floats in dollars, and its rounding to the nano-dollar, can be off by.
ROUNDING_NANOS: Final = 2


def split_by_cost(model: str, usage: Usage, at_ms: int | None, stated_nanos: int) -> Usage:
    """The usage, all of whose writes stand as 5-minute ones, with the split that makes it cost what was stated.

    By the price files alone: what a person says of prices must not change what was used. Unchanged where no
    split, or not only one, explains the cost.
    """
    row = default_registry().lookup(model, at_ms)
    written_1h = None if row is None else one_hour_writes(row, usage, stated_nanos)
    if not written_1h:
        return usage
    return msgspec.structs.replace(
        usage,
        cache_write_5m_tokens=usage.cache_write_5m_tokens - written_1h,
        cache_write_1h_tokens=written_1h,
    )


def one_hour_writes(row: PriceRow, usage: Usage, stated_nanos: int) -> int | None:
    """Tokens; None where no number of them explains the cost by this row, or something else does as well."""
    applied = row.applied(usage)
    a_token_more = applied.rates.cache_write_1h_nanos - applied.rates.cache_write_5m_nanos
    # Rates are for a million tokens; amounts that lie as close as rounding leave more than one answer.
    if applied.unpriced or a_token_more <= 2 * ROUNDING_NANOS * 1_000_000:
        return None
    beyond_nanos = stated_nanos - row.price(usage).cost_nanos
    tokens = round(beyond_nanos * 1_000_000 / a_token_more)
    left_nanos = beyond_nanos - tokens * a_token_more / 1_000_000
    if not 0 <= tokens <= usage.cache_write_5m_tokens or abs(left_nanos) > ROUNDING_NANOS:
        return None
    return None if tokens and _may_be_searches(row, beyond_nanos) else tokens


def _may_be_searches(row: PriceRow, beyond_nanos: int) -> bool:
    """Telemetry doesn't tell of web searches, but their price is in the stated cost."""
    a_search_nanos = (row.web_search_nanos or 0) // 1000
    return a_search_nanos > 0 and abs(beyond_nanos - round(beyond_nanos / a_search_nanos) * a_search_nanos) <= (
        ROUNDING_NANOS
    )

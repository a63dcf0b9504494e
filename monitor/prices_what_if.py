"""What the same calls would have cost on another model: each priced by itself, at its own time."""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from monitor.queries import fetch
from monitor.queries_usage import UsageFilter, call_conditions
from monitor.rows import dollars
from pricing.registry import PricingRegistry
from pricing.usage import Usage

# Read piece by piece, so that no snapshot of the database is held for long and memory stays small.
PAGE: Final = 5000
BEFORE_ALL: Final = (-(2**63), -1)


class WhatIf(msgspec.Struct):
    """Dollars. Only calls are compared that have both prices: `compared_calls` of `calls`.

    `compared_usd` is what they did cost, `with_cache_usd` what they would have cost, `without_cache_usd` the
    same had everything that the model read been uncached input.
    """

    model: str
    calls: int
    compared_calls: int
    compared_usd: float
    with_cache_usd: float
    without_cache_usd: float


def what_if(wanted: UsageFilter, model: str, registry: PricingRegistry) -> WhatIf:
    """Of the calls wanted, had `model` answered them."""
    calls = compared_calls = compared = cached = uncached = 0
    for called_at, cost_nanos, usage in _calls(wanted):
        calls += 1
        row = registry.lookup(model, called_at)
        if row is None or cost_nanos is None:
            continue
        compared_calls += 1
        compared += cost_nanos
        cached += row.price(usage).cost_nanos
        uncached += row.price(without_cache(usage)).cost_nanos
    return WhatIf(
        model=registry.resolve(model) or model,
        calls=calls,
        compared_calls=compared_calls,
        compared_usd=dollars(compared) or 0,
        with_cache_usd=dollars(cached) or 0,
        without_cache_usd=dollars(uncached) or 0,
    )


def without_cache(usage: Usage) -> Usage:
    return msgspec.structs.replace(
        usage,
        uncached_input_tokens=usage.prompt_tokens,
        cache_read_tokens=0,
        cache_write_5m_tokens=0,
        cache_write_1h_tokens=0,
    )


def _calls(wanted: UsageFilter) -> Iterator[tuple[int, int | None, Usage]]:
    where, parameters = call_conditions(wanted)
    place: tuple[Any, ...] = BEFORE_ALL
    while True:
        rows = fetch(
            "SELECT c.called_at, c.id, c.cost_nanos, c.uncached_input_tokens, c.cache_read_tokens, "
            "c.cache_write_5m_tokens, c.cache_write_1h_tokens, c.output_tokens, c.reasoning_tokens, "
            "c.web_searches, c.service_tier, c.speed "
            f"FROM calls c JOIN sessions s ON s.id = c.session_id {where or 'WHERE 1'} "
            "AND (c.called_at, c.id) > (%s, %s) ORDER BY c.called_at, c.id LIMIT %s",
            [*parameters, *place, PAGE],
        )
        for row in rows:
            yield row[0], row[2], Usage(*row[3:])
        if len(rows) < PAGE:
            return
        place = rows[-1][:2]

"""Models that calls name and no price is known of: what they used, and pricing their calls once somebody said."""

import time
from sqlite3 import Connection
from typing import Any, Final

import msgspec

from monitor.prices import django_connection, registry_in_force
from monitor.queries import fetch
from monitor.recalculate import Recalculation, Wanted, recalculate
from monitor.times import iso_text
from pricing.registry import PricingRegistry

# After a slice that changed something the writer gets its turn.
PAUSE_SECONDS: Final = 0.02


class UnknownModel(msgspec.Struct):
    """Unpriced calls of one name; null where agents named no model. Input is uncached."""

    model: str | None
    calls: int
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    first_seen: str
    last_seen: str


UNPRICED_NAMES: Final = "SELECT DISTINCT model FROM usage_hours WHERE unpriced_calls > 0"
UNPRICED_CALLS: Final = (
    "SELECT model, count(*), sum(uncached_input_tokens), sum(cache_read_tokens), "
    "sum(cache_write_5m_tokens + cache_write_1h_tokens), sum(output_tokens), min(called_at), max(called_at) "
    "FROM calls WHERE model IS %s AND cost_nanos IS NULL GROUP BY model"
)


def unknown_models() -> list[UnknownModel]:
    """Most calls first."""
    names = [name or None for (name,) in fetch(UNPRICED_NAMES)]
    rows = [row for name in names for row in fetch(UNPRICED_CALLS, [name])]
    return sorted((_unknown(*row) for row in rows), key=lambda each: (-each.calls, each.model or ""))


def _unknown(model: str | None, calls: int, *sums: int) -> UnknownModel:
    *tokens, first, last = sums
    shown: tuple[Any, ...] = (*tokens, iso_text(first), iso_text(last))
    return UnknownModel(model, calls, *shown)


def is_unknown(model: str) -> bool:
    return bool(fetch(UNPRICED_CALLS, [model]))


def stored_models(raw: Connection) -> list[str]:
    """Every name that calls have."""
    return [name for (name,) in raw.execute("SELECT DISTINCT model FROM usage_hours WHERE model <> ''").fetchall()]


def stored_spellings(raw: Connection, registry: PricingRegistry, model: str) -> frozenset[str]:
    """The names of calls that mean a model."""
    meant = registry.resolve(model) or model
    return frozenset(name for name in stored_models(raw) if (registry.resolve(name) or name) == meant)


def reprice_changed(before: PricingRegistry, also: str | None = None) -> Recalculation:
    """Price the calls anew whose prices are no longer those of `before`; not inside a transaction.

    `also` is a model to price in any case: an attempt that was cut short may have left calls of it.
    """
    raw, registry = django_connection(), registry_in_force()
    changed = frozenset(
        name for name in stored_models(raw) if name == also or before.rows(name) != registry.rows(name)
    )
    figures = Recalculation()
    if changed:
        done = 0
        for figures in recalculate(raw, registry, wanted=Wanted(models=changed)):
            if figures.updated + figures.events_updated > done:
                done = figures.updated + figures.events_updated
                time.sleep(PAUSE_SECONDS)
    return figures

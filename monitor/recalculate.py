"""Pricing the ledger anew, beside live traffic: in slices, each a short transaction of its own.

What stands there afterwards is what would stand there had the calls come in under these prices. Costs that a
client stated are kept. First the events, then the calls: an event's cost was computed by us when it is that
of its call, and only the old cost of the call can tell.
"""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from monitor.rollups import Tally
from pricing.registry import PricingRegistry
from pricing.rows import CLIENT_PRICE
from pricing.usage import Usage

# A few milliseconds of work, so that the server's own writes hardly wait.
SLICE: Final = 500
COLUMNS: Final = (
    "c.model, c.called_at, c.received_at, c.session_id, c.agent_type, c.price, "
    "c.uncached_input_tokens, c.cache_read_tokens, c.cache_write_5m_tokens, c.cache_write_1h_tokens, "
    "c.output_tokens, c.reasoning_tokens"
)
SELECT_CALLS: Final = f"SELECT c.id, c.cost_nanos, {COLUMNS} FROM calls c WHERE c.id > ? ORDER BY c.id LIMIT ?"
UPDATE_CALL: Final = "UPDATE calls SET cost_nanos = ?, price = ? WHERE id = ?"

# An event's call is the one of its own key, where it brought usage of its own (ingest/ledger.py); its source
# may have keyed the call otherwise: then it is that of its session with its time, model and tokens. Never one
# that the client priced.
OWN_KEY: Final = "coalesce('event:' || e.event_id, 'row:' || e.id)"
PRICED_BY_US: Final = f"c.cost_nanos IS e.cost_nanos AND c.price IS NOT '{CLIENT_PRICE}'"
EVENTS_WITH_USAGE: Final = (
    "e.id > :after AND e.id <= :until AND e.model IS NOT NULL "
    "AND e.tokens_in + e.tokens_out + e.cache_read_tokens + e.cache_write_tokens > 0"
)
SELECT_EVENTS: Final = f"""
    SELECT e.id, e.cost_nanos, {COLUMNS}
    FROM events e CROSS JOIN calls c ON c.call_key = {OWN_KEY} AND c.agent_type = e.agent_type
    WHERE {EVENTS_WITH_USAGE} AND {PRICED_BY_US}
    UNION ALL
    SELECT e.id, e.cost_nanos, {COLUMNS}
    FROM events e
    CROSS JOIN calls c ON c.session_id = e.session_id AND c.called_at = coalesce(e.client_timestamp, e.created_at)
    WHERE {EVENTS_WITH_USAGE} AND {PRICED_BY_US}
      AND NOT EXISTS (SELECT 1 FROM calls own WHERE own.call_key = {OWN_KEY} AND own.agent_type = e.agent_type)
      AND c.model = e.model AND c.agent_type = e.agent_type
      AND c.uncached_input_tokens = e.tokens_in AND c.output_tokens = e.tokens_out
      AND c.cache_read_tokens = e.cache_read_tokens
      AND c.cache_write_5m_tokens + c.cache_write_1h_tokens = e.cache_write_tokens
"""
UPDATE_EVENT: Final = "UPDATE events SET cost_nanos = ? WHERE id = ?"


@dataclass(slots=True)
class Recalculation:
    """What was done so far. Each call found is one of kept, updated, unchanged, or of an unknown model."""

    found: int = 0
    kept: int = 0
    updated: int = 0
    unchanged: int = 0
    unknown_models: Counter[str | None] = field(default_factory=Counter)
    events_updated: int = 0
    before_nanos: int = 0
    after_nanos: int = 0


class _Charge(NamedTuple):
    """A call, or an event with the figures of its call: as it is stored, in the order of the SELECTs."""

    id: int
    cost_nanos: int | None
    model: str | None
    called_at: int
    received_at: int
    session_id: str
    agent_type: str
    price: str | None
    uncached_input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int

    @property
    def usage(self) -> Usage:
        return Usage(*self[8:])


class _Repriced(NamedTuple):
    old: _Charge
    new: _Charge


# Connection, id to start after, prices, figures to add to, whether to change nothing → id to go on from.
_Slice = Callable[[sqlite3.Connection, int, PricingRegistry, Recalculation, bool], int | None]


def recalculate(
    connection: sqlite3.Connection, registry: PricingRegistry, *, dry_run: bool = False
) -> Iterator[Recalculation]:
    """Price everything by `registry`, over a connection in autocommit; yields the figures after each slice."""
    figures = Recalculation()
    for reprice_slice in (_reprice_events, _reprice_calls):
        last_id: int | None = 0
        while last_id is not None:
            with nullcontext() if dry_run else _immediate(connection):
                last_id = reprice_slice(connection, last_id, registry, figures, dry_run)
            yield figures


@contextmanager
def _immediate(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _reprice_events(
    connection: sqlite3.Connection, after_id: int, registry: PricingRegistry, figures: Recalculation, dry_run: bool
) -> int | None:
    until_id = after_id + SLICE
    found = connection.execute(SELECT_EVENTS, {"after": after_id, "until": until_id}).fetchall()
    rows = {row[0]: _Charge(*row) for row in found}
    repriced = _repriced(rows.values(), registry)
    changed = [(new.cost_nanos, new.id) for old, new in repriced if old.cost_nanos != new.cost_nanos]
    figures.events_updated += len(changed)
    if not dry_run:
        connection.executemany(UPDATE_EVENT, changed)
    newest_id = connection.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()[0]
    return until_id if newest_id > until_id else None


def _reprice_calls(
    connection: sqlite3.Connection, after_id: int, registry: PricingRegistry, figures: Recalculation, dry_run: bool
) -> int | None:
    rows = [_Charge(*row) for row in connection.execute(SELECT_CALLS, (after_id, SLICE)).fetchall()]
    repriced = list(_repriced(rows, registry))
    for pair in repriced:
        _note(pair, figures)
    changed = [pair for pair in repriced if pair.old != pair.new]
    if changed and not dry_run:
        connection.executemany(UPDATE_CALL, [(new.cost_nanos, new.price, new.id) for _, new in changed])
        _tally(changed).apply(connection)
    return rows[-1].id if len(rows) == SLICE else None


def _repriced(charges: Iterable[_Charge], registry: PricingRegistry) -> Iterator[_Repriced]:
    for old in charges:
        if old.price == CLIENT_PRICE:
            yield _Repriced(old, old)
            continue
        priced = registry.price(old.model, old.usage, old.called_at) if old.model else None
        cost_nanos, price = (priced.cost_nanos, priced.price_id) if priced else (None, None)
        yield _Repriced(old, old._replace(cost_nanos=cost_nanos, price=price))


def _note(pair: _Repriced, figures: Recalculation) -> None:
    old, new = pair
    figures.found += 1
    figures.before_nanos += old.cost_nanos or 0
    figures.after_nanos += new.cost_nanos or 0
    if new.price == CLIENT_PRICE:
        figures.kept += 1
    elif new.price is None:
        figures.unknown_models[new.model] += 1
    elif old == new:
        figures.unchanged += 1
    else:
        figures.updated += 1


def _tally(changed: Iterable[_Repriced]) -> Tally:
    """What the changes add to every sum."""
    tally = Tally()
    for pair in changed:
        for sign, charge in ((-1, pair.old), (1, pair.new)):
            tally.add_call(
                session_id=charge.session_id,
                agent_type=charge.agent_type,
                model=charge.model,
                called_at=charge.called_at,
                received_at=charge.received_at,
                usage=charge.usage,
                cost_nanos=charge.cost_nanos,
                sign=sign,
            )
    return tally

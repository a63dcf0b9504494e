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
from typing import Any, Final, NamedTuple

import msgspec

from monitor.rollups import Tally
from monitor.rows import NANOS_PER_DOLLAR
from pricing.registry import PricingRegistry
from pricing.rows import CLIENT_PRICE
from pricing.usage import Usage

# A few milliseconds of work, so that the server's own writes hardly wait.
SLICE: Final = 500
COLUMNS: Final = (
    "c.model, c.called_at, c.received_at, c.session_id, c.agent_type, c.price, c.unpriced_terms, "
    "c.uncached_input_tokens, c.cache_read_tokens, c.cache_write_5m_tokens, c.cache_write_1h_tokens, "
    "c.output_tokens, c.reasoning_tokens, c.web_searches, c.service_tier, c.speed"
)
# With a plus, so that a slice is found by its ids and not by a far larger index range.
WANTED: Final = (
    "(:since IS NULL OR +c.called_at >= :since) "
    "AND (:models IS NULL OR +c.model IN (SELECT value FROM json_each(:models)))"
)
SELECT_CALLS: Final = f"""
    SELECT c.id, c.cost_nanos, {COLUMNS} FROM calls c WHERE c.id > :after AND c.id <= :until AND {WANTED}
    ORDER BY c.id
"""
UPDATE_CALL: Final = "UPDATE calls SET cost_nanos = ?, price = ?, unpriced_terms = ? WHERE id = ?"

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
    WHERE {EVENTS_WITH_USAGE} AND {PRICED_BY_US} AND {WANTED}
    UNION ALL
    SELECT e.id, e.cost_nanos, {COLUMNS}
    FROM events e
    CROSS JOIN calls c ON c.session_id = e.session_id AND c.called_at = coalesce(e.client_timestamp, e.created_at)
    WHERE {EVENTS_WITH_USAGE} AND {PRICED_BY_US} AND {WANTED}
      AND NOT EXISTS (SELECT 1 FROM calls own WHERE own.call_key = {OWN_KEY} AND own.agent_type = e.agent_type)
      AND c.model = e.model AND c.agent_type = e.agent_type
      AND c.uncached_input_tokens = e.tokens_in AND c.output_tokens = e.tokens_out
      AND c.cache_read_tokens = e.cache_read_tokens
      AND c.cache_write_5m_tokens + c.cache_write_1h_tokens = e.cache_write_tokens
"""
UPDATE_EVENT: Final = "UPDATE events SET cost_nanos = ? WHERE id = ?"


class Wanted(NamedTuple):
    """Which calls: from a time on (ms), and of models by the names they are stored under. None takes all."""

    since_ms: int | None = None
    models: frozenset[str] | None = None

    @property
    def parameters(self) -> dict[str, Any]:
        models = None if self.models is None else msgspec.json.encode(sorted(self.models)).decode()
        return {"since": self.since_ms, "models": models}


EVERYTHING: Final = Wanted()


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


def total_lines(figures: Recalculation) -> Iterator[str]:
    """What the calls cost before and after, exact to the nano-dollar."""
    for words, nanos in (("before", figures.before_nanos), ("after", figures.after_nanos)):
        whole, rest = divmod(nanos, NANOS_PER_DOLLAR)
        yield f"{f'Total {words}':<18} ${whole:,}.{rest:09}"


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
    unpriced_terms: str | None
    uncached_input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    web_searches: int
    service_tier: str | None
    speed: str | None

    @property
    def usage(self) -> Usage:
        return Usage(*self[9:])


class _Repriced(NamedTuple):
    old: _Charge
    new: _Charge


class _Run(NamedTuple):
    connection: sqlite3.Connection
    registry: PricingRegistry
    wanted: Wanted
    figures: Recalculation
    dry_run: bool


# The run, and the id to start after → the id to go on from.
_Slice = Callable[[_Run, int], int | None]


def recalculate(
    connection: sqlite3.Connection,
    registry: PricingRegistry,
    *,
    dry_run: bool = False,
    wanted: Wanted = EVERYTHING,
) -> Iterator[Recalculation]:
    """Price what is wanted by `registry`, over a connection in autocommit; yields the figures after each slice."""
    run = _Run(connection, registry, wanted, Recalculation(), dry_run)
    slices: tuple[_Slice, ...] = (_reprice_events, _reprice_calls)
    for reprice_slice in slices:
        last_id: int | None = 0
        while last_id is not None:
            with nullcontext() if dry_run else _immediate(connection):
                last_id = reprice_slice(run, last_id)
            yield run.figures


@contextmanager
def _immediate(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        connection.rollback()
        raise
    connection.commit()


def _reprice_events(run: _Run, after_id: int) -> int | None:
    rows = {row.id: row for row in _select(run, SELECT_EVENTS, after_id)}
    repriced = _repriced(rows.values(), run.registry)
    changed = [(new.cost_nanos, new.id) for old, new in repriced if old.cost_nanos != new.cost_nanos]
    run.figures.events_updated += len(changed)
    if not run.dry_run:
        run.connection.executemany(UPDATE_EVENT, changed)
    return _next_id(run, "events", after_id)


def _reprice_calls(run: _Run, after_id: int) -> int | None:
    repriced = list(_repriced(_select(run, SELECT_CALLS, after_id), run.registry))
    for pair in repriced:
        _note(pair, run.figures)
    changed = [pair for pair in repriced if pair.old != pair.new]
    if changed and not run.dry_run:
        run.connection.executemany(
            UPDATE_CALL, [(new.cost_nanos, new.price, new.unpriced_terms, new.id) for _, new in changed]
        )
        _tally(changed).apply(run.connection)
    return _next_id(run, "calls", after_id)


def _select(run: _Run, statement: str, after_id: int) -> list[_Charge]:
    parameters = {"after": after_id, "until": after_id + SLICE, **run.wanted.parameters}
    return [_Charge(*row) for row in run.connection.execute(statement, parameters).fetchall()]


def _next_id(run: _Run, table: str, after_id: int) -> int | None:
    newest_id = run.connection.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0]
    return after_id + SLICE if newest_id > after_id + SLICE else None


def _repriced(charges: Iterable[_Charge], registry: PricingRegistry) -> Iterator[_Repriced]:
    for old in charges:
        if old.price == CLIENT_PRICE:
            yield _Repriced(old, old)
            continue
        priced = registry.price(old.model, old.usage, old.called_at) if old.model else None
        cost_nanos, price = (priced.cost_nanos, priced.price_id) if priced else (None, None)
        unpriced_terms = priced.unpriced_text if priced else None
        yield _Repriced(old, old._replace(cost_nanos=cost_nanos, price=price, unpriced_terms=unpriced_terms))


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

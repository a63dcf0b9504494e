"""What metrics tell of usage, and what of it the ledger takes: only what no better witness told. Pure.

A metric is a sum over calls, so it can't be merged with any of them. Its sums are kept by session, model and hour;
the ledger holds what they exceed the calls of the same session and model by, whichever came first.
"""

from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Final, NamedTuple

import msgspec

from ingest.contract import NewEvent
from ingest.ledger import METRIC, LedgerRow, Witness
from pricing.names import LONG_CONTEXT_SUFFIX, spellings
from pricing.registry import PricingRegistry
from pricing.usage import Usage

COST: Final = "cost_nanos"
# The session of points that name none.
UNKNOWN_SESSION: Final = "unknown"
SOURCE: Final = "otel"
METADATA: Final = '{"_synthetic":true,"_source":"otel_metric"}'


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """One point of a token or cost metric.

    `kind` is a field of Usage, or COST (nano-dollars). A delta has no `series`: `event_id` alone tells its
    repetition (None: nothing does). A growing total has the series it belongs to. `is_paid` tokens came with their
    cost. Times in ms.
    """

    session_id: str
    agent_type: str
    model: str | None
    kind: str
    amount: int
    at_ms: int | None
    event_id: str | None
    series: str | None = None
    is_paid: bool = False


class Seen(NamedTuple):
    """The last total of a series, and the time it was of (ms, or None)."""

    total: int
    at_ms: int | None


class Sums(NamedTuple):
    """Tokens of each kind; cache writes of either life."""

    uncached_input: int = 0
    cache_read: int = 0
    cache_write: int = 0
    output: int = 0

    def usage(self) -> Usage:
        return Usage(
            uncached_input_tokens=self.uncached_input,
            cache_read_tokens=self.cache_read,
            cache_write_5m_tokens=self.cache_write,
            output_tokens=self.output,
        )


class MetricHour(NamedTuple):
    """What metrics told of one model in one hour: tokens whose cost came too, others, that cost; latest time."""

    paid: Sums
    unpaid: Sums
    cost_nanos: int
    last_at: int

    @property
    def sums(self) -> Sums:
        return added(self.paid, self.unpaid)


def grown(last: Seen | None, total: int, at_ms: int | None) -> tuple[int, Seen]:
    """What a total adds to the last one of its series, and what is then the last one.

    A smaller total is that of a restarted counter: all of it is new. Bodies are sent again, and overtake each
    other: a total that is older than the last one adds nothing.
    """
    if last is None:
        return max(0, total), Seen(total, at_ms)
    if last.at_ms is not None and at_ms is not None and at_ms <= last.at_ms:
        more = max(0, total - last.total) if at_ms == last.at_ms else 0
        return more, Seen(last.total + more, last.at_ms)
    return max(0, total - last.total if total >= last.total else total), Seen(total, at_ms)


def event_of(reading: Reading, amount: int) -> NewEvent:
    """The event that shows what a point added; its usage is counted by the sums, not by the event."""
    usage = Usage() if reading.kind == COST else Usage(**{reading.kind: amount})  # type: ignore[arg-type]
    cost_nanos = amount if reading.kind == COST else 0 if reading.is_paid else None
    return NewEvent(
        session_id=reading.session_id,
        agent_type=reading.agent_type,
        event_type="llm_response",
        event_id=reading.event_id,
        tokens_in=usage.uncached_input_tokens,
        tokens_out=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_5m_tokens,
        model=reading.model,
        cost_nanos=cost_nanos,
        client_at_ms=reading.at_ms,
        source=SOURCE,
        metadata=METADATA,
        is_sum=True,
    )


def same_model(model: str | None) -> str:
    """One name for the spellings of a model: metrics of Claude Code add `[1m]`, logs don't."""
    return list(spellings(model or ""))[-1]


def shown_model(models: Iterable[str]) -> str:
    """The shortest of the spellings that were told, without the window."""
    return min((model.removesuffix(LONG_CONTEXT_SUFFIX) for model in models), key=lambda name: (len(name), name))


def added(one: Sums, other: Sums) -> Sums:
    return Sums(*map(sum, zip(one, other, strict=True)))


def surplus(told: Mapping[int, int], held: Mapping[int, int]) -> dict[int, int]:
    """By hour, what metrics told beyond what calls hold; in sum, total − total, and never below 0.

    Metrics come up to a minute after their calls, so an hour is not compared with itself alone: an excess counts
    from the hour on after which calls no longer make up for it.
    """
    hours = sorted(told.keys() | held.keys())
    ahead = list(accumulate(told.get(hour, 0) - held.get(hour, 0) for hour in hours))
    lasting = [max(0, least) for least in accumulate(reversed(ahead), min)][::-1]
    return {hour: now - before for hour, before, now in zip(hours, [0, *lasting], lasting, strict=False)}


def rows_of(
    session_id: str,
    agent_type: str,
    model: str,
    told: Mapping[int, MetricHour],
    held: Mapping[int, Sums],
    registry: PricingRegistry,
) -> list[LedgerRow]:
    """The rows of one session and model: one for each hour in which metrics alone told of usage.

    A cost is kept only where no call at all is known: beside calls, what remains of it can't be told from the
    difference of two price lists.
    """
    by_kind = [
        surplus(
            {hour: of_hour.sums[kind] for hour, of_hour in told.items()},
            {hour: of_hour[kind] for hour, of_hour in held.items()},
        )
        for kind in range(len(Sums._fields))
    ]
    is_alone = not any(any(sums) for sums in held.values())
    rows = []
    for hour, of_hour in told.items():
        left = Sums(*(kind[hour] for kind in by_kind))
        cost_nanos = _stated_nanos(model, of_hour, registry) if is_alone else None
        if any(left) or cost_nanos:
            rows.append(_row(session_id, agent_type, model, hour, of_hour.last_at, left, cost_nanos))
    return rows


def _stated_nanos(model: str, hour: MetricHour, registry: PricingRegistry) -> int | None:
    """The client's own cost, which it reckoned call by call, with the price of tokens that came without one."""
    if not hour.cost_nanos:
        return None
    priced = registry.price(model, hour.unpaid.usage(), hour.last_at) if model else None
    return hour.cost_nanos + (priced.cost_nanos if priced else 0)


def _row(
    session_id: str, agent_type: str, model: str, hour: int, at_ms: int, left: Sums, cost_nanos: int | None
) -> LedgerRow:
    return LedgerRow(
        agent_type=agent_type,
        call_key=f"metric:{session_id}:{model}:{hour}",
        session_id=session_id,
        model=model or None,
        called_at=at_ms,
        received_at=at_ms,
        usage=left.usage(),
        authority=METRIC,
        given_cost_nanos=cost_nanos,
        witnesses=[Witness(SOURCE, "metrics of an hour", at_ms)],
    )

"""One billed call = one row, however many witnesses. Pure.

Witnesses of one call share its key. The one that knows most decides the usage: first by authority, then by
the largest output (the last copy of a stream), so that any order of arrival gives the same row. Time and
session are those of the earliest copy among the witnesses of the deciding authority. How cache writes split by
their life is the word of the witness that knows best of that, which an unfinished transcript does all the same.
"""

from typing import Final

import msgspec

from ingest.contract import NewCall, NewEvent
from pricing.registry import PricingRegistry
from pricing.rows import CLIENT_PRICE
from pricing.usage import Usage

METRIC, STATED, OTLP, TRANSCRIPT = 0, 1, 2, 3
IMPORT: Final = "import"
# A row keeps its first witnesses; more of them would say nothing new.
MOST_WITNESSES: Final = 8


class Witness(msgspec.Struct, frozen=True):
    """Who told us: the source, a reference into it (file:line, event), and when (ms)."""

    source: str
    ref: str | None
    at: int


class LedgerRow(msgspec.Struct):
    """A row of `calls`; `id` is None until it is stored. Times in ms, cost in nano-dollars or None."""

    agent_type: str
    call_key: str
    session_id: str
    model: str | None
    called_at: int
    received_at: int
    usage: Usage
    authority: int
    given_cost_nanos: int | None
    witnesses: list[Witness]
    id: int | None = None
    cost_nanos: int | None = None
    price: str | None = None
    unpriced_terms: str | None = None
    subagent_id: str | None = None
    answer_mark: int | None = None

    @property
    def written_tokens(self) -> int:
        """Cache writes of either life."""
        return self.usage.cache_write_5m_tokens + self.usage.cache_write_1h_tokens

    @property
    def split_rank(self) -> tuple[bool, int]:
        """What its split of the cache writes is worth: transcripts state it, from telemetry it is worked out."""
        return any(witness.source == IMPORT for witness in self.witnesses), self.usage.cache_write_1h_tokens

    @property
    def rank(self) -> tuple[object, ...]:
        """The order of witnesses of one authority; total but for the split of cache writes, which stands apart."""
        usage = self.usage
        return (
            usage.output_tokens,
            usage.prompt_tokens,
            usage.cache_read_tokens,
            self.written_tokens,
            usage.reasoning_tokens,
            self.model or "",
            -1 if self.given_cost_nanos is None else self.given_cost_nanos,
            usage.web_searches,
            *usage.terms,
        )


def carries_usage(event: NewEvent) -> bool:
    return bool(
        event.tokens_in
        or event.tokens_out
        or event.cache_read_tokens
        or event.cache_write_tokens
        or event.cost_nanos
    )


def call_of(event: NewEvent, event_row_id: int) -> NewCall | None:
    """The call that an event tells of: as its source keyed it, or one of its own."""
    if event.call is not None or event.is_sum or not carries_usage(event):
        return event.call
    key = f"event:{event.event_id}" if event.event_id else f"row:{event_row_id}"
    return NewCall(
        key=key,
        usage=usage_of(event),
        model=event.model,
        called_at_ms=event.client_at_ms,
        authority=STATED,
        cost_nanos=event.cost_nanos,
        ref=f"event {event_row_id}",
    )


def usage_of(event: NewEvent) -> Usage:
    return Usage(
        uncached_input_tokens=event.tokens_in,
        cache_read_tokens=event.cache_read_tokens,
        cache_write_5m_tokens=event.cache_write_tokens,
        output_tokens=event.tokens_out,
    )


def row_of(call: NewCall, event: NewEvent, received_at_ms: int) -> LedgerRow:
    called_at = received_at_ms if call.called_at_ms is None else call.called_at_ms
    if event.source == IMPORT:
        # When a file was read says nothing about the call; a clock in the future is not believed.
        received_at_ms = min(called_at, received_at_ms)
    return LedgerRow(
        agent_type=event.agent_type,
        call_key=call.key,
        session_id=event.session_id,
        model=call.model,
        called_at=called_at,
        received_at=received_at_ms,
        usage=call.usage,
        authority=call.authority,
        given_cost_nanos=call.cost_nanos,
        witnesses=[Witness(event.source, call.ref, received_at_ms)],
        subagent_id=call.subagent_id,
        answer_mark=call.answer_mark,
    )


def merge(known: LedgerRow | None, told: LedgerRow) -> LedgerRow:
    """What the ledger holds after one more witness. Any order and any repetition give the same row."""
    if known is None:
        return told
    witnesses = _join(known.witnesses, told.witnesses)
    if known.authority != told.authority:
        best = known if known.authority > told.authority else told
        merged = msgspec.structs.replace(best, id=known.id, witnesses=witnesses)
        if best.authority != TRANSCRIPT:
            merged.usage = _split_as_known(best, known, told)
    else:
        best = told if told.rank > known.rank else known
        first = min(known, told, key=_earliest)
        merged = msgspec.structs.replace(
            best,
            id=known.id,
            usage=_split_as_known(best, known, told),
            session_id=first.session_id,
            called_at=first.called_at,
            received_at=min(known.received_at, told.received_at),
            witnesses=witnesses,
        )
    merged.subagent_id = _subagent_id(known, told)
    merged.answer_mark = _answer_mark(best, known, told)
    merged.cost_nanos, merged.price, merged.unpriced_terms = known.cost_nanos, known.price, known.unpriced_terms
    return merged


def _split_as_known(best: LedgerRow, known: LedgerRow, told: LedgerRow) -> Usage:
    """The usage that counts, with the best word on its cache writes; both are asked, if they mean the same sum."""
    if known.written_tokens != told.written_tokens:
        return best.usage
    knows = max(known, told, key=lambda row: row.split_rank).usage
    return msgspec.structs.replace(
        best.usage,
        cache_write_5m_tokens=knows.cache_write_5m_tokens,
        cache_write_1h_tokens=knows.cache_write_1h_tokens,
    )


def _earliest(row: LedgerRow) -> tuple[object, ...]:
    """Of equal times the main conversation's: a sub-agent that begins with its parent's answers repeats them."""
    return row.called_at, row.session_id, row.subagent_id or ""


def _subagent_id(known: LedgerRow, told: LedgerRow) -> str | None:
    """A transcript knows whose file a call stands in, None being the main conversation; others may not know."""
    transcripts = [row for row in (known, told) if row.authority == TRANSCRIPT]
    if transcripts:
        return min(transcripts, key=_earliest).subagent_id
    return min((row.subagent_id for row in (known, told) if row.subagent_id is not None), default=None)


def _answer_mark(best: LedgerRow, *both: LedgerRow) -> int | None:
    """That of the usage that counts; a sub-agent's only where the main conversation told nothing."""
    marks = [row.answer_mark for row in (best, *both) if row.answer_mark is not None]
    if not marks:
        return None
    return abs(marks[0]) if max(marks) > 0 else marks[0]


def _join(known: list[Witness], told: list[Witness]) -> list[Witness]:
    seen = {(witness.source, witness.ref) for witness in known}
    fresh = [witness for witness in told if (witness.source, witness.ref) not in seen]
    return (known + fresh)[:MOST_WITNESSES]


def set_cost(row: LedgerRow, registry: PricingRegistry) -> None:
    """Price the row by the time of its call; a cost that the client stated is kept."""
    if row.given_cost_nanos is not None:
        row.cost_nanos, row.price, row.unpriced_terms = row.given_cost_nanos, CLIENT_PRICE, None
        return
    priced = registry.price(row.model, row.usage, row.called_at) if row.model else None
    row.cost_nanos, row.price = (priced.cost_nanos, priced.price_id) if priced else (None, None)
    row.unpriced_terms = priced.unpriced_text if priced else None

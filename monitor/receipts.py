"""The receipt of a call: who told of it, what each token cost, by which price, and why."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from django.db.models import Q

from monitor.models import Call, Event
from monitor.times import from_datetime, iso_text
from pricing.explain import Charge, Explanation, explain, explain_row, provenance, row_by_id
from pricing.registry import PricingRegistry
from pricing.rows import CLIENT_PRICE, TOKENS_PER_PRICE, PriceRow
from pricing.usage import Usage

NANO_PLACES: Final = 9
# A token's amount is exact in millionths of a nano-dollar.
FEMTO_PLACES: Final = 15
LARGEST_ID: Final = 2**63 - 1
# In the id of a row that a person set or discounted (pricing/overrides.py).
OWN_MARK: Final = "own-"
EVENT_REF: Final = "event "
# What a call's authority says of the witness that decided (ingest/ledger.py).
DECIDED_BY: Final = (
    "a metric",
    "an event that states its usage, or a transcript's line of an unfinished answer",
    "telemetry",
    "a transcript",
)


class ReceiptLine(msgspec.Struct):
    """Tokens × price = amount; decimal texts, exact. Price and amount are None where no row was applied."""

    kind: str
    tokens: int
    price_usd_per_mtok: str | None
    amount_nanos: str | None
    amount_usd: str | None


class ReceiptPrice(msgspec.Struct):
    """The row of the price book. `source` and `checked_on` are None for a price of the person's own."""

    id: str
    model: str
    valid_from: str | None
    valid_until: str | None
    source: str | None
    checked_on: str | None


class Said(msgspec.Struct):
    """What a witness's own event states. Its cost is the client's, or ours for the event's figures."""

    model: str | None
    input_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    output_tokens: int
    cost_usd: str | None


class ReceiptWitness(msgspec.Struct):
    """Who told of the call. A file and line, or an event of ours; `agrees` is None where nothing was kept."""

    source: str
    ref: str | None
    at: str
    file: str | None
    line: int | None
    event_id: int | None
    said: Said | None
    agrees: bool | None


class Receipt(msgspec.Struct):
    """`basis`: book, client (it stated the cost), or unpriced. The lines and `rounding_nanos` sum to the cost."""

    id: int
    call_key: str
    session_id: str
    subagent_id: str | None
    project: str | None
    agent_type: str
    model: str | None
    called_at: str
    received_at: str
    basis: str
    cost_nanos: int | None
    cost_usd: str | None
    lines: list[ReceiptLine]
    prompt_tokens: int
    reasoning_tokens: int
    web_searches: int
    service_tier: str | None
    speed: str | None
    rounding_nanos: str | None
    price: ReceiptPrice | None
    tier_above_tokens: int | None
    tier: str
    decided_by: str
    witnesses: list[ReceiptWitness]
    notes: list[str]


def call_exists(call_id: int) -> bool:
    return call_id <= LARGEST_ID and Call.objects.filter(id=call_id).exists()


def receipt_of(call_id: int, registry: PricingRegistry) -> Receipt | None:
    """The receipt of one call of the ledger, or None when there is no such call."""
    if call_id > LARGEST_ID:
        return None
    call = Call.objects.select_related("session").filter(id=call_id).first()
    if call is None:
        return None
    witnesses = msgspec.json.decode(call.witnesses)
    return _receipt(call, _applied(call, registry), _shown_witnesses(call, witnesses), registry)


def usage_of_call(call: Call) -> Usage:
    return Usage(
        uncached_input_tokens=call.uncached_input_tokens,
        cache_read_tokens=call.cache_read_tokens,
        cache_write_5m_tokens=call.cache_write_5m_tokens,
        cache_write_1h_tokens=call.cache_write_1h_tokens,
        output_tokens=call.output_tokens,
        reasoning_tokens=call.reasoning_tokens,
        web_searches=call.web_searches,
        service_tier=call.service_tier,
        speed=call.speed,
    )


def decimal_text(units: int, places: int) -> str:
    """`units` × 10^-places as exact decimal text without needless zeros."""
    whole, rest = divmod(abs(units), 10**places)
    text = f"{whole}.{rest:0{places}}".rstrip("0").rstrip(".")
    return f"-{text}" if units < 0 else text


def _applied(call: Call, registry: PricingRegistry) -> Explanation | None:
    """The stored row, applied again; None where none was applied or the book has lost it."""
    if call.price is None or call.price == CLIENT_PRICE:
        return None
    row = row_by_id(registry, call.model or "", call.price)
    return None if row is None else explain_row(row, usage_of_call(call))


def _receipt(
    call: Call, applied: Explanation | None, witnesses: list[ReceiptWitness], registry: PricingRegistry
) -> Receipt:
    usage = usage_of_call(call)
    rounding = None
    if applied is not None and call.cost_nanos is not None:
        rounding = decimal_text(call.cost_nanos * TOKENS_PER_PRICE - applied.femto_dollars, 6)
    return Receipt(
        id=call.id,
        call_key=call.call_key,
        session_id=call.session_id,
        subagent_id=call.subagent_id,
        project=call.session.project,
        agent_type=call.agent_type,
        model=call.model,
        called_at=iso_text(from_datetime(call.called_at)),
        received_at=iso_text(from_datetime(call.received_at)),
        basis="client" if call.price == CLIENT_PRICE else "unpriced" if call.cost_nanos is None else "book",
        cost_nanos=call.cost_nanos,
        cost_usd=_usd(call.cost_nanos),
        lines=_lines(applied, usage),
        prompt_tokens=usage.prompt_tokens,
        reasoning_tokens=call.reasoning_tokens,
        web_searches=call.web_searches,
        service_tier=call.service_tier,
        speed=call.speed,
        rounding_nanos=rounding,
        price=None if applied is None else _price(applied.row),
        tier_above_tokens=None if applied is None else applied.tier_above_tokens,
        tier=_tier_words(applied),
        decided_by=DECIDED_BY[call.authority] if 0 <= call.authority < len(DECIDED_BY) else "unknown",
        witnesses=witnesses,
        notes=list(_notes(call, applied, len(witnesses), registry)),
    )


def _usd(nanos: int | None) -> str | None:
    return None if nanos is None else decimal_text(nanos, NANO_PLACES)


def _lines(applied: Explanation | None, usage: Usage) -> list[ReceiptLine]:
    if applied is not None:
        return [_line(charge) for charge in applied.charges]
    names = ("uncached_input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
    return [ReceiptLine(name, getattr(usage, f"{name}_tokens"), None, None, None) for name in names]


def _line(charge: Charge) -> ReceiptLine:
    return ReceiptLine(
        kind=charge.kind,
        tokens=charge.tokens,
        price_usd_per_mtok=decimal_text(charge.price_nanos, NANO_PLACES),
        amount_nanos=decimal_text(charge.femto_dollars, FEMTO_PLACES - NANO_PLACES),
        amount_usd=decimal_text(charge.femto_dollars, FEMTO_PLACES),
    )


def _price(row: PriceRow) -> ReceiptPrice:
    told = provenance(row.price_id)
    return ReceiptPrice(
        id=row.price_id,
        model=row.model,
        valid_from=None if row.from_ms is None else iso_text(row.from_ms)[:10],
        valid_until=None if row.until_ms is None else iso_text(row.until_ms)[:10],
        source=told.source if told else None,
        checked_on=told.checked_on if told else None,
    )


def _tier_words(applied: Explanation | None) -> str:
    if applied is None:
        return "No price row was applied."
    prompt = f"The prompt of {applied.prompt_tokens:,} tokens"
    if applied.tier_above_tokens is not None:
        return f"{prompt} is longer than {applied.tier_above_tokens:,}: the whole call is at the tier's prices."
    if applied.row.tiers:
        lowest = min(tier.above_tokens for tier in applied.row.tiers)
        return f"{prompt} is not longer than {lowest:,}: the row's own prices."
    return "This row has no tiers."


def _notes(call: Call, applied: Explanation | None, told: int, registry: PricingRegistry) -> Iterable[str]:
    if told > 1:
        yield f"{told} witnesses told of this call; it is counted once."
    if _is_split_by_cost(call):
        yield (
            "Telemetry counts cache writes in one sum: how many of them were of one hour follows from the cost "
            "that the client states."
        )
    if call.unpriced_terms:
        yield f"The row has no price for {call.unpriced_terms}: billed as an ordinary call."
    if call.price == CLIENT_PRICE:
        yield "The client stated this cost; it is kept as it is."
        booked = explain(registry, call.model or "", usage_of_call(call), from_datetime(call.called_at))
        if booked is not None:
            yield f"By the price book ({booked.row.price_id}) it would be ${_usd(booked.cost_nanos)}."
    elif call.cost_nanos is None:
        named = f"no price of {call.model} is known for this time" if call.model else "no model was named"
        yield f"Unpriced: {named}. It counts in no sum of money, and not as $0."
    elif applied is None:
        yield f"The price row {call.price} is no longer in the book; manage.py recalculate_costs prices it anew."
    elif OWN_MARK in applied.row.price_id:
        yield "A price or discount of your own was applied."
    if applied is not None and applied.cost_nanos != call.cost_nanos:
        yield "The price row has changed since; manage.py recalculate_costs prices it anew."


def _is_split_by_cost(call: Call) -> bool:
    """Whether telemetry alone told of a call and has writes of one hour, which it doesn't name (docs/otlp.md)."""
    sources = {witness["source"] for witness in msgspec.json.decode(call.witnesses)}
    return call.cache_write_1h_tokens > 0 and sources == {"otel"}


def _shown_witnesses(call: Call, witnesses: Sequence[dict[str, Any]]) -> list[ReceiptWitness]:
    events = events_of([witness["ref"] for witness in witnesses if witness["ref"]])
    return [_shown_witness(call, witness, events.get(witness["ref"])) for witness in witnesses]


def _shown_witness(call: Call, witness: dict[str, Any], event: Event | None) -> ReceiptWitness:
    source, ref = witness["source"], witness["ref"]
    file, line = file_and_line(ref) if source == "import" and event is None else (None, None)
    return ReceiptWitness(
        source=source,
        ref=ref,
        at=iso_text(witness["at"]),
        file=file,
        line=line,
        event_id=None if event is None else event.id,
        said=None if event is None else _said(event),
        agrees=None if event is None else _figures_of(event) == _figures_of_call(call),
    )


def file_and_line(ref: str | None) -> tuple[str | None, int | None]:
    """The parts of a reference into a transcript, `path:line`."""
    path, _, line = (ref or "").rpartition(":")
    return (path, int(line)) if path and line.isdigit() else (None, None)


def events_of(refs: Sequence[str]) -> dict[str, Event]:
    """The stored events that references name, by event_id or as `event <row>`."""
    numbers = [int(ref.removeprefix(EVENT_REF)) for ref in refs if _names_a_row(ref)]
    found = Event.objects.filter(Q(event_id__in=refs) | Q(id__in=numbers))
    by_ref = {}
    for event in found:
        by_ref[f"{EVENT_REF}{event.id}"] = event
        by_ref[event.event_id or ""] = event
    return by_ref


def _names_a_row(ref: str) -> bool:
    number = ref.removeprefix(EVENT_REF)
    return ref.startswith(EVENT_REF) and number.isdecimal() and int(number) <= LARGEST_ID


def _said(event: Event) -> Said:
    return Said(event.model, *_figures_of(event), _usd(event.cost_nanos))


def _figures_of(event: Event) -> tuple[int, int, int, int]:
    return event.tokens_in, event.cache_read_tokens, event.cache_write_tokens, event.tokens_out


def _figures_of_call(call: Call) -> tuple[int, int, int, int]:
    written = call.cache_write_5m_tokens + call.cache_write_1h_tokens
    return call.uncached_input_tokens, call.cache_read_tokens, written, call.output_tokens

"""Data points of token and cost metrics → events. Pure.

Metrics are the weakest witness: sums over calls, without their times. They count only for sessions of which no
log told any usage; who calls says which sessions those are.
"""

from collections.abc import Container, Iterable
from typing import Any, Final, NamedTuple

from ingest.contract import MOST_DOLLARS, MOST_TOKENS, NANOS_PER_DOLLAR, NewCall, NewEvent
from ingest.ledger import METRIC
from ingest.otlp.cumulative import CumulativeState, Taken
from ingest.otlp.draft import SOURCE
from ingest.otlp.keys import RecordIds, digest, record_call_key
from ingest.otlp.reading import UNKNOWN, agent_type_of, text_of
from ingest.otlp.records import CUMULATIVE, DataPoint, RecordFault
from pricing.usage import Usage

PREFIXES: Final = ("claude_code", "codex_cli_rs", "gen_ai.client")
TOKEN_METRICS: Final = frozenset(f"{prefix}.token.usage" for prefix in PREFIXES)
COST_METRICS: Final = frozenset(f"{prefix}.cost.usage" for prefix in PREFIXES)
WANTED: Final = TOKEN_METRICS | COST_METRICS
SESSION_OF_POINT: Final = ("session.id",)
SESSION_OF_RESOURCE: Final = ("gen_ai.session.id", "session.id", "conversation.id")
MODEL: Final = ("model", "gen_ai.request.model")
TOKEN_TYPE: Final = ("type", "token.type", "gen_ai.token.type")
CLASSES: Final = {
    "output": "output_tokens",
    "cacheRead": "cache_read_tokens",
    "cache_read": "cache_read_tokens",
    "cacheCreation": "cache_write_5m_tokens",
    "cache_creation": "cache_write_5m_tokens",
    "cache_write": "cache_write_5m_tokens",
}
METADATA: Final = '{"_synthetic":true,"_source":"otel_metric"}'


class Growth(NamedTuple):
    """What one point adds: whose, of which model, and how much. `model` is None when nobody says."""

    session_id: str
    agent_type: str
    model: str | None
    point: DataPoint
    series: str
    amount: float


class MetricOutcome(NamedTuple):
    """Events to store; what to give back to the state when they can't be; how many points were only witnesses."""

    events: list[NewEvent]
    taken: list[Taken]
    witnesses: int


def metric_events(
    points: Iterable[DataPoint], state: CumulativeState, sessions_with_logs: Container[str] = ()
) -> MetricOutcome:
    """The events of the points of one body; points of `sessions_with_logs` are mere witnesses.

    Tokens that come together with their cost cost nothing themselves: the client reckoned call by call, with what
    a sum no longer shows (long-context tiers, how long cache writes live, searches).
    """
    growths = [growth for point in points if (growth := _growth(point, state)).amount > 0]
    told = [growth for growth in growths if growth.session_id not in sessions_with_logs]
    paid = {(growth.session_id, growth.model) for growth in told if growth.point.name in COST_METRICS}
    ids = RecordIds()
    return MetricOutcome(
        [_event(growth, ids, is_paid=(growth.session_id, growth.model) in paid) for growth in told],
        [Taken(growth.series, growth.amount) for growth in growths if growth.point.temporality == CUMULATIVE],
        len(growths) - len(told),
    )


def check_point(point: DataPoint) -> None:
    """Raises RecordFault for an amount that can't be true."""
    most = MOST_TOKENS if point.name in TOKEN_METRICS else MOST_DOLLARS
    if not abs(point.value) <= most:
        raise RecordFault(f"{point.name} must be at most {most}")


def _growth(point: DataPoint, state: CumulativeState) -> Growth:
    session_id = (
        text_of(point.attributes, SESSION_OF_POINT) or text_of(point.resource, SESSION_OF_RESOURCE) or UNKNOWN
    )
    # Exporters, and restarts of one, differ in their resource or their start: each has a total of its own.
    series = digest(session_id, point.name, point.start_ns, point.resource, point.attributes)
    amount = point.value
    if point.temporality == CUMULATIVE:
        amount = state.take(series, point.value, point.time_ms)
    return Growth(
        session_id,
        agent_type_of(point.resource),
        text_of(point.attributes, MODEL) or text_of(point.resource, MODEL[:1]),
        point,
        series,
        amount,
    )


def _event(growth: Growth, ids: RecordIds, *, is_paid: bool) -> NewEvent:
    point, usage, cost_nanos = growth.point, Usage(), 0 if is_paid else None
    if point.name in TOKEN_METRICS:
        token_class = CLASSES.get(text_of(point.attributes, TOKEN_TYPE) or "", "uncached_input_tokens")
        counted: dict[str, Any] = {token_class: int(growth.amount)}
        usage = Usage(**counted)
    else:
        cost_nanos = round(growth.amount * NANOS_PER_DOLLAR)
    event_id = ids.of(growth.series, point.time_ns, point.value) if point.time_ns else None
    return NewEvent(
        session_id=growth.session_id,
        agent_type=growth.agent_type,
        event_type="llm_response",
        event_id=event_id,
        tokens_in=usage.uncached_input_tokens,
        tokens_out=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_5m_tokens,
        model=growth.model,
        cost_nanos=cost_nanos,
        client_at_ms=point.time_ms,
        source=SOURCE,
        metadata=METADATA,
        call=_call(growth, usage, cost_nanos, event_id) if event_id else None,
    )


def _call(growth: Growth, usage: Usage, cost_nanos: int | None, event_id: str) -> NewCall:
    return NewCall(
        key=record_call_key(event_id),
        usage=usage,
        model=growth.model,
        called_at_ms=growth.point.time_ms,
        authority=METRIC,
        cost_nanos=cost_nanos,
        ref=event_id,
    )

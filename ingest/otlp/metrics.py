"""Data points of token and cost metrics → readings, which the writer turns into what they add. Pure."""

from collections.abc import Iterable
from typing import Final

from ingest.contract import MOST_DOLLARS, MOST_TOKENS, NANOS_PER_DOLLAR
from ingest.metric_ledger import COST, UNKNOWN_SESSION, Reading
from ingest.otlp.keys import RecordIds, digest
from ingest.otlp.reading import agent_type_of, text_of
from ingest.otlp.records import CUMULATIVE, DataPoint, RecordFault

PREFIXES: Final = ("claude_code", "codex_cli_rs", "gen_ai.client")
TOKEN_METRICS: Final = frozenset(f"{prefix}.token.usage" for prefix in PREFIXES)
COST_METRICS: Final = frozenset(f"{prefix}.cost.usage" for prefix in PREFIXES)
WANTED: Final = TOKEN_METRICS | COST_METRICS
SESSION_OF_POINT: Final = ("session.id", "gen_ai.conversation.id")
SESSION_OF_RESOURCE: Final = ("gen_ai.session.id", "session.id", "conversation.id")
MODEL: Final = ("model", "gen_ai.response.model", "gen_ai.request.model")
MODEL_OF_RESOURCE: Final = ("model",)
TOKEN_TYPE: Final = ("type", "token.type", "gen_ai.token.type")
INPUT: Final = "uncached_input_tokens"
KINDS: Final = {
    "output": "output_tokens",
    "cacheRead": "cache_read_tokens",
    "cache_read": "cache_read_tokens",
    "cacheCreation": "cache_write_5m_tokens",
    "cache_creation": "cache_write_5m_tokens",
    "cache_write": "cache_write_5m_tokens",
}


def readings_of(points: Iterable[DataPoint]) -> list[Reading]:
    """The readings of the points of one body.

    Tokens that come together with their cost cost nothing themselves: the client reckoned call by call, with what
    a sum no longer shows (long-context tiers, how long cache writes live, searches).
    """
    told = list(points)
    paid = {_whose(point) for point in told if point.name in COST_METRICS}
    ids = RecordIds()
    readings = (_reading(point, ids, is_paid=_whose(point) in paid) for point in told)
    return [reading for reading in readings if reading.amount > 0]


def check_point(point: DataPoint) -> None:
    """Raises RecordFault for an amount that can't be true."""
    most = MOST_TOKENS if point.name in TOKEN_METRICS else MOST_DOLLARS
    if not abs(point.value) <= most:
        raise RecordFault(f"{point.name} must be at most {most}")


def _whose(point: DataPoint) -> tuple[str, str | None]:
    """Session and model."""
    session_id = text_of(point.attributes, SESSION_OF_POINT) or text_of(point.resource, SESSION_OF_RESOURCE)
    model = text_of(point.attributes, MODEL) or text_of(point.resource, MODEL_OF_RESOURCE)
    return session_id or UNKNOWN_SESSION, model


def _reading(point: DataPoint, ids: RecordIds, *, is_paid: bool) -> Reading:
    session_id, model = _whose(point)
    is_cost = point.name in COST_METRICS
    # Exporters, and restarts of one, differ in their resource or their start: each has a total of its own.
    series = digest(session_id, point.name, point.start_ns, point.resource, point.attributes)
    kind = KINDS.get(text_of(point.attributes, TOKEN_TYPE) or "", INPUT)
    return Reading(
        session_id=session_id,
        agent_type=agent_type_of(point.resource),
        model=model,
        kind=COST if is_cost else kind,
        amount=round(point.value * NANOS_PER_DOLLAR) if is_cost else int(point.value),
        at_ms=point.time_ms,
        event_id=ids.of(series, point.time_ns, point.value) if point.time_ns else None,
        series=f"series-{series}" if point.temporality == CUMULATIVE else None,
        is_paid=is_paid and not is_cost,
    )

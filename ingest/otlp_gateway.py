"""The OTLP paths: body in, batch and answer out."""

from collections.abc import Callable
from typing import Final

from django.conf import settings

from ingest.gateway import Answer, Work
from ingest.otlp.answer import INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAVAILABLE, OtlpAnswer, failed
from ingest.otlp.figures import figures
from ingest.otlp.service import OtlpOutcome, read_logs, read_metrics, read_traces
from ingest.store import Batch
from monitor.hook_weight import hook_weight

CODES: Final = {413: RESOURCE_EXHAUSTED, 503: UNAVAILABLE}


def logs_work(body: bytes, content_type: str | None) -> Work | Answer:
    return _work("logs", body, content_type, read_logs(body, content_type, _payload_limit_bytes()))


def metrics_work(body: bytes, content_type: str | None) -> Work | Answer:
    return _work("metrics", body, content_type, read_metrics(body, content_type))


def traces_work(body: bytes, content_type: str | None) -> Work | Answer:
    return _work("traces", body, content_type, read_traces(body, content_type, _payload_limit_bytes()))


def _payload_limit_bytes() -> int:
    return int(settings.ENVIRONMENT.max_payload_kb) * 1024


WORKS: Final = {"logs": logs_work, "metrics": metrics_work, "traces": traces_work}
SIGNALS: Final = {b"resourceLogs": "logs", b"resourceMetrics": "metrics", b"resourceSpans": "traces"}
UNNAMED: Final = "Say in the path what this is: /api/otel/v1/logs, metrics or traces"


def unnamed_work(body: bytes, content_type: str | None) -> Work | Answer:
    """JSON at the endpoint itself, where Gemini CLI up to 0.17 posts all signals: its first name tells which."""
    found = [(position, signal) for name, signal in SIGNALS.items() if (position := body.find(name)) >= 0]
    if not found:
        return failure(400, UNNAMED, content_type)
    return WORKS[min(found)[1]](body, content_type)


def _work(signal: str, body: bytes, content_type: str | None, outcome: OtlpOutcome) -> Work | Answer:
    figures.count(signal, len(body), outcome)
    answer = _answer(outcome.answer)
    for told in outcome.hook_times:
        hook_weight.note_reported("claude_code", told.hook, told.took_ms * 1000, failed=told.failed)
    if not outcome.events and not outcome.readings:
        return answer
    return Work(
        Batch(outcome.events, opening=outcome.facts, readings=outcome.readings),
        lambda _: answer,
        fail=_failure_of(content_type),
    )


def failure(status: int, message: str, content_type: str | None) -> Answer:
    """An error in the encoding of the request."""
    return _answer(failed(status, content_type, CODES.get(status, INVALID_ARGUMENT), message))


def _failure_of(content_type: str | None) -> Callable[[int, str], Answer]:
    return lambda status, message: failure(status, message, content_type)


def _answer(answer: OtlpAnswer) -> Answer:
    return Answer(answer.status, answer.body, content_type=answer.content_type)

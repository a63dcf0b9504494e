"""The OTLP paths: body in, batch and answer out, with the state of cumulative metrics kept on disk."""

from collections.abc import Callable
from typing import Final

from django.conf import settings

from ingest.gateway import Answer, Work
from ingest.ledger import OTLP
from ingest.otlp.answer import INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAVAILABLE, OtlpAnswer, failed
from ingest.otlp.cumulative import CumulativeState
from ingest.otlp.draft import OtlpRules
from ingest.otlp.service import OtlpOutcome, read_logs, read_metrics, read_traces
from ingest.store import Batch
from monitor.models import Call, Marker
from monitor.prices import registry_in_force

CODES: Final = {413: RESOURCE_EXHAUSTED, 503: UNAVAILABLE}
METRIC_STATE: Final = "otlp_metric_state"
_state: CumulativeState | None = None


class SessionsWithLogs:
    """Sessions whose calls are known from logs or transcripts, so that metrics only confirm them."""

    def __contains__(self, session_id: object) -> bool:
        return Call.objects.filter(session_id=session_id, authority__gte=OTLP).exists()


def logs_work(body: bytes, content_type: str | None) -> Work | Answer:
    limit_bytes = int(settings.ENVIRONMENT.max_payload_kb) * 1024
    return _work(read_logs(body, content_type, OtlpRules(limit_bytes, registry_in_force())), content_type)


def metrics_work(body: bytes, content_type: str | None) -> Work | Answer:
    state = _metric_state()
    outcome = read_metrics(body, content_type, state, SessionsWithLogs())
    if not outcome.taken:
        return _work(outcome, content_type)
    markers = [(METRIC_STATE, state.dump().decode())]
    work = Work(Batch(outcome.events, markers=markers), lambda _: _answer(outcome.answer))
    return work._replace(undo=lambda: state.give_back(outcome.taken), fail=_failure_of(content_type))


def traces_work(body: bytes, content_type: str | None) -> Work | Answer:
    return _work(read_traces(body, content_type), content_type)


WORKS: Final = {"logs": logs_work, "metrics": metrics_work, "traces": traces_work}


def _work(outcome: OtlpOutcome, content_type: str | None) -> Work | Answer:
    answer = _answer(outcome.answer)
    if not outcome.events:
        return answer
    return Work(Batch(outcome.events), lambda _: answer, fail=_failure_of(content_type))


def _metric_state() -> CumulativeState:
    """The totals that were seen last, from disk after a restart."""
    global _state
    if _state is None:
        saved = Marker.objects.filter(key=METRIC_STATE).first()
        _state = CumulativeState.load(saved.value.encode()) if saved else CumulativeState()
    return _state


def failure(status: int, message: str, content_type: str | None) -> Answer:
    """An error in the encoding of the request."""
    return _answer(failed(status, content_type, CODES.get(status, INVALID_ARGUMENT), message))


def _failure_of(content_type: str | None) -> Callable[[int, str], Answer]:
    return lambda status, message: failure(status, message, content_type)


def _answer(answer: OtlpAnswer) -> Answer:
    return Answer(answer.status, answer.body, content_type=answer.content_type)

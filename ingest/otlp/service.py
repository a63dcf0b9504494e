"""The OTLP doors without their sockets: a body in; events to store and the answer to give out. Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from ingest.contract import NewEvent, SessionFacts
from ingest.metric_ledger import Reading
from ingest.otlp.answer import OtlpAnswer, accepted, refused
from ingest.otlp.claude_code import HookTime, hook_time
from ingest.otlp.decode import data_points, log_records, traces
from ingest.otlp.gen_ai_spans import events_of_spans, is_wanted
from ingest.otlp.keys import RecordIds
from ingest.otlp.logs import event_of
from ingest.otlp.metrics import WANTED, check_point, readings_of
from ingest.otlp.records import DataPoint, LogRecord, OtlpFault, RecordFault, Rejected, Skipped
from ingest.otlp.session_facts import FactsOfBody

SPANS: Final = "spans"
# Names come from outside; counts of more kinds than these are put together.
MOST_NAMES, OTHER_NAMES = 100, "others"
MOST_REASONS = 5


class OtlpOutcome(msgspec.Struct):
    """What a body came to. `answer` holds once the events are stored; on failure to store, answer otherwise.

    `dropped` counts what was left out on purpose, by name; `rejected` what was wrong.
    """

    answer: OtlpAnswer
    events: list[NewEvent] = msgspec.field(default_factory=list)
    rejected: int = 0
    dropped: dict[str, int] = msgspec.field(default_factory=dict)
    readings: list[Reading] = msgspec.field(default_factory=list)
    facts: list[SessionFacts] = msgspec.field(default_factory=list)
    hook_times: list[HookTime] = msgspec.field(default_factory=list)


class _Tally:
    """Counts of what a body held beside events."""

    def __init__(self) -> None:
        self.reasons: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        self.hook_times: list[HookTime] = []

    def note(self, item: Rejected | Skipped) -> None:
        if isinstance(item, Rejected):
            self.reasons[item.reason] += 1
        else:
            name = item.name if item.name in self.dropped or len(self.dropped) < MOST_NAMES else OTHER_NAMES
            self.dropped[name] += 1

    @property
    def rejected(self) -> int:
        return self.reasons.total()

    def message(self) -> str:
        return "; ".join(f"{reason} ({count})" for reason, count in self.reasons.most_common(MOST_REASONS))


def read_logs(body: bytes, content_type: str | None, payload_limit_bytes: int) -> OtlpOutcome:
    """POST …/v1/logs."""
    tally, facts = _Tally(), FactsOfBody()
    try:
        events = list(_log_events(log_records(body, content_type), tally, facts, payload_limit_bytes))
    except OtlpFault as fault:
        return OtlpOutcome(refused(content_type, str(fault)))
    return OtlpOutcome(
        accepted("logs", content_type, tally.rejected, tally.message()),
        events,
        tally.rejected,
        dict(tally.dropped),
        facts=facts.all(),
        hook_times=tally.hook_times,
    )


def _log_events(
    items: Iterable[LogRecord | Rejected], tally: _Tally, facts: FactsOfBody, payload_limit_bytes: int
) -> Iterator[NewEvent]:
    ids = RecordIds()
    for item in items:
        try:
            outcome = item if isinstance(item, Rejected) else event_of(item, ids, payload_limit_bytes)
        except RecordFault as fault:
            outcome = Rejected(str(fault))
        if isinstance(outcome, NewEvent):
            if isinstance(item, LogRecord):
                facts.note(outcome, item)
            yield outcome
        else:
            tally.note(outcome)
            if isinstance(item, LogRecord) and (took := hook_time(item)) is not None:
                tally.hook_times.append(took)


def read_metrics(body: bytes, content_type: str | None) -> OtlpOutcome:
    """POST …/v1/metrics."""
    tally = _Tally()
    try:
        points = list(_checked_points(data_points(body, content_type, WANTED), tally))
    except OtlpFault as fault:
        return OtlpOutcome(refused(content_type, str(fault)))
    return OtlpOutcome(
        accepted("metrics", content_type, tally.rejected, tally.message()),
        rejected=tally.rejected,
        dropped=dict(tally.dropped),
        readings=readings_of(points),
    )


def _checked_points(items: Iterable[DataPoint | Rejected | Skipped], tally: _Tally) -> Iterator[DataPoint]:
    for item in items:
        if not isinstance(item, DataPoint):
            tally.note(item)
            continue
        try:
            check_point(item)
        except RecordFault as fault:
            tally.note(Rejected(str(fault)))
        else:
            yield item


def read_traces(body: bytes, content_type: str | None, payload_limit_bytes: int) -> OtlpOutcome:
    """POST …/v1/traces: GenAI spans become events, all others are counted."""
    tally, facts = _Tally(), FactsOfBody()
    try:
        told = traces(body, content_type, is_wanted)
    except OtlpFault as fault:
        return OtlpOutcome(refused(content_type, str(fault)))
    events = []
    for item in (*told.rejected, *events_of_spans(told.spans, facts, payload_limit_bytes)):
        if isinstance(item, NewEvent):
            events.append(item)
        else:
            tally.note(item)
    if told.others:
        tally.dropped[SPANS] = told.others
    answer = accepted("traces", content_type, tally.rejected, tally.message())
    return OtlpOutcome(answer, events, tally.rejected, dict(tally.dropped), facts=facts.all())

"""A request's body and content type → records, in either encoding of OTLP. Pure."""

from collections.abc import Callable, Container, Iterator
from typing import Any, Final

import msgspec

from ingest.contract import BodyFault, decode_json
from ingest.otlp import json_form
from ingest.otlp.records import GEN_AI, DataPoint, LogRecord, OtlpFault, Rejected, Skipped, Traces

PROTOBUF_TYPES: Final = ("application/x-protobuf", "application/protobuf", "application/octet-stream")
# msgspec takes no `Raw | None`.
NOTHING: Final = msgspec.Raw(b"null")


class ScopeSpans(msgspec.Struct):
    spans: list[msgspec.Raw] | None = None
    scope: msgspec.Raw = NOTHING


class ResourceSpans(msgspec.Struct):
    scope_spans: list[ScopeSpans] | None = msgspec.field(default=None, name="scopeSpans")
    resource: msgspec.Raw = NOTHING


class TracesBody(msgspec.Struct):
    """As little of an ExportTraceServiceRequest as shows that it is one; spans are not built up."""

    resource_spans: list[ResourceSpans] | None = msgspec.field(default=None, name="resourceSpans")

    @property
    def holds_spans(self) -> bool:
        return any(scoped.spans for group in self.resource_spans or () for scoped in group.scope_spans or ())


_decode_traces = msgspec.json.Decoder(TracesBody).decode
_encode = msgspec.json.Encoder().encode


def is_protobuf(content_type: str | None) -> bool:
    """By the content type alone: everything that is not called protobuf is read as JSON."""
    return (content_type or "").partition(";")[0].strip().lower() in PROTOBUF_TYPES


def log_records(body: bytes, content_type: str | None) -> Iterator[LogRecord | Rejected]:
    """Raises OtlpFault, also while it is read, when the body can't be read as a whole."""
    if is_protobuf(content_type):
        from ingest.otlp import protobuf_form

        return protobuf_form.log_records(body)
    return json_form.log_records(_json(body))


def data_points(
    body: bytes, content_type: str | None, wanted: Container[str]
) -> Iterator[DataPoint | Rejected | Skipped]:
    """Points of the `wanted` metrics; others are passed over unread. Raises OtlpFault as above."""
    if is_protobuf(content_type):
        from ingest.otlp import protobuf_form

        return protobuf_form.data_points(body, wanted)
    return json_form.data_points(_json(body), wanted)


def traces(body: bytes, content_type: str | None, is_wanted: Callable[[dict[str, Any]], bool]) -> Traces:
    """The GenAI spans of wanted resources, and the number of the others: traces are a flood. Raises OtlpFault."""
    if is_protobuf(content_type):
        from ingest.otlp import protobuf_form

        return protobuf_form.traces(body, is_wanted)
    try:
        sketch = _decode_traces(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # JSON encoded twice, odd characters, one wrong span among good ones.
        return json_form.traces(_json(body), is_wanted)
    return _with_others(sketch, is_wanted)


def _with_others(sketch: TracesBody, is_wanted: Callable[[dict[str, Any]], bool]) -> Traces:
    """Only spans in which the conventions' prefix stands are built up."""
    others = 0
    for group in sketch.resource_spans or ():
        for scoped in group.scope_spans or ():
            spans = scoped.spans or []
            scoped.spans = [span for span in spans if GEN_AI in bytes(span)]
            others += len(spans) - len(scoped.spans)
    told = Traces()
    if sketch.holds_spans:
        told = json_form.traces(_json(_encode(sketch)), is_wanted)
    told.others += others
    return told


def _json(body: bytes) -> Any:
    try:
        return decode_json(body)
    except BodyFault as fault:
        raise OtlpFault(str(fault)) from None

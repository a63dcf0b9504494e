"""A request's body and content type → records, in either encoding of OTLP. Pure."""

from collections.abc import Container, Iterator
from typing import Any, Final

import msgspec

from ingest.contract import BodyFault, decode_json
from ingest.metadata import encode_json
from ingest.otlp import json_form
from ingest.otlp.records import DataPoint, LogRecord, OtlpFault, Rejected, Skipped

PROTOBUF_TYPES: Final = ("application/x-protobuf", "application/protobuf", "application/octet-stream")
# Occurs once in each span of OTLP/JSON, and within a text only with its quotes escaped.
SPAN_MARK: Final = b'"startTimeUnixNano"'


class TracesBody(msgspec.Struct):
    """As little of an ExportTraceServiceRequest as shows that it is one."""

    resource_spans: list[msgspec.Raw] | None = msgspec.field(default=None, name="resourceSpans")


_decode_traces = msgspec.json.Decoder(TracesBody).decode


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


def span_count(body: bytes, content_type: str | None) -> int:
    """The number of spans, at the price of a glance: traces are a flood. Raises OtlpFault."""
    if is_protobuf(content_type):
        from ingest.otlp import protobuf_form

        return protobuf_form.span_count(body)
    try:
        _decode_traces(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _span_count_of(_json(body))
    return body.count(SPAN_MARK)


def _span_count_of(payload: object) -> int:
    """For the bodies that the quick way refuses: JSON encoded twice, odd characters."""
    if not isinstance(payload, dict) or not isinstance(payload.get("resourceSpans") or [], list):
        raise OtlpFault("no list of resourceSpans")
    return encode_json(payload).count(SPAN_MARK)


def _json(body: bytes) -> Any:
    try:
        return decode_json(body)
    except BodyFault as fault:
        raise OtlpFault(str(fault)) from None

"""OTLP protobuf → records, through opentelemetry-proto. Pure.

Only `ingest.otlp.decode` imports this module, and only when such a body comes: the message classes cost some
megabytes and a tenth of a second, which a server without such clients need not pay.
"""

import base64
from collections.abc import Callable, Container, Iterable, Iterator
from typing import Any, Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric, NumberDataPoint
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2

from ingest.otlp.records import (
    DEEPEST,
    GEN_AI,
    STATUS_ERROR,
    UNSPECIFIED,
    DataPoint,
    ItemLimit,
    LogRecord,
    OtlpFault,
    Rejected,
    Skipped,
    Span,
    Traces,
    id_of,
    moment_ns,
    real_number,
)
from ingest.otlp.wire import count_parts, fields, parts

# Field numbers, which are the same for logs, metrics and traces.
OUTER, RESOURCE_OR_SCOPE, INNER = 1, 1, 2
RESOURCE_ATTRIBUTES: Final = 1
RECORD_ATTRIBUTES: Final = 6
METRIC_NAME: Final = 1

BAD_RESOURCE: Final = Rejected("a resource can't be decoded")

Attributes = dict[str, Any]
Group = tuple[Attributes | None, str | None, memoryview]


def log_records(body: bytes) -> Iterator[LogRecord | Rejected]:
    """The records of an ExportLogsServiceRequest. Raises OtlpFault when it is no such thing at all."""
    for resource, scope, item in _items(body):
        message = _log_message(item)
        if resource is None:
            yield BAD_RESOURCE
        else:
            yield _log_record(resource, scope, message) if message else Rejected("a log record can't be decoded")


def data_points(body: bytes, wanted: Container[str]) -> Iterator[DataPoint | Rejected | Skipped]:
    """The number points of the `wanted` metrics of an ExportMetricsServiceRequest. Raises OtlpFault."""
    limit = ItemLimit()
    for resource, _, item in _items(body):
        name = _metric_name(item)
        if name not in wanted:
            yield Skipped(name)
            continue
        if resource is None:
            yield BAD_RESOURCE
            continue
        try:
            metric = Metric.FromString(bytes(item))
        except DecodeError:
            yield Rejected("a metric can't be decoded")
            continue
        yield from _points(resource, metric, limit)


def traces(body: bytes, is_wanted: Callable[[dict[str, Any]], bool]) -> Traces:
    """The GenAI spans of an ExportTraceServiceRequest; the rest is counted. Raises OtlpFault."""
    told = Traces()
    is_read = GEN_AI in body
    limit = ItemLimit()
    for group in parts(memoryview(body), OUTER):
        resource = _resource(parts(group, RESOURCE_OR_SCOPE)) if is_read else {}
        is_read_here = is_read and (resource is None or is_wanted(resource))
        for scoped in parts(group, INNER):
            if not is_read_here:
                told.others += count_parts(scoped, INNER)
                continue
            for item in parts(scoped, INNER):
                _take_span(told, limit, resource, bytes(item))
    return told


def _take_span(told: Traces, limit: ItemLimit, resource: Attributes | None, item: bytes) -> None:
    if GEN_AI not in item:
        told.others += 1
        return
    limit.add()
    if resource is None:
        told.rejected.append(BAD_RESOURCE)
        return
    try:
        message = trace_pb2.Span.FromString(item)
    except DecodeError:
        told.rejected.append(Rejected("a span can't be decoded"))
        return
    told.spans.append(
        Span(
            resource=resource,
            attributes=_key_values(message.attributes, 0),
            name=message.name,
            trace_id=id_of(message.trace_id),
            span_id=id_of(message.span_id),
            parent_id=id_of(message.parent_span_id),
            start_ns=moment_ns(message.start_time_unix_nano),
            end_ns=moment_ns(message.end_time_unix_nano),
            is_error=message.status.code == STATUS_ERROR,
            error_message=message.status.message or None,
        )
    )


def _items(body: bytes) -> Iterator[Group]:
    """The innermost messages (log records, metrics), each with its resource's attributes and its scope."""
    limit = ItemLimit()
    for group in parts(memoryview(body), OUTER):
        resource = _resource(parts(group, RESOURCE_OR_SCOPE))
        for scoped in parts(group, INNER):
            scope = _scope(parts(scoped, RESOURCE_OR_SCOPE))
            for item in parts(scoped, INNER):
                limit.add()
                yield resource, scope, item


def _resource(messages: Iterable[memoryview]) -> Attributes | None:
    """None when it can't be decoded."""
    values: Attributes = {}
    for message in messages:
        try:
            resource = Resource.FromString(_without_unreadable(message, RESOURCE_ATTRIBUTES))
        except (DecodeError, OtlpFault):
            return None
        values |= _key_values(resource.attributes, 0)
    return values


def _scope(messages: Iterable[memoryview]) -> str | None:
    for message in messages:
        try:
            return InstrumentationScope.FromString(bytes(message)).name
        except DecodeError:
            return None
    return None


def _log_message(item: memoryview) -> logs_pb2.LogRecord | None:
    try:
        return logs_pb2.LogRecord.FromString(bytes(item))
    except DecodeError:
        pass
    try:
        return logs_pb2.LogRecord.FromString(_without_unreadable(item, RECORD_ATTRIBUTES))
    except (DecodeError, OtlpFault):
        return None


def _without_unreadable(message: memoryview, attributes: int) -> bytes:
    """The message without those attributes that alone can't be decoded, such as ones nested too deep."""
    return b"".join(
        field.raw
        for field in fields(message)
        if field.number != attributes or field.content is None or _is_key_value(field.content)
    )


def _is_key_value(content: memoryview) -> bool:
    try:
        KeyValue.FromString(bytes(content))
    except DecodeError:
        return False
    return True


def _log_record(resource: dict[str, Any], scope: str | None, message: logs_pb2.LogRecord) -> LogRecord:
    return LogRecord(
        resource=resource,
        scope=scope,
        attributes=_key_values(message.attributes, 0),
        body=_any_value(message.body, 0),
        severity=message.severity_text or None,
        event_name=message.event_name or None,
        time_ns=moment_ns(message.time_unix_nano, message.observed_time_unix_nano),
        trace_id=id_of(message.trace_id),
        span_id=id_of(message.span_id),
    )


def _metric_name(item: memoryview) -> str:
    return next((bytes(name).decode("utf-8", "replace") for name in parts(item, METRIC_NAME)), "")


def _points(
    resource: dict[str, Any], metric: Metric, limit: ItemLimit
) -> Iterator[DataPoint | Rejected | Skipped]:
    kind = metric.WhichOneof("data")
    if kind not in ("sum", "gauge"):
        yield Skipped(metric.name)
        return
    temporality = int(metric.sum.aggregation_temporality) if kind == "sum" else UNSPECIFIED
    for item in metric.sum.data_points if kind == "sum" else metric.gauge.data_points:
        limit.add()
        value = _point_value(item)
        if value is None:
            yield Rejected("a data point must hold a finite number")
            continue
        yield DataPoint(
            resource=resource,
            attributes=_key_values(item.attributes, 0),
            name=metric.name,
            kind=kind,
            value=value,
            temporality=temporality,
            is_monotonic=kind == "sum" and metric.sum.is_monotonic,
            start_ns=moment_ns(item.start_time_unix_nano),
            time_ns=moment_ns(item.time_unix_nano),
        )


def _point_value(item: NumberDataPoint) -> float | None:
    kind = item.WhichOneof("value")
    return None if kind is None else real_number(item.as_int if kind == "as_int" else item.as_double)


def _key_values(pairs: Iterable[KeyValue], depth: int) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for pair in pairs:
        values.setdefault(pair.key, _any_value(pair.value, depth))
    return values


def _any_value(value: AnyValue, depth: int) -> Any:
    kind = value.WhichOneof("value")
    if kind is None or depth > DEEPEST:
        return None
    if kind == "kvlist_value":
        return _key_values(value.kvlist_value.values, depth + 1)
    if kind == "array_value":
        return [_any_value(item, depth + 1) for item in value.array_value.values]
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    if kind == "double_value":
        return real_number(value.double_value)
    return getattr(value, kind)

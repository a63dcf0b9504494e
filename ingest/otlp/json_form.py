"""OTLP/JSON → records. Unknown fields are ignored; a record of a wrong shape is rejected alone. Pure."""

from collections.abc import Callable, Container, Iterator
from typing import Any, Final, NamedTuple

from ingest.otlp.records import (
    CUMULATIVE,
    DEEPEST,
    DELTA,
    GEN_AI,
    STATUS_ERROR,
    UNSPECIFIED,
    DataPoint,
    ItemLimit,
    LogRecord,
    OtlpFault,
    RecordFault,
    Rejected,
    Skipped,
    Span,
    Traces,
    id_of,
    moment_ns,
    real_number,
    whole_number,
)

TEMPORALITIES: Final = {
    "AGGREGATION_TEMPORALITY_DELTA": DELTA,
    "AGGREGATION_TEMPORALITY_CUMULATIVE": CUMULATIVE,
}
STATUS_ERRORS: Final = (STATUS_ERROR, str(STATUS_ERROR), "STATUS_CODE_ERROR")
GEN_AI_PREFIX: Final = GEN_AI.decode()
NUMBER_KINDS: Final = ("sum", "gauge")


class Place(NamedTuple):
    """Where a record stands: the attributes of its resource (or what is wrong with them), and its scope."""

    resource: dict[str, Any] | RecordFault
    scope: str | None


def log_records(payload: object) -> Iterator[LogRecord | Rejected]:
    """The records of an ExportLogsServiceRequest. Raises OtlpFault when it is no such thing at all."""
    for place, item in _items(payload, "resourceLogs", "scopeLogs", "logRecords"):
        try:
            yield _log_record(place, item)
        except RecordFault as fault:
            yield Rejected(str(fault))


def data_points(payload: object, wanted: Container[str]) -> Iterator[DataPoint | Rejected | Skipped]:
    """The number points of the `wanted` metrics of an ExportMetricsServiceRequest. Raises OtlpFault."""
    limit = ItemLimit()
    for place, item in _items(payload, "resourceMetrics", "scopeMetrics", "metrics"):
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            yield Rejected("a metric must be an object with a name")
        elif item["name"] not in wanted:
            yield Skipped(item["name"])
        else:
            yield from _points(place, item, limit)


def traces(payload: object, is_wanted: Callable[[dict[str, Any]], bool]) -> Traces:
    """The spans of the wanted resources of an ExportTraceServiceRequest. Raises OtlpFault."""
    told = Traces()
    for place, item in _items(payload, "resourceSpans", "scopeSpans", "spans"):
        if isinstance(place.resource, dict) and not is_wanted(place.resource):
            told.others += 1
            continue
        try:
            span = _span(place, item)
        except RecordFault as fault:
            told.rejected.append(Rejected(str(fault)))
        else:
            if any(name.startswith(GEN_AI_PREFIX) for name in span.attributes):
                told.spans.append(span)
            else:
                told.others += 1
    return told


def _span(place: Place, item: object) -> Span:
    if isinstance(place.resource, RecordFault):
        raise place.resource
    if not isinstance(item, dict):
        raise RecordFault("a span must be an object")
    name, status = item.get("name"), item.get("status")
    code, message = (status.get("code"), status.get("message")) if isinstance(status, dict) else (None, None)
    return Span(
        resource=place.resource,
        scope=place.scope,
        attributes=attributes_of(item),
        name=name if isinstance(name, str) else "",
        trace_id=id_of(item.get("traceId")),
        span_id=id_of(item.get("spanId")),
        parent_id=id_of(item.get("parentSpanId")),
        start_ns=moment_ns(item.get("startTimeUnixNano")),
        end_ns=moment_ns(item.get("endTimeUnixNano")),
        is_error=code in STATUS_ERRORS,
        error_message=message if isinstance(message, str) and message else None,
    )


def _items(payload: object, outer: str, middle: str, inner: str) -> Iterator[tuple[Place, object]]:
    if not isinstance(payload, dict) or not isinstance(payload.get(outer) or [], list):
        raise OtlpFault(f"no list of {outer}")
    limit = ItemLimit()
    for group in payload.get(outer) or []:
        resource = _resource(group)
        for scoped in _list(group, middle):
            for item in _list(scoped, inner):
                limit.add()
                yield Place(resource, _scope(scoped)), item


def _list(holder: object, name: str) -> list[Any]:
    """The named list; something that is no list stands as one item, which is then rejected."""
    if not isinstance(holder, dict):
        return [None]
    value = holder.get(name)
    if value is None:
        return []
    return value if isinstance(value, list) else [None]


def _resource(group: object) -> dict[str, Any] | RecordFault:
    resource = group.get("resource") if isinstance(group, dict) else None
    if resource is None:
        return {}
    try:
        return attributes_of(resource)
    except RecordFault as fault:
        return fault


def _scope(scoped: object) -> str | None:
    scope = scoped.get("scope") if isinstance(scoped, dict) else None
    name = scope.get("name") if isinstance(scope, dict) else None
    return name if isinstance(name, str) else None


def _log_record(place: Place, item: object) -> LogRecord:
    if isinstance(place.resource, RecordFault):
        raise place.resource
    if not isinstance(item, dict):
        raise RecordFault("a log record must be an object")
    severity, event_name = item.get("severityText"), item.get("eventName")
    return LogRecord(
        resource=place.resource,
        scope=place.scope,
        attributes=attributes_of(item),
        body=any_value(item.get("body")),
        severity=severity if isinstance(severity, str) else None,
        event_name=event_name if isinstance(event_name, str) else None,
        time_ns=moment_ns(item.get("timeUnixNano"), item.get("observedTimeUnixNano")),
        trace_id=id_of(item.get("traceId")),
        span_id=id_of(item.get("spanId")),
    )


def _points(place: Place, metric: dict[str, Any], limit: ItemLimit) -> Iterator[DataPoint | Rejected | Skipped]:
    kind = next((kind for kind in NUMBER_KINDS if isinstance(metric.get(kind), dict)), None)
    if kind is None:
        yield Skipped(metric["name"])
        return
    temporality = _temporality(metric[kind].get("aggregationTemporality"))
    for item in _list(metric[kind], "dataPoints"):
        limit.add()
        try:
            point = _data_point(place, item)
        except RecordFault as fault:
            yield Rejected(str(fault))
            continue
        point.name, point.kind = metric["name"], kind
        point.temporality = temporality
        point.is_monotonic = metric[kind].get("isMonotonic") is True
        yield point


def _temporality(value: object) -> int:
    named = TEMPORALITIES.get(value) if isinstance(value, str) else None
    return named or whole_number(value) or UNSPECIFIED


def _data_point(place: Place, item: object) -> DataPoint:
    if isinstance(place.resource, RecordFault):
        raise place.resource
    if not isinstance(item, dict):
        raise RecordFault("a data point must be an object")
    value = _point_value(item)
    return DataPoint(
        resource=place.resource,
        attributes=attributes_of(item),
        name="",
        kind="",
        value=value,
        start_ns=moment_ns(item.get("startTimeUnixNano")),
        time_ns=moment_ns(item.get("timeUnixNano")),
    )


def _point_value(item: dict[str, Any]) -> float:
    value = real_number(item["asDouble"] if "asDouble" in item else item.get("asInt"))
    if value is None:
        raise RecordFault("a data point must hold a finite number")
    return float(value) if "asDouble" in item else value


def attributes_of(holder: object) -> dict[str, Any]:
    """The attributes of a resource, record or point; of a repeated key the first counts. Raises RecordFault."""
    if not isinstance(holder, dict):
        raise RecordFault("a resource must be an object")
    return _key_values(holder.get("attributes"), 0)


def _key_values(pairs: object, depth: int) -> dict[str, Any]:
    if pairs is None:
        return {}
    if not isinstance(pairs, list):
        raise RecordFault("attributes must be a list")
    values: dict[str, Any] = {}
    for pair in pairs:
        if not isinstance(pair, dict) or not isinstance(pair.get("key"), str):
            raise RecordFault("an attribute must be an object with a key")
        values.setdefault(pair["key"], any_value(pair.get("value"), depth))
    return values


def any_value(value: object, depth: int = 0) -> Any:
    """A Python value from an AnyValue; None for an empty or unknown one. Raises RecordFault for a wrong one."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise RecordFault('a value must be an object such as {"stringValue": …}')
    for name, content in value.items():
        read = READERS.get(name)
        if read is not None and content is not None:
            return read(content, depth)
    return None


def _text(content: object, _: int) -> str:
    if not isinstance(content, str):
        raise RecordFault("a stringValue or bytesValue must be a string")
    return content


def _flag(content: object, _: int) -> bool:
    if not isinstance(content, bool):
        raise RecordFault("a boolValue must be true or false")
    return content


def _integer(content: object, _: int) -> int:
    number = whole_number(content)
    if number is None:
        raise RecordFault("an intValue must be an integer or text that holds one")
    return number


def _double(content: object, _: int) -> float | None:
    if isinstance(content, bool) or not isinstance(content, (int, float, str)):
        raise RecordFault("a doubleValue must be a number")
    return real_number(content)


def _array(content: object, depth: int) -> list[Any] | None:
    if depth >= DEEPEST:
        return None
    return [any_value(item, depth + 1) for item in _list(content, "values")]


def _map(content: object, depth: int) -> dict[str, Any] | None:
    if depth >= DEEPEST:
        return None
    return _key_values(content.get("values") if isinstance(content, dict) else 0, depth + 1)


READERS: Final = {
    "stringValue": _text,
    "intValue": _integer,
    "doubleValue": _double,
    "boolValue": _flag,
    "arrayValue": _array,
    "kvlistValue": _map,
    "bytesValue": _text,
}

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.otlp.decode import data_points, log_records, traces
from ingest.otlp.records import DEEPEST, MOST_ITEMS, DataPoint, LogRecord, OtlpFault, Rejected, Skipped
from ingest.otlp.service import read_traces
from ingest.otlp.wire import bytes_field, count_parts, parts
from tests.ingest.otlp.bodies import (
    JSON,
    LIMIT_BYTES,
    PROTOBUF,
    TIME_NS,
    any_value,
    as_json,
    as_protobuf,
    key_values,
    log_record,
    logs,
    metrics,
    point,
    span,
)
from tests.ingest.otlp.bodies import traces as trace_body

WANTED = {"tokens"}


def decoded(payload: Any) -> list[LogRecord | Rejected]:
    return list(log_records(as_json(payload), JSON))


def only_record(record: dict[str, Any]) -> LogRecord:
    [found] = decoded(logs(record))
    assert isinstance(found, LogRecord)
    return found


def nested(depth: int) -> Any:
    value: Any = "core"
    for _ in range(depth):
        value = {"inner": value}
    return value


finite = st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | finite | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def span_count(body: bytes, content_type: str) -> int:
    return traces(body, content_type, lambda _: True).others


@given(st.dictionaries(st.text(), values, max_size=4), values, st.integers(0, 2**63))
def test_both_encodings_of_a_record_give_the_same(attributes: dict[str, Any], body: Any, time_ns: int) -> None:
    payload = logs(log_record(attributes, time_ns=time_ns, body=any_value(body), severityText="INFO"))

    assert list(log_records(as_protobuf(payload), PROTOBUF)) == decoded(payload)


@given(finite, st.sampled_from([0, 1, 2]))
def test_both_encodings_of_a_point_give_the_same(value: float, temporality: int) -> None:
    payload = metrics("tokens", point(value, session__id="s"), temporality=temporality)

    points = list(data_points(as_protobuf(payload), PROTOBUF, WANTED))

    assert points == list(data_points(as_json(payload), JSON, WANTED))
    assert isinstance(points[0], DataPoint)
    assert (points[0].value, points[0].temporality, points[0].kind) == (value, temporality, "sum")


def test_values_become_plain_python() -> None:
    record = only_record(
        {
            "timeUnixNano": str(TIME_NS),
            "attributes": [
                {"key": "text", "value": {"stringValue": "a"}},
                {"key": "text number", "value": {"intValue": "55"}},
                {"key": "number", "value": {"intValue": 55}},
                {"key": "real", "value": {"doubleValue": 0.5}},
                {"key": "real text", "value": {"doubleValue": "0.5"}},
                {"key": "not a number", "value": {"doubleValue": "NaN"}},
                {"key": "flag", "value": {"boolValue": False}},
                {"key": "bytes", "value": {"bytesValue": "AQI="}},
                {"key": "list", "value": {"arrayValue": {"values": [{"intValue": 1}, {}]}}},
                {"key": "empty list", "value": {"arrayValue": {}}},
                {"key": "map", "value": {"kvlistValue": {"values": [{"key": "k", "value": {"boolValue": True}}]}}},
                {"key": "nothing", "value": None},
                {"key": "of tomorrow", "value": {"decimalValue": "1.5"}},
            ],
        }
    )

    assert record.attributes == {
        "text": "a",
        "text number": 55,
        "number": 55,
        "real": 0.5,
        "real text": 0.5,
        "not a number": None,
        "flag": False,
        "bytes": "AQI=",
        "list": [1, None],
        "empty list": [],
        "map": {"k": True},
        "nothing": None,
        "of tomorrow": None,
    }
    assert record.time_ms == TIME_NS // 1_000_000
    assert record.scope == "test"
    assert record.resource == {"service.name": "claude-code"}


def test_unknown_fields_and_hex_ids_do_not_matter() -> None:
    record = only_record(
        log_record({"a": 1}, traceId="0af7651916cd43dd8448eb211c80319c", spanId="b7", entityRefs=[5])
    )

    assert record.attributes == {"a": 1}


@pytest.mark.parametrize(
    ("time", "observed", "expected"),
    [
        (str(TIME_NS), "1", TIME_NS),
        (TIME_NS, None, TIME_NS),
        ("0", str(TIME_NS), TIME_NS),
        (None, TIME_NS, TIME_NS),
        ("-5", str(TIME_NS), TIME_NS),
        (str(2**64 - 1), str(TIME_NS), TIME_NS),
        ("soon", None, None),
        ("0", "0", None),
        ([], {}, None),
        (True, 1e300, None),
    ],
)
def test_the_first_believable_time_counts(time: Any, observed: Any, expected: int | None) -> None:
    record = only_record({"timeUnixNano": time, "observedTimeUnixNano": observed})

    assert record.time_ns == expected


@pytest.mark.parametrize(
    "wrong",
    [
        5,
        None,
        "text",
        [],
        {"attributes": "text"},
        {"attributes": {}},
        {"attributes": [5]},
        {"attributes": [{"value": {}}]},
        {"attributes": [{"key": 1, "value": {}}]},
        {"attributes": [{"key": "a", "value": "bare"}]},
        {"attributes": [{"key": "a", "value": {"stringValue": 5}}]},
        {"attributes": [{"key": "a", "value": {"intValue": "five"}}]},
        {"attributes": [{"key": "a", "value": {"intValue": 1.5}}]},
        {"attributes": [{"key": "a", "value": {"boolValue": "yes"}}]},
        {"attributes": [{"key": "a", "value": {"doubleValue": []}}]},
        {"attributes": [{"key": "a", "value": {"kvlistValue": 5}}]},
        {"attributes": [{"key": "a", "value": {"arrayValue": {"values": [5]}}}]},
        {"body": "bare"},
    ],
)
def test_a_wrong_record_is_rejected_alone(wrong: Any) -> None:
    good = log_record({"a": 1})

    before, rejected, after = decoded(logs(good, wrong, good))

    assert isinstance(before, LogRecord)
    assert isinstance(after, LogRecord)
    assert isinstance(rejected, Rejected)


@pytest.mark.parametrize(
    "wrong", [5, "x", {"scopeLogs": 5}, {"scopeLogs": [5]}, {"scopeLogs": [{"logRecords": 5}]}]
)
def test_a_wrong_group_counts_as_one_rejected_record(wrong: Any) -> None:
    payload = logs(log_record({"a": 1}))
    payload["resourceLogs"].append(wrong)

    kinds = [type(item) for item in decoded(payload)]

    assert kinds == [LogRecord, Rejected]


def test_records_of_a_wrong_resource_are_rejected_each() -> None:
    payload = logs(log_record({}), log_record({}))
    payload["resourceLogs"][0]["resource"] = {"attributes": 5}

    assert [type(item) for item in decoded(payload)] == [Rejected, Rejected]


@pytest.mark.parametrize(
    "body", [b"", b"5", b"[]", b"null", b"{", b"\xff", b'{"resourceLogs":5}', b'{"resourceLogs":{"a":1}}']
)
def test_what_is_no_request_at_all_is_a_fault(body: bytes) -> None:
    with pytest.raises(OtlpFault):
        list(log_records(body, JSON))


@pytest.mark.parametrize(
    "body", [b"{}", b'{"resourceLogs":[]}', b'{"resourceLogs":null}', b'"{}"', b'{"resourceMetrics":[]}']
)
def test_a_request_without_records_is_none(body: bytes) -> None:
    assert list(log_records(body, JSON)) == []


def test_text_plain_and_json_within_json_are_taken() -> None:
    body = as_json(as_json(logs(log_record({"a": 1}))).decode())

    assert len(list(log_records(body, "text/plain; charset=utf-8"))) == 1


def test_deep_attributes_are_cut_not_refused() -> None:
    record = only_record(log_record({"deep": nested(100), "flat": 1}))

    assert record.attributes["flat"] == 1
    depth, value = 0, record.attributes["deep"]
    while isinstance(value, dict):
        depth, value = depth + 1, value["inner"]
    assert (depth, value) == (DEEPEST, None)


def test_deep_attributes_in_protobuf_cost_only_themselves() -> None:
    value = b""
    for _ in range(100):
        # AnyValue.kvlist_value.values[0].value
        value = bytes_field(6, bytes_field(1, bytes_field(2, value)))
    record = bytes_field(6, bytes_field(1, b"deep") + bytes_field(2, value)) + bytes_field(3, b"INFO")
    body = bytes_field(1, bytes_field(2, bytes_field(2, record)))

    [found] = log_records(body, PROTOBUF)

    assert isinstance(found, LogRecord)
    assert (found.attributes, found.severity) == ({}, "INFO")


def test_deeper_json_than_any_stack_is_a_fault() -> None:
    body = b'{"resourceLogs":' + b"[" * 200_000

    with pytest.raises(OtlpFault):
        list(log_records(body, JSON))


def test_an_unreadable_protobuf_record_is_rejected_alone() -> None:
    payload = logs(log_record({"a": "good"}), log_record({"a": "badly"}, severityText="SPOILED"))
    body = as_protobuf(payload).replace(b"SPOILED", b"\xff\xfe\xfd\xfc\xfb\xfa\xf9")

    good, bad = log_records(body, PROTOBUF)

    assert isinstance(good, LogRecord)
    assert isinstance(bad, Rejected)


def test_every_cut_of_a_protobuf_body_is_a_fault_or_fewer_records() -> None:
    body = as_protobuf(logs(log_record({"a": 1, "b": "text"}), log_record({"c": [1, {"d": 2}]})))

    for size in range(len(body)):
        try:
            assert len(list(log_records(body[:size], PROTOBUF))) <= 2
        except OtlpFault:
            continue
        assert size == 0, "only the empty body is complete"


@pytest.mark.parametrize(
    "body", [b'{"resourceLogs":[]}', b"\x0b", b"\x0a", b"\x0a\x05ab", b"\x00\x00", b"\xff" * 20]
)
def test_what_is_no_protobuf_is_a_fault(body: bytes) -> None:
    with pytest.raises(OtlpFault):
        list(log_records(body, PROTOBUF))


def test_protobuf_called_json_is_a_fault() -> None:
    with pytest.raises(OtlpFault):
        list(log_records(as_protobuf(logs(log_record({"a": 1}))), JSON))


@given(st.binary(max_size=200), st.sampled_from([JSON, PROTOBUF, None, "text/plain"]))
def test_any_bytes_are_read_or_a_fault(body: bytes, content_type: str | None) -> None:
    for read in (
        lambda: list(log_records(body, content_type)),
        lambda: list(data_points(body, content_type, WANTED)),
        lambda: span_count(body, content_type),
    ):
        with suppress(OtlpFault):
            read()


@given(st.data())
def test_any_damage_to_a_protobuf_body_is_survived(data: st.DataObject) -> None:
    body = bytearray(as_protobuf(logs(log_record({"a": 1, "b": [1.5, {"c": "x"}]}, body=any_value({"k": "v"})))))
    for place in data.draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=4)):
        body[place] = data.draw(st.integers(0, 255))

    try:
        items = list(log_records(bytes(body), PROTOBUF))
    except OtlpFault:
        return
    assert all(isinstance(item, (LogRecord, Rejected)) for item in items)


NAMES = [
    *("resource", "scopeLogs", "logRecords", "scopeMetrics", "metrics", "name", "sum", "dataPoints", "asInt"),
    *("attributes", "key", "value", "values", "stringValue", "intValue", "kvlistValue", "arrayValue", "body"),
]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.sampled_from(["resourceLogs", "resourceMetrics", "resourceSpans"]), json_values)
def test_any_shape_of_json_is_read_or_a_fault(outer: str, value: Any) -> None:
    body = as_json({outer: value})
    for read in (
        lambda: list(log_records(body, JSON)),
        lambda: list(data_points(body, JSON, {"", "tokens"})),
        lambda: span_count(body, JSON),
    ):
        with suppress(OtlpFault):
            read()


@pytest.mark.parametrize("temporality", ["AGGREGATION_TEMPORALITY_CUMULATIVE", "2", 2])
def test_a_temporality_is_a_name_or_a_number(temporality: Any) -> None:
    payload = metrics("tokens", point(1), temporality=temporality)

    [found] = data_points(as_json(payload), JSON, WANTED)

    assert isinstance(found, DataPoint)
    assert found.temporality == 2


@pytest.mark.parametrize("temporality", ["FROM_TOMORROW", 77, None, [], {"a": 1}])
def test_an_unknown_temporality_is_unspecified_or_itself(temporality: Any) -> None:
    [found] = data_points(as_json(metrics("tokens", point(1), temporality=temporality)), JSON, WANTED)

    assert isinstance(found, DataPoint)
    assert found.temporality != 2


@pytest.mark.parametrize(
    "wrong", [5, {}, {"asInt": "x"}, {"asDouble": "NaN"}, {"asDouble": True}, {"asInt": 1, "attributes": 5}]
)
def test_a_wrong_point_is_rejected_alone(wrong: Any) -> None:
    payload = metrics("tokens", point(1), wrong, point(2))

    kinds = [type(item) for item in data_points(as_json(payload), JSON, WANTED)]

    assert kinds == [DataPoint, Rejected, DataPoint]


def test_other_metrics_and_other_kinds_are_passed_over() -> None:
    payload = metrics("tokens", point(1))
    payload["resourceMetrics"][0]["scopeMetrics"][0]["metrics"] += [
        {"name": "tokens", "histogram": {"dataPoints": [{"count": "1"}]}},
        {"name": "lines", "sum": {"dataPoints": [point(1)]}},
        {"name": "tokens", "gauge": {"dataPoints": [{"asInt": "7"}]}},
        {"sum": {}},
    ]

    points, histogram, lines, gauge, nameless = data_points(as_json(payload), JSON, WANTED)

    assert isinstance(points, DataPoint)
    assert (histogram, lines) == (Skipped("tokens"), Skipped("lines"))
    assert isinstance(gauge, DataPoint)
    assert (gauge.value, gauge.kind) == (7, "gauge")
    assert isinstance(nameless, Rejected)


def test_a_flood_of_empty_records_is_refused() -> None:
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[' + b"{}," * MOST_ITEMS + b"{}]}]}]}"

    with pytest.raises(OtlpFault, match="more than"):
        list(log_records(body, JSON))


def spans(count: int) -> dict[str, Any]:
    span = {"name": "chat", "startTimeUnixNano": "1", "attributes": key_values({"say": '"startTimeUnixNano"'})}
    return {"resourceSpans": [{"scopeSpans": [{"spans": [span] * count}]}]}


def test_spans_are_counted_in_both_encodings() -> None:
    from google.protobuf.json_format import ParseDict
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    message = ParseDict(spans(3), ExportTraceServiceRequest()).SerializeToString()

    assert span_count(as_json(spans(3)), JSON) == 3
    assert span_count(message, PROTOBUF) == 3
    assert span_count(as_json(as_json(spans(2)).decode()), JSON) == 2
    assert span_count(b"{}", JSON) == 0
    assert span_count(b"", PROTOBUF) == 0


@given(st.lists(st.tuples(st.integers(1, 20), st.binary(max_size=200)), max_size=20), st.binary(max_size=3))
def test_a_quick_count_is_the_count(contents: list[tuple[int, bytes]], rest: bytes) -> None:
    message = memoryview(b"".join(bytes_field(number, content) for number, content in contents) + rest)
    try:
        expected = sum(1 for _ in parts(message, 2))
    except OtlpFault:
        with pytest.raises(OtlpFault):
            count_parts(message, 2)
    else:
        assert count_parts(message, 2) == expected


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"resourceSpans":5}'])
def test_traces_that_are_none_are_a_fault(body: bytes) -> None:
    with pytest.raises(OtlpFault):
        span_count(body, JSON)


@given(st.dictionaries(st.text(), values, max_size=4), st.integers(0, 2**63))
def test_both_encodings_of_a_span_give_the_same(attributes: dict[str, Any], end_ns: int) -> None:
    told = span("chat", {"gen_ai.response.id": "r"} | attributes, endTimeUnixNano=str(end_ns))

    def read(body: bytes, content_type: str) -> Any:
        return traces(body, content_type, lambda _: True)

    assert read(as_json(trace_body(told)), JSON) == read(as_protobuf(trace_body(told)), PROTOBUF)


@given(st.data())
def test_any_damage_to_spans_is_survived(data: st.DataObject) -> None:
    told = trace_body(span("chat", {"gen_ai.response.id": "r", "n": 7}), span("GET /", {"x": 1}))
    content_type, encoded = data.draw(st.sampled_from([(JSON, as_json(told)), (PROTOBUF, as_protobuf(told))]))
    body = bytearray(encoded)
    for place in data.draw(st.lists(st.integers(0, len(body) - 1), min_size=1, max_size=4)):
        body[place] = data.draw(st.integers(0, 255))

    assert read_traces(bytes(body), content_type, LIMIT_BYTES).answer.status in (200, 400)

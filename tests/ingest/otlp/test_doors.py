"""The OTLP paths: what is wrong gets its prescribed answer, what is good is stored, nothing is a 5xx."""

import gzip
import json
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from ingest.body import OTLP_BODY_BYTES
from ingest.otlp.wire import bytes_field, fields
from tests.doors import Door, Reply, events_of
from tests.ingest.otlp.bodies import (
    JSON,
    PROTOBUF,
    TIME_NS,
    as_json,
    as_protobuf,
    key_values,
    log_record,
    logs,
    metrics,
    point,
    span,
    traces,
)
from tests.serving import Server

PATHS = ("/api/otel/v1/logs", "/api/otel/v1/metrics", "/api/otel/v1/traces")
PACKED = {"gzip": gzip.compress, "deflate": zlib.compress}


def post(door: Door, path: str, body: bytes, content_type: str = JSON, encoding: str | None = None) -> Reply:
    headers = {"Content-Type": content_type} | ({"Content-Encoding": encoding} if encoding else {})
    return door.send("POST", path, body, headers)


def session() -> str:
    return f"otlp-{uuid4().hex}"


def record(session_id: str, number: int = 0, **attributes: Any) -> dict[str, Any]:
    named = {"event.name": "tool_result", "session.id": session_id, "event.sequence": number}
    return log_record(named | attributes)


def assert_status(reply: Reply, status: int, code: int, content_type: str) -> None:
    """A google.rpc.Status in the encoding of the request."""
    assert (reply.status, reply.content_type.partition(";")[0]) == (status, content_type)
    if content_type == JSON:
        assert reply.body["code"] == code
        assert reply.body["message"]
    else:
        first, message = fields(memoryview(reply.content))
        assert bytes(first.raw) == bytes([8, code])
        assert message.content


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
def test_what_cannot_be_read_is_a_status_in_the_request_s_encoding(
    door: Door, path: str, content_type: str
) -> None:
    good = {"logs": logs(record("s")), "metrics": metrics("x", point(1)), "traces": traces(span())}
    payload = good[path.rpartition("/")[2]]
    for body in (as_json(payload)[:-5], as_protobuf(payload)[:-2], b"\xff" * 20):
        assert_status(post(door, path, body, content_type), 400, 3, content_type)
    other = as_protobuf(payload) if content_type == JSON else as_json(payload)
    assert_status(post(door, path, other, content_type), 400, 3, content_type)


@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_packed_bodies(door: Door, content_type: str, encoding: str) -> None:
    session_id = session()
    body = as_json(logs(record(session_id))) if content_type == JSON else as_protobuf(logs(record(session_id)))
    packed = PACKED[encoding](body)

    assert post(door, "/api/otel/v1/logs", packed, content_type, encoding).status == 200
    assert len(events_of(door, session_id)) == 1
    for wrong in (packed[:-6], b"no" + packed, body):
        assert_status(post(door, "/api/otel/v1/logs", wrong, content_type, encoding), 400, 3, content_type)


@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
def test_a_bomb_is_too_large(door: Door, content_type: str) -> None:
    bomb = gzip.compress(b"\0" * (OTLP_BODY_BYTES + 1))

    assert len(bomb) < 10_000
    assert_status(post(door, "/api/otel/v1/logs", bomb, content_type, "gzip"), 413, 8, content_type)


def test_ten_thousand_records_in_one_body(door: Door) -> None:
    session_id = session()
    body = as_protobuf(logs(*(record(session_id, number) for number in range(10_000))))

    assert post(door, "/api/otel/v1/logs", body, PROTOBUF).status == 200
    reply = door.send("GET", f"/api/events?session_id={session_id}&limit=1")
    assert reply.body["total"] == 10_000


def test_ten_exporters_at_once(door: Door) -> None:
    sessions = [session() for _ in range(10)]

    def export(session_id: str) -> list[int]:
        bodies = [as_json(logs(*(record(session_id, 10 * body + n) for n in range(10)))) for body in range(5)]
        return [post(door, "/api/otel/v1/logs", body).status for body in (*bodies, *bodies)]

    with ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(export, sessions))

    assert statuses == [[200] * 10] * 10
    assert [len(events_of(door, session_id)) for session_id in sessions] == [50] * 10


@pytest.mark.parametrize("time_ns", [0, 16_725_225_600 * 10**9, 2**64 - 1, 10**12])
@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
def test_absurd_times_are_taken_for_none(door: Door, time_ns: int, content_type: str) -> None:
    session_id = session()
    odd = log_record({"event.name": "tool_result", "session.id": session_id}, time_ns=time_ns)
    body = as_json(logs(odd)) if content_type == JSON else as_protobuf(logs(odd))

    assert post(door, "/api/otel/v1/logs", body, content_type).status == 200
    assert [row["client_timestamp"] for row in events_of(door, session_id)] == [None]


@pytest.mark.parametrize("time", ["-1", -5, "soon", None, 1e300, [], True])
def test_times_that_are_none_cost_nothing_in_json(door: Door, time: object) -> None:
    session_id = session()
    odd = record(session_id) | {"timeUnixNano": time, "observedTimeUnixNano": str(TIME_NS)}

    assert post(door, "/api/otel/v1/logs", as_json(logs(odd))).status == 200
    assert [row["client_timestamp"][:4] for row in events_of(door, session_id)] == ["2026"]


def nested(depth: int) -> dict[str, Any]:
    value: dict[str, Any] = {"stringValue": "deep"}
    for _ in range(depth):
        value = {"kvlistValue": {"values": [{"key": "in", "value": value}]}}
    return value


def nested_bytes(depth: int) -> bytes:
    value = bytes_field(1, b"deep")
    for _ in range(depth):
        value = bytes_field(6, bytes_field(1, bytes_field(1, b"in") + bytes_field(2, value)))
    return value


@pytest.mark.parametrize("depth", [100, 1000])
def test_attributes_nested_deep_cost_nothing_that_was_good(door: Door, depth: int) -> None:
    session_id = session()
    odd = record(session_id, 1)
    odd["attributes"] = [{"key": "deep", "value": nested(min(depth, 100))}, *odd["attributes"]]
    assert post(door, "/api/otel/v1/logs", as_json(logs(record(session_id), odd))).status == 200

    inner = as_protobuf(logs(record(session_id, 2)))
    [group] = [field.content for field in fields(memoryview(inner))]
    assert group is not None
    _, scoped = fields(group)
    assert scoped.content is not None
    log = next(field.content for field in fields(scoped.content) if field.number == 2)
    assert log is not None
    deep = bytes_field(6, bytes_field(1, b"deep") + bytes_field(2, nested_bytes(depth)))
    resource = bytes_field(1, b"".join(bytes(field.raw) for field in fields(group) if field.number == 1)[2:])
    body = bytes_field(1, resource + bytes_field(2, bytes_field(2, bytes(log) + deep)))
    assert post(door, "/api/otel/v1/logs", body, PROTOBUF).status == 200

    assert len(events_of(door, session_id)) == 3


def test_enumerations_are_names_numbers_or_unknown(door: Door) -> None:
    session_id = session()
    odd = [
        record(session_id, number) | {"severityNumber": severity, "flags": "x", "droppedAttributesCount": -1}
        for number, severity in enumerate(["SEVERITY_NUMBER_INFO", 9, "9", 9999, -3, None, "SEVERITY_NUMBER_MAD"])
    ]

    assert post(door, "/api/otel/v1/logs", as_json(logs(*odd))).content == b"{}"
    assert len(events_of(door, session_id)) == len(odd)
    for temporality in (99, "AGGREGATION_TEMPORALITY_MAD", -1, None, [], {}):
        payload = metrics("claude_code.token.usage", point(5, session__id=session_id), temporality=1)
        sum_of = payload["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]["sum"]
        sum_of["aggregationTemporality"] = temporality
        assert post(door, "/api/otel/v1/metrics", as_json(payload)).status == 200
    for code in (99, "STATUS_CODE_MAD", None, []):
        chat = span(attributes={"gen_ai.usage.input_tokens": 1}, status={"code": code}, kind="SPAN_KIND_MAD")
        assert post(door, "/api/otel/v1/traces", as_json(traces(chat))).content == b"{}"


def test_integers_are_numbers_or_texts_up_to_64_bits(door: Door) -> None:
    session_id = session()
    kinds = [{"intValue": "42"}, {"intValue": 42}, {"doubleValue": 42.0}, {"stringValue": "42"}]
    odd = [record(session_id, number) for number in range(len(kinds))]
    for item, kind in zip(odd, kinds, strict=True):
        item["attributes"].append({"key": "duration_ms", "value": kind})
    huge = record(session_id, 99, big=2**63 - 1)

    assert post(door, "/api/otel/v1/logs", as_json(logs(*odd, huge))).content == b"{}"
    assert [row["duration_ms"] for row in events_of(door, session_id)] == [42, 42, 42, 42, None]


@pytest.mark.parametrize("content_type", [JSON, PROTOBUF])
def test_what_is_wrong_is_counted_and_what_is_good_is_stored(door: Door, content_type: str) -> None:
    session_id = session()
    too_much = {"event.name": "api_request", "session.id": session_id, "input_tokens": 10**12}
    payload = logs(record(session_id, 1), log_record(too_much), log_record(too_much), record(session_id, 2))
    body = as_json(payload) if content_type == JSON else as_protobuf(payload)

    reply = post(door, "/api/otel/v1/logs", body, content_type)

    assert reply.status == 200
    if content_type == JSON:
        told = json.loads(reply.content)["partialSuccess"]
        assert told["rejectedLogRecords"] == "2"
        assert told["errorMessage"].startswith("input_tokens must be")
    else:
        [partial] = [field.content for field in fields(memoryview(reply.content))]
        assert partial is not None
        count, message = fields(partial)
        assert bytes(count.raw) == b"\x08\x02"
        assert bytes(message.content or b"").startswith(b"input_tokens must be")
    assert len(events_of(door, session_id)) == 2


def test_a_resource_that_cannot_be_read_costs_its_own_records_alone(door: Door) -> None:
    session_id = session()
    good = as_protobuf(logs(record(session_id)))
    bad = bytes_field(1, bytes_field(1, bytes_field(1, b"\xff\xff")) + bytes_field(2, bytes_field(2, b"")))
    unreadable = bytes_field(1, bytes_field(1, b"\xff\xff\xff") + bytes_field(2, bytes_field(2, b"")))

    for body in (bad + good, unreadable + good):
        assert post(door, "/api/otel/v1/logs", body, PROTOBUF).status == 200
    assert len(events_of(door, session_id)) == 1


def test_attributes_of_every_kind_are_taken(door: Door) -> None:
    session_id = session()
    values = {
        "n": None,
        "f": 1.5,
        "nan": float("nan"),
        "b": True,
        "l": [1, "x", [2.5]],
        "m": {"k": {"j": 1}},
        "": "",
    }
    payload = logs(record(session_id) | {"body": {"kvlistValue": {"values": key_values(values)}}})

    assert post(door, "/api/otel/v1/logs", as_json(payload)).content == b"{}"
    assert post(door, "/api/otel/v1/logs", as_protobuf(payload), PROTOBUF).content == b""
    [event] = events_of(door, session_id)
    assert json.loads(event["metadata"])["m"] == {"k": {"j": 1}}


def test_what_came_is_counted_for_the_status_page(server: Server) -> None:
    def left_out() -> int:
        return int(server.client.get("/api/status").json()["otlp"]["left_out"].get("spans", 0))

    flood = traces(*(span("GET /", {"http.method": "GET"}, spanId=f"{number:016x}") for number in range(1, 51)))
    before = left_out()
    for _ in range(2):
        # The root is where exporters look by default.
        sent = server.client.post("/v1/traces", content=as_protobuf(flood), headers={"Content-Type": PROTOBUF})
        assert (sent.status_code, sent.content) == (200, b"")

    assert left_out() - before == 100


def test_an_exporter_that_adds_no_path_to_its_endpoint_is_understood_by_what_it_sends(door: Door) -> None:
    """Gemini CLI up to 0.17."""
    session_id = session()
    bodies = (as_json(logs(record(session_id))), as_json(metrics("m", point(1))), as_json(traces(span())))
    assert [post(door, "/api/otel", body).status for body in bodies] == [200, 200, 200]
    assert len(events_of(door, session_id)) == 1


@pytest.mark.parametrize(("body", "content_type"), [(b"{}", JSON), (as_protobuf(logs()), PROTOBUF)])
def test_what_does_not_say_which_signal_it_is_gets_a_400_that_names_the_paths(
    door: Door, body: bytes, content_type: str
) -> None:
    assert_status(post(door, "/api/otel", body, content_type), 400, 3, content_type)

import json

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse

from ingest.otlp.answer import accepted, failed, refused
from ingest.otlp.wire import fields
from tests.ingest.otlp.bodies import JSON, PROTOBUF


def test_success_is_an_empty_object_or_an_empty_message() -> None:
    assert accepted("logs", JSON) == (200, b"{}", b"application/json; charset=utf-8")
    assert accepted("logs", None).body == b"{}"
    assert accepted("logs", PROTOBUF) == (200, b"", b"application/x-protobuf")


def test_a_partial_success_says_how_many_and_why() -> None:
    answer = json.loads(accepted("metrics", JSON, 3, "a body is missing (3)").body)

    assert answer == {"partialSuccess": {"rejectedDataPoints": "3", "errorMessage": "a body is missing (3)"}}


def test_a_partial_success_in_protobuf_is_what_the_library_reads() -> None:
    logs = ExportLogsServiceResponse.FromString(accepted("logs", PROTOBUF, 300, "wrong: ä").body)
    metrics = ExportMetricsServiceResponse.FromString(accepted("metrics", PROTOBUF, 1, "no").body)

    assert (logs.partial_success.rejected_log_records, logs.partial_success.error_message) == (300, "wrong: ä")
    assert metrics.partial_success.rejected_data_points == 1


def test_a_refusal_in_json_is_a_status_beside_the_contract_s_error() -> None:
    answer = refused(JSON, "cut short")

    assert (answer.status, answer.content_type) == (400, b"application/json; charset=utf-8")
    assert json.loads(answer.body) == {
        "error": "Invalid OTEL JSON payload",
        "code": 3,
        "message": "Invalid OTLP payload: cut short",
    }


def test_who_names_no_content_type_gets_the_contract_s_error_alone() -> None:
    assert json.loads(refused(None, "cut short").body) == {"error": "Invalid OTEL JSON payload"}


def test_a_refusal_is_a_status_in_protobuf() -> None:
    answer = refused(PROTOBUF, "cut short")

    code, message = fields(memoryview(answer.body))
    assert (answer.status, answer.content_type) == (400, b"application/x-protobuf")
    assert bytes(code.raw) == b"\x08\x03"
    assert message.number == 2
    assert message.content == b"Invalid OTLP payload: cut short"


def test_other_failures_speak_the_request_s_encoding_too() -> None:
    assert json.loads(failed(503, JSON, 14, "later").body) == {"error": "later", "code": 14, "message": "later"}
    assert failed(503, PROTOBUF, 14, "later").body == b"\x08\x0e\x12\x05later"

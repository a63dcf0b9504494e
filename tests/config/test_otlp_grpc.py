"""`serve --otlp-grpc`: the same path as over HTTP, for exporters that speak nothing else."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse

from ingest.body import OTLP_BODY_BYTES
from tests.conftest import ServerFactory
from tests.ingest.otlp.bodies import as_protobuf, log_record, logs, metrics, point, span, traces
from tests.serving import Server, free_port

LOGS = "logs.v1.LogsService"


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def grpc_server(serving: ServerFactory, port: int) -> Iterator[Server]:
    with serving(arguments=("--otlp-grpc", str(port))) as server:
        yield server


@pytest.fixture
def channel(grpc_server: Server, port: int) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(f"127.0.0.1:{port}", options=[("grpc.max_send_message_length", -1)]) as opened:
        yield opened


def export(channel: grpc.Channel, service: str, body: bytes, **options: Any) -> bytes:
    call = channel.unary_unary(f"/opentelemetry.proto.collector.{service}/Export")
    answer = call(body, timeout=20, **options)
    assert isinstance(answer, bytes)
    return answer


def total(server: Server, session_id: str) -> int:
    return int(server.client.get("/api/events", params={"session_id": session_id}).json()["total"])


def record(session_id: str, **attributes: Any) -> dict[str, Any]:
    return log_record({"event.name": "tool_result", "session.id": session_id} | attributes)


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_all_three_signals_are_stored(
    grpc_server: Server, channel: grpc.Channel, compression: grpc.Compression
) -> None:
    session_id = uuid4().hex
    chat = span(attributes={"gen_ai.usage.input_tokens": 1, "gen_ai.conversation.id": session_id})
    tokens = metrics("claude_code.token.usage", point(5, session__id=session_id, model="claude-opus-4-8"))

    for service, payload in (
        (LOGS, logs(record(session_id))),
        ("metrics.v1.MetricsService", tokens),
        ("trace.v1.TraceService", traces(chat)),
    ):
        assert export(channel, service, as_protobuf(payload), compression=compression) == b""

    assert total(grpc_server, session_id) >= 2


def test_a_partial_success_counts_what_was_rejected(grpc_server: Server, channel: grpc.Channel) -> None:
    session_id = uuid4().hex
    too_much = log_record({"event.name": "api_request", "session.id": session_id, "input_tokens": 10**12})

    answer = export(channel, LOGS, as_protobuf(logs(record(session_id), too_much)))

    assert ExportLogsServiceResponse.FromString(answer).partial_success.rejected_log_records == 1
    assert total(grpc_server, session_id) == 1


@pytest.mark.parametrize(
    ("body", "compression", "code"),
    [
        (b"\xff\xff", grpc.Compression.NoCompression, grpc.StatusCode.INVALID_ARGUMENT),
        (b"\0" * (OTLP_BODY_BYTES + 1), grpc.Compression.NoCompression, grpc.StatusCode.RESOURCE_EXHAUSTED),
        (b"\0" * (OTLP_BODY_BYTES + 1), grpc.Compression.Gzip, grpc.StatusCode.RESOURCE_EXHAUSTED),
    ],
    ids=["unreadable", "too large", "bomb"],
)
def test_what_is_wrong_gets_its_status(
    channel: grpc.Channel, body: bytes, compression: grpc.Compression, code: grpc.StatusCode
) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        export(channel, LOGS, body, compression=compression)

    assert refused.value.code() == code


def test_a_token_is_asked_for(serving: ServerFactory) -> None:
    port, body = free_port(), as_protobuf(logs(record("s")))
    with (
        serving(arguments=("--otlp-grpc", str(port)), AGENTMONITOR_TOKEN="secret"),
        grpc.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        with pytest.raises(grpc.RpcError) as refused:
            export(channel, LOGS, body)
        assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
        assert export(channel, LOGS, body, metadata=[("authorization", "Bearer secret")]) == b""


def test_without_the_option_grpc_is_not_loaded() -> None:
    program = "import sys, config.asgi; sys.exit('grpc' in sys.modules)"

    ended = subprocess.run([sys.executable, "-c", program], check=False, timeout=60, cwd=Path(__file__).parents[2])

    assert ended.returncode == 0

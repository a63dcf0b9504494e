"""OTLP/gRPC: the three Export calls, over the same path as OTLP/HTTP. grpcio is loaded only where this is wanted.

Messages are taken and given as bytes, so no generated stubs are needed. What HTTP says by status, gRPC says by a
code: INVALID_ARGUMENT for what can't be read, RESOURCE_EXHAUSTED beyond the limit, UNAVAILABLE for "try again".
"""

import hmac
from collections.abc import Callable
from concurrent import futures
from typing import Any, Final

import grpc

from ingest import gateway
from ingest.body import OTLP_BODY_BYTES
from ingest.otlp.wire import parts
from ingest.otlp_gateway import WORKS
from ingest.writer import Writer

PROTOBUF: Final = "application/x-protobuf"
SERVICES: Final = {
    "logs": "opentelemetry.proto.collector.logs.v1.LogsService",
    "metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "traces": "opentelemetry.proto.collector.trace.v1.TraceService",
}
# Exporters send one body after another; each waits for its commit.
THREADS: Final = 8
STOP_SECONDS: Final = 3.0
CODES: Final = {
    400: grpc.StatusCode.INVALID_ARGUMENT,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    503: grpc.StatusCode.UNAVAILABLE,
}


class GrpcDoor:
    """Listens on one address until it is stopped. Raises OSError when nobody can listen there."""

    def __init__(self, address: str, writer: Writer, token: bytes | None) -> None:
        self._writer, self._token = writer, token
        self._server = grpc.server(
            futures.ThreadPoolExecutor(THREADS, thread_name_prefix="otlp-grpc"),
            # Two servers on one port would share its calls.
            options=[("grpc.max_receive_message_length", OTLP_BODY_BYTES), ("grpc.so_reuseport", 0)],
        )
        for signal, service in SERVICES.items():
            handler = grpc.unary_unary_rpc_method_handler(self._export(signal))
            self._server.add_generic_rpc_handlers(
                (grpc.method_handlers_generic_handler(service, {"Export": handler}),)
            )
        try:
            bound = self._server.add_insecure_port(address)
        except RuntimeError as error:
            raise OSError(str(error)) from None
        if not bound:
            raise OSError(f"can't listen on {address}")
        self._server.start()

    def stop(self) -> None:
        self._server.stop(STOP_SECONDS).wait(STOP_SECONDS)

    def _export(self, signal: str) -> Callable[[bytes, Any], bytes]:
        work = WORKS[signal]

        def export(body: bytes, context: Any) -> bytes:
            if not self._is_authorized(context):
                context.abort(grpc.StatusCode.UNAUTHENTICATED, "a token is required")
            answer = gateway.perform_blocking(work(body, PROTOBUF), self._writer, len(body))
            if answer.status != 200:
                context.abort(CODES[answer.status], _message(answer.body))
            return answer.body

        return export

    def _is_authorized(self, context: Any) -> bool:
        if self._token is None:
            return True
        given = str(dict(context.invocation_metadata()).get("authorization", ""))
        scheme, _, token = given.partition(" ")
        return scheme.lower() == "bearer" and hmac.compare_digest(token.strip().encode(), self._token)


def _message(status: bytes) -> str:
    """The text of a google.rpc.Status."""
    return next((bytes(text).decode("utf-8", "replace") for text in parts(memoryview(status), 2)), "")

"""Large OTLP bodies cut down to their first few records, so that the form stays and the flood goes."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf.message import Message
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

KEPT_RECORDS = 8
# Path of a signal → the lists on the way to its records, as JSON names and as protobuf names.
LEVELS = {
    "/v1/traces": (("resourceSpans", "scopeSpans", "spans"), ("resource_spans", "scope_spans", "spans")),
    "/v1/metrics": (
        ("resourceMetrics", "scopeMetrics", "metrics"),
        ("resource_metrics", "scope_metrics", "metrics"),
    ),
}


def shortened(path: str, body: bytes, *, is_json: bool) -> bytes:
    """The body with the first records of each scope; logs are never cut."""
    if path not in LEVELS:
        return body
    json_names, proto_names = LEVELS[path]
    return _shortened_json(body, json_names) if is_json else _shortened_proto(path, body, proto_names)


def _shortened_json(body: bytes, names: tuple[str, str, str]) -> bytes:
    request: dict[str, Any] = json.loads(body)
    for resource in request.get(names[0], ()):
        for scope in resource.get(names[1], ()):
            scope[names[2]] = scope.get(names[2], [])[:KEPT_RECORDS]
    return json.dumps(request).encode()


def _shortened_proto(path: str, body: bytes, names: tuple[str, str, str]) -> bytes:
    kind = ExportTraceServiceRequest if path == "/v1/traces" else ExportMetricsServiceRequest
    request: Message = kind.FromString(body)
    for resource in getattr(request, names[0]):
        for scope in getattr(resource, names[1]):
            del getattr(scope, names[2])[KEPT_RECORDS:]
    return request.SerializeToString()

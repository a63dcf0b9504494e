"""OTLP bodies in both encodings, from plain Python values."""

import base64
import json
import math
from typing import Any

from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ingest.contract import NewEvent
from ingest.otlp.service import OtlpOutcome, read_logs

JSON, PROTOBUF = "application/json", "application/x-protobuf"
LIMIT_BYTES = 10_240
TIME_NS = 1771437601231000000
# As the JSON form of protobuf writes them.
NOT_FINITE = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}


def any_value(value: Any) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value if math.isfinite(value) else NOT_FINITE[str(value)]}
    if isinstance(value, list):
        return {"arrayValue": {"values": [any_value(item) for item in value]}}
    if isinstance(value, dict):
        return {"kvlistValue": {"values": key_values(value)}}
    return {} if value is None else {"stringValue": value}


def key_values(attributes: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": any_value(value)} for key, value in attributes.items()]


def log_record(attributes: dict[str, Any], *, time_ns: int = TIME_NS, **fields: Any) -> dict[str, Any]:
    return {"timeUnixNano": str(time_ns), "attributes": key_values(attributes), **fields}


def logs(*records: Any, service: str = "claude-code", **resource: Any) -> dict[str, Any]:
    attributes = key_values({"service.name": service, **resource})
    scope = {"name": "test"}
    return {
        "resourceLogs": [
            {"resource": {"attributes": attributes}, "scopeLogs": [{"scope": scope, "logRecords": list(records)}]}
        ]
    }


def metrics(name: str, *points: Any, temporality: int = 1, service: str = "claude-code") -> dict[str, Any]:
    metric = {
        "name": name,
        "sum": {"aggregationTemporality": temporality, "isMonotonic": True, "dataPoints": list(points)},
    }
    resource = {"attributes": key_values({"service.name": service})}
    return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": [metric]}]}]}


def point(value: float, at_ns: int | None = TIME_NS, **attributes: Any) -> dict[str, Any]:
    named = {name.replace("__", "."): value for name, value in attributes.items()}
    content: dict[str, Any] = {"asDouble": value, "attributes": key_values(named)}
    return content if at_ns is None else content | {"timeUnixNano": str(at_ns)}


def span(name: str = "chat gpt-4.1", attributes: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """A span of two seconds, the second of its trace unless `fields` say otherwise."""
    return {
        "traceId": "0af7651916cd43dd8448eb211c80319c",
        "spanId": "b7ad6b7169203331",
        "parentSpanId": "00f067aa0ba902b7",
        "name": name,
        "startTimeUnixNano": str(TIME_NS - 2_000_000_000),
        "endTimeUnixNano": str(TIME_NS),
        "attributes": key_values(attributes or {}),
        **fields,
    }


def traces(*spans: Any, service: str = "my-agent", **resource: Any) -> dict[str, Any]:
    attributes = key_values({"service.name": service, **resource})
    return {"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [{"spans": list(spans)}]}]}


def as_json(payload: Any) -> bytes:
    return json.dumps(payload).encode()


def as_protobuf(payload: dict[str, Any]) -> bytes:
    if "resourceSpans" in payload:
        return ParseDict(_with_binary_ids(payload), ExportTraceServiceRequest()).SerializeToString()
    message = ExportMetricsServiceRequest() if "resourceMetrics" in payload else ExportLogsServiceRequest()
    return ParseDict(payload, message).SerializeToString()


def _with_binary_ids(payload: dict[str, Any]) -> dict[str, Any]:
    """OTLP writes ids in hexadecimal where protobuf's own JSON has base64."""
    fresh: dict[str, Any] = json.loads(json.dumps(payload))
    for group in fresh["resourceSpans"]:
        for item in (item for scoped in group["scopeSpans"] for item in scoped["spans"]):
            for name in ("traceId", "spanId", "parentSpanId"):
                item[name] = base64.b64encode(bytes.fromhex(item[name])).decode()
    return fresh


def read(payload: Any) -> OtlpOutcome:
    return read_logs(as_json(payload), JSON, LIMIT_BYTES)


def only_event(attributes: dict[str, Any], *, service: str = "claude-code", **fields: Any) -> NewEvent:
    """The one event that one record with these attributes becomes."""
    session = {} if "session.id" in attributes else {"session.id": "s-1"}
    outcome = read(logs(log_record(session | attributes, **fields), service=service))
    assert outcome.answer.status == 200
    assert outcome.rejected == 0
    [event] = outcome.events
    return event


def dropped(attributes: dict[str, Any], *, service: str = "claude-code") -> dict[str, int]:
    outcome = read(logs(log_record({"session.id": "s-1"} | attributes), service=service))
    assert outcome.events == []
    return outcome.dropped


def metadata(event: NewEvent) -> dict[str, Any]:
    content = json.loads(event.metadata)
    assert isinstance(content, dict)
    return content

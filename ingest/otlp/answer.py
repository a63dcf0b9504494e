"""The answers of the OTLP doors, in the encoding of the request. Pure."""

from typing import Final, NamedTuple

import msgspec

from ingest.otlp.decode import is_protobuf
from ingest.otlp.wire import bytes_field, number_field

JSON_TYPE: Final = b"application/json; charset=utf-8"
PROTOBUF_TYPE: Final = b"application/x-protobuf"
INVALID: Final = "Invalid OTEL JSON payload"
# google.rpc.Code
INVALID_ARGUMENT, RESOURCE_EXHAUSTED, UNAVAILABLE = 3, 8, 14
REJECTED_NAMES: Final = {"logs": "rejectedLogRecords", "metrics": "rejectedDataPoints", "traces": "rejectedSpans"}


class OtlpAnswer(NamedTuple):
    status: int
    body: bytes
    content_type: bytes


def accepted(signal: str, content_type: str | None, rejected: int = 0, message: str = "") -> OtlpAnswer:
    """200 for one of the signals logs, metrics, traces; with a partial success when something was rejected."""
    if is_protobuf(content_type):
        partial = number_field(1, rejected) + bytes_field(2, message.encode())
        return OtlpAnswer(200, bytes_field(1, partial) if rejected else b"", PROTOBUF_TYPE)
    content: dict[str, object] = {}
    if rejected:
        # 64-bit integers are texts in the JSON form of protobuf.
        content["partialSuccess"] = {REJECTED_NAMES[signal]: str(rejected), "errorMessage": message}
    return OtlpAnswer(200, msgspec.json.encode(content), JSON_TYPE)


def refused(content_type: str | None, reason: str) -> OtlpAnswer:
    """400 for a body that can't be read."""
    return failed(400, content_type, INVALID_ARGUMENT, f"Invalid OTLP payload: {reason}", error=INVALID)


def failed(status: int, content_type: str | None, code: int, message: str, error: str | None = None) -> OtlpAnswer:
    """A google.rpc.Status in the encoding of the request; in JSON beside the contract's `error`.

    Who names no content type is no exporter of OTLP, and gets the `error` alone.
    """
    if is_protobuf(content_type):
        return OtlpAnswer(status, number_field(1, code) + bytes_field(2, message.encode()), PROTOBUF_TYPE)
    content: dict[str, object] = {"error": error or message}
    if content_type is not None:
        content |= {"code": code, "message": message}
    return OtlpAnswer(status, msgspec.json.encode(content), JSON_TYPE)

"""Recordings name neither the machine nor carry the clients' own texts."""

from __future__ import annotations

import json
import platform
import socket
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span

from .otlp_samples import KEPT_RECORDS, shortened
from .scrub import require_neutral, scrub_tree, trimmed, without_machine


def resource_of(values: dict[str, str]) -> Resource:
    resource = Resource()
    for key, value in values.items():
        resource.attributes.add(key=key).value.string_value = value
    return resource


def test_host_and_kernel_leave_protobuf_at_equal_length() -> None:
    body = resource_of({"host.name": socket.gethostname(), "os.version": platform.release()}).SerializeToString()
    scrubbed = without_machine(body)
    read = {item.key: item.value.string_value for item in Resource.FromString(scrubbed).attributes}
    assert len(scrubbed) == len(body)
    assert read["host.name"] != socket.gethostname()
    assert read["os.version"] != platform.release()


@pytest.mark.parametrize("indent", [None, 2])
def test_host_leaves_json_however_it_is_spaced(indent: int | None) -> None:
    host = {"key": "host.name", "value": {"stringValue": socket.gethostname()}}
    separators = (",", ":") if indent is None else None
    body = json.dumps({"attributes": [host]}, indent=indent, separators=separators).encode()
    read = json.loads(without_machine(body))["attributes"][0]["value"]["stringValue"]
    assert read != socket.gethostname()


def test_long_texts_of_a_line_become_their_length() -> None:
    line = json.dumps({"type": "session_meta", "base": {"text": "x" * 5000}, "id": "a"})
    assert json.loads(trimmed(line)) == {
        "type": "session_meta",
        "base": {"text": "[5000 characters of the client's own text left out]"},
        "id": "a",
    }


def test_other_lines_stay_byte_for_byte() -> None:
    line = '{"type": "user",  "message": {"content": "short"}}'
    assert trimmed(line) == line


def test_a_recording_with_a_forbidden_word_is_refused(tmp_path: Path) -> None:
    (tmp_path / "0001.pb").write_bytes(b"\x00/opt/cli/bin\x00")
    with pytest.raises(ValueError, match="/opt/cli"):
        require_neutral(tmp_path, ("/opt/cli",))


def test_the_program_and_its_owner_move_to_a_usual_place(tmp_path: Path) -> None:
    owner = {"key": "process.owner", "value": {"stringValue": "somebody"}}
    (tmp_path / "otlp").mkdir()
    path = tmp_path / "otlp" / "0001.json"
    path.write_text(json.dumps({"command": "/opt/cli/bin/agent", "attributes": [owner]}))
    scrub_tree(tmp_path, ["/opt/cli/bin"])
    read = json.loads(path.read_text())
    assert read["command"] == "/usr/local/bin/agent"
    assert read["attributes"][0]["value"] == {"stringValue": "dev"}


@pytest.mark.parametrize("is_json", [True, False])
def test_large_bodies_keep_their_first_records(*, is_json: bool) -> None:
    names = [f"span {number}" for number in range(KEPT_RECORDS + 5)]
    if is_json:
        spans = [{"name": name} for name in names]
        body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()
        cut = json.loads(shortened("/v1/traces", body, is_json=True))
        kept = [span["name"] for span in cut["resourceSpans"][0]["scopeSpans"][0]["spans"]]
    else:
        scope = ScopeSpans(spans=[Span(name=name) for name in names])
        request = ExportTraceServiceRequest(resource_spans=[ResourceSpans(scope_spans=[scope])])
        cut_body = shortened("/v1/traces", request.SerializeToString(), is_json=False)
        kept = [
            s.name for s in ExportTraceServiceRequest.FromString(cut_body).resource_spans[0].scope_spans[0].spans
        ]
    assert kept == names[:KEPT_RECORDS]

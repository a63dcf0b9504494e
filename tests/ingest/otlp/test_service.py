import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.otlp.service import MOST_NAMES, OTHER_NAMES, read_logs, read_metrics, read_traces
from tests.ingest.otlp.bodies import (
    JSON,
    LIMIT_BYTES,
    PROTOBUF,
    any_value,
    as_json,
    as_protobuf,
    log_record,
    logs,
    read,
)

RECORD = log_record({"event.name": "x.error", "session.id": "s"})


def test_the_answer_speaks_the_request_s_encoding() -> None:
    in_json, in_protobuf = read(logs(RECORD)), read_logs(as_protobuf(logs(RECORD)), PROTOBUF, LIMIT_BYTES)

    assert in_json.answer == (200, b"{}", b"application/json; charset=utf-8")
    assert in_protobuf.answer == (200, b"", b"application/x-protobuf")
    assert in_json.events == in_protobuf.events


def test_what_was_rejected_is_counted_with_its_reasons() -> None:
    outcome = read(logs(RECORD, 5, {"attributes": 7}, 6, RECORD))

    assert len(outcome.events) == 2
    assert outcome.rejected == 3
    assert json.loads(outcome.answer.body)["partialSuccess"] == {
        "rejectedLogRecords": "3",
        "errorMessage": "a log record must be an object (2); attributes must be a list (1)",
    }


@pytest.mark.parametrize("depth", [*range(900, 1000, 3), 5000])
def test_a_body_nested_to_any_depth_costs_at_most_its_own_record(depth: int) -> None:
    deep = '{"a":' * depth + "1" + "}" * depth
    record = log_record({"event.name": "x.error", "session.id": "deep"}, body=any_value(deep))

    outcome = read(logs(RECORD, record, RECORD))

    assert outcome.answer.status == 200
    assert [event.session_id for event in outcome.events].count("s") == 2
    assert len(outcome.events) + outcome.rejected == 3


def test_nothing_is_told_of_a_body_that_breaks_off() -> None:
    body = as_protobuf(logs(RECORD)) * 2

    outcome = read_logs(body[:-3], PROTOBUF, LIMIT_BYTES)

    assert (outcome.answer.status, outcome.events) == (400, [])


def test_a_wrong_body_is_refused_at_every_door() -> None:
    for content_type in (JSON, PROTOBUF):
        for outcome in (
            read_logs(b"{nope", content_type, LIMIT_BYTES),
            read_metrics(b"{nope", content_type),
            read_traces(b"{nope", content_type, LIMIT_BYTES),
        ):
            assert outcome.answer.status == 400
            assert outcome.answer.content_type.startswith(content_type.encode())


def test_names_of_what_is_dropped_are_bounded() -> None:
    records = [log_record({"event.name": f"made up {number}"}) for number in range(MOST_NAMES + 20)]

    outcome = read(logs(*records))

    assert len(outcome.dropped) == MOST_NAMES + 1
    assert outcome.dropped[OTHER_NAMES] == 20


@given(st.binary(max_size=300), st.sampled_from([JSON, PROTOBUF, None]))
def test_no_body_fails(body: bytes, content_type: str | None) -> None:
    statuses = {
        read_logs(body, content_type, LIMIT_BYTES).answer.status,
        read_metrics(body, content_type).answer.status,
        read_traces(body, content_type, LIMIT_BYTES).answer.status,
    }

    assert statuses <= {200, 400}


def test_json_alone_does_not_load_the_protobuf_library() -> None:
    program = (
        "import sys; from ingest.otlp.service import read_metrics; read_metrics(b'{}', 'application/json'); "
        "sys.exit('google.protobuf' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_a_replayed_json_body_is_the_same_events() -> None:
    body = as_json(logs(RECORD, RECORD))

    assert read_logs(body, JSON, LIMIT_BYTES).events == read_logs(body, JSON, LIMIT_BYTES).events

"""The contract's recorded pairs: what its requests become, field by field.

Where a later version or ours differs from the recording, the difference is named here.
"""

import json
from operator import itemgetter
from pathlib import Path
from typing import Any

import pytest

from ingest.contract import NewEvent
from ingest.ledger import call_of, usage_of
from ingest.metric_ledger import Seen, event_of, grown
from ingest.otlp.service import OtlpOutcome, read_logs, read_metrics, read_traces
from monitor.times import iso_text
from pricing.registry import default_registry
from tests.ingest.otlp.bodies import LIMIT_BYTES

PAIRS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "fixtures" / "contract" / "otel.json").read_text()
)
NAME = itemgetter("name")
PLAIN = (
    *("event_type", "session_id", "agent_type", "tool_name", "status", "tokens_in", "tokens_out", "branch"),
    *("project", "duration_ms", "model", "cache_read_tokens", "cache_write_tokens", "source"),
)


def send(pair: dict[str, Any]) -> OtlpOutcome:
    request = pair["request"]
    content_type = request.get("headers", {}).get("Content-Type", "application/json")
    body = json.dumps(request["body"]).encode() if "body" in request else request.get("raw", "").encode()
    if request.get("headers", {}).get("Content-Encoding"):
        body = b"{}"
    signal = request["path"].rpartition("/")[2]
    if signal == "metrics":
        return read_metrics(body, content_type)
    return (
        read_logs(body, content_type, LIMIT_BYTES)
        if signal == "logs"
        else read_traces(body, content_type, LIMIT_BYTES)
    )


def posts(*, failed: bool) -> list[dict[str, Any]]:
    """The recorded requests that the seed answered, or those it failed at."""
    sent = [pair for pair in PAIRS if pair["request"]["method"] == "POST"]
    return [pair for pair in sent if (pair["response"]["status"] == 500) == failed]


def events_of(session_id: str) -> list[NewEvent]:
    sent = [send(pair) for pair in posts(failed=False)]
    told = [event for outcome in sent for event in outcome.events]
    seen: dict[str, Seen] = {}
    for reading in (reading for outcome in sent for reading in outcome.readings):
        amount = reading.amount
        if reading.series is not None:
            amount, seen[reading.series] = grown(seen.get(reading.series), amount, reading.at_ms)
        if amount:
            told.append(event_of(reading, amount))
    return [event for event in told if event.session_id == session_id]


def rows_of(session_id: str) -> list[dict[str, Any]]:
    [rows] = [
        pair["response"]["body"]["events"]
        for pair in PAIRS
        if pair["request"]["method"] == "GET" and f"/{session_id}?" in pair["request"]["path"]
    ]
    return list(rows)


def cost_usd(event: NewEvent) -> float | None:
    if event.cost_nanos is not None:
        return event.cost_nanos / 1e9
    call = call_of(event, 1)
    usage = call.usage if call else usage_of(event)
    is_priced = event.model and (call or event.is_sum)
    priced = default_registry().price(event.model or "", usage, event.client_at_ms) if is_priced else None
    return None if priced is None else priced.cost_nanos / 1e9


def assert_row(event: NewEvent, row: dict[str, Any]) -> None:
    assert {name: getattr(event, name) for name in PLAIN} == {name: row[name] for name in PLAIN}
    at_ms = event.client_at_ms
    assert (None if at_ms is None else iso_text(at_ms)) == row["client_timestamp"]
    metadata = json.loads(event.metadata)
    # A later version adds the name of the event.
    metadata.pop("otel_event_name", None)
    assert metadata == json.loads(row["metadata"])
    if row["cost_usd"] is None and (row["cache_read_tokens"] or row["cache_write_tokens"]):
        # Ours: cache tokens alone have a price too.
        assert cost_usd(event)
    else:
        assert cost_usd(event) == pytest.approx(row["cost_usd"])


@pytest.mark.parametrize("session_id", ["fx-otel-c", "fx-otel-x"])
def test_the_recorded_logs_become_the_recorded_rows(session_id: str) -> None:
    events, rows = events_of(session_id), rows_of(session_id)

    assert len(events) == len(rows)
    for event, row in zip(events, rows, strict=True):
        assert_row(event, row)


def test_the_recorded_metrics_become_the_recorded_rows() -> None:
    events, rows = events_of("fx-otel-m"), rows_of("fx-otel-m")
    # Ours: a counter that starts again counts from its new value; the recording lost those 100 tokens.
    reset = rows[3] | {"tokens_out": 100, "cost_usd": 0.0015}

    assert len(events) == len(rows) + 1
    for event, row in zip(events, [*rows[:3], reset, *rows[3:]], strict=True):
        assert_row(event, row)


@pytest.mark.parametrize("pair", posts(failed=False), ids=NAME)
def test_the_recorded_requests_are_answered_as_recorded(pair: dict[str, Any]) -> None:
    answer = send(pair).answer

    if "protobuf" in pair["name"]:
        # Ours takes what the recording refused.
        assert answer == (200, b"", b"application/x-protobuf")
    else:
        assert (answer.status, json.loads(answer.body)) == (200, pair["response"]["body"])
        assert answer.content_type.decode() == pair["response"]["content_type"]


@pytest.mark.parametrize("pair", posts(failed=True), ids=NAME)
def test_what_the_recording_failed_at_is_refused(pair: dict[str, Any]) -> None:
    answer = send(pair).answer

    assert (answer.status, json.loads(answer.body)["error"]) == (400, "Invalid OTEL JSON payload")

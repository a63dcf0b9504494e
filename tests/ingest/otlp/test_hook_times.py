"""What a client reports of its hooks' time."""

import json
from pathlib import Path

import pytest

from ingest.otlp.claude_code import hook_time
from ingest.otlp.decode import log_records
from ingest.otlp.records import LogRecord

CAPTURES = Path(__file__).parents[2] / "fixtures/clients/claude-2.1.197/otlp"


def record(**attributes: object) -> LogRecord:
    values = {
        "event.name": "hook_execution_complete",
        "hook_event": "Stop",
        "total_duration_ms": "12",
    } | attributes
    told = [{"key": key, "value": {"stringValue": value}} for key, value in values.items() if value is not None]
    body = {"resourceLogs": [{"scopeLogs": [{"logRecords": [{"attributes": told}]}]}]}
    (only,) = log_records(json.dumps(body).encode(), "application/json")
    assert isinstance(only, LogRecord)
    return only


def test_the_time_of_all_hooks_of_a_moment_is_told() -> None:
    assert hook_time(record(num_non_blocking_error="0")) == ("Stop", 12, False)
    assert hook_time(record(num_non_blocking_error="1")) == ("Stop", 12, True)


@pytest.mark.parametrize(
    "change", [{"event.name": "tool_result"}, {"hook_event": None}, {"total_duration_ms": "x"}]
)
def test_any_other_record_tells_none(change: dict[str, str]) -> None:
    assert hook_time(record(**change)) is None


def test_a_real_client_tells_it_of_every_hook() -> None:
    told = set()
    for entry in json.loads((CAPTURES / "index.json").read_text()):
        if entry["path"] == "/v1/logs":
            body = (CAPTURES / entry["file"]).read_bytes()
            for item in log_records(body, entry["headers"]["content-type"]):
                if isinstance(item, LogRecord) and (took := hook_time(item)) is not None:
                    told.add(took.hook)
    assert {"SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop"} <= told

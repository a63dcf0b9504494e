"""What the real clients sent, against what their model server billed."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pytest

from ingest.contract import NewEvent
from ingest.otlp.service import read_logs, read_metrics, read_traces
from pricing.usage import Usage
from tests.ingest.otlp.bodies import LIMIT_BYTES

CLIENTS = Path(__file__).parents[2] / "fixtures" / "clients"


class Capture(NamedTuple):
    scenario: str
    path: str
    content_type: str
    body: bytes


def folder(client: str) -> Path:
    [found] = CLIENTS.glob(f"{client}-*")
    return found


def captures(client: str, signal: str) -> Iterator[Capture]:
    otlp = folder(client) / "otlp"
    for entry in json.loads((otlp / "index.json").read_text()):
        if entry["path"].endswith(signal):
            body = (otlp / entry["file"]).read_bytes()
            yield Capture(entry["scenario"], entry["path"], entry["headers"]["content-type"], body)


def log_events(client: str) -> list[NewEvent]:
    events = []
    for capture in captures(client, "logs"):
        outcome = read_logs(capture.body, capture.content_type, LIMIT_BYTES)
        assert (outcome.answer.status, outcome.rejected) == (200, 0)
        events += outcome.events
    assert events
    return events


def oracle(client: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder(client) / "oracle.jsonl").read_text().splitlines()]


def billed(row: dict[str, Any], *, with_reasoning: bool) -> Usage:
    """Tokens, as OTLP can tell them."""
    return Usage(
        uncached_input_tokens=row["input_tokens"],
        cache_read_tokens=row["cache_read_tokens"],
        cache_write_5m_tokens=row["cache_write_5m_tokens"],
        cache_write_1h_tokens=row["cache_write_1h_tokens"],
        output_tokens=row["output_tokens"],
        reasoning_tokens=row["reasoning_tokens"] if with_reasoning else 0,
    )


def unsplit(usage: Usage) -> Usage:
    """A stated cost that holds more than tokens doesn't tell how cache writes were split."""
    written = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
    return msgspec.structs.replace(usage, cache_write_5m_tokens=written, cache_write_1h_tokens=0)


def test_each_call_that_claude_code_told_of_is_one_that_was_billed() -> None:
    calls = {event.call.key: event.call for event in log_events("claude") if event.call}
    rows = {f"request:{row['request_id']}": row for row in oracle("claude")}

    assert {key: call.usage for key, call in calls.items()} == {
        key: unsplit(usage) if rows[key]["web_searches"] else usage
        for key in calls
        for usage in [billed(rows[key], with_reasoning=False)]
    }
    # An answer that was stopped half-way leaves no api_request, nor what was killed with the process.
    lost = {rows[key]["scenario"] for key in set(rows) - set(calls)}
    assert lost <= {"terminal", "interrupted", "killed"}
    assert all(call.cost_nanos is None for call in calls.values()), "the client's estimate is not our price"


@pytest.mark.parametrize("client", ["codex", "gemini"])
def test_the_calls_that_others_told_of_are_those_that_were_billed(client: str) -> None:
    calls = {event.call.key: event.call for event in log_events(client) if event.call}

    told = Counter((call.model, call.usage) for call in calls.values())

    assert told == Counter((row["model"], billed(row, with_reasoning=True)) for row in oracle(client))


@pytest.mark.parametrize("client", ["claude", "codex", "gemini"])
def test_a_second_sending_gives_the_same_events(client: str) -> None:
    first, second = log_events(client), log_events(client)

    assert [event.event_id for event in first] == [event.event_id for event in second]
    assert None not in {event.event_id for event in first}


@pytest.mark.parametrize("client", ["claude", "codex", "gemini"])
def test_events_of_different_records_have_different_ids(client: str) -> None:
    """But for a thread of Codex that is resumed: it begins once."""
    ids = Counter(event.event_id for event in log_events(client) if event.event_type != "session_start")

    assert ids.most_common(1)[0][1] == 1


def test_prompts_and_tools_of_claude_code_have_the_ids_that_its_hooks_know() -> None:
    hooks = [json.loads(line)["body"] for line in (folder("claude") / "hooks.jsonl").read_text().splitlines()]
    prompts = {f"cc-prompt-{body['prompt_id']}" for body in hooks if body["hook_event_name"] == "UserPromptSubmit"}
    tools = {f"cc-tool-{body['tool_use_id']}" for body in hooks if body["hook_event_name"] == "PostToolUse"}

    ids = {event.event_id for event in log_events("claude")}

    assert prompts <= ids
    assert len(tools & ids) > len(tools) / 2


@pytest.mark.parametrize("client", ["claude", "codex", "gemini"])
def test_every_recorded_session_is_known_by_its_client_s_own_id(client: str) -> None:
    sessions = {event.session_id for event in log_events(client)}
    hinted = {row["session_hint"] for row in oracle(client) if row["session_hint"]}

    assert hinted <= sessions or client == "codex"
    assert "unknown" not in sessions
    assert len({event.agent_type for event in log_events(client)}) == 1


def test_metrics_of_claude_code_agree_with_its_logs() -> None:
    tokens = Counter[str]()
    for capture in captures("claude", "metrics"):
        outcome = read_metrics(capture.body, capture.content_type)
        assert (outcome.answer.status, outcome.rejected) == (200, 0)
        for told in outcome.readings:
            tokens[told.session_id] += told.amount if told.kind == "output_tokens" else 0
    logs = Counter[str]()
    for event in log_events("claude"):
        logs[event.session_id] += event.tokens_out

    # Metrics that came after a run's last logs were left out of some recordings, so not more than the logs.
    assert tokens
    assert all(tokens[session_id] <= logs[session_id] for session_id in tokens)
    assert any(tokens[session_id] == logs[session_id] for session_id in tokens)


@pytest.mark.parametrize("client", ["claude", "codex", "gemini"])
def test_traces_are_taken_counted_and_dropped(client: str) -> None:
    for capture in captures(client, "traces"):
        outcome = read_traces(capture.body, capture.content_type, LIMIT_BYTES)

        assert outcome.answer.status == 200
        assert outcome.events == []
        assert outcome.dropped["spans"] > 0


@pytest.mark.parametrize("client", ["codex", "gemini"])
def test_metrics_of_others_add_nothing_to_their_logs(client: str) -> None:
    for capture in captures(client, "metrics"):
        outcome = read_metrics(capture.body, capture.content_type)

        assert (outcome.answer.status, outcome.rejected, outcome.readings) == (200, 0, [])

"""Spans of agents that follow the GenAI conventions: calls once, tools, turns, errors."""

import sqlite3
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from ingest.contract import NewEvent
from ingest.otlp.service import OtlpOutcome, read_logs, read_traces
from ingest.store import Batch, write_group
from pricing.usage import Usage
from tests.ingest.otlp.bodies import (
    JSON,
    LIMIT_BYTES,
    PROTOBUF,
    TIME_NS,
    as_json,
    as_protobuf,
    log_record,
    logs,
    metadata,
    span,
    traces,
)
from tests.storing import START_MS, opened, rules, table

TRACE = "0af7651916cd43dd8448eb211c80319c"
CHAT: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-4.1",
    "gen_ai.response.model": "gpt-4.1-2025-04-14",
    "gen_ai.conversation.id": "conv-1",
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 5,
}
TOOL: dict[str, Any] = {
    "gen_ai.operation.name": "execute_tool",
    "gen_ai.tool.name": "search",
    "gen_ai.tool.call.id": "call_1",
    "gen_ai.conversation.id": "conv-1",
}


def read(*spans: Any, **resource: Any) -> OtlpOutcome:
    in_json = read_traces(as_json(traces(*spans, **resource)), JSON, LIMIT_BYTES)
    in_protobuf = read_traces(as_protobuf(traces(*spans, **resource)), PROTOBUF, LIMIT_BYTES)
    assert in_json.answer.status == 200
    assert (in_json.events, in_json.dropped) == (in_protobuf.events, in_protobuf.dropped)
    return in_json


def only(*spans: Any) -> NewEvent:
    [event] = read(*spans).events
    return event


def test_a_chat_is_a_call_priced_by_what_answered() -> None:
    event = only(span(attributes=CHAT | {"gen_ai.response.id": "resp_1", "gen_ai.agent.name": "helper"}))

    assert (event.event_type, event.status, event.agent_type) == ("llm_response", "success", "my-agent")
    assert (event.session_id, event.model, event.duration_ms) == ("conv-1", "gpt-4.1", 2000)
    assert event.client_at_ms == TIME_NS // 1_000_000
    assert event.call is not None
    assert (event.call.key, event.call.model) == ("response:resp_1", "gpt-4.1-2025-04-14")
    assert event.call.usage == Usage(uncached_input_tokens=100, output_tokens=5)
    assert metadata(event)["agent_name"] == "helper"


@pytest.mark.parametrize("operation", ["chat", "text_completion", "generate_content", "embeddings", "of_its_own"])
def test_every_operation_that_asks_a_model_is_a_call(operation: str) -> None:
    assert only(span(attributes=CHAT | {"gen_ai.operation.name": operation})).call is not None


def test_former_names_are_read_too() -> None:
    former = {
        "gen_ai.system": "openai",
        "llm.request.type": "chat",
        "gen_ai.request.model": "gpt-4.1",
        "gen_ai.usage.prompt_tokens": 7,
        "gen_ai.usage.completion_tokens": 3,
    }
    event = only(span("openai.chat", former))

    assert (event.tokens_in, event.tokens_out, metadata(event)["provider_name"]) == (7, 3, "openai")


@pytest.mark.parametrize("written", ["cache_creation", "cache_write"])
def test_the_cached_parts_are_within_the_input(written: str) -> None:
    cache = {"gen_ai.usage.cache_read.input_tokens": 60, f"gen_ai.usage.{written}.input_tokens": 30}
    event = only(span(attributes=CHAT | cache))

    assert event.call is not None
    assert event.call.usage == Usage(
        uncached_input_tokens=10, cache_read_tokens=60, cache_write_5m_tokens=30, output_tokens=5
    )


def test_without_a_response_the_span_is_the_key_and_without_a_conversation_the_trace_the_session() -> None:
    nameless = {name: value for name, value in CHAT.items() if name != "gen_ai.conversation.id"}
    event = only(span(attributes=nameless))

    assert event.call is not None
    assert (event.session_id, event.call.key) == (TRACE, f"span:{TRACE}:b7ad6b7169203331")


def test_the_conversation_of_one_span_is_that_of_its_trace() -> None:
    tool = {name: value for name, value in TOOL.items() if name != "gen_ai.conversation.id"}
    events = read(span("execute_tool search", tool), span(attributes=CHAT, spanId="b7ad6b7169203332")).events

    assert [event.session_id for event in events] == ["conv-1", "conv-1"]


def test_a_tool_is_a_tool_use_with_its_duration_and_outcome() -> None:
    event = only(span("execute_tool search", TOOL | {"gen_ai.tool.call.arguments": '{"q": "x"}'}))
    failed = only(span("execute_tool search", TOOL | {"error.type": "timeout"}))

    assert (event.event_type, event.tool_name, event.status, event.call) == ("tool_use", "search", "success", None)
    assert metadata(event) | {"call_id": "call_1", "arguments": '{"q": "x"}'} == metadata(event)
    assert (failed.event_type, failed.status, failed.event_id) == ("tool_use", "error", event.event_id)


@pytest.mark.parametrize("code", [2, "STATUS_CODE_ERROR"])
def test_a_call_that_failed_is_an_error_with_what_is_known(code: object) -> None:
    asked = {name: value for name, value in CHAT.items() if not name.startswith("gen_ai.usage")}
    event = only(span(attributes=asked, status={"code": code, "message": "refused"}))

    assert (event.event_type, event.status, event.model, event.call) == ("error", "error", "gpt-4.1", None)
    assert metadata(event)["error"] == "refused"


def test_a_call_that_failed_after_it_was_billed_is_still_a_call() -> None:
    event = only(span(attributes=CHAT | {"error.type": "content_filter"}))

    assert (event.event_type, event.status) == ("llm_response", "error")
    assert event.call is not None


def test_an_agent_s_turn_is_shown_with_its_sum_and_never_counted() -> None:
    turn = CHAT | {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helper"}
    events = read(span("invoke_agent helper", turn, spanId="00f067aa0ba902b7"), span(attributes=CHAT)).events

    assert [(event.event_type, event.call is not None, event.tokens_in) for event in events] == [
        ("response", False, 0),
        ("llm_response", True, 100),
    ]
    assert metadata(events[0])["summed_input_tokens"] == 100


def test_of_two_spans_of_one_call_the_inner_one_counts() -> None:
    outer, inner = span("ChatOpenAI.chat", CHAT, spanId="00f067aa0ba902b7"), span("openai.chat", CHAT)
    outcome = read(outer, inner)

    assert len(outcome.events) == 1
    assert outcome.dropped == {"spans around another span of the same call": 1}


def test_spans_of_other_things_are_counted() -> None:
    outcome = read(span("GET /", {"http.method": "GET"}), span("plan", {"gen_ai.agent.name": "a"}))

    assert outcome.events == []
    assert outcome.dropped == {"spans": 1, "span plan": 1}


@pytest.mark.parametrize("service", ["claude-code", "codex_exec", "gemini-cli"])
def test_spans_of_clients_whose_logs_tell_it_are_only_counted(service: str) -> None:
    outcome = read(span(attributes=CHAT), service=service)

    assert (outcome.events, outcome.dropped) == ([], {"spans": 1})


@pytest.mark.parametrize("wrong", [5, {"attributes": 7, "name": "gen_ai."}, None])
def test_a_wrong_span_costs_no_other(wrong: object) -> None:
    outcome = read_traces(as_json(traces(span(attributes=CHAT), wrong)), JSON, LIMIT_BYTES)

    assert (outcome.answer.status, len(outcome.events)) == (200, 1)


def test_what_was_rejected_is_counted_with_its_reason() -> None:
    wrong = span(attributes=CHAT | {"gen_ai.usage.input_tokens": 10**12})
    outcome = read_traces(as_json(traces(wrong, span(attributes=CHAT))), JSON, LIMIT_BYTES)

    assert len(outcome.events) == 1
    assert b'"rejectedSpans":"1"' in outcome.answer.body
    assert b"gen_ai.usage.input_tokens must be from 0 to" in outcome.answer.body


def told_by_a_span(keys: dict[str, Any]) -> list[NewEvent]:
    return read(span(attributes=CHAT | keys)).events


def told_by_a_log(keys: dict[str, Any]) -> list[NewEvent]:
    named = {"event.name": "gen_ai.client.inference.operation.details"} | CHAT | keys
    record = log_record(named, traceId=TRACE, spanId="b7ad6b7169203331")
    return read_logs(as_json(logs(record, service="my-agent")), JSON, LIMIT_BYTES).events


@pytest.mark.parametrize("keys", [{}, {"gen_ai.response.id": "resp_1"}])
@pytest.mark.parametrize("order", list(permutations([told_by_a_span, told_by_a_log, told_by_a_span])))
def test_a_call_told_by_a_span_and_a_log_record_is_one_event_and_one_call(
    database: Path, order: Sequence[Any], keys: dict[str, Any]
) -> None:
    with opened(database) as connection:
        for tell in order:
            write_group(connection, [Batch(tell(keys))], START_MS, rules(Path("no projects")))
        assert_one(connection)


def assert_one(connection: sqlite3.Connection) -> None:
    assert table(connection, "SELECT uncached_input_tokens, model FROM calls") == [
        {"uncached_input_tokens": 100, "model": "gpt-4.1-2025-04-14"}
    ]
    assert table(connection, "SELECT count(*) AS events FROM events") == [{"events": 1}]


def test_a_log_record_without_a_conversation_belongs_to_its_trace() -> None:
    record = log_record({"event.name": "gen_ai.user.message"}, traceId=TRACE, body={"stringValue": "Hello"})
    outcome = read_logs(as_json(logs(record, record, service="my-agent")), JSON, LIMIT_BYTES)

    assert [(event.event_type, event.session_id) for event in outcome.events] == [("user_prompt", TRACE)] * 2
    assert metadata(outcome.events[0])["message"] == "Hello"
    assert len({event.event_id for event in outcome.events}) == 1


def test_other_log_records_without_a_session_are_dropped_still() -> None:
    record = log_record({"event.name": "x.error"}, traceId=TRACE)

    assert read_logs(as_json(logs(record, service="my-agent")), JSON, LIMIT_BYTES).dropped == {"no session": 1}

"""The fake model server and the sink: what they answer and what they log."""

from __future__ import annotations

import gzip
import json
import urllib.request
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from .model_server import BilledCall, ModelServer, model_server
from .script import COMPACTED, Call, Say, Think, Turn, usage_of
from .sink import sink

ASK = "Count the orders."
HELP = "Look up one order."
SCRIPT = {
    ASK: (
        Turn((Think("First look."), Call("Bash", {"command": "ls"})), web_searches=1),
        Turn((Say("Three orders."),)),
    ),
    HELP: (Turn((Say("Found it."),)),),
}
TOOLS = [{"name": "Bash"}]


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server(SCRIPT, main_prompts=[ASK]) as running:
        yield running


def post(url: str, body: Any, headers: Mapping[str, str] | None = None) -> str:
    payload = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, payload, {"Content-Type": "application/json", **(headers or {})})
    with urllib.request.urlopen(request, timeout=10) as response:
        return str(response.read().decode())


def events(stream: str) -> list[dict[str, Any]]:
    return [json.loads(line[6:]) for line in stream.splitlines() if line.startswith("data: ")]


def claude_request(*messages: tuple[str, Any], **fields: Any) -> dict[str, Any]:
    listed = [{"role": role, "content": content} for role, content in messages]
    return {"model": "claude-x", "stream": True, "tools": TOOLS, "messages": listed, **fields}


def ask_claude(server: ModelServer, *messages: tuple[str, Any], **fields: Any) -> list[dict[str, Any]]:
    return events(post(f"{server.url}/v1/messages?beta=true", claude_request(*messages, **fields)))


def ask_codex(server: ModelServer, *items: dict[str, Any], **fields: Any) -> list[dict[str, Any]]:
    body = {"model": "gpt-x", "stream": True, "tools": TOOLS, "input": list(items), **fields}
    return events(post(f"{server.url}/v1/responses", body, {"session-id": "thread-1"}))


def counts(call: BilledCall) -> tuple[int, ...]:
    return (
        call.input_tokens,
        call.cache_read_tokens,
        call.cache_write_5m_tokens,
        call.cache_write_1h_tokens,
        call.output_tokens,
    )


def test_the_first_turn_of_a_prompt_is_streamed_block_by_block(server: ModelServer) -> None:
    stream = ask_claude(server, ("user", ASK))
    blocks = [event["content_block"]["type"] for event in stream if event["type"] == "content_block_start"]
    assert blocks == ["thinking", "tool_use"]
    assert stream[-2]["delta"]["stop_reason"] == "tool_use"


def test_the_oracle_is_the_usage_at_the_end_of_the_stream(server: ModelServer) -> None:
    usage = ask_claude(server, ("user", ASK))[-2]["usage"]
    (call,) = server.billed
    written = usage["cache_creation"]
    assert counts(call) == (
        usage["input_tokens"],
        usage["cache_read_input_tokens"],
        written["ephemeral_5m_input_tokens"],
        written["ephemeral_1h_input_tokens"],
        usage["output_tokens"],
    )
    assert call.web_searches == usage["server_tool_use"]["web_search_requests"] == 1


def test_a_stream_starts_with_fewer_output_tokens_than_it_bills(server: ModelServer) -> None:
    stream = ask_claude(server, ("user", ASK))
    assert stream[0]["message"]["usage"]["output_tokens"] < stream[-2]["usage"]["output_tokens"]


def test_answers_already_given_choose_the_next_turn(server: ModelServer) -> None:
    stream = ask_claude(server, ("user", ASK), ("assistant", "…"), ("user", [{"type": "tool_result"}]))
    assert [event["delta"]["text"] for event in stream if event.get("delta", {}).get("text")] == ["Three orders."]


def test_a_repeated_request_gets_the_same_turn_under_another_id(server: ModelServer) -> None:
    first, second = (ask_claude(server, ("user", ASK)) for _ in range(2))
    assert first[0]["message"]["id"] != second[0]["message"]["id"]
    assert [event["type"] for event in first] == [event["type"] for event in second]


def test_a_sub_agent_is_known_by_its_own_prompt(server: ModelServer) -> None:
    ask_claude(server, ("user", ASK))
    ask_claude(server, ("user", HELP))
    assert [(call.kind, call.prompt) for call in server.billed] == [("main", ASK), ("agent", HELP)]


def test_prompts_quoted_in_reminders_of_the_client_are_not_asked(server: ModelServer) -> None:
    reminder = {"type": "text", "text": f"<system-reminder>A command: {HELP}</system-reminder>"}
    ask_claude(server, ("user", [reminder, {"type": "text", "text": ASK}]), ("system", HELP))
    assert [call.prompt for call in server.billed] == [ASK]


def test_a_request_without_tools_is_a_check_and_is_billed(server: ModelServer) -> None:
    ask_claude(server, ("user", f"Title for: {ASK}"), tools=[])
    assert [call.kind for call in server.billed] == ["check"]


def test_a_compaction_is_answered_with_a_summary(server: ModelServer) -> None:
    request = "Your task is to create a detailed summary of the conversation so far"
    stream = ask_claude(server, ("user", ASK), ("assistant", "…"), ("user", request))
    assert "".join(event.get("delta", {}).get("text", "") for event in stream) == COMPACTED
    assert [call.kind for call in server.billed] == ["compaction"]


def test_the_session_is_taken_from_the_header_or_the_metadata(server: ModelServer) -> None:
    session = "00000000-0000-4000-8000-000000000001"
    metadata = {"user_id": json.dumps({"device_id": "d", "session_id": session})}
    ask_claude(server, ("user", ASK), metadata=metadata)
    post(f"{server.url}/v1/messages", claude_request(("user", ASK)), {"X-Claude-Code-Session-Id": "s-2"})
    assert [call.session_hint for call in server.billed] == [session, "s-2"]


def test_an_answer_may_come_without_a_stream(server: ModelServer) -> None:
    answer = json.loads(post(f"{server.url}/v1/messages", claude_request(("user", HELP), stream=False)))
    assert answer["content"] == [{"type": "text", "text": "Found it."}]
    assert answer["usage"]["output_tokens"] == server.billed[0].output_tokens


@pytest.mark.parametrize(
    ("turn", "expected"),
    [
        (Turn((Say("Yes."),), fail_once=529), [529, 200, 200]),
        (Turn((Say("Yes."),), fail_always=400), [400, 400, 400]),
    ],
)
def test_scripted_failures_are_not_billed(turn: Turn, expected: list[int]) -> None:
    statuses = []
    with model_server({ASK: (turn,)}) as server:
        for _ in expected:
            try:
                ask_claude(server, ("user", ASK))
                statuses.append(200)
            except HTTPError as refused:
                statuses.append(refused.code)
    assert statuses == expected
    assert len(server.billed) == statuses.count(200)


def test_a_client_that_hangs_up_leaves_an_undelivered_answer() -> None:
    long_story = Turn((Say("word " * 200_000),))
    with model_server({ASK: (long_story,)}) as server:
        parts = urlsplit(server.url)
        connection = HTTPConnection(str(parts.hostname), parts.port, timeout=10)
        connection.request("POST", "/v1/messages", json.dumps(claude_request(("user", ASK))))
        connection.getresponse().read(100)
        connection.close()
        server.wait_for_bills(1, timeout_s=10)
    assert [call.delivered for call in server.billed] == [False]


def test_what_clients_ask_at_their_start_is_answered_harmlessly(server: ModelServer) -> None:
    head = urllib.request.Request(server.url, method="HEAD")
    with urllib.request.urlopen(head, timeout=10) as response:
        assert response.status == 200
    with urllib.request.urlopen(f"{server.url}/v1/models", timeout=10) as response:
        assert json.load(response)["data"] == []
    assert json.loads(post(f"{server.url}/api/anything", {})) == {}
    counted = post(f"{server.url}/v1/messages/count_tokens", claude_request(("user", ASK)))
    assert json.loads(counted)["input_tokens"] > 0
    assert not server.billed


def test_codex_gets_its_usage_with_cached_and_reasoning_tokens_inside(server: ModelServer) -> None:
    ask_codex(server, {"role": "user", "content": HELP})
    done = ask_codex(server, {"role": "user", "content": [{"type": "input_text", "text": ASK}]})[-1]
    usage, call = done["response"]["usage"], server.billed[1]
    assert usage["input_tokens"] == call.input_tokens + call.cache_read_tokens
    assert usage["input_tokens_details"] == {
        "cached_tokens": call.cache_read_tokens,
        "cache_write_tokens": 0,
    }
    assert usage["output_tokens_details"]["reasoning_tokens"] == call.reasoning_tokens > 0
    assert (call.client, call.message_id, call.session_hint) == (
        "codex",
        done["response"]["id"],
        "thread-1",
    )


def test_codex_answers_count_runs_of_model_items_as_one(server: ModelServer) -> None:
    made = [{"type": "reasoning"}, {"type": "function_call"}, {"type": "custom_tool_call"}]
    outputs = [{"type": "function_call_output", "output": "x"}, {"type": "custom_tool_call_output"}]
    stream = ask_codex(server, {"role": "user", "content": ASK}, *made, *outputs)
    assert stream[-1]["response"]["output"][0]["content"][0]["text"] == "Three orders."


def test_codex_tools_in_the_input_are_no_check(server: ModelServer) -> None:
    ask_codex(server, {"type": "additional_tools"}, {"role": "user", "content": ASK}, tools=None)
    assert [call.kind for call in server.billed] == ["main"]


def test_gemini_gets_its_usage_with_thoughts_beside_the_answer(server: ModelServer) -> None:
    body = {"contents": [{"role": "user", "parts": [{"text": ASK}]}], "tools": TOOLS}
    url = f"{server.url}/v1beta/models/gemini-x:streamGenerateContent?alt=sse"
    usage, call = events(post(url, body))[-1]["usageMetadata"], server.billed[0]
    assert usage["promptTokenCount"] == call.input_tokens + call.cache_read_tokens
    assert usage["candidatesTokenCount"] + usage["thoughtsTokenCount"] == call.output_tokens
    assert (call.client, call.model) == ("gemini_cli", "gemini-x")


def test_usage_is_the_same_in_every_run_and_never_twice() -> None:
    drawn = [usage_of(number, has_thinking=True) for number in range(1, 300)]
    assert len({(usage.input_tokens, usage.output_tokens, usage.cache_read_tokens) for usage in drawn}) == 299
    assert usage_of(1, has_thinking=True) == drawn[0]
    assert all(0 < usage.reasoning_tokens < usage.output_tokens for usage in drawn)


def test_the_sink_keeps_bodies_unpacked_with_path_and_headers(tmp_path: Path) -> None:
    with sink(tmp_path / "sink") as collector:
        packed = {"Content-Encoding": "gzip", "X-Agent": "one"}
        post(f"{collector.url}/v1/logs", gzip.compress(b'{"resourceLogs": []}'), packed)
        post(f"{collector.url}/v1/traces", b"\x0a\x00", {"Content-Type": "application/x-protobuf"})
    logs, traces = collector.received
    assert collector.body(logs) == b'{"resourceLogs": []}'
    assert (logs.path, logs.headers["x-agent"], logs.file) == ("/v1/logs", "one", "0000.json")
    assert (traces.file, traces.size_bytes) == ("0001.pb", 2)


def test_the_sink_answers_with_an_empty_body(tmp_path: Path) -> None:
    with sink(tmp_path / "sink") as collector:
        assert post(f"{collector.url}/hooks/http/Stop", {"hook_event_name": "Stop"}) == ""

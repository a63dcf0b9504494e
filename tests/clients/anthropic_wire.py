"""The Anthropic Messages API: requests to `Asked`, answers to server-sent events or one JSON body."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .script import Asked, Block, Call, Message, Say, Think, Turn, Usage

Frame = tuple[str, dict[str, Any]]


def read_request(body: dict[str, Any], headers: Mapping[str, str]) -> Asked:
    return Asked(
        client="claude_code",
        model=str(body.get("model", "")),
        messages=tuple(_message(m) for m in body.get("messages", [])),
        stream=bool(body.get("stream")),
        side_kind=_side_kind(body),
        session_hint=headers.get("x-claude-code-session-id") or _session_in_metadata(body),
        tools=frozenset(str(tool.get("name")) for tool in body.get("tools") or ()),
    )


def _message(message: dict[str, Any]) -> Message:
    """Who spoke and what; reminders and listings of the client may quote prompts, so they are left out."""
    content = message.get("content")
    parts = [content] if isinstance(content, str) else [b.get("text", "") for b in content or ()]
    said = [] if message.get("role") == "system" else [p for p in parts if not p.startswith("<system-reminder>")]
    return Message(by_model=message.get("role") == "assistant", text="\n".join(said))


def _side_kind(body: dict[str, Any]) -> str | None:
    """Compaction and the small checks of the client repeat the prompt, but are not the conversation."""
    messages = body.get("messages") or [{}]
    if "create a detailed summary of the conversation" in json.dumps(messages[-1]):
        return "compaction"
    return None if body.get("tools") else "check"


def _session_in_metadata(body: dict[str, Any]) -> str | None:
    user_id = (body.get("metadata") or {}).get("user_id", "")
    found = re.search(r"session_(?:id\W+)?([0-9a-f-]{36})", user_id)
    return found.group(1) if found else None


def message(turn: Turn, usage: Usage, model: str, message_id: str) -> dict[str, Any]:
    """The whole answer as one body, for requests that do not stream."""
    return {
        **_opening(model, message_id),
        "content": [_whole_block(b, f"{message_id}_{i}") for i, b in enumerate(turn.blocks)],
        "stop_reason": _stop_reason(turn),
        "usage": _usage(turn, usage, usage.output_tokens),
    }


def frames(turn: Turn, usage: Usage, model: str, message_id: str) -> Iterator[Frame]:
    """The answer as events; usage stands in message_start (few output tokens) and message_delta (final)."""
    opening = {**_opening(model, message_id), "usage": _usage(turn, usage, 1 + usage.output_tokens % 7)}
    yield "message_start", {"message": opening}
    yield "ping", {}
    for index, block in enumerate(turn.blocks):
        yield from _block_frames(index, block, f"{message_id}_{index}")
    delta = {"stop_reason": _stop_reason(turn), "stop_sequence": None}
    yield "message_delta", {"delta": delta, "usage": _usage(turn, usage, usage.output_tokens)}
    yield "message_stop", {}


def error(status: int) -> dict[str, Any]:
    kind = {529: "overloaded_error", 429: "rate_limit_error", 400: "invalid_request_error"}
    return {"type": "error", "error": {"type": kind.get(status, "api_error"), "message": "Scripted failure"}}


def _opening(model: str, message_id: str) -> dict[str, Any]:
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _stop_reason(turn: Turn) -> str:
    return "tool_use" if any(isinstance(b, Call) for b in turn.blocks) else "end_turn"


def _usage(turn: Turn, usage: Usage, output_tokens: int) -> dict[str, Any]:
    return {
        "input_tokens": usage.input_tokens,
        "cache_creation_input_tokens": usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        "cache_read_input_tokens": usage.cache_read_tokens,
        "cache_creation": {
            "ephemeral_5m_input_tokens": usage.cache_write_5m_tokens,
            "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens,
        },
        "output_tokens": output_tokens,
        "server_tool_use": {"web_search_requests": turn.web_searches, "web_fetch_requests": 0},
        "service_tier": "standard",
    }


def _whole_block(block: Block, block_id: str) -> dict[str, Any]:
    match block:
        case Say(text):
            return {"type": "text", "text": text}
        case Think(text):
            return {"type": "thinking", "thinking": text, "signature": "c2lnbmVk"}
        case Call(name, arguments):
            return {"type": "tool_use", "id": _tool_id(block_id), "name": name, "input": arguments}


def _block_frames(index: int, block: Block, block_id: str) -> Iterator[Frame]:
    whole = _whole_block(block, block_id)
    match block:
        case Say(text):
            start, deltas = {**whole, "text": ""}, [{"type": "text_delta", "text": t} for t in _pieces(text)]
        case Think(text):
            start = {**whole, "thinking": "", "signature": ""}
            deltas = [{"type": "thinking_delta", "thinking": t} for t in _pieces(text)]
            deltas.append({"type": "signature_delta", "signature": whole["signature"]})
        case Call():
            start = {**whole, "input": {}}
            encoded = json.dumps(whole["input"])
            deltas = [{"type": "input_json_delta", "partial_json": t} for t in _pieces(encoded)]
    yield "content_block_start", {"index": index, "content_block": start}
    for delta in deltas:
        yield "content_block_delta", {"index": index, "delta": delta}
    yield "content_block_stop", {"index": index}


def _pieces(text: str, length: int = 60) -> list[str]:
    return [text[i : i + length] for i in range(0, len(text), length)]


def _tool_id(block_id: str) -> str:
    return "toolu_" + block_id.removeprefix("msg_")

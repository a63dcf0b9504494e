"""The OpenAI Responses API as Codex uses it: requests to `Asked`, answers to server-sent events."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from .script import Asked, Block, Call, Message, Say, Think, Turn, Usage

Frame = tuple[str, dict[str, Any]]


def read_request(body: dict[str, Any], headers: Mapping[str, str]) -> Asked:
    items = body.get("input", [])
    listed = items if isinstance(items, list) else [{"role": "user", "content": str(items)}]
    return Asked(
        client="codex",
        model=str(body.get("model", "")),
        messages=tuple(_message(item) for item in listed),
        stream=bool(body.get("stream")),
        side_kind=_side_kind(body),
        session_hint=headers.get("session-id") or headers.get("session_id") or body.get("prompt_cache_key"),
        tools=frozenset(str(tool.get("name") or tool.get("type")) for tool in body.get("tools") or ()),
    )


def _message(item: dict[str, Any]) -> Message:
    made_by_model = item.get("role") == "assistant" or item.get("type", "message") in MODEL_ITEMS
    content = item.get("content")
    parts = [content] if isinstance(content, str) else [p.get("text") or "" for p in content or ()]
    return Message(by_model=made_by_model, text="\n".join(parts))


MODEL_ITEMS = frozenset({"reasoning", "function_call", "custom_tool_call", "local_shell_call", "web_search_call"})


def _side_kind(body: dict[str, Any]) -> str | None:
    """Compaction asks for a handoff summary; other requests without tools are the client's own checks.

    In code mode the tools come as an item of the input.
    """
    items = body.get("input") or [{}]
    if "CONTEXT CHECKPOINT COMPACTION" in json.dumps(items[-1]):
        return "compaction"
    offered = body.get("tools") or any(item.get("type") == "additional_tools" for item in items)
    return None if offered else "check"


def frames(turn: Turn, usage: Usage, model: str, response_id: str) -> Iterator[Frame]:
    """The answer as events; usage stands only in response.completed."""
    opening = {"id": response_id, "object": "response", "model": model, "status": "in_progress", "output": []}
    yield "response.created", {"response": opening}
    items = [_item(block, f"{response_id}_{index}") for index, block in enumerate(turn.blocks)]
    for index, item in enumerate(items):
        yield "response.output_item.added", {"output_index": index, "item": _started(item)}
        yield from _deltas(index, item)
        yield "response.output_item.done", {"output_index": index, "item": item}
    done = {**opening, "status": "completed", "output": items, "usage": usage_body(usage)}
    yield "response.completed", {"response": done}


def usage_body(usage: Usage) -> dict[str, Any]:
    """Usage as OpenAI states it: cached tokens are inside input_tokens, reasoning inside output_tokens."""
    total_input = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_5m_tokens
    return {
        "input_tokens": total_input,
        "input_tokens_details": {
            "cached_tokens": usage.cache_read_tokens,
            "cache_write_tokens": usage.cache_write_5m_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": total_input + usage.output_tokens,
    }


def error(status: int) -> dict[str, Any]:
    return {"error": {"type": "server_error", "code": str(status), "message": "Scripted failure"}}


def _item(block: Block, block_id: str) -> dict[str, Any]:
    suffix = block_id.removeprefix("resp_")
    match block:
        case Say(text):
            content = [{"type": "output_text", "text": text, "annotations": []}]
            return {"type": "message", "id": f"msg_{suffix}", "role": "assistant", "content": content}
        case Think(text):
            summary = [{"type": "summary_text", "text": text}]
            return {
                "type": "reasoning",
                "id": f"rs_{suffix}",
                "summary": summary,
                "encrypted_content": "c2VhbGVk",
            }
        case Call(name, str() as text):
            return {
                "type": "custom_tool_call",
                "id": f"ct_{suffix}",
                "call_id": f"call_{suffix}",
                "name": name,
                "input": text,
                "status": "completed",
            }
        case Call(name, arguments, namespace):
            return {
                "type": "function_call",
                "id": f"fc_{suffix}",
                "call_id": f"call_{suffix}",
                "name": name,
                "arguments": json.dumps(arguments),
                "status": "completed",
                **({"namespace": namespace} if namespace else {}),
            }


def _started(item: dict[str, Any]) -> dict[str, Any]:
    empty = {"content": [], "summary": [], "arguments": "", "input": ""}
    return {key: empty.get(key, value) for key, value in item.items()} | {"status": "in_progress"}


def _deltas(index: int, item: dict[str, Any]) -> Iterator[Frame]:
    at = {"item_id": item["id"], "output_index": index}
    if item["type"] == "message":
        yield "response.output_text.delta", {**at, "content_index": 0, "delta": item["content"][0]["text"]}
    elif item["type"] == "reasoning":
        yield "response.reasoning_summary_part.added", {**at, "summary_index": 0}
        yield (
            "response.reasoning_summary_text.delta",
            {**at, "summary_index": 0, "delta": item["summary"][0]["text"]},
        )

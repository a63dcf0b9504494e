"""Gemini's generateContent and streamGenerateContent: requests to `Asked`, answers to chunks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .script import Asked, Block, Call, Message, Say, Think, Turn, Usage


def read_request(body: dict[str, Any], model: str, *, stream: bool) -> Asked:
    contents = body.get("contents") or []
    return Asked(
        client="gemini_cli",
        model=model,
        messages=tuple(_message(content) for content in contents),
        stream=stream,
        side_kind=None if body.get("tools") else "check",
    )


def _message(content: dict[str, Any]) -> Message:
    text = "\n".join(str(part.get("text", "")) for part in content.get("parts") or ())
    return Message(by_model=content.get("role") == "model", text=text)


def chunks(turn: Turn, usage: Usage, model: str, response_id: str) -> Iterator[dict[str, Any]]:
    """One chunk a block; every chunk carries the usage so far, only the last the whole of it."""
    last = len(turn.blocks) - 1
    for index, block in enumerate(turn.blocks):
        shown = usage if index == last else None
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": [_part(block)]}, "index": 0}
        if index == last:
            candidate["finishReason"] = "STOP"
        yield {
            "candidates": [candidate],
            "usageMetadata": usage_body(usage, whole=shown is not None),
            "modelVersion": model,
            "responseId": response_id,
        }


def whole(turn: Turn, usage: Usage, model: str, response_id: str) -> dict[str, Any]:
    parts = [_part(block) for block in turn.blocks]
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": 0}
    return {
        "candidates": [candidate],
        "usageMetadata": usage_body(usage, whole=True),
        "modelVersion": model,
        "responseId": response_id,
    }


def usage_body(usage: Usage, *, whole: bool) -> dict[str, int]:
    """Usage as Gemini states it: the prompt includes the cached part, thoughts stand beside candidates."""
    prompt = usage.input_tokens + usage.cache_read_tokens
    answered = usage.output_tokens - usage.reasoning_tokens if whole else 1
    return {
        "promptTokenCount": prompt,
        "cachedContentTokenCount": usage.cache_read_tokens,
        "candidatesTokenCount": answered,
        "thoughtsTokenCount": usage.reasoning_tokens,
        "totalTokenCount": prompt + answered + usage.reasoning_tokens,
    }


def error(status: int) -> dict[str, Any]:
    return {"error": {"code": status, "message": "Scripted failure", "status": "UNAVAILABLE"}}


def _part(block: Block) -> dict[str, Any]:
    match block:
        case Say(text):
            return {"text": text}
        case Think(text):
            return {"text": text, "thought": True}
        case Call(name, arguments):
            return {"functionCall": {"name": name, "args": arguments}}

"""Chats as Gemini CLI writes them."""

import json
from pathlib import Path
from typing import Any

from tests.importers.importing import Line

SESSION = "6f0a4c1e-0000-4000-8000-000000000001"


def at(second: float) -> str:
    minutes, seconds = divmod(second, 60)
    return f"2026-09-21T14:{13 + int(minutes):02}:{seconds:06.3f}Z"


def header(session: str = SESSION, second: float = 0, **fields: Any) -> Line:
    return {"sessionId": session, "projectHash": "a1", "startTime": at(second), "kind": "main", **fields}


def typed(message_id: str, second: float, said: str) -> Line:
    return {"id": message_id, "timestamp": at(second), "type": "user", "content": [{"text": said}]}


def tokens(given: int, cached: int, output: int, thoughts: int = 0, tool: int = 0) -> dict[str, int]:
    return {
        "input": given,
        "cached": cached,
        "output": output,
        "thoughts": thoughts,
        "tool": tool,
        "total": given + output + thoughts + tool,
    }


def answer(message_id: str, second: float, used: dict[str, int] | None, **fields: Any) -> Line:
    """One copy of an answer; the client repeats it as it grows."""
    return {
        "id": message_id,
        "timestamp": at(second),
        "type": "gemini",
        "content": "",
        "thoughts": [],
        "tokens": used,
        "model": "gemini-2.5-pro",
        **fields,
    }


def tool_call(tool_id: str, name: str, status: str = "success", **fields: Any) -> dict[str, Any]:
    return {"id": tool_id, "name": name, "args": {}, "status": status, "timestamp": at(9), **fields}


def write_document(path: Path, messages: list[Line], session: str = SESSION, **fields: Any) -> Path:
    """A chat of the older form: one indented document."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**header(session), **fields, "messages": messages}, indent=2))
    return path

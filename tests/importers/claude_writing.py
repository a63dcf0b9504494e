"""Lines as Claude Code writes them."""

from itertools import count
from typing import Any

from monitor.times import iso_text
from tests.importers.importing import Line

BEGAN_MS = 1_790_000_000_000
MODEL = "claude-opus-4-8"
_uuids = count(1)


def at(second: float) -> str:
    return iso_text(BEGAN_MS + round(second * 1000))


def line(kind: str, second: float, *, session: str = "s-1", **fields: Any) -> Line:
    return {
        "type": kind,
        "uuid": f"uuid-{next(_uuids)}",
        "timestamp": at(second),
        "sessionId": session,
        "cwd": "/home/u/shop",
        "gitBranch": "main",
        "version": "2.1.197",
        "isSidechain": False,
        **fields,
    }


def opening(second: float = 0, *, session: str = "s-1") -> Line:
    """The first line of a file; it has no uuid."""
    return {"type": "queue-operation", "operation": "enqueue", "timestamp": at(second), "sessionId": session}


def prompt(text: str, second: float, **fields: Any) -> Line:
    return line("user", second, message={"role": "user", "content": text}, **fields)


def usage(output: int, input_tokens: int = 10, read: int = 0, written: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "input_tokens": input_tokens,
        "output_tokens": output,
        "cache_read_input_tokens": read,
        "cache_creation_input_tokens": written,
        **fields,
    }


def answer(
    second: float,
    used: dict[str, Any],
    *,
    message: str | None = "msg_1",
    request: str | None = "req_1",
    content: list[dict[str, Any]] | None = None,
    stop: str | None = "end_turn",
    model: str = MODEL,
    **fields: Any,
) -> Line:
    """One line of an answer; `message` or `request` None leaves the id out."""
    body: dict[str, Any] = {
        "role": "assistant",
        "model": model,
        "content": content or [{"type": "text", "text": "Done."}],
        "stop_reason": stop,
        "usage": used,
    }
    if message is not None:
        body["id"] = message
    if request is not None:
        fields["requestId"] = request
    return line("assistant", second, message=body, **fields)


def tool(name: str, tool_id: str, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": tool_id, "name": name, "input": given}


def tool_result(tool_id: str, second: float, said: Any = "ok", *, is_error: bool = False, **fields: Any) -> Line:
    block = {"type": "tool_result", "tool_use_id": tool_id, "content": said, "is_error": is_error}
    return line("user", second, message={"role": "user", "content": [block]}, **fields)

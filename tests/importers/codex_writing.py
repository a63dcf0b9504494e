"""Lines as Codex writes them."""

from typing import Any
from uuid import UUID

from monitor.times import iso_text
from tests.importers.importing import Line

BEGAN_MS = 1_790_000_000_000
Counts = tuple[int, int, int]


def uuid7(second: float, number: int = 0) -> str:
    """A UUID that holds a time."""
    at_ms = BEGAN_MS + round(second * 1000)
    return str(UUID(int=at_ms << 80 | 7 << 76 | 2 << 62 | number))


def line(kind: str, second: float, **payload: Any) -> Line:
    return {"timestamp": iso_text(BEGAN_MS + round(second * 1000)), "type": kind, "payload": payload}


def event(kind: str, second: float, **payload: Any) -> Line:
    return line("event_msg", second, type=kind, **payload)


def meta(thread: str, second: float = 0, **payload: Any) -> Line:
    fields = {"id": thread, "cwd": "/home/u/shop", "cli_version": "0.58.0", "git": {"branch": "main"}, **payload}
    return line("session_meta", second, **fields)


def turn(second: float, model: str = "gpt-5.5", turn_id: str | None = None) -> Line:
    named = {"turn_id": turn_id} if turn_id else {}
    return line("turn_context", second, model=model, **named)


def counts(figures: Counts) -> dict[str, int]:
    """Input with its cached part, the cached part, output."""
    given, cached, output = figures
    return {"input_tokens": given, "cached_input_tokens": cached, "output_tokens": output}


def token_count(second: float, total: Counts, last: Counts | None = None) -> Line:
    info: dict[str, Any] = {"total_token_usage": counts(total)}
    if last is not None:
        info["last_token_usage"] = counts(last)
    return event("token_count", second, info=info)


def record(second: float, used: dict[str, int], response: str | None, **payload: Any) -> Line:
    named = {"response_id": response} if response else {}
    return line("token_usage_record", second, usage=used, **named, **payload)


def function_call(second: float, name: str, arguments: str, call_id: str = "c-1", **payload: Any) -> Line:
    return line(
        "response_item", second, type="function_call", name=name, arguments=arguments, call_id=call_id, **payload
    )


def output(second: float, said: Any, call_id: str = "c-1", kind: str = "function_call_output") -> Line:
    return line("response_item", second, type=kind, call_id=call_id, output=said)


def said_event(second: float, role: str, said: str) -> Line:
    return event("user_message" if role == "user" else "agent_message", second, message=said)


def said_item(second: float, role: str, said: str, name: str | None = None) -> Line:
    block = {"type": "input_text" if role == "user" else "output_text", "text": said}
    named = {"id": name} if name else {}
    return line("response_item", second, type="message", role=role, content=[block], **named)

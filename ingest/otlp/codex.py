"""Log records of Codex. Pure.

Times stand in observedTimeUnixNano, numbers in texts, usage only in the completed event of a response's stream,
with input that includes its cached part and output that includes reasoning. Facts from 0.169.
"""

from typing import Any, Final

from ingest.hooks.tool_input import subjects
from ingest.otlp.draft import Draft
from ingest.otlp.event_types import common_event_type
from ingest.otlp.keys import codex_start_event_id, codex_tool_event_id
from ingest.otlp.reading import Names, Reading, json_object, long_text, text, unredacted
from ingest.telling import of_prompt

NAMED: Final = {
    "codex.tool_decision": "tool_use",
    "codex.conversation_starts": "session_start",
    "codex.websocket_request": "llm_request",
}
STREAM: Final = ("codex.sse_event", "codex.websocket_event", "codex.websocket.event")
ITEMS: Final = ("codex.response", "codex.event_msg")
KIND: Final = Names(("event.kind", "kind"), ("event_kind", "kind"))
ITEM_TYPE: Final = Names(("response_item.type", "item.type", "type"))
ERROR: Final = Names(("error.message",), ("error",))
PREVIEW_CHARACTERS: Final = 500
COMPLETED, FAILED = "response.completed", "response.failed"
PROMPT_ITEMS: Final = frozenset({"user_message", "user_prompt"})
RESPONSE_ITEMS: Final = frozenset(
    {
        "agent_message",
        "assistant_message",
        "compaction",
        "custom_tool_call",
        "custom_tool_call_output",
        "function_call",
        "function_call_output",
        "ghost_snapshot",
        "image_generation_call",
        "local_shell_call",
        "message",
        "message_from_assistant",
        "message_from_user",
        "reasoning",
        "tool_search_call",
        "tool_search_output",
        "web_search_call",
    }
)
APPROVED: Final = ("approved", "approved_for_session", "approve", "accept")
DETAILS: Final = (
    "provider_name",
    "reasoning_effort",
    "reasoning_summary",
    "context_window",
    "auto_compact_token_limit",
    "approval_policy",
    "sandbox_policy",
    "active_profile",
    "originator",
    "endpoint",
    "attempt",
    "call_id",
    "decision",
    "mcp_server",
    "mcp_server_origin",
    "agent_name",
    "tool_token_count",
    "model_reasoning_effort",
)
# Details under names of our own; `source` would be taken for the event's.
RENAMED: Final = {
    "app.version": "client_version",
    "event.kind": "event_kind",
    "source": "decision_source",
    "http.response.status_code": "http_status_code",
    "auth.request_id": "request_id",
    "ttft_ms": "first_token_ms",
}


def event_type(reading: Reading) -> str | None:
    name = reading.name
    if name == "codex.tool_decision" and _has_result(reading):
        return None
    if name in NAMED:
        return NAMED[name]
    if name in STREAM:
        return _stream_type(reading)
    if name in ITEMS:
        return _item_type(reading)
    return common_event_type(reading)


def _has_result(reading: Reading) -> bool:
    """What was approved under a call id is told again by its result, with success and duration."""
    decision = text(reading.attributes.get("decision"))
    return "call_id" in reading.attributes and (decision or "").lower() in APPROVED


def _stream_type(reading: Reading) -> str | None:
    kind = reading.text(KIND) or ""
    if kind == COMPLETED:
        return None if _is_timing_twin(reading) else "llm_response"
    if kind == FAILED or reading.flag("success") is False or _error(reading):
        return "error"
    # One for each few characters of an answer; they carry nothing but their time.
    is_delta = kind.endswith(".delta")
    return "response" if kind.startswith("response.") and not is_delta else None


def _is_timing_twin(reading: Reading) -> bool:
    """The end of a stream is told twice: once with its duration, once with its usage. The second counts."""
    return (
        reading.name == "codex.sse_event"
        and "duration_ms" in reading.attributes
        and "output_token_count" not in reading.attributes
    )


def _item_type(reading: Reading) -> str | None:
    item = _item(reading)
    if item in PROMPT_ITEMS:
        return "user_prompt"
    if item in RESPONSE_ITEMS:
        return "response"
    return "error" if reading.record.severity == "ERROR" else None


def _item(reading: Reading) -> str | None:
    return text(_payload(reading).get("type")) or text(reading.body.get("type")) or reading.text(ITEM_TYPE)


def _payload(reading: Reading) -> dict[str, Any]:
    payload = reading.body.get("payload")
    return payload if isinstance(payload, dict) else {}


def _error(reading: Reading) -> str | None:
    error = reading.body.get("error")
    return reading.text(ERROR) or (text(error.get("message")) if isinstance(error, dict) else None)


def refine(reading: Reading, draft: Draft) -> None:
    attributes = reading.attributes
    error = _error(reading)
    if error:
        draft.status = "error"
    if draft.event_type == "tool_use":
        _refine_tool(reading, draft)
    elif draft.event_type == "session_start":
        draft.event_id = codex_start_event_id(draft.session_id)
    elif reading.part == "user_prompt":
        _refine_prompt(reading, draft)
    elif reading.name in ITEMS:
        _refine_item(reading, draft)
    draft.note(error=error, success=reading.flag("success"))
    draft.note(reasoning_token_count=draft.usage.reasoning_tokens or None)
    draft.note(**{name: attributes.get(name) for name in DETAILS})
    draft.note(**{ours: attributes.get(name) for name, ours in RENAMED.items()})
    servers = [name.strip() for name in str(attributes.get("mcp_servers") or "").split(",")]
    draft.note(mcp_servers=[name for name in servers if name] or None)


def _refine_prompt(reading: Reading, draft: Draft) -> None:
    said = unredacted(reading.attributes.get("prompt"))
    draft.telling = of_prompt(draft.session_id, reading.record.time_ms, said)


def _refine_tool(reading: Reading, draft: Draft) -> None:
    attributes = reading.attributes
    call_id = text(attributes.get("call_id")) or text(reading.body.get("call_id"))
    if call_id:
        draft.event_id = codex_tool_event_id(draft.session_id, call_id)
    if reading.part == "tool_decision" and call_id:
        draft.status = "error"
    raw = attributes.get("arguments")
    arguments = json_object(raw)
    draft.note(command=_command(arguments), arguments=arguments or long_text(raw))
    draft.note(**subjects(arguments))
    output = long_text(attributes.get("output"))
    draft.note(content_preview=output[:PREVIEW_CHARACTERS] if output else None)


def _command(arguments: dict[str, Any]) -> str | None:
    command = arguments.get("cmd") or arguments.get("command")
    if isinstance(command, list):
        return " ".join(str(word) for word in command)
    return long_text(command)


def _refine_item(reading: Reading, draft: Draft) -> None:
    told = _item_text(_payload(reading)) or _item_text(reading.body)
    draft.note(response_item_type=_item(reading))
    if draft.event_type == "user_prompt":
        draft.note(message=told)
    elif told:
        draft.note(content_preview=told[:PREVIEW_CHARACTERS])


def _item_text(item: dict[str, Any]) -> str | None:
    return next((said for key in ("message", "text", "content") if (said := _said(item.get(key)))), None)


def _said(content: object) -> str | None:
    """A text, or the texts of a list of content parts."""
    if isinstance(content, list):
        texts = [part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)]
        return "\n".join(texts) or None
    return long_text(content)

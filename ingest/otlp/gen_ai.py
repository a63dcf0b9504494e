"""Log records and spans of any other agent: OpenTelemetry's GenAI conventions, present and former names. Pure."""

from typing import Any, Final

from ingest.otlp.draft import Draft
from ingest.otlp.event_types import common_event_type
from ingest.otlp.keys import (
    digest,
    gen_ai_call_event_id,
    gen_ai_tool_event_id,
    response_call_key,
    span_call_key,
)
from ingest.otlp.reading import Reading, long_text, text
from pricing.usage import Usage

PREFIX: Final = "gen_ai."
NAMED: Final = {
    "gen_ai.client.inference.operation.details": "llm_response",
    "gen_ai.client.operation.exception": "error",
    "gen_ai.execute_tool.exception": "error",
    "gen_ai.user.message": "user_prompt",
}
DETAILS: Final = {
    "gen_ai.provider.name": "provider_name",
    "gen_ai.system": "provider_name",
    "gen_ai.operation.name": "operation",
    "gen_ai.agent.name": "agent_name",
    "gen_ai.response.id": "response_id",
    "gen_ai.response.model": "response_model",
    "gen_ai.response.finish_reasons": "finish_reasons",
    "gen_ai.tool.call.id": "call_id",
    "gen_ai.tool.call.arguments": "arguments",
    "error.type": "error_type",
    "error.message": "error",
    "exception.message": "error",
}


def event_type(reading: Reading) -> str | None:
    return NAMED.get(reading.name or "") or common_event_type(reading)


def session_id_of(reading: Reading) -> str | None:
    """The conversation; of who names none, the trace."""
    trace_id = reading.record.trace_id
    is_ours = (reading.name or "").startswith(PREFIX) or any(
        name.startswith(PREFIX) for name in reading.attributes
    )
    return reading.session_id() or (trace_id if is_ours else None)


def refine(reading: Reading, draft: Draft) -> None:
    attributes = reading.attributes
    if draft.event_type == "llm_response":
        refine_call(reading, draft)
    elif draft.event_type == "tool_use":
        refine_tool(reading, draft)
    elif draft.event_type == "user_prompt" and reading.name in NAMED:
        _refine_prompt(reading, draft)
    if "error.type" in attributes:
        draft.status = "error"
    note_details(attributes, draft)


def note_details(attributes: dict[str, Any], draft: Draft) -> None:
    for name, ours in DETAILS.items():
        draft.note(**{ours: attributes.get(name)})


def refine_call(reading: Reading, draft: Draft) -> None:
    """A span and a log record of one answer name the same response, or stand in the same span."""
    # What answered is what is billed, whatever was asked for.
    draft.priced_model = text(reading.attributes.get("gen_ai.response.model"))
    response_id, span_id = text(reading.attributes.get("gen_ai.response.id")), reading.record.span_id
    if response_id:
        draft.call_key = response_call_key(response_id)
    elif span_id:
        draft.call_key = span_call_key(reading.record.trace_id, span_id)
    if draft.call_key and draft.usage != Usage():
        draft.event_id = gen_ai_call_event_id(draft.call_key)


def refine_tool(reading: Reading, draft: Draft) -> None:
    call_id = text(reading.attributes.get("gen_ai.tool.call.id"))
    if call_id:
        draft.event_id = gen_ai_tool_event_id(draft.session_id, call_id)


def _refine_prompt(reading: Reading, draft: Draft) -> None:
    """Each request tells all messages before it again: one text is one prompt of its session."""
    content = long_text(reading.body.get("content")) or reading.message
    draft.metadata.pop("content", None)
    draft.note(message=content)
    if content:
        draft.event_id = f"otel-{digest('prompt', draft.session_id, content)}"

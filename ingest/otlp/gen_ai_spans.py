"""Spans of the GenAI conventions → events: calls with their usage, tools, agents' turns, errors. Pure.

Usage counts where a model was asked. The span of an agent's or workflow's turn repeats the sum of the calls below
it, so its usage is shown and never counted; of two spans of one call, one around the other, the inner one counts.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from ingest.contract import MOST_TOKENS, NewEvent
from ingest.otlp import gen_ai
from ingest.otlp.draft import INPUT, OUTPUT, Draft, begin, finish
from ingest.otlp.keys import digest
from ingest.otlp.reading import AGENTS, Reading, agent_type_of, text
from ingest.otlp.records import RecordFault, Rejected, Skipped, Span
from ingest.otlp.session_facts import FactsOfBody
from pricing.usage import Usage

# Agents that tell the same in their logs, or whose spans would tell it a second time.
TOLD_BY_LOGS: Final = frozenset(agent for _, agent in AGENTS)
TOOL: Final = "execute_tool"
SUMMING: Final = ("invoke_agent", "invoke_workflow", "create_agent", "plan")
CALLS: Final = ("chat", "text_completion", "generate_content", "completion", "embeddings")
OPERATIONS: Final = (TOOL, *SUMMING, *CALLS)
OPERATION_NAMES: Final = ("gen_ai.operation.name", "llm.request.type")
# What shows a call where no operation is named.
CALL_MARKS: Final = ("gen_ai.response.id", "gen_ai.response.model", *INPUT.attributes, *OUTPUT.attributes)
AROUND: Final = Skipped("spans around another span of the same call")


def is_wanted(resource: dict[str, Any]) -> bool:
    """Whether spans of this resource are read at all."""
    return agent_type_of(resource) not in TOLD_BY_LOGS


def events_of_spans(
    spans: Iterable[Span], facts: FactsOfBody, payload_limit_bytes: int
) -> Iterator[NewEvent | Skipped | Rejected]:
    """What the spans of one body tell of; `facts` gathers what they say of their sessions."""
    told = [(span, operation_of(span)) for span in spans]
    conversations = _conversations(span for span, _ in told)
    inner = {span.parent_id for span, operation in told if _is_call(span, operation)}
    for span, operation in told:
        if _is_call(span, operation) and span.span_id in inner:
            yield AROUND
            continue
        try:
            outcome = _event_of(span, operation, conversations.get(span.trace_id), payload_limit_bytes)
        except RecordFault as fault:
            outcome = Rejected(str(fault))
        if isinstance(outcome, NewEvent):
            facts.note(outcome, span.as_record())
        yield outcome


def operation_of(span: Span) -> str | None:
    """What is said, or what the span's name begins with, or what only a tool or a call has."""
    for name in OPERATION_NAMES:
        said = text(span.attributes.get(name))
        if said:
            return said
    first = span.name.partition(" ")[0]
    if first in OPERATIONS:
        return first
    if "gen_ai.tool.name" in span.attributes or "gen_ai.tool.call.id" in span.attributes:
        return TOOL
    return "chat" if any(name in span.attributes for name in CALL_MARKS) else None


def _is_call(span: Span, operation: str | None) -> bool:
    """Operations with names of their own are calls when they carry what only a call has."""
    if operation in CALLS:
        return True
    if operation is None or operation in (TOOL, *SUMMING):
        return False
    return any(name in span.attributes for name in CALL_MARKS)


def _conversations(spans: Iterable[Span]) -> dict[str | None, str]:
    """The conversation that some span of a trace names is that of its other spans too."""
    named: dict[str | None, str] = {}
    for span in spans:
        session_id = Reading(span.as_record()).session_id()
        if session_id is not None and span.trace_id is not None:
            named.setdefault(span.trace_id, session_id)
    return named


def _event_of(
    span: Span, operation: str | None, conversation: str | None, payload_limit_bytes: int
) -> NewEvent | Skipped | Rejected:
    reading = Reading(span.as_record())
    session_id = reading.session_id() or conversation or span.trace_id
    has_failed = span.is_error or "error.type" in span.attributes
    event_type = _event_type(span, operation, has_failed=has_failed)
    if event_type is None:
        return Skipped(f"span {operation or span.name}")
    if session_id is None:
        raise RecordFault("a span names neither a conversation nor a trace")
    draft = begin(reading, session_id, event_type, f"otel-{digest('span', span.trace_id, span.span_id)}")
    _refine(reading, draft, operation)
    if has_failed:
        draft.status = "error"
    draft.duration_ms = span.duration_ms if draft.duration_ms is None else draft.duration_ms
    draft.note(error=span.error_message, span_name=span.name, operation=operation)
    gen_ai.note_details(span.attributes, draft)
    return finish(draft, reading.agent_type, reading.record.time_ms, payload_limit_bytes)


def _event_type(span: Span, operation: str | None, *, has_failed: bool) -> str | None:
    if operation == TOOL:
        return "tool_use"
    if _is_call(span, operation):
        has_usage = any(name in span.attributes for name in (*INPUT.attributes, *OUTPUT.attributes))
        return "error" if has_failed and not has_usage else "llm_response"
    if has_failed:
        return "error"
    return "response" if operation in ("invoke_agent", "invoke_workflow") else None


def _refine(reading: Reading, draft: Draft, operation: str | None) -> None:
    if draft.event_type == "tool_use":
        draft.usage = Usage()
        gen_ai.refine_tool(reading, draft)
    elif draft.event_type == "llm_response":
        gen_ai.refine_call(reading, draft)
    else:
        draft.usage, draft.cost_nanos = Usage(), None
    if operation in SUMMING:
        draft.note(
            summed_input_tokens=reading.count(INPUT, MOST_TOKENS) or None,
            summed_output_tokens=reading.count(OUTPUT, MOST_TOKENS) or None,
        )

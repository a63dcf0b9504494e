"""Log records of Claude Code. Pure.

Its event names come without a prefix, numbers partly as text; input is uncached input, and cost_usd is the
client's own reckoning. How cache writes were split is stated (seen in 2.1.331), or follows from that cost. Facts
from 2.1.
"""

from typing import Any, Final, NamedTuple

import msgspec

from ingest.contract import LONGEST_MS, MOST_TOKENS
from ingest.hooks.tool_input import edited_lines, subjects
from ingest.otlp.draft import Draft, cost_nanos_of, usage_of
from ingest.otlp.event_types import common_event_type
from ingest.otlp.keys import claude_call_key, claude_prompt_event_id, claude_tool_event_id
from ingest.otlp.reading import Names, Reading, json_object, long_text, text
from ingest.otlp.records import LogRecord, whole_number
from pricing.cache_split import split_by_cost
from pricing.usage import Usage, unusual

INPUT: Final = Names(("gen_ai.usage.input_tokens", "input_tokens"), ("input_tokens",))
OUTPUT: Final = Names(("gen_ai.usage.output_tokens", "output_tokens"), ("output_tokens",))
CACHE_READ: Final = Names(("gen_ai.usage.cache_read_input_tokens", "cache_read_tokens"), ("cache_read_tokens",))
CACHE_WRITE: Final = Names(
    ("gen_ai.usage.cache_creation_input_tokens", "cache_creation_tokens"), ("cache_write_tokens",)
)
CACHE_WRITE_5M: Final = Names(("cache_creation_5m_tokens",))
CACHE_WRITE_1H: Final = Names(("cache_creation_1h_tokens",))
ESTIMATE: Final = Names(("cost_usd",))
DETAILS: Final = (
    "request_id",
    "query_source",
    "agent_name",
    "speed",
    "effort",
    "error",
    "error_type",
    "status_code",
    "attempt",
)
REJECTED: Final = "reject"


class HookTime(NamedTuple):
    """What the client says that its hooks of one moment took."""

    hook: str
    took_ms: int
    failed: bool


def hook_time(record: LogRecord) -> HookTime | None:
    """From a record that hooks have ended; None for any other."""
    attributes = record.attributes
    if attributes.get("event.name") != "hook_execution_complete":
        return None
    hook, took_ms = attributes.get("hook_event"), whole_number(attributes.get("total_duration_ms"))
    if not isinstance(hook, str) or took_ms is None or not 0 <= took_ms <= LONGEST_MS:
        return None
    errors = (whole_number(attributes.get(name)) for name in ("num_non_blocking_error", "num_cancelled"))
    return HookTime(hook, took_ms, any(errors))


def event_type(reading: Reading) -> str | None:
    """Of tool decisions only refusals are told: the result of what was allowed follows."""
    if reading.part == "response":
        return None
    if reading.part == "tool_decision":
        return "tool_use" if text(reading.attributes.get("decision")) == REJECTED else None
    if reading.part == "api_error":
        return "error"
    return common_event_type(reading)


def refine(reading: Reading, draft: Draft) -> None:
    attributes = reading.attributes
    tool_use_id, prompt_id = text(attributes.get("tool_use_id")), text(attributes.get("prompt.id"))
    if draft.event_type == "tool_use":
        _refine_tool(reading, draft, tool_use_id)
    elif reading.part == "api_request":
        _refine_request(reading, draft)
    elif draft.event_type == "user_prompt" and prompt_id:
        draft.event_id = claude_prompt_event_id(prompt_id)
    draft.note(prompt_id=prompt_id, **{name: attributes.get(name) for name in DETAILS})


def _refine_request(reading: Reading, draft: Draft) -> None:
    usage = usage_of(reading, INPUT, OUTPUT, CACHE_READ, CACHE_WRITE)
    draft.usage = msgspec.structs.replace(usage, speed=unusual(text(reading.attributes.get("speed"))))
    estimate = cost_nanos_of(reading, ESTIMATE)
    stated = _stated_split(reading, draft.usage)
    if stated is not None:
        draft.usage = stated
    elif estimate is not None and draft.model is not None:
        draft.usage = split_by_cost(draft.model, draft.usage, reading.record.time_ms, estimate)
    if draft.cost_nanos is None and estimate is not None:
        draft.cost_nanos, draft.cost_is_estimate = estimate, True
    draft.call_key = claude_call_key(
        text(reading.attributes.get("message_id")), text(reading.attributes.get("request_id"))
    )


def _stated_split(reading: Reading, usage: Usage) -> Usage | None:
    """The split of cache writes in the record's own words; None where it says none, or not of the same sum.

    The cost tells less: after a stream that broke off it holds the lost attempt too.
    """
    written_5m = reading.count(CACHE_WRITE_5M, MOST_TOKENS)
    written_1h = reading.count(CACHE_WRITE_1H, MOST_TOKENS)
    if written_5m + written_1h != usage.cache_write_5m_tokens or usage.cache_write_5m_tokens == 0:
        return None
    return msgspec.structs.replace(usage, cache_write_5m_tokens=written_5m, cache_write_1h_tokens=written_1h)


def _refine_tool(reading: Reading, draft: Draft, tool_use_id: str | None) -> None:
    attributes = reading.attributes
    if tool_use_id:
        draft.event_id = claude_tool_event_id(tool_use_id)
    if reading.part == "tool_decision":
        draft.status = "error"
    tool_input, parameters = _whole_input(attributes), json_object(attributes.get("tool_parameters"))
    draft.note(tool_use_id=tool_use_id, **subjects(json_object(attributes.get("tool_input"))))
    draft.note(**edited_lines(draft.tool_name, tool_input))
    draft.note(
        command=long_text(parameters.get("full_command")),
        mcp_server=text(parameters.get("mcp_server_name")),
        mcp_tool=text(parameters.get("mcp_tool_name")),
        skill=text(parameters.get("skill_name")),
        decision=text(attributes.get("decision") or attributes.get("decision_type")),
        decision_source=text(attributes.get("source") or attributes.get("decision_source")),
    )


def _whole_input(attributes: dict[str, Any]) -> dict[str, Any]:
    """The tool's input; nothing when the client cut its long texts, whose lines would be miscounted."""
    tool_input = attributes.get("tool_input")
    size_bytes = whole_number(attributes.get("tool_input_size_bytes")) or 0
    if not isinstance(tool_input, str) or len(tool_input.encode("utf-8", "replace")) < size_bytes:
        return {}
    return json_object(tool_input)

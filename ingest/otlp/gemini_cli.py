"""Log records of Gemini CLI. Pure.

Usage stands in three places (this log, token metrics, a GenAI record or span): the log of the response counts.
Input includes the cached part; thoughts are billed as output, tool-use prompts as input. Facts from 0.61.
"""

from typing import Final

import msgspec

from ingest.contract import MOST_TOKENS
from ingest.hooks.tool_input import subjects
from ingest.otlp.draft import Draft, usage_of
from ingest.otlp.event_types import common_event_type
from ingest.otlp.reading import Names, Reading, json_object, long_text, text, unredacted
from ingest.otlp.records import whole_number
from ingest.telling import of_prompt, of_tool
from pricing.usage import Usage

NAMED: Final = {"gemini_cli.tool_call": "tool_use", "gemini_cli.api_error": "error"}
INPUT: Final = Names(("input_token_count",))
OUTPUT: Final = Names(("output_token_count",))
CACHE_READ: Final = Names(("cached_content_token_count",))
CACHE_WRITE: Final = Names(())
THOUGHTS: Final = Names(("thoughts_token_count",))
TOOL_PROMPT: Final = Names(("tool_token_count",))
DETAILS: Final = (
    "prompt_id",
    "role",
    "status_code",
    "decision",
    "tool_type",
    "mcp_server_name",
    "error",
    "error_type",
)


def event_type(reading: Reading) -> str | None:
    name = reading.name or ""
    if name.startswith("gen_ai."):
        return None
    return NAMED.get(name) or common_event_type(reading)


def refine(reading: Reading, draft: Draft) -> None:
    attributes = reading.attributes
    draft.usage = _usage(reading) if reading.part == "api_response" else Usage()
    if draft.event_type == "tool_use":
        draft.tool_name = draft.tool_name or text(attributes.get("function_name"))
        written = attributes.get("function_args")
        arguments = json_object(written)
        draft.note(**subjects(arguments))
        if written:
            draft.telling = of_tool(draft.session_id, reading.record.time_ms, draft.tool_name, arguments)
        _note_lines(reading, draft)
    elif draft.event_type == "user_prompt":
        # The body is a sentence about the prompt, not the prompt.
        draft.metadata.pop("message", None)
        said = unredacted(attributes.get("prompt"))
        draft.telling = of_prompt(draft.session_id, reading.record.time_ms, said)
    draft.note(**{name: attributes.get(name) for name in DETAILS})


def _usage(reading: Reading) -> Usage:
    usage = usage_of(reading, INPUT, OUTPUT, CACHE_READ, CACHE_WRITE)
    thoughts = reading.count(THOUGHTS, MOST_TOKENS)
    return msgspec.structs.replace(
        usage,
        uncached_input_tokens=usage.uncached_input_tokens + reading.count(TOOL_PROMPT, MOST_TOKENS),
        output_tokens=usage.output_tokens + thoughts,
        reasoning_tokens=thoughts,
    )


def _note_lines(reading: Reading, draft: Draft) -> None:
    changes = json_object(reading.attributes.get("metadata"))
    draft.note(
        file_path=long_text(changes.get("file_path")),
        lines_added=whole_number(changes.get("model_added_lines")),
        lines_removed=whole_number(changes.get("model_removed_lines")),
    )

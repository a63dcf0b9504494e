"""One message of a Gemini CLI chat: its usage, its tools, whether a human typed it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from importers.claude_tools import input_metadata
from importers.fields import PREVIEW_CHARACTERS, blocks, count, mapping, moment, text
from ingest.contract import NewEvent
from ingest.metadata import clean_text
from pricing.usage import Usage

AGENT_TYPE: Final = "gemini_cli"
# Written by the client in the user's name.
MACHINE_STARTS: Final = (
    "<session_context>",
    "This is the Gemini CLI. We are setting up the context",
    "System: Please continue.",
)
UNFINISHED: Final = frozenset({"validating", "scheduled", "awaiting_approval", "executing"})


@dataclass(frozen=True, slots=True)
class ToolUse:
    tool_id: str | None
    name: str | None
    at_ms: int | None
    failed: bool
    metadata: dict[str, Any]
    arguments: dict[str, Any]


def event_id_of(what: str) -> str:
    return f"import-gem-{sha256(f'gemini:{what}'.encode()).hexdigest()[:32]}"


def call_key(session_id: str, message_id: str) -> str:
    """A UUID names its message wherever a conversation was copied to; any other id only in its session."""
    try:
        UUID(message_id)
    except ValueError:
        return f"message:{session_id}:{message_id}"
    return f"message:{message_id}"


def usage_of(tokens: dict[str, Any]) -> Usage:
    """Input includes its cached part; thoughts are billed as output, tool-use prompts as input, both apart."""
    given, cached = count(tokens.get("input")), count(tokens.get("cached"))
    thoughts = count(tokens.get("thoughts"))
    return Usage(
        uncached_input_tokens=max(0, given - cached) + count(tokens.get("tool")),
        cache_read_tokens=cached,
        output_tokens=count(tokens.get("output")) + thoughts,
        reasoning_tokens=thoughts,
    )


def show_usage(event: NewEvent, usage: Usage) -> None:
    event.tokens_in, event.tokens_out = usage.uncached_input_tokens, usage.output_tokens
    event.cache_read_tokens = usage.cache_read_tokens


def is_typed(said: str) -> bool:
    """Tool results stand in user messages too, without text."""
    return bool(said) and not said.startswith(MACHINE_STARTS)


def finished_tools(message: dict[str, Any]) -> Iterator[ToolUse]:
    """The tools of an answer that have come to their end, whatever it was."""
    for call in blocks(message.get("toolCalls")):
        status = text(call.get("status"))
        if status not in UNFINISHED:
            yield _tool_use(call, failed=status in {"error", "cancelled"})


def _tool_use(call: dict[str, Any], *, failed: bool) -> ToolUse:
    metadata = input_metadata(None, call.get("args"))
    changes = mapping(mapping(call.get("resultDisplay")).get("diffStat"))
    if failed:
        metadata["error"] = _error_of(call)
    elif changes:
        metadata["lines_added"] = count(changes.get("model_added_lines"))
        metadata["lines_removed"] = count(changes.get("model_removed_lines"))
    return ToolUse(
        tool_id=text(call.get("id")),
        name=text(call.get("name")),
        at_ms=moment(call.get("timestamp")),
        failed=failed,
        metadata=metadata,
        arguments=mapping(call.get("args")),
    )


def _error_of(call: dict[str, Any]) -> str:
    for part in blocks(call.get("result")):
        response = mapping(mapping(part.get("functionResponse")).get("response"))
        said = response.get("error") or response.get("output")
        if isinstance(said, str):
            return clean_text(said[:PREVIEW_CHARACTERS])
    shown = call.get("resultDisplay")
    return clean_text(shown[:PREVIEW_CHARACTERS]) if isinstance(shown, str) else ""

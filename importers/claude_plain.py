"""Lines without ids, as the contract maps them: one event for each line. Pure."""

from typing import Any, Final

from importers.buffer import Slot
from importers.claude_calls import usage_of
from importers.claude_lines import ClaudeLine
from importers.claude_tools import input_metadata
from importers.fields import PREVIEW_CHARACTERS, duration, mapping, text
from ingest.contract import MOST_DOLLARS, NANOS_PER_DOLLAR
from ingest.metadata import clean_text
from pricing.usage import Usage

EVENT_TYPES: Final = {
    "assistant": "llm_response",
    "error": "error",
    "session_end": "session_end",
    "session_start": "session_start",
    "tool_result": "tool_use",
    "tool_use": "tool_use",
}
# A line of an unknown kind is worth an event when it has one of these.
CONTENT_KEYS: Final = ("content", "costUSD", "error", "input", "message", "output", "usage")


class PlainLines:
    """Maps plain lines; remembers the last `costUSD`, which grows through a file."""

    def __init__(self) -> None:
        self._known_cost_usd = 0.0

    def slot(self, line: ClaudeLine) -> Slot:
        value = line.value
        event = line.event(EVENT_TYPES.get(line.kind, "response"), line.line_id)
        event.cost_nanos = self._cost_growth_nanos(value.get("costUSD"))
        event.model = text(value.get("model")) or text(line.message.get("model"))
        event.duration_ms = _duration_ms(value)
        if event.event_type == "tool_use":
            event.tool_name = text(value.get("name")) or text(value.get("tool_name"))
        if value.get("is_error") or value.get("status") == "error" or line.kind == "error":
            event.status = "error"
        return Slot(event, _metadata(value, event.tool_name))

    def _cost_growth_nanos(self, cost_usd: object) -> int | None:
        if (
            isinstance(cost_usd, bool)
            or not isinstance(cost_usd, (int, float))
            or not 0 <= cost_usd <= MOST_DOLLARS
        ):
            return None
        growth = cost_usd - self._known_cost_usd
        self._known_cost_usd = cost_usd
        return round(growth * NANOS_PER_DOLLAR) if growth > 0 else None


def usage_of_line(line: ClaudeLine) -> Usage | None:
    """Usage stands on the line or in its message."""
    usage = mapping(line.value.get("usage")) or mapping(line.message.get("usage"))
    return usage_of(usage) if usage else None


def has_content(line: ClaudeLine) -> bool:
    return any(line.value.get(key) for key in CONTENT_KEYS)


def _duration_ms(value: dict[str, Any]) -> int | None:
    found = duration(value.get("duration_ms"))
    return duration(value.get("durationMs")) if found is None else found


def _metadata(value: dict[str, Any], tool_name: str | None) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    if value.get("error"):
        metadata["error"] = value["error"]
    for key in ("content", "output"):
        if isinstance(value.get(key), str) and value[key]:
            metadata["content_preview"] = clean_text(value[key][:PREVIEW_CHARACTERS])
            break
    return metadata | input_metadata(tool_name, value.get("input"))

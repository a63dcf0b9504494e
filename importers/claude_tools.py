"""A tool's input and result as the metadata of its event. Pure."""

from typing import Any, Final

from importers.fields import (
    COMMAND_CHARACTERS,
    PREVIEW_CHARACTERS,
    blocks,
    duration,
    joined_text,
    mapping,
)
from ingest.metadata import clean_text, count_lines

# Whole values of an input that say what the tool was asked for, in the contract's order.
TARGET_KEYS: Final = ("file_path", "pattern", "query", "url")
# Where tools put their own time; Bash and others leave none, and the time of the result holds a human's wait.
DURATION_KEYS: Final = ("durationMs", "totalDurationMs", "duration_ms")


def input_metadata(tool_name: str | None, tool_input: object) -> dict[str, Any]:
    """What the tool was asked for, and the lines that an edit adds and removes."""
    given = mapping(tool_input)
    metadata: dict[str, Any] = {}
    command = given.get("command")
    if isinstance(command, str) and command:
        metadata["command"] = clean_text(command[:COMMAND_CHARACTERS])
    for key in TARGET_KEYS:
        value = given.get(key)
        if isinstance(value, str) and value:
            metadata[key] = clean_text(value)
    return metadata | _edited_lines(tool_name, given)


def _edited_lines(tool_name: str | None, given: dict[str, Any]) -> dict[str, int]:
    match tool_name:
        case "Edit":
            edits = [given]
        case "MultiEdit":
            edits = blocks(given.get("edits"))
        case "Write":
            return {"lines_added": count_lines(given["content"])} if "content" in given else {}
        case _:
            return {}
    edits = [edit for edit in edits if "old_string" in edit or "new_string" in edit]
    if not edits:
        return {}
    return {
        "lines_removed": sum(count_lines(edit.get("old_string")) for edit in edits),
        "lines_added": sum(count_lines(edit.get("new_string")) for edit in edits),
    }


def result_duration_ms(tool_use_result: object) -> int | None:
    """The time a tool says that it took."""
    given = mapping(tool_use_result)
    for key in DURATION_KEYS:
        if (found := duration(given.get(key))) is not None:
            return found
    return None


def result_text(content: object) -> str:
    """The start of what a tool answered."""
    return clean_text(joined_text(content)[:PREVIEW_CHARACTERS])

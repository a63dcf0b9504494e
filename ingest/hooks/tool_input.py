"""What a tool was asked to do, in the few words that a feed has room for. Pure."""

from typing import Any, Final

from ingest.metadata import count_lines

# The parts of a tool's input that say what it does, in the contract's order.
SUBJECT_KEYS: Final = ("command", "file_path", "pattern", "query", "url")
OTHER_SUBJECT_KEYS: Final = ("notebook_path", "path", "skill", "subject", "description", "prompt", "plan")


def subjects(tool_input: object) -> dict[str, str]:
    """The texts among the subject keys of a tool's input."""
    if not isinstance(tool_input, dict):
        return {}
    return {
        key: tool_input[key] for key in SUBJECT_KEYS if isinstance(tool_input.get(key), str) and tool_input[key]
    }


def subject(tool_input: object) -> str | None:
    """The one text that tells most: the command, the file, the question to the human."""
    if not isinstance(tool_input, dict):
        return None
    found = next(iter(subjects(tool_input).values()), None) or _question(tool_input.get("questions"))
    others = (tool_input.get(key) for key in OTHER_SUBJECT_KEYS)
    return found or next((text for text in others if isinstance(text, str) and text), None)


def _question(questions: object) -> str | None:
    first = questions[0] if isinstance(questions, list) and questions else None
    text = first.get("question") if isinstance(first, dict) else None
    return text if isinstance(text, str) and text else None


def edited_lines(tool_name: str | None, tool_input: object) -> dict[str, int]:
    """`lines_added` and `lines_removed` of the tools that replace or write text; else nothing."""
    if not isinstance(tool_input, dict):
        return {}
    if tool_name == "Write":
        return {"lines_added": count_lines(tool_input.get("content"))}
    if tool_name not in ("Edit", "MultiEdit"):
        return {}
    several = tool_input.get("edits")
    edits: list[Any] = several if isinstance(several, list) else [tool_input]
    known = [edit for edit in edits if isinstance(edit, dict)]
    return {
        "lines_added": sum(count_lines(edit.get("new_string")) for edit in known),
        "lines_removed": sum(count_lines(edit.get("old_string")) for edit in known),
    }

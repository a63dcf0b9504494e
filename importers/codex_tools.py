"""Tool calls of Codex: what was asked for, what a patch changes, and how it ended. Pure."""

import re
import shlex
from typing import Any, Final, NamedTuple

from importers.fields import COMMAND_CHARACTERS, PREVIEW_CHARACTERS, duration, joined_text, mapping, text
from importers.lines import BadLine, decode_line
from ingest.metadata import clean_text

PATCH_FILE: Final = re.compile(r"^\*\*\* (?:Update|Add|Delete) File: (.+?)\s*$", re.MULTILINE)
SHELLS: Final = frozenset({"bash", "sh", "zsh", "/bin/bash", "/bin/sh", "/bin/zsh", "/usr/bin/bash"})
EXIT_CODE: Final = re.compile(r"^(?:Process exited with code|Exit code:) (-?\d+)$", re.MULTILINE)
WALL_TIME: Final = re.compile(r"^Wall time:? (\d+(?:\.\d+)?) seconds", re.MULTILINE)
# Where a result says how it ended; what the command itself printed comes after it.
RESULT_HEAD_CHARACTERS: Final = 400
TARGET_KEYS: Final = {
    "path": "file_path",
    "file_path": "file_path",
    "pattern": "pattern",
    "query": "query",
    "url": "url",
}
PATCH_TOOL: Final = "apply_patch"


class ToolUse(NamedTuple):
    name: str
    metadata: dict[str, Any]


class ToolResult(NamedTuple):
    """`exit_code` is None where the tool has none."""

    exit_code: int | None
    duration_ms: int | None
    text: str


def tool_use(payload: dict[str, Any]) -> ToolUse | None:
    """The tool of a response item; None for items that are no tool calls."""
    match payload.get("type"):
        case "custom_tool_call":
            return _named_use(text(payload.get("name")), {"input": payload.get("input")})
        case "function_call":
            return _named_use(text(payload.get("name")), arguments(payload.get("arguments")))
        case "local_shell_call":
            return _named_use("shell", mapping(payload.get("action")))
        case "web_search_call":
            return ToolUse("web_search", _targets(mapping(payload.get("action"))))
        case _:
            return None


def command_use(item: dict[str, Any]) -> ToolUse:
    """A command that ran inside another tool, from the item that reports its end."""
    return _shell_use("exec_command", command_text(item.get("command")))


def change_use(item: dict[str, Any]) -> ToolUse:
    """A patch that was applied inside another tool."""
    changes = mapping(item.get("changes"))
    added, removed = 0, 0
    for change in map(mapping, changes.values()):
        lines = _patch_lines(str(change.get("unified_diff") or ""))
        content = change.get("content")
        whole = content.count("\n") if isinstance(content, str) else 0
        added += lines[0] + (whole if change.get("type") == "add" else 0)
        removed += lines[1] + (whole if change.get("type") == "delete" else 0)
    path = {"file_path": clean_text(next(iter(changes)))} if changes else {}
    return ToolUse(PATCH_TOOL, path | {"lines_added": added, "lines_removed": removed})


def command_text(command: object) -> str:
    """A command as one would type it; a shell that only wraps it is left out."""
    if isinstance(command, str):
        return command
    words = [word for word in command if isinstance(word, str)] if isinstance(command, list) else []
    if len(words) == 3 and words[0] in SHELLS and words[1] in {"-lc", "-c"}:
        return words[2]
    return shlex.join(words)


def result_of(output: object) -> ToolResult:
    """How a tool ended: older versions say it in JSON, newer ones in the first lines of the text."""
    written = joined_text(output) or joined_text(mapping(output).get("content"))
    result = arguments(written) if written.startswith("{") else {}
    if isinstance(result.get("output"), str):
        facts = mapping(result.get("metadata"))
        exit_code = facts.get("exit_code")
        took_ms = _milliseconds(facts.get("duration_seconds"))
        return ToolResult(exit_code if isinstance(exit_code, int) else None, took_ms, _start(result["output"]))
    head = written[:RESULT_HEAD_CHARACTERS]
    code, wall = EXIT_CODE.search(head), WALL_TIME.search(head)
    took_ms = _milliseconds(float(wall[1])) if wall else None
    return ToolResult(int(code[1]) if code else None, took_ms, _start(written))


def item_duration_ms(value: object) -> int | None:
    """A duration of seconds and nanoseconds, as finished items have it."""
    parts = mapping(value)
    seconds, nanos = parts.get("secs"), parts.get("nanos")
    if not isinstance(seconds, int) or not isinstance(nanos, int):
        return None
    return duration(seconds * 1000 + nanos // 1_000_000)


def _named_use(name: str | None, given: dict[str, Any]) -> ToolUse:
    command = command_text(given.get("command") or given.get("cmd") or "")
    patch = given.get("input") if name == PATCH_TOOL else command if command.startswith(PATCH_TOOL) else None
    if isinstance(patch, str) and patch:
        return ToolUse(PATCH_TOOL, _patch_metadata(patch))
    if command:
        return _shell_use(name or "shell", command)
    script = given.get("input")
    metadata = {"command": _cut(script)} if isinstance(script, str) and script else _targets(given)
    return ToolUse(name or "tool", metadata)


def _shell_use(name: str, command: str) -> ToolUse:
    return ToolUse(name, {"command": _cut(command)} if command else {})


def _targets(given: dict[str, Any]) -> dict[str, Any]:
    metadata: dict[str, Any] = {}
    for key, name in TARGET_KEYS.items():
        value = given.get(key)
        if isinstance(value, str) and value:
            metadata.setdefault(name, clean_text(value))
    return metadata


def _patch_metadata(patch: str) -> dict[str, Any]:
    path = PATCH_FILE.search(patch)
    added, removed = _patch_lines(patch)
    metadata: dict[str, Any] = {"file_path": clean_text(path[1])} if path else {}
    return metadata | {"lines_added": added, "lines_removed": removed}


def _patch_lines(patch: str) -> tuple[int, int]:
    """Lines that a patch adds and removes; the heads of a unified diff are neither."""
    lines = patch.split("\n")
    added = sum(line.startswith("+") and not line.startswith("+++") for line in lines)
    removed = sum(line.startswith("-") and not line.startswith("---") for line in lines)
    return added, removed


def arguments(written: object) -> dict[str, Any]:
    """What a tool is given, or gives, as JSON in a text; nothing for what is no object."""
    try:
        return decode_line(written.encode(errors="replace")) if isinstance(written, str) else mapping(written)
    except BadLine:
        return {}


def _milliseconds(seconds: object) -> int | None:
    number = isinstance(seconds, (int, float)) and not isinstance(seconds, bool)
    return duration(seconds * 1000) if number else None  # type: ignore[operator]


def _cut(command: str) -> str:
    return clean_text(command[:COMMAND_CHARACTERS])


def _start(written: str) -> str:
    return clean_text(written[:PREVIEW_CHARACTERS])

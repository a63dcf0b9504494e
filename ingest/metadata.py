"""The metadata of an event: compact JSON text, never above the cap, always valid JSON. Pure."""

from typing import Any, Final, NamedTuple

import msgspec

PRIORITY_KEYS: Final = (
    "command",
    "file_path",
    "query",
    "pattern",
    "error",
    "message",
    "tool_name",
    "path",
    "type",
)
# What a value that was cut says of itself.
MARKS: Final = ("_truncated", "_original_bytes")
DEFAULT_LIMIT_BYTES: Final = 10 * 1024
# Tools whose `file_path` is a file that the agent changed: the contract's, and those of Gemini CLI.
EDIT_TOOLS: Final = frozenset(
    {"Edit", "Write", "MultiEdit", "apply_patch", "write_stdin", "write_file", "replace"}
)
EDIT_SUMS: Final = frozenset({"lines_added", "lines_removed"})
TITLE_CHARACTERS: Final = 120
_encode = msgspec.json.encode


class CappedMetadata(NamedTuple):
    """JSON text as stored, and what the sums need of the whole value."""

    text: str
    truncated: bool
    edited_path: str | None = None
    lines_added: int = 0
    lines_removed: int = 0


def cap_metadata(value: Any, limit_bytes: int, tool_name: str | None = None) -> CappedMetadata:
    """Exactly `limit_bytes` fits. Above it: the marks and the priority keys, or the marks alone, or `{}`."""
    encoded = encode_json(value)
    truncated = len(encoded) > limit_bytes and encoded != b"{}"
    if truncated:
        encoded = _summary(value, len(encoded), limit_bytes)
    if not isinstance(value, dict):
        return CappedMetadata(encoded.decode(), truncated)
    path = value.get("file_path") if tool_name in EDIT_TOOLS else None
    return CappedMetadata(
        encoded.decode(),
        truncated,
        clean_text(path) if isinstance(path, str) and path else None,
        _line_count(value.get("lines_added")),
        _line_count(value.get("lines_removed")),
    )


def cap_outcome(value: dict[str, Any], limit_bytes: int, tool_name: str | None, *, failed: bool) -> CappedMetadata:
    """As `cap_metadata`, of what a tool did: a failed edit changed no file and no lines."""
    if not failed:
        return cap_metadata(value, limit_bytes, tool_name)
    return cap_metadata({key: value[key] for key in value if key not in EDIT_SUMS}, limit_bytes)


def title_of(metadata: str) -> str | None:
    """What a session is called by its first prompt, until its client names it: the first line, shortened."""
    value = msgspec.json.decode(metadata)
    message = value.get("message") if isinstance(value, dict) else None
    lines = message.split("\n", 1) if isinstance(message, str) else []
    title = clean_text(lines[0].strip()) if lines else ""
    if not title:
        return None
    return title if len(title) <= TITLE_CHARACTERS else f"{title[: TITLE_CHARACTERS - 1]}…"


def encode_json(value: Any) -> bytes:
    """Compact UTF-8 JSON. Lone surrogates, which UTF-8 can't hold, become question marks."""
    try:
        return _encode(value)
    except (UnicodeEncodeError, msgspec.MsgspecError):
        return _encode(_clean(value))


def count_lines(text: object) -> int:
    """Lines of a text; a last one without a line's end counts too."""
    if not isinstance(text, str) or not text:
        return 0
    return text.count("\n") + (not text.endswith("\n"))


def clean_text(text: str) -> str:
    """Text that any database and any reader can hold: no lone surrogates, no NUL."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode()
    return text.replace("\0", "\ufffd")


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, list):
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value


def _summary(value: Any, original_bytes: int, limit_bytes: int) -> bytes:
    marks: dict[str, Any] = dict(zip(MARKS, (True, original_bytes), strict=True))
    kept = {key: value[key] for key in PRIORITY_KEYS if key in value} if isinstance(value, dict) else {}
    for candidate in (marks | kept, marks):
        encoded = encode_json(candidate)
        if len(encoded) <= limit_bytes:
            return encoded
    return b"{}"


def _line_count(value: object) -> int:
    """Sums hold whole numbers; text, fractions and absurd values count nothing."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 2**40:
        return 0
    return int(value)

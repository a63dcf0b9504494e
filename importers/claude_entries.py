"""What a Claude Code transcript says, line by line, as entries for the reader and the search. Pure."""

from collections.abc import Iterator
from typing import Any, Final

from importers.claude_lines import AGENT_TYPE, ClaudeLine
from importers.claude_prompts import typed_prompt
from importers.fields import blocks, mapping, text
from ingest import entries
from ingest.entries import NewEntry, entry, input_text

TEXT_KINDS: Final = {"assistant": entries.ANSWER, "user": entries.PROMPT}
RESULT_SUFFIX: Final = "tool_result"
USE_SUFFIX: Final = "tool_use"


def entries_of(line: ClaudeLine, call_key: str | None = None) -> Iterator[NewEntry]:
    """The entries of a line; none for the client's book-keeping, nor for what a fork copied from its parent."""
    if line.is_copy or line.kind not in ("assistant", "user", "system"):
        return
    if line.kind == "system":
        yield from _of_system(line)
        return
    content = line.message.get("content", line.value.get("content"))
    for number, block in enumerate(blocks(content)):
        found = _of_block(line, block)
        if found is not None:
            kind, said, more = found
            yield _entry(line, number, kind, said, call_key=call_key, **more)


def _of_block(line: ClaudeLine, block: dict[str, Any]) -> tuple[str, str, dict[str, Any]] | None:
    """Kind and text of one block of content, and what else is known of it."""
    kind = block.get("type")
    if kind == "text":
        return _kind_of_text(line), _text_of(block.get("text")), {}
    if kind == "thinking":
        return entries.THINKING, _text_of(block.get("thinking")), {}
    if not isinstance(kind, str):
        return None
    if kind.endswith(USE_SUFFIX):
        name = text(block.get("name"))
        return (
            entries.TOOL_USE,
            input_text(block.get("input")),
            {"tool_name": name, "tool_id": text(block.get("id"))},
        )
    if kind.endswith(RESULT_SUFFIX):
        more = {"tool_id": text(block.get("tool_use_id")), "is_error": block.get("is_error") is True}
        return entries.TOOL_RESULT, _result_of(block.get("content")), more
    return entries.NOTICE, _reference(block), {}


def _kind_of_text(line: ClaudeLine) -> str:
    if line.value.get("isCompactSummary"):
        return entries.COMPACTION
    if line.kind == "assistant":
        return entries.NOTICE if line.value.get("isApiErrorMessage") else entries.ANSWER
    return entries.PROMPT if line.is_sidechain or typed_prompt(line.value) is not None else entries.NOTICE


def _of_system(line: ClaudeLine) -> Iterator[NewEntry]:
    said = _text_of(line.value.get("content"))
    if said:
        is_compaction = line.value.get("subtype") == "compact_boundary"
        is_error = line.value.get("level") == "error"
        kind = entries.COMPACTION if is_compaction else entries.NOTICE
        yield _entry(line, 0, kind, said, is_error=is_error)


def _entry(line: ClaudeLine, number: int, kind: str, said: str, **more: Any) -> NewEntry:
    subagent_id = line.agent_id if line.is_sidechain else None
    key = f"{line.uuid or line.line_id}:{number}"
    return entry(line.session_id, AGENT_TYPE, key, kind, line.at_ms, said, subagent_id=subagent_id, **more)


def _result_of(content: object) -> str:
    """A tool's answer as the model got it: texts, and of images that there was one."""
    if isinstance(content, str):
        return content
    parts = (
        _text_of(block.get("text")) if block.get("type") == "text" else _reference(block)
        for block in blocks(content)
    )
    return "\n".join(parts)


def _reference(block: dict[str, Any]) -> str:
    """Images and documents are named, not stored."""
    source = mapping(block.get("source"))
    names = (text(block.get("type")), text(source.get("media_type")), text(block.get("tool_name")))
    data = source.get("data")
    size = f" {len(data) * 3 // 4} bytes" if isinstance(data, str) else ""
    return f"[{' '.join(filter(None, names))}{size}]"


def _text_of(value: object) -> str:
    return value if isinstance(value, str) else ""

"""What a Gemini CLI chat says, message by message, as entries for the reader and the search. Pure.

A message repeats under its id as it grows, and in another form when its chat is resumed: of each part of it there
is one entry, and of its copies the longest is kept (ingest/entry_store.py).
"""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from importers.fields import blocks, joined_text, mapping, moment, text
from importers.gemini_messages import AGENT_TYPE, UNFINISHED, is_typed
from ingest import entries
from ingest.entries import NewEntry, entry, input_text

NOTICES: Final = {
    "error": entries.NOTICE,
    "warning": entries.NOTICE,
    "info": entries.NOTICE,
    "compression": entries.COMPACTION,
}
FAILED: Final = frozenset({"error", "cancelled"})


class Place(NamedTuple):
    """Whose message it is; `agent_id` is the sub-agent's, whose chat lies beside its parent's."""

    session_id: str
    agent_id: str | None
    message_id: str
    at_ms: int | None

    def entry(self, part: str, kind: str, said: str, **more: Any) -> NewEntry:
        key = f"{self.agent_id or ''}:{part}"
        more["subagent_id"] = self.agent_id
        at_ms = more.pop("at_ms", None) or self.at_ms
        return entry(self.session_id, AGENT_TYPE, key, kind, at_ms, said, **more)


def entries_of(place: Place, message: dict[str, Any]) -> Iterator[NewEntry]:
    """The entries of one copy of a message."""
    kind = text(message.get("type")) or ""
    if kind == "gemini":
        yield from _of_answer(place, message)
    elif kind == "user":
        yield from _of_user(place, message)
    elif kind in NOTICES:
        said = joined_text(message.get("content")).strip()
        if said:
            part = f"{place.message_id}:notice"
            yield place.entry(part, NOTICES[kind], said, is_error=kind == "error")


def _of_answer(place: Place, message: dict[str, Any]) -> Iterator[NewEntry]:
    content = blocks(message.get("content"))
    thoughts = "\n".join((*_thoughts(message.get("thoughts")), *_said(content, is_thought=True)))
    if thoughts:
        yield place.entry(f"{place.message_id}:thinking", entries.THINKING, thoughts)
    answer = "\n".join(_said(content, is_thought=False)).strip()
    if answer:
        yield place.entry(f"{place.message_id}:answer", entries.ANSWER, answer)
    for number, call in enumerate(blocks(message.get("toolCalls"))):
        yield from _of_tool(place, number, call)


def _of_user(place: Place, message: dict[str, Any]) -> Iterator[NewEntry]:
    """What a person typed, or the parent of a sub-agent; results of tools stand in user messages too."""
    said = joined_text(message.get("displayContent") or message.get("content")).strip()
    if is_typed(said):
        yield place.entry(f"{place.message_id}:prompt", entries.PROMPT, said)
    for part in blocks(message.get("content")):
        response = mapping(part.get("functionResponse"))
        tool_id = text(response.get("id"))
        if tool_id is not None:
            yield _result(place, tool_id, _response_text(response), tool_id, is_error=_is_error(response))


def _of_tool(place: Place, number: int, call: dict[str, Any]) -> Iterator[NewEntry]:
    tool_id, at_ms = text(call.get("id")), moment(call.get("timestamp"))
    named = tool_id or f"{place.message_id}:{number}"
    asked = input_text(call.get("args") or {})
    name = text(call.get("name"))
    # The message has the time of the asking, the call that of its end.
    yield place.entry(f"tool:{named}:use", entries.TOOL_USE, asked, tool_name=name, tool_id=tool_id)
    status = text(call.get("status"))
    if status in UNFINISHED:
        return
    responses = [mapping(part.get("functionResponse")) for part in blocks(call.get("result"))]
    shown = call.get("resultDisplay")
    said = "\n".join(filter(None, map(_response_text, responses))) or (shown if isinstance(shown, str) else "")
    is_error = status in FAILED or any(map(_is_error, responses))
    yield _result(place, named, said, tool_id, is_error=is_error, at_ms=at_ms)


def _result(place: Place, named: str, said: str, tool_id: str | None, **more: Any) -> NewEntry:
    return place.entry(f"tool:{named}:result", entries.TOOL_RESULT, said, tool_id=tool_id, **more)


def _is_error(response: dict[str, Any]) -> bool:
    return bool(mapping(response.get("response")).get("error"))


def _response_text(response: dict[str, Any]) -> str:
    answer = mapping(response.get("response"))
    said = answer.get("output") or answer.get("error")
    return said if isinstance(said, str) else input_text(answer) if answer else ""


def _said(content: list[dict[str, Any]], *, is_thought: bool) -> Iterator[str]:
    for block in content:
        said = block.get("text")
        if isinstance(said, str) and said and bool(block.get("thought")) == is_thought:
            yield said


def _thoughts(value: object) -> Iterator[str]:
    for thought in blocks(value):
        words = (thought.get("subject"), thought.get("description"))
        said = "\n".join(word for word in words if isinstance(word, str) and word)
        if said:
            yield said

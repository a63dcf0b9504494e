"""What a Codex rollout says, line by line, as entries for the reader and the search. Pure.

Newer rollouts tell the same thing as a response item and as an event; older event streams have only the events.
Each thing becomes one entry: what was told in one form is passed over when it comes in the other.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Final

from importers.codex_threads import AGENT_TYPE, MACHINE_STARTS, RolloutLine
from importers.codex_tools import arguments, command_text, result_of
from importers.fields import blocks, joined_text, mapping, text
from ingest import entries
from ingest.entries import NewEntry, entry, input_text

USES: Final = frozenset({"function_call", "custom_tool_call", "local_shell_call", "web_search_call"})
OUTPUTS: Final = frozenset({"function_call_output", "custom_tool_call_output"})
SPEAKERS: Final = {"user": entries.PROMPT, "assistant": entries.ANSWER}
SPEECH_EVENTS: Final = {
    "user_message": (entries.PROMPT, "message"),
    "agent_message": (entries.ANSWER, "message"),
    "agent_reasoning": (entries.THINKING, "text"),
    "agent_reasoning_raw_content": (entries.THINKING, "text"),
}
SPEECH_ITEMS: Final = {"UserMessage": entries.PROMPT, "AgentMessage": entries.ANSWER}
TOOL_ENDS: Final = frozenset({"exec_command_end", "patch_apply_end", "mcp_tool_call_end", "web_search_end"})
TOOL_ITEMS: Final = frozenset({"CommandExecution", "FileChange", "McpToolCall", "WebSearch"})
FAULTS: Final = frozenset({"error", "stream_error", "warning"})
FAILED: Final = frozenset({"failed", "declined"})
# The two forms of one saying stand next to each other.
SAYINGS_REMEMBERED: Final = 16
Saying = tuple[str, str, tuple[str, ...]]


class CodexEntries:
    """Reads the lines of one rollout that are the thread's own."""

    def __init__(self) -> None:
        self._found: list[NewEntry] = []
        # What was said in one form, and may come in the other: the form, the kind, the text and its parts.
        self._said: deque[Saying] = deque(maxlen=SAYINGS_REMEMBERED)
        self._called: set[str] = set()
        self._failed: set[str] = set()

    def take(self) -> list[NewEntry]:
        taken, self._found = self._found, []
        return taken

    def read(self, line: RolloutLine) -> None:
        match line.kind:
            case "response_item":
                self._read_item(line)
            case "event_msg":
                self._read_event(line)
            case "compacted":
                self._read_compaction(line)

    def _read_item(self, line: RolloutLine) -> None:
        kind = line.event_kind
        if kind == "message":
            self._read_message(line)
        elif kind == "reasoning":
            parts = (*_texts(line.payload.get("summary")), *_texts(line.payload.get("content")))
            self._think(line, "item", text(line.payload.get("id")), parts)
        elif kind in USES:
            self._add_use(line)
        elif kind in OUTPUTS:
            self._add_output(line)

    def _read_event(self, line: RolloutLine) -> None:
        payload, kind = line.payload, line.event_kind
        if kind in SPEECH_EVENTS:
            said_kind, field = SPEECH_EVENTS[kind]
            self._say(line, "event", said_kind, None, (_text_of(payload.get(field)),))
        elif kind == "item_completed":
            self._read_finished(line, mapping(payload.get("item")))
        elif kind in TOOL_ENDS:
            self._end_tool(line, payload.get("call_id"), payload)
        elif kind in FAULTS:
            self._note(line, payload.get("message"), is_error=kind == "error")
        elif kind in ("task_complete", "turn_aborted"):
            self._note(line, mapping(payload.get("error")).get("message"), is_error=True)

    def _read_compaction(self, line: RolloutLine) -> None:
        said = _text_of(line.payload.get("message")) or "Conversation compacted"
        self._add(line, _line_key(line), entries.COMPACTION, said)

    def _read_message(self, line: RolloutLine) -> None:
        """What the client tells the model in the developer's name is its own text, and the same everywhere."""
        kind = SPEAKERS.get(text(line.payload.get("role")) or "")
        parts = tuple(_content_texts(line.payload.get("content")))
        if kind is not None:
            self._say(line, "item", kind, text(line.payload.get("id")), parts)

    def _read_finished(self, line: RolloutLine, item: dict[str, Any]) -> None:
        kind, item_id = item.get("type"), text(item.get("id"))
        if kind in SPEECH_ITEMS:
            self._say(line, "event", SPEECH_ITEMS[kind], item_id, tuple(_texts(item.get("content"))))
        elif kind == "Reasoning":
            parts = (*_texts(item.get("summary_text")), *_texts(item.get("raw_content")))
            self._think(line, "event", item_id, parts)
        elif kind in TOOL_ITEMS:
            self._end_tool(line, item_id, item)

    def _think(self, line: RolloutLine, form: str, item_id: str | None, parts: Iterable[str]) -> None:
        """Each part is an entry: older versions tell them as one event each. What is sealed has no text."""
        for number, part in enumerate(parts):
            named = f"{item_id or _line_key(line)}:{number}"
            self._say(line, form, entries.THINKING, named, (part,))

    def _say(self, line: RolloutLine, form: str, kind: str, item_id: str | None, parts: tuple[str, ...]) -> None:
        said = "\n".join(parts).strip()
        if not said or self._is_told(form, kind, said, parts):
            return
        self._said.append((form, kind, (said, *(part.strip() for part in parts))))
        if kind == entries.PROMPT and said.startswith(MACHINE_STARTS):
            kind = entries.NOTICE
        self._add(line, item_id or _line_key(line), kind, said)

    def _is_told(self, form: str, kind: str, said: str, parts: tuple[str, ...]) -> bool:
        """Whether the other form told it; that one then answers for no second saying."""
        names = {said, *(part.strip() for part in parts)} - {""}
        for told in self._said:
            if told[0] != form and told[1] == kind and not names.isdisjoint(told[2]):
                self._said.remove(told)
                return True
        return False

    def _add_use(self, line: RolloutLine) -> None:
        payload = line.payload
        given = payload.get("action", payload.get("input", payload.get("arguments")))
        names = {"local_shell_call": "shell", "web_search_call": "web_search"}
        name = text(payload.get("name")) or names.get(line.event_kind)
        # A web search has no call id, its item's id is the one that its events have.
        call_id = text(payload.get("call_id")) or text(payload.get("id"))
        if call_id is None or call_id not in self._called:
            self._use(line, call_id, name, input_text(given) if given is not None else "")

    def _add_output(self, line: RolloutLine) -> None:
        call_id = text(line.payload.get("call_id"))
        output = line.payload.get("output")
        fields = mapping(output)
        said = fields["content"] if isinstance(fields.get("content"), str) else _output_text(output)
        is_error = bool(result_of(output).exit_code) or fields.get("success") is False
        self._result(line, call_id, said, is_error=is_error or call_id in self._failed)

    def _end_tool(self, line: RolloutLine, given_id: object, end: dict[str, Any]) -> None:
        """The end of a tool as an event: all there is of one inside a script, or in an older stream."""
        call_id = text(given_id)
        is_error = _has_failed(end)
        if call_id is not None and call_id in self._called:
            if is_error:
                self._failed.add(call_id)
            return
        name, asked = _asked(line.event_kind, end)
        self._use(line, call_id, name, asked)
        self._result(line, call_id, _answered(end), is_error=is_error)

    def _use(self, line: RolloutLine, call_id: str | None, name: str | None, asked: str) -> None:
        if call_id is not None:
            self._called.add(call_id)
        key = f"{call_id or _line_key(line)}:use"
        self._add(line, key, entries.TOOL_USE, asked, tool_name=name, tool_id=call_id)

    def _result(self, line: RolloutLine, call_id: str | None, said: str, *, is_error: bool) -> None:
        key = f"{call_id or _line_key(line)}:result"
        self._add(line, key, entries.TOOL_RESULT, said, tool_id=call_id, is_error=is_error)

    def _note(self, line: RolloutLine, message: object, *, is_error: bool) -> None:
        if isinstance(message, str) and message:
            self._add(line, _line_key(line), entries.NOTICE, message, is_error=is_error)

    def _add(self, line: RolloutLine, key: str, kind: str, said: str, **more: Any) -> None:
        thread = line.thread
        named = f"{thread.thread_id}:{key}"
        more["subagent_id"] = thread.agent_id
        self._found.append(entry(thread.session_id, AGENT_TYPE, named, kind, line.at_ms, said, **more))


def _line_key(line: RolloutLine) -> str:
    return f"line:{line.number}"


def _text_of(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> Iterator[str]:
    """The texts of a list of texts or of blocks of text."""
    for part in value if isinstance(value, list) else [value]:
        said = part if isinstance(part, str) else mapping(part).get("text")
        if isinstance(said, str) and said:
            yield said


def _content_texts(value: object) -> Iterator[str]:
    """A message's texts, and of images that there was one."""
    for block in blocks(value):
        said = block.get("text")
        yield said if isinstance(said, str) else f"[{text(block.get('type')) or 'content'}]"


def _output_text(output: object) -> str:
    """A tool's output as the model got it; older versions wrap it in JSON."""
    if isinstance(output, str) and output.startswith("{"):
        inner = arguments(output).get("output")
        return inner if isinstance(inner, str) else output
    if isinstance(output, (str, list)):
        return "\n".join(_content_texts(output))
    return input_text(output) if output is not None else ""


def _has_failed(end: dict[str, Any]) -> bool:
    failed = text(end.get("status")) in FAILED or end.get("success") is False or bool(end.get("error"))
    return failed or bool(end.get("exit_code"))


def _asked(event_kind: str, end: dict[str, Any]) -> tuple[str, str]:
    """Name and input of a tool that only its end tells of."""
    kind = text(end.get("type")) or event_kind
    if kind in ("CommandExecution", "exec_command_end"):
        return "exec_command", command_text(end.get("command"))
    if kind in ("FileChange", "patch_apply_end"):
        return "apply_patch", input_text(end.get("changes") or {})
    if kind in ("WebSearch", "web_search_end"):
        return "web_search", _text_of(end.get("query"))
    call = mapping(end.get("invocation")) or end
    return text(call.get("tool")) or "tool", input_text(call.get("arguments") or {})


def _answered(end: dict[str, Any]) -> str:
    for key in ("aggregated_output", "formatted_output"):
        if isinstance(end.get(key), str):
            return str(end[key])
    streams = "".join(_text_of(end.get(key)) for key in ("stdout", "stderr"))
    result = end.get("result") or end.get("error")
    content = joined_text(mapping(mapping(result).get("Ok") or result).get("content"))
    return streams or content or (input_text(result) if result else "")

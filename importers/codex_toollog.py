"""The tools of one rollout, from call to result. Pure."""

from typing import Any, Final

from importers.buffer import EventBuffer, Slot
from importers.codex_threads import Numbers, RolloutLine, event_id_of
from importers.codex_tools import (
    PATCH_TOOL,
    ToolUse,
    change_use,
    command_use,
    item_duration_ms,
    result_of,
    tool_use,
)
from importers.fields import PREVIEW_CHARACTERS, text
from ingest.metadata import clean_text
from ingest.otlp.keys import codex_tool_event_id

OUTPUT_ITEMS: Final = frozenset({"function_call_output", "custom_tool_call_output"})


class ToolLog:
    """Puts a tool's event into the buffer at its call, and completes it when its result comes.

    `numbers` are those of the contract, shared by calls and patches.
    """

    def __init__(self, buffer: EventBuffer, numbers: Numbers) -> None:
        self._buffer, self._numbers = buffer, numbers
        self._open: dict[str, Slot] = {}

    def read_item(self, line: RolloutLine) -> None:
        """A response item: a tool call, a tool's output, or neither."""
        if line.event_kind in OUTPUT_ITEMS:
            self._finish(line)
        elif (use := tool_use(line.payload)) is not None:
            call_id = text(line.payload.get("call_id"))
            slot = self._add(line, use, call_id)
            if call_id is not None and line.event_kind != "web_search_call":
                slot.is_open = True
                self._open[call_id] = slot

    def read_end(self, call_id: object, end: dict[str, Any]) -> bool:
        """The report that a command or patch ended, which comes before its output; whether its call is known."""
        slot = self._open.get(text(call_id) or "")
        if slot is not None:
            _note_end(slot, end)
            self._buffer.again(slot)
        return slot is not None

    def add_inner(self, line: RolloutLine, item: dict[str, Any]) -> None:
        """A command or patch inside a script, which has no response item of its own."""
        use = command_use(item) if item.get("type") == "CommandExecution" else change_use(item)
        _note_end(self._add(line, use, text(item.get("id"))), item)

    def _add(self, line: RolloutLine, use: ToolUse, call_id: str | None) -> Slot:
        event = line.event("tool_use", self._event_id(line, use, call_id))
        event.tool_name = text(use.name)
        slot = Slot(event, dict(use.metadata))
        if line.thread.agent_id is not None:
            slot.metadata["agent_id"] = line.thread.agent_id
        return self._buffer.add(slot)

    def _event_id(self, line: RolloutLine, use: ToolUse, call_id: str | None) -> str:
        number = next(self._numbers) if use.name == PATCH_TOOL else None
        if call_id is not None:
            return codex_tool_event_id(line.thread.thread_id, call_id)
        return line.line_id if number is None else event_id_of(f"{line.thread.thread_id}:patch:{number}")

    def _finish(self, line: RolloutLine) -> None:
        slot = self._open.pop(text(line.payload.get("call_id")) or "", None)
        if slot is None:
            return
        slot.is_open = False
        self._buffer.again(slot)
        result = result_of(line.payload.get("output"))
        # The report of the end has nanoseconds; the text rounds, or says nothing but 0.
        if not slot.event.duration_ms and result.duration_ms is not None:
            slot.event.duration_ms = result.duration_ms
        if result.exit_code or slot.event.status == "error":
            _fail(slot, result.text)


def _note_end(slot: Slot, end: dict[str, Any]) -> None:
    took_ms = item_duration_ms(end.get("duration"))
    if took_ms is not None:
        slot.event.duration_ms = took_ms
    if end.get("exit_code") or text(end.get("status")) in {"failed", "declined"} or end.get("success") is False:
        _fail(slot, text(end.get("aggregated_output")) or text(end.get("stderr")) or "")


def _fail(slot: Slot, message: str) -> None:
    slot.event.status, slot.counts_edit = "error", False
    for key in ("lines_added", "lines_removed"):
        slot.metadata.pop(key, None)
    if message:
        slot.metadata.setdefault("error", clean_text(message[:PREVIEW_CHARACTERS]))

"""Events in the order of their file, held back until what later lines say of them is known. Pure.

A tool's result and the last tokens of an answer stand lines below the event they complete. The buffer lets an
event wait for them, but not for ever: a tool that was killed never answers.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from ingest.contract import NewEvent
from ingest.metadata import cap_metadata

# A full slice of events that waits behind an open one goes out as it is.
LONGEST_WAIT_EVENTS: Final = 500


@dataclass(slots=True)
class Slot:
    """One event that may still change, also after it has left (`EventBuffer.again`).

    `metadata` becomes the event's JSON text when it leaves.
    """

    event: NewEvent
    metadata: dict[str, Any] = field(default_factory=dict)
    is_open: bool = False
    has_left: bool = False
    # A failed edit changed no file.
    counts_edit: bool = True


class EventBuffer:
    """First in, first out; an open slot holds back those behind it."""

    def __init__(self, payload_limit_bytes: int) -> None:
        self._limit_bytes = payload_limit_bytes
        self._slots: deque[Slot] = deque()

    def __len__(self) -> int:
        return len(self._slots)

    def add(self, slot: Slot) -> Slot:
        self._slots.append(slot)
        return slot

    def again(self, slot: Slot) -> None:
        """A slot that changed: if its event has left, it goes out once more, and completes what was stored."""
        if slot.has_left:
            slot.has_left = False
            self._slots.append(slot)

    def take(self, *, everything: bool = False) -> list[NewEvent]:
        """The events that are complete, in order; with `everything` the incomplete ones too."""
        taken = []
        while self._slots and (everything or not self._slots[0].is_open or len(self._slots) > LONGEST_WAIT_EVENTS):
            taken.append(self._finished(self._slots.popleft()))
        return taken

    def _finished(self, slot: Slot) -> NewEvent:
        slot.has_left, slot.is_open = True, False
        event = slot.event
        capped = cap_metadata(slot.metadata, self._limit_bytes, event.tool_name if slot.counts_edit else None)
        # A copy, since the slot may change while the writer stores what has left.
        return msgspec.structs.replace(
            event,
            metadata=capped.text,
            payload_truncated=capped.truncated,
            edited_path=capped.edited_path,
            lines_added=capped.lines_added,
            lines_removed=capped.lines_removed,
        )

"""The live stream: what the writer committed, to every dashboard, in id order, exactly once.

All streams read one ring of the last frames. A stream is a position in it and nothing more, so that a slow
client costs no memory: when it falls off the end of the ring, or reconnects, it reads what it missed from
the database; when it doesn't read at all, it is cut, and resumes later with Last-Event-ID.
"""

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple

import msgspec

from monitor.rows import EventRow, event_row
from monitor.times import iso_text, now_ms

RING_FRAMES: Final = 4096
RING_BYTES: Final = 8 * 1024 * 1024
# More than this many missed events are not sent one by one: the client loads its view anew.
MOST_MISSED: Final = 5000

_encode = msgspec.json.encode


class Filter(NamedTuple):
    """Which events a stream wants; with any filter it gets events only."""

    agent_type: str | None = None
    event_type: str | None = None

    @property
    def is_set(self) -> bool:
        return self.agent_type is not None or self.event_type is not None

    def takes(self, agent_type: str, event_type: str) -> bool:
        return self.agent_type in (None, agent_type) and self.event_type in (None, event_type)


class Frame(NamedTuple):
    """One SSE message, encoded. `event_id` is 0 for what is no stored event."""

    event_id: int
    agent_type: str
    event_type: str
    content: bytes


@dataclass(slots=True)
class Position:
    """Where a stream stands: the next frame's number, and the last event that it has."""

    next_frame: int
    last_event_id: int


class Hub:
    """The ring and who waits for it. `publish*` may be called from any thread; the rest from the loop's."""

    def __init__(self) -> None:
        self._ring: deque[Frame] = deque()
        self._first = 0
        self._ring_bytes = 0
        self._lock = threading.Lock()
        self._waiting: set[asyncio.Event] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.clients = 0
        self.closed = False
        # The newest event on disk that we know of, so that a new stream knows where it begins.
        self.last_event_id = 0

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    @property
    def end(self) -> int:
        return self._first + len(self._ring)

    def begin(self, last_event_id: int) -> None:
        """The writer starts: what is on disk up to here is history."""
        with self._lock:
            self.last_event_id = max(self.last_event_id, last_event_id)

    def publish(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Values of EVENT_COLUMNS, in id order. Without a client nothing is encoded."""
        # All under the lock: a client that joins meanwhile sees either the frame or the new last_event_id.
        with self._lock:
            if self.clients:
                self._append([event_frame(event_row(values)) for values in rows])
            self.last_event_id = max(self.last_event_id, rows[-1][0])
        self._wake()

    def publish_completed(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Events that say more now. Their frames have no id: who resumes reads the row as it is then."""
        with self._lock:
            if self.clients:
                frames = ({"type": "event_update", "payload": event_row(values)} for values in rows)
                self._append([Frame(0, "", "", sse(_encode(frame))) for frame in frames])
        self._wake()

    def send(self, message: dict[str, Any]) -> None:
        """A message that is no event: stats, session_update."""
        with self._lock:
            if self.clients:
                self._append([Frame(0, "", "", sse(_encode(message)))])
        self._wake()

    def resync(self) -> None:
        self.send({"type": "resync"})

    def _append(self, frames: list[Frame]) -> None:
        for frame in frames:
            self._ring.append(frame)
            self._ring_bytes += len(frame.content)
        while len(self._ring) > RING_FRAMES or self._ring_bytes > RING_BYTES:
            self._ring_bytes -= len(self._ring.popleft().content)
            self._first += 1

    def close(self) -> None:
        """The server stops: every stream ends after what it has to say."""
        self.closed = True
        self._wake()

    def _wake(self) -> None:
        if self._waiting and self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake_all)

    def _wake_all(self) -> None:
        for waiting in self._waiting:
            waiting.set()

    def join(self) -> tuple[Position, asyncio.Event]:
        """A stream from now on; its event is set when there is more to read."""
        waiting = asyncio.Event()
        self._waiting.add(waiting)
        with self._lock:
            self.clients += 1
            return Position(self.end, self.last_event_id), waiting

    def skip_lost(self, position: Position) -> None:
        """On to the ring's start where the position fell off it; events of the ring that were read are skipped."""
        with self._lock:
            position.next_frame = max(position.next_frame, self._first)

    def leave(self, waiting: asyncio.Event) -> None:
        self._waiting.discard(waiting)
        with self._lock:
            self.clients -= 1
            if not self.clients:
                self._first = self.end
                self._ring.clear()
                self._ring_bytes = 0

    def read(self, position: Position, wanted: Filter, most_bytes: int) -> list[bytes] | None:
        """Frames from the position on, which moves; None when it fell off the ring's end."""
        with self._lock:
            skip = position.next_frame - self._first
            if skip < 0:
                return None
            contents: list[bytes] = []
            size = 0
            for frame in islice(self._ring, skip, None):
                position.next_frame += 1
                if frame.event_id and frame.event_id <= position.last_event_id:
                    continue  # read from the database already
                position.last_event_id = max(position.last_event_id, frame.event_id)
                if _passes(frame, wanted):
                    contents.append(frame.content)
                    size += len(frame.content)
                    if size >= most_bytes:
                        break
            return contents


def _passes(frame: Frame, wanted: Filter) -> bool:
    if not wanted.is_set:
        return True
    return frame.event_id != 0 and wanted.takes(frame.agent_type, frame.event_type)


def event_frame(row: EventRow) -> Frame:
    content = sse(_encode({"type": "event", "payload": row}), row.id)
    return Frame(row.id, row.agent_type, row.event_type, content)


def sse(content: bytes, event_id: int = 0) -> bytes:
    """One unnamed SSE message. JSON holds no bare line end, so one `data:` line is enough."""
    head = b"id: %d\n" % event_id if event_id else b""
    return head + b"data: " + content + b"\n\n"


def connected_frame(clock: Callable[[], int] = now_ms) -> bytes:
    return sse(_encode({"type": "connected", "timestamp": iso_text(clock())}))


hub: Final = Hub()

RESYNC_FRAME: Final = sse(_encode({"type": "resync"}))
HEARTBEAT: Final = b": heartbeat\n\n"

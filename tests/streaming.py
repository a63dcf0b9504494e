"""A client of the live stream, over real HTTP."""

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, NamedTuple, Self

from tests.serving import Server, eventually


class Frame(NamedTuple):
    """One SSE message: its fields as sent, its JSON; a comment has no data."""

    fields: tuple[str, ...]
    event_id: int | None
    message: dict[str, Any]
    comment: str | None = None

    @property
    def kind(self) -> str | None:
        return self.message.get("type")


class Stream:
    """Reads frames in a thread of its own, for as long as a `with` block lasts."""

    def __init__(self, server: Server, query: str = "", *, last_event_id: object = None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        headers = {} if last_event_id is None else {"Last-Event-ID": str(last_event_id)}
        self._connection.request("GET", f"/api/stream{query}", headers=headers)
        self.response = self._connection.getresponse()
        self.frames: list[Frame] = []
        self.ended = threading.Event()
        self._socket = self.response.fp.raw._sock  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._read, daemon=True)

    def __enter__(self) -> Self:
        assert self.response.status == 200, self.response.read()
        self._thread.start()
        self.wait_for(lambda: self.frames, "the first frame")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if not self.ended.is_set():
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self.response.close()
        self._connection.close()

    def _read(self) -> None:
        fields: list[str] = []
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError, AttributeError):
            while line := self.response.readline():
                text = line.decode().rstrip("\n")
                if text:
                    fields.append(text)
                else:
                    self.frames.append(parse_frame(fields))
                    fields = []
        self.ended.set()

    def wait_for(self, condition: Callable[[], Any], what: str) -> Any:
        return eventually(condition, what=what)

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        return [frame.message for frame in self.frames if frame.kind == kind]

    @property
    def event_ids(self) -> list[int]:
        return [frame.message["payload"]["id"] for frame in self.frames if frame.kind == "event"]

    def updates(self, session_id: str) -> list[str]:
        """The statuses that were told of a session."""
        payloads = [message["payload"] for message in self.of_kind("session_update")]
        return [payload["status"] for payload in payloads if payload.get("session_id") == session_id]

    def wait_for_event(self, event_id: int) -> None:
        self.wait_for(lambda: self.event_ids[-1:] == [event_id], f"event {event_id}")


def parse_frame(fields: list[str]) -> Frame:
    values = dict(field.split(": ", 1) for field in fields if not field.startswith(":"))
    message = json.loads(values["data"]) if "data" in values else {}
    event_id = int(values["id"]) if "id" in values else None
    comment = fields[0].removeprefix(":").strip() if fields[0].startswith(":") else None
    return Frame(tuple(field.split(":")[0] for field in fields), event_id, message, comment)

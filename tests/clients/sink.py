"""A loopback HTTP sink: every body POSTed to it becomes a file, with an index of how it came."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from .loopback import Handler, LoopbackServer, serving, unpacked

# Gets each body as it came: path, headers, body (unpacked).
Forward = Callable[[str, Mapping[str, str], bytes], None]


class Received(msgspec.Struct, frozen=True):
    """One POST: `file` holds its body (unpacked), `at` is the UTC arrival time."""

    file: str
    path: str
    headers: dict[str, str]
    at: str
    size_bytes: int


class Sink:
    """What arrived so far. Use it through `sink`."""

    def __init__(self, folder: Path, forward: Forward | None = None) -> None:
        self.folder, self.forward = folder, forward
        self.url = ""
        self.received: list[Received] = []
        self._lock = threading.Lock()

    def keep(self, path: str, headers: dict[str, str], body: bytes) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with self._lock:
            name = f"{len(self.received):04}{_suffix(headers.get('content-type', ''))}"
            (self.folder / name).write_bytes(body)
            self.received.append(Received(name, path, headers, at, len(body)))

    def body(self, received: Received) -> bytes:
        return (self.folder / received.file).read_bytes()


@contextmanager
def sink(folder: Path, forward: Forward | None = None) -> Iterator[Sink]:
    """Record into `folder` (made when missing) while the block lasts, and pass on what comes."""
    folder.mkdir(parents=True, exist_ok=True)
    state = Sink(folder, forward)
    handler = type("SinkHandler", (_SinkHandler,), {"state": state})
    with serving(LoopbackServer(("127.0.0.1", 0), handler)) as url:
        state.url = url
        yield state


class _SinkHandler(Handler):
    state: Sink

    def do_POST(self) -> None:
        body = unpacked(self.read_body(), self.headers.get("Content-Encoding"))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.state.keep(self.path, headers, body)
        if self.state.forward is not None:
            self.state.forward(self.path, headers, body)
        # An empty answer is right for OTLP and for hooks; a hook's answer with a body gets into the transcript.
        self.answer(b"", headers.get("content-type", "application/json"))

    def do_GET(self) -> None:
        self.answer_json({})


def _suffix(content_type: str) -> str:
    return ".json" if "json" in content_type else ".pb" if "protobuf" in content_type else ".bin"

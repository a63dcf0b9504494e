"""A stdlib HTTP server on a free loopback port, in a thread, for as long as a `with` block lasts."""

from __future__ import annotations

import gzip
import json
import sys
import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class LoopbackServer(ThreadingHTTPServer):
    daemon_threads = True
    # Clients open many connections at once when an agent starts several tools.
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that is killed resets its connections; anything else is worth a traceback."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """Keep-alive handler with the few answers the fakes need."""

    protocol_version = "HTTP/1.1"
    # Head and body leave as two writes, which would otherwise wait for each other for 40 ms.
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """Quiet: what was asked is recorded by the server itself."""

    def read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return b"".join(self._chunks())
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def answer_json(self, value: Any, status: int = 200, headers: Iterable[tuple[str, str]] = ()) -> None:
        body = json.dumps(value).encode()
        self.answer(body, "application/json", status, headers)

    def answer(
        self, body: bytes, content_type: str, status: int = 200, headers: Iterable[tuple[str, str]] = ()
    ) -> None:
        self._head(status, [("Content-Type", content_type), ("Content-Length", str(len(body))), *headers])
        if self.command != "HEAD":
            self.wfile.write(body)

    def answer_events(self, events: Iterable[bytes], headers: Iterable[tuple[str, str]] = ()) -> None:
        """Stream server-sent events, chunk by chunk."""
        kind = ("Content-Type", "text/event-stream; charset=utf-8")
        self._head(200, [kind, ("Transfer-Encoding", "chunked"), *headers])
        for event in events:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
            self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")

    def _head(self, status: int, headers: Iterable[tuple[str, str]]) -> None:
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()


def unpacked(body: bytes, encoding: str | None) -> bytes:
    """The body without its Content-Encoding (gzip and deflate; anything else stays as it is)."""
    match (encoding or "").lower():
        case "gzip":
            return gzip.decompress(body)
        case "deflate":
            return zlib.decompress(body)
        case _:
            return body


@contextmanager
def serving(server: LoopbackServer) -> Iterator[str]:
    """Serve in a thread; yields the base address."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""GET /api/stream: the SSE consumer. One per client; it only moves a position in the hub's ring."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic
from typing import Any, Final
from urllib.parse import parse_qs

import msgspec
from channels.db import database_sync_to_async
from channels.exceptions import StopConsumer
from channels.generic.http import AsyncHttpConsumer
from django.conf import settings

from monitor.live import (
    HEARTBEAT,
    MOST_MISSED,
    RESYNC_FRAME,
    Filter,
    Position,
    connected_frame,
    event_frame,
    hub,
)
from monitor.queries import count_events_after, events_after
from monitor.rows import EventRow

Receive = Callable[[], Awaitable[dict[str, Any]]]

log = logging.getLogger("agentmonitor.stream")

# One write; the transport buffers at most this much beyond its own mark for a client that reads slowly.
CHUNK_BYTES: Final = 256 * 1024
PAGE_EVENTS: Final = 500
# A client that takes nothing for this long is cut. It comes back with Last-Event-ID and misses nothing.
STALLED_SECONDS: Final = 10.0
HEADERS: Final = [
    (b"Content-Type", b"text/event-stream"),
    (b"Cache-Control", b"no-cache"),
    (b"Connection", b"keep-alive"),
    (b"X-Accel-Buffering", b"no"),
]


class StreamConsumer(AsyncHttpConsumer):  # type: ignore[misc]
    """Frames of the contract, filters, heartbeat, client limit, and resumption by Last-Event-ID."""

    _task: "asyncio.Task[None] | None" = None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Any) -> None:
        async def receive_or_end() -> dict[str, Any]:
            """What the client says, or its disconnect when the stream ended from our side."""
            receiving = asyncio.ensure_future(receive())
            ends: list[asyncio.Future[Any]] = [receiving, *([self._task] if self._task else [])]
            try:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                return receiving.result() if receiving.done() else {"type": "http.disconnect"}
            finally:
                receiving.cancel()

        await super().__call__(scope, receive_or_end, send)

    async def http_request(self, message: dict[str, Any]) -> None:
        # The base class answers and ends here; a stream goes on beside the wait for its disconnect.
        if not message.get("more_body"):
            self._task = asyncio.ensure_future(self._serve())

    async def http_disconnect(self, message: dict[str, Any]) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
            error = None if self._task.cancelled() else self._task.exception()
            if error is not None and not isinstance(error, TimeoutError):
                log.error("a stream ended in an error", exc_info=error)
        raise StopConsumer

    async def _serve(self) -> None:
        if self.scope["method"] != "GET":
            await self._refuse(405, {"error": "Method Not Allowed"}, (b"Allow", b"GET"))
            return
        most = settings.ENVIRONMENT.max_sse_clients
        if hub.clients >= most:
            body = {"error": "SSE client limit reached", "max_clients": most}
            await self._refuse(503, body, (b"Retry-After", b"5"))
            return
        position, waiting = hub.join()
        try:
            await self.send_headers(headers=HEADERS)
            async for content in self._contents(position, waiting):
                async with asyncio.timeout(STALLED_SECONDS):
                    await self.send_body(content, more_body=True)
            await self.send_body(b"")
        finally:
            hub.leave(waiting)

    async def _refuse(self, status: int, body: dict[str, Any], header: tuple[bytes, bytes]) -> None:
        headers = [(b"Content-Type", b"application/json; charset=utf-8"), header]
        await self.send_response(status, msgspec.json.encode(body), headers=headers)

    async def _contents(self, position: Position, waiting: asyncio.Event) -> AsyncIterator[bytes]:
        wanted, last_event_id = self._wanted(), self._last_event_id(position)
        yield connected_frame()
        if last_event_id is not None:
            position.last_event_id = last_event_id
            async for content in _missed(position, wanted):
                yield content
        heartbeat_seconds = settings.ENVIRONMENT.sse_heartbeat_ms / 1000
        next_heartbeat = monotonic() + heartbeat_seconds
        while True:
            waiting.clear()
            contents = hub.read(position, wanted, CHUNK_BYTES)
            if contents is None:
                async for content in _missed(position, wanted):
                    yield content
                continue
            if contents:
                yield b"".join(contents)
                continue
            if hub.closed:
                return
            if monotonic() >= next_heartbeat:
                next_heartbeat = monotonic() + heartbeat_seconds
                yield HEARTBEAT
            # Not wait_for: before Python 3.12 it swallows a cancellation that comes together with the result,
            # and a stream whose client has gone would stay for ever.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(0.0, next_heartbeat - monotonic())):
                    await waiting.wait()

    def _wanted(self) -> Filter:
        query = parse_qs(self.scope["query_string"].decode("utf-8", "replace"))
        return Filter(*(query.get(name, [None])[0] for name in ("agent_type", "event_type")))

    def _last_event_id(self, position: Position) -> int | None:
        """The client's Last-Event-ID, when it is one that we can have given."""
        for name, value in self.scope["headers"]:
            if name == b"last-event-id" and value.isdigit() and len(value) < 19:
                return min(int(value), position.last_event_id)
        return None


async def _missed(position: Position, wanted: Filter) -> AsyncIterator[bytes]:
    """What the client missed, from the database, up to where the ring goes on."""
    if await _count(position.last_event_id) > MOST_MISSED:
        position.last_event_id = hub.last_event_id
        hub.skip_lost(position)
        yield RESYNC_FRAME
        return
    hub.skip_lost(position)
    while True:
        rows = await _page(position.last_event_id)
        if not rows:
            return
        position.last_event_id = rows[-1].id
        content = b"".join(
            event_frame(row).content for row in rows if wanted.takes(row.agent_type, row.event_type)
        )
        if content:
            yield content


async def _count(last_event_id: int) -> int:
    count: int = await database_sync_to_async(count_events_after)(last_event_id, MOST_MISSED + 1)
    return count


async def _page(last_event_id: int) -> list[EventRow]:
    rows: list[EventRow] = await database_sync_to_async(events_after)(last_event_id, PAGE_EVENTS)
    return rows

"""The floor: the least ASGI application that validates the same events and commits them in groups.

One table without indexes, no sessions, no prices, no stream: what any implementation has to pay.
`python -m tests.bench.floor PORT DATABASE`
"""

import asyncio
import sqlite3
import sys
import threading
from collections import deque
from typing import Any

import msgspec
import uvicorn


class Event(msgspec.Struct):
    session_id: str
    agent_type: str
    event_type: str
    event_id: str | None = None
    tool_name: str | None = None
    status: str | None = None
    tokens_in: int = 0
    tokens_out: int = 0
    model: str | None = None
    project: str | None = None
    branch: str | None = None
    duration_ms: int | None = None
    client_timestamp: str | None = None
    source: str | None = None
    metadata: msgspec.Raw = msgspec.Raw(b"{}")


class Batch(msgspec.Struct):
    events: list[Event]


COLUMNS = Event.__struct_fields__
INSERT = f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"
decode_event = msgspec.json.Decoder(Event).decode
decode_batch = msgspec.json.Decoder(Batch).decode
waiting: deque[tuple[list[Event], asyncio.Future[None]]] = deque()
wake = threading.Condition()


def write(path: str, loop: asyncio.AbstractEventLoop) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"CREATE TABLE events (id INTEGER PRIMARY KEY, {', '.join(COLUMNS)})")
    while True:
        with wake:
            while not waiting:
                wake.wait()
            group = [waiting.popleft() for _ in range(len(waiting))]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany(INSERT, [_values(event) for events, _ in group for event in events])
        connection.execute("COMMIT")
        loop.call_soon_threadsafe(_answer, [future for _, future in group])


def _values(event: Event) -> tuple[Any, ...]:
    values = msgspec.structs.astuple(event)
    return (*values[:-1], bytes(values[-1]).decode())


def _answer(futures: list[asyncio.Future[None]]) -> None:
    for future in futures:
        future.set_result(None)


class Floor:
    def __init__(self, path: str) -> None:
        self.path = path
        self.started = False

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if not self.started:
            self.started = True
            loop = asyncio.get_running_loop()
            threading.Thread(target=write, args=(self.path, loop), daemon=True).start()
        body = (await receive())["body"]
        single = scope["path"] == "/api/events"
        events = [decode_event(body)] if single else decode_batch(body).events if body else []
        if events:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            with wake:
                waiting.append((events, future))
                wake.notify()
            await future
        answer = b'{"received":%d}' % len(events)
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 201, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


if __name__ == "__main__":
    uvicorn.run(
        Floor(sys.argv[2]),
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
    )

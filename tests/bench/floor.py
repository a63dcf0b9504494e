"""The floor: the least ASGI application that validates the same events and commits them in groups.

Typed checks, the dedupe key, ids in the answer; one table, no sessions, no prices, no sums, no stream: what
any implementation has to pay.
`python -m tests.bench.floor PORT DATABASE`
"""

import asyncio
import sqlite3
import sys
import threading
from collections import deque
from typing import Annotated, Any, Literal

import msgspec
import uvicorn

EventType = Literal[
    "tool_use",
    "session_start",
    "session_end",
    "error",
    "llm_request",
    "llm_response",
    "response",
    "file_change",
    "git_commit",
    "plan_step",
    "user_prompt",
]
Count = Annotated[int, msgspec.Meta(ge=0)]


class Event(msgspec.Struct):
    session_id: Annotated[str, msgspec.Meta(min_length=1)]
    agent_type: Annotated[str, msgspec.Meta(min_length=1)]
    event_type: EventType
    event_id: str | None = None
    tool_name: str | None = None
    status: Literal["success", "error", "timeout"] = "success"
    tokens_in: Count = 0
    tokens_out: Count = 0
    cache_read_tokens: Count = 0
    cache_write_tokens: Count = 0
    model: str | None = None
    project: str | None = None
    branch: str | None = None
    duration_ms: Count | None = None
    cost_usd: float | None = None
    client_timestamp: str | None = None
    source: str | None = None
    metadata: msgspec.Raw = msgspec.Raw(b"{}")


class Batch(msgspec.Struct):
    events: list[Event]


COLUMNS = Event.__struct_fields__
ROW = f"({', '.join('?' * len(COLUMNS))})"
CHUNK = 64
decode_event = msgspec.json.Decoder(Event).decode
decode_batch = msgspec.json.Decoder(Batch).decode
waiting: deque[tuple[list[Event], asyncio.Future[list[int]]]] = deque()
wake = threading.Condition()


def write(path: str, loop: asyncio.AbstractEventLoop) -> None:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute(f"CREATE TABLE events (id INTEGER PRIMARY KEY, {', '.join(COLUMNS)}, UNIQUE (event_id))")
    while True:
        with wake:
            while not waiting:
                wake.wait()
            group = [waiting.popleft() for _ in range(len(waiting))]
        events = [event for events, _ in group for event in events]
        stored: dict[str | None, int] = {}
        connection.execute("BEGIN IMMEDIATE")
        for start in range(0, len(events), CHUNK):
            stored.update(_insert(connection, events[start : start + CHUNK]))
        connection.execute("COMMIT")
        answers = [(future, [stored[event.event_id] for event in events]) for events, future in group]
        loop.call_soon_threadsafe(_answer, answers)


def _insert(connection: sqlite3.Connection, events: list[Event]) -> list[tuple[str | None, int]]:
    sql = (
        f"INSERT INTO events ({', '.join(COLUMNS)}) VALUES {', '.join([ROW] * len(events))} "
        "ON CONFLICT DO NOTHING RETURNING event_id, id"
    )
    return connection.execute(sql, [value for event in events for value in _values(event)]).fetchall()


def _values(event: Event) -> tuple[Any, ...]:
    values = msgspec.structs.astuple(event)
    return (*values[:-1], bytes(values[-1]).decode())


def _answer(answers: list[tuple[asyncio.Future[list[int]], list[int]]]) -> None:
    for future, ids in answers:
        future.set_result(ids)


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
        ids: list[int] = []
        if events:
            future: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
            with wake:
                waiting.append((events, future))
                wake.notify()
            ids = await future
        answer = msgspec.json.encode({"received": len(ids), "ids": ids, "duplicates": 0})
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

"""A load generator that costs little itself: prepared requests over keep-alive sockets."""

import asyncio
import random
from collections.abc import Callable, Iterator
from time import perf_counter
from typing import Any

import msgspec

TOOLS = ("Bash", "Read", "Edit", "Grep", "Write")
MODELS = ("claude-sonnet-4-5", "claude-opus-4-6", "gpt-5.3-codex")


def events(seed: int) -> Iterator[dict[str, object]]:
    """Believable events over 100 sessions: tools, prompts, and every fifth a billed call."""
    chance = random.Random(seed)
    number = 0
    while True:
        number += 1
        session = chance.randrange(100)
        event: dict[str, object] = {
            "event_id": f"bench-{seed}-{number}",
            "session_id": f"bench-session-{session}",
            "agent_type": "codex" if session % 3 == 0 else "claude_code",
            "event_type": "tool_use",
            "tool_name": chance.choice(TOOLS),
            "duration_ms": chance.randrange(1, 2000),
            "project": f"project-{session % 10}",
            "branch": "main",
            "client_timestamp": "2026-11-24T10:00:00.123Z",
            "metadata": {"command": f"pytest tests/test_{number}.py", "lines_added": number % 7},
        }
        if number % 5 == 0:
            event |= {
                "event_type": "llm_response",
                "tool_name": None,
                "model": MODELS[session % 3],
                "tokens_in": chance.randrange(1, 5000),
                "tokens_out": chance.randrange(1, 900),
            }
        yield event


def request(path: str, body: bytes, port: int) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def single_requests(seed: int, count: int, port: int) -> list[bytes]:
    source = events(seed)
    return [request("/api/events", msgspec.json.encode(next(source)), port) for _ in range(count)]


def batch_requests(seed: int, count: int, size: int, port: int) -> list[bytes]:
    source = events(seed)
    bodies = (msgspec.json.encode({"events": [next(source) for _ in range(size)]}) for _ in range(count))
    return [request("/api/events/batch", body, port) for body in bodies]


class _Connection(asyncio.Protocol):
    """Sends the next request as soon as the answer to the last one is complete."""

    def __init__(self, next_request: Callable[[], bytes | None], latencies: list[float]) -> None:
        self.next_request, self.latencies = next_request, latencies
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.buffer = b""
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport: Any = transport
        self._send()

    def _send(self) -> None:
        content = self.next_request()
        if content is None:
            self.transport.close()
            self.done.set_result(None)
            return
        self.sent_at = perf_counter()
        self.transport.write(content)

    def data_received(self, received: bytes) -> None:
        self.buffer += received
        head, separator, rest = self.buffer.partition(b"\r\n\r\n")
        if not separator:
            return
        start = head.lower().index(b"content-length:") + 15
        if len(rest) < int(head[start:].split(b"\r\n", 1)[0]):
            return
        if not head.startswith((b"HTTP/1.1 20",)):
            raise RuntimeError(head[:200] + rest[:200])
        self.latencies.append(perf_counter() - self.sent_at)
        self.buffer = b""
        self._send()


async def _drive(requests: list[bytes], connections: int, port: int) -> tuple[float, list[float]]:
    waiting = iter(requests)
    latencies: list[float] = []
    loop = asyncio.get_running_loop()
    started = perf_counter()
    made = [
        await loop.create_connection(
            lambda: _Connection(lambda: next(waiting, None), latencies), "127.0.0.1", port
        )
        for _ in range(connections)
    ]
    await asyncio.gather(*(protocol.done for _, protocol in made))
    return perf_counter() - started, latencies


def drive(requests: list[bytes], connections: int, port: int) -> tuple[float, list[float]]:
    """Seconds for all requests, and the seconds that each took."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_drive(requests, connections, port))

"""The report of `make bench`; names of parts as arguments run these only."""

import json
import socket
import statistics
import sys
import threading
import time
import urllib.request
from collections.abc import Callable

from tests.bench import load, servers
from tests.bench.imports import imports

SINGLES, BATCHES, BATCH_SIZE, CONNECTIONS, ROUNDS = 6000, 300, 50, 16, 3
STREAMS, STREAM_RATE, STREAM_SECONDS = 20, 500, 8
PAGE_PATHS = (
    "/api/stats",
    "/api/stats/cost",
    "/api/stats/tools",
    "/api/stats/usage-monitor",
    "/api/filter-options",
    "/api/sessions",
    "/api/events?limit=50",
    "/api/events?event_type=error&limit=50",
    "/api/usage?group_by=day",
)


def quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def throughput() -> None:
    """Events per second, ours and the floor's in turn, so that a slow moment hits both."""
    kinds: dict[str, Callable[[int, int], tuple[list[bytes], int]]] = {
        f"single POST, {CONNECTIONS} connections": lambda seed, port: (
            load.single_requests(seed, SINGLES, port),
            SINGLES,
        ),
        f"batches of {BATCH_SIZE}, {CONNECTIONS} connections": lambda seed, port: (
            load.batch_requests(seed, BATCHES, BATCH_SIZE, port),
            BATCHES * BATCH_SIZE,
        ),
    }
    for name, make in kinds.items():
        rates: dict[str, list[float]] = {"monitor": [], "floor": []}
        for round_number in range(ROUNDS):
            for side, start in (("floor", servers.floor), ("monitor", servers.monitor)):
                with start() as (port, _):
                    warm, _count = make(1000 + round_number, port)
                    load.drive(warm[: len(warm) // 10], CONNECTIONS, port)
                    requests, count = make(round_number, port)
                    seconds, _latencies = load.drive(requests, CONNECTIONS, port)
                    rates[side].append(count / seconds)
        ratios = [ours / theirs for ours, theirs in zip(rates["monitor"], rates["floor"], strict=True)]
        print(
            f"{name}: {statistics.median(ratios):.2f} of the floor (goal 0.60; min {min(ratios):.2f}, "
            f"max {max(ratios):.2f}); {statistics.median(rates['monitor']):,.0f} against "
            f"{statistics.median(rates['floor']):,.0f} events/s"
        )


def hook_latency() -> None:
    body = json.dumps(
        {
            "session_id": "bench",
            "hook_event_name": "PostToolUse",
            "cwd": "/home/u/myapp",
            "transcript_path": "t.jsonl",
            "tool_name": "Bash",
            "tool_input": {"command": "ls"},
            "tool_response": {"stdout": "x" * 500},
        }
    ).encode()
    with servers.monitor() as (port, _):
        requests = [load.request("/api/hooks/claude-code", body, port)] * 1500
        load.drive(requests[:100], 1, port)
        _seconds, latencies = load.drive(requests, 1, port)
    print(
        f"hook POST, 1 connection: median {1000 * statistics.median(latencies):.2f} ms (goal 2), "
        f"p99 {1000 * quantile(latencies, 0.99):.2f} ms"
    )


def stream_delay() -> None:
    """From the start of a POST to the frame in each client's hands."""
    with servers.monitor() as (port, _):
        sent: dict[str, float] = {}
        delays: list[float] = []
        readers = [_StreamReader(port, sent, delays) for _ in range(STREAMS)]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.connected.wait(10)
        _post_steadily(port, sent)
        deadline = time.monotonic() + 10
        expected = STREAM_RATE * STREAM_SECONDS * STREAMS
        while len(delays) < expected and time.monotonic() < deadline:
            time.sleep(0.05)
        for reader in readers:
            reader.close()
    print(
        f"event to SSE client, {STREAM_RATE} events/s, {STREAMS} clients: p50 "
        f"{1000 * quantile(delays, 0.5):.1f} ms, p99 {1000 * quantile(delays, 0.99):.1f} ms (goal 50); "
        f"{len(delays)} of {expected} frames"
    )


def _post_steadily(port: int, sent: dict[str, float]) -> None:
    connection = socket.create_connection(("127.0.0.1", port))
    source = load.events(7)
    started = time.perf_counter()
    for number in range(STREAM_RATE * STREAM_SECONDS):
        delay = started + number / STREAM_RATE - time.perf_counter()
        if delay > 0:
            time.sleep(delay)
        event = next(source)
        sent[str(event["event_id"])] = time.perf_counter()
        connection.sendall(load.request("/api/events", json.dumps(event).encode(), port))
        connection.recv(65536)
    connection.close()


class _StreamReader(threading.Thread):
    def __init__(self, port: int, sent: dict[str, float], delays: list[float]) -> None:
        super().__init__(daemon=True)
        self.sent, self.delays = sent, delays
        self.connected = threading.Event()
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.sendall(f"GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())

    def run(self) -> None:
        buffer = b""
        while True:
            try:
                received = self.socket.recv(262144)
            except OSError:
                return
            if not received:
                return
            now = time.perf_counter()
            buffer += received
            *frames, buffer = buffer.split(b"\n\n")
            for frame in frames:
                self._take(frame, now)

    def _take(self, frame: bytes, now: float) -> None:
        if b'"type":"connected"' in frame:
            self.connected.set()
        mark = frame.find(b'"event_id":"bench-')
        if mark >= 0:
            event_id = frame[mark + 12 : frame.index(b'"', mark + 12)].decode()
            self.delays.append(now - self.sent[event_id])

    def close(self) -> None:
        self.socket.close()


def memory_and_pages() -> None:
    with servers.monitor() as (port, pid):
        time.sleep(3)
        idle = servers.resident_megabytes(pid)
        times: list[dict[str, float]] = []
        stored = 0
        for target in (1000, 100_000):
            missing = (target - stored) // BATCH_SIZE
            load.drive(load.batch_requests(target, missing, BATCH_SIZE, port), 4, port)
            stored = target
            times.append({path: _median_ms(port, path) for path in PAGE_PATHS})
        loaded = servers.resident_megabytes(pid)
    print(f"memory: {idle:.0f} MB idle (goal 90), {loaded:.0f} MB after 100,000 events")
    for path in PAGE_PATHS:
        small, large = times[0][path], times[1][path]
        print(f"GET {path}: {large:.2f} ms at 100k events, {small:.2f} ms at 1k: {large / small:.2f}× (goal 2)")


def _median_ms(port: int, path: str, rounds: int = 40) -> float:
    samples = []
    for _ in range(rounds):
        started = time.perf_counter()
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            answer.read()
        samples.append(1000 * (time.perf_counter() - started))
    return statistics.median(samples)


def start_up() -> None:
    samples = []
    for _ in range(3):
        started = time.perf_counter()
        with servers.monitor():
            samples.append(time.perf_counter() - started)
    print(f"start with an empty database, migration included: {statistics.median(samples):.1f} s")


if __name__ == "__main__":
    wanted = sys.argv[1:]
    for part in (throughput, hook_latency, stream_delay, memory_and_pages, start_up, imports):
        if not wanted or part.__name__ in wanted:
            part()

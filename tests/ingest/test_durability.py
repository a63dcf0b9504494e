"""201 means on disk: through kill -9, a locked database, a full queue and a full disk. Real processes."""

import resource
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.conftest import ServerFactory
from tests.serving import Server, event, eventually
from tests.storing import opened, table, write_lock

CLIENTS = 8


class Posting:
    """Clients that post one event after the other, single and in batches, and keep what was acknowledged."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._ending = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(number,)) for number in range(CLIENTS)]
        self.acknowledged: dict[int, str] = {}
        self.refused = 0

    def _run(self, client_number: int) -> None:
        with httpx.Client(base_url=self._server.url, timeout=10, trust_env=False) as client:
            number = 0
            while not self._ending.is_set():
                number += 1
                names = [f"{client_number}-{number}-{part}" for part in range(1 if client_number % 2 else 5)]
                try:
                    self._post(client, names)
                except httpx.TransportError:
                    return

    def _post(self, client: httpx.Client, names: list[str]) -> None:
        session_id = f"posting-{names[0].split('-')[0]}"
        events = [event(session_id, event_id=name, tokens_in=1, model="o3") for name in names]
        if len(events) == 1:
            response = client.post("/api/events", json=events[0])
        else:
            response = client.post("/api/events/batch", json={"events": events})
        if response.status_code == 201:
            self.acknowledged.update(zip(response.json()["ids"], names, strict=True))
        else:
            assert response.status_code == 503
            self.refused += 1

    def __enter__(self) -> "Posting":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(15)


def stored_names(server: Server) -> dict[int, str]:
    with opened(server.db_path) as connection:
        return {row["id"]: row["event_id"] for row in table(connection, "SELECT id, event_id FROM events")}


def check_agreement(server: Server) -> int:
    """List, stats, sessions, filters and the ledger say the same number of events; that number."""
    listed = server.get("/api/events", limit=1)["total"]
    stats = server.get("/api/stats")
    sessions = server.get("/api/sessions", limit=0)["sessions"]
    assert stats["total_events"] == listed
    assert sum(stats["agent_breakdown"].values()) == listed
    assert sum(session["event_count"] for session in sessions) == listed
    assert listed == sum(
        server.get("/api/events", limit=1, agent_type=name)["total"] for name in stats["agent_breakdown"]
    )
    assert stats["total_tokens_in"] == sum(session["tokens_in"] for session in sessions)
    assert stats["total_tokens_in"] == server.get("/api/calls", limit=1)["total"]
    assert stats["total_cost_usd"] == pytest.approx(sum(session["total_cost_usd"] for session in sessions))
    return int(listed)


def test_kill_9_loses_nothing_that_was_acknowledged(serving: ServerFactory) -> None:
    with serving() as server:
        with Posting(server) as posting:
            eventually(lambda: len(posting.acknowledged) > 500, what="500 acknowledged events")
            server.stop(signal.SIGKILL)
        server.start()
        stored = stored_names(server)
        assert {event_id: stored.get(event_id) for event_id in posting.acknowledged} == posting.acknowledged
        assert check_agreement(server) == len(stored)
        assert server.post(event("after"))[0] > max(stored)


@pytest.mark.parametrize(
    ("kind", "how"),
    [("serve", signal.SIGTERM), ("serve", signal.SIGINT), ("runserver", signal.SIGINT)],
)
def test_a_stop_is_clean_and_loses_nothing_also_with_a_page_open(
    serving: ServerFactory, kind: str, how: signal.Signals
) -> None:
    with serving(kind=kind) as server, server.client.stream("GET", "/api/stream") as stream:
        next(stream.iter_lines())
        with Posting(server) as posting:
            eventually(lambda: len(posting.acknowledged) > 50, what="50 acknowledged events")
            status = server.stop(how)
        assert status in (0, -how)
        assert "Traceback" not in server.log
        assert posting.acknowledged.items() <= stored_names(server).items()
        assert not server.db_path.with_name("agentmonitor.db-wal").exists()


@pytest.fixture(scope="module")
def strained(serving: ServerFactory) -> Iterator[Server]:
    """A server that waits for a lock only 200 ms, and whose queue holds some eight events."""
    patches = {"ingest.runtime:BUSY_TIMEOUT_MS": 200, "ingest.writer:QUEUE_LIMIT_BYTES": 10_000}
    with serving(patches=patches) as server:
        yield server


def is_temporarily_refused(response: httpx.Response) -> bool:
    if response.status_code != 503:
        return False
    assert int(response.headers["retry-after"]) >= 1
    assert list(response.json()) == ["error"]
    return True


@pytest.mark.parametrize("path", ["/api/events", "/api/events/batch"])
def test_a_database_that_another_process_locked_is_a_503_until_it_is_free(
    strained: Server, session_id: str, path: str
) -> None:
    body: dict[str, Any] = event(session_id)
    if path.endswith("batch"):
        body = {"events": [body, body]}
    strained.post(event(session_id))
    with write_lock(strained.db_path):
        assert is_temporarily_refused(strained.client.post(path, json=body))
        assert strained.get("/api/health")["status"] == "ok"
        assert strained.get(f"/api/sessions/{session_id}")["session"]["event_count"] == 1
        assert strained.get("/api/status")["writer"]["last_error"] == "database is locked"
    assert strained.client.post(path, json=body).status_code == 201
    check_agreement(strained)


def test_a_full_queue_is_a_503_and_what_was_taken_is_stored(strained: Server, session_id: str) -> None:
    def post(number: int) -> httpx.Response:
        return strained.client.post("/api/events", json=event(session_id, event_id=f"{session_id}-{number}"))

    with ThreadPoolExecutor(40) as pool:
        with write_lock(strained.db_path):
            waiting = [pool.submit(post, number) for number in range(40)]
            eventually(lambda: any(_is_overload(future) for future in waiting), what="an overload")
        responses = [future.result() for future in waiting]
    taken = [response for response in responses if response.status_code == 201]
    assert all(is_temporarily_refused(response) for response in responses if response not in taken)
    assert strained.client.get(f"/api/events?session_id={session_id}").json()["total"] == len(taken)
    assert strained.get("/api/status")["writer"]["overloaded"] > 0
    assert strained.post(event(session_id))


def _is_overload(future: Any) -> bool:
    return future.done() and "Too many" in future.result().text


@contextmanager
def file_size_limit(server: Server, limit_bytes: int) -> Iterator[None]:
    """No file of the server can grow beyond the limit, as on a disk that is full."""
    soft, hard = resource.prlimit(server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (limit_bytes, hard))
    try:
        yield
    finally:
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_without_room_is_a_503_and_loses_nothing(strained: Server, session_id: str) -> None:
    batch = {"events": [event(session_id, metadata={"content": "x" * 9000}) for _ in range(80)]}
    acknowledged = len(strained.post(event(session_id)))
    log = strained.db_path.with_name("agentmonitor.db-wal")
    with file_size_limit(strained, max(log.stat().st_size, strained.db_path.stat().st_size) + 100_000):
        for _ in range(30):
            response = strained.client.post("/api/events/batch", json=batch)
            if response.status_code != 201:
                break
            acknowledged += 80
        assert is_temporarily_refused(response)
        assert strained.get(f"/api/sessions/{session_id}")["session"]["event_count"] == acknowledged
        assert check_agreement(strained)
    assert strained.client.post("/api/events/batch", json=batch).status_code == 201
    assert strained.get(f"/api/sessions/{session_id}")["session"]["event_count"] == acknowledged + 80
    check_agreement(strained)
    with opened(strained.db_path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)

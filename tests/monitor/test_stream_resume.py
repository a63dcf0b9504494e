"""The live stream that loses nothing: resuming, other processes, slow clients."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing

import pytest

from tests.conftest import ServerFactory
from tests.serving import ROOT, Server, event, eventually
from tests.streaming import Stream

MOST_MISSED = 400
RING_FRAMES = 60
LARGE = {"content": "x" * 9000}


@pytest.fixture(scope="module")
def live(serving: ServerFactory) -> Iterator[Server]:
    """A server with a short memory, that cuts a client which takes nothing for a second."""
    patches = {
        "monitor.live:RING_FRAMES": RING_FRAMES,
        "monitor.stream:MOST_MISSED": MOST_MISSED,
        "monitor.stream:PAGE_EVENTS": 50,
        "monitor.stream:STALLED_SECONDS": 1.0,
    }
    with serving(patches=patches, AGENTMONITOR_STATS_INTERVAL="250") as server:
        server.post(event("before"))
        yield server


def newest_id(server: Server) -> int:
    return int(server.get("/api/events", limit=1)["events"][0]["id"])


class TestResuming:
    def test_gives_what_was_missed_once_in_order_before_what_is_new(self, live: Server, session_id: str) -> None:
        with Stream(live) as stream:
            seen = live.post(event(session_id), event(session_id))
            stream.wait_for_event(seen[-1])
        missed = [*live.post(*(event(session_id) for _ in range(30))), *live.post(event(session_id))]
        with Stream(live, last_event_id=seen[-1]) as stream:
            new = live.post(event(session_id))
            stream.wait_for_event(new[-1])
            assert stream.frames[0].kind == "connected"
            assert stream.event_ids == missed + new

    def test_from_the_middle_of_what_was_seen_gives_the_rest(self, live: Server, session_id: str) -> None:
        ids = live.post(*(event(session_id) for _ in range(10)))
        with Stream(live, last_event_id=ids[3]) as stream:
            stream.wait_for_event(ids[-1])
            assert stream.event_ids == ids[4:]

    def test_gives_rows_as_the_list_does(self, live: Server, session_id: str) -> None:
        last = newest_id(live)
        live.post(event(session_id, metadata={"message": "é"}, model="o3", tokens_in=5, duration_ms=3))
        (row,) = live.get("/api/events", session_id=session_id)["events"]
        with Stream(live, last_event_id=last) as stream:
            stream.wait_for_event(row["id"])
            assert [message["payload"] for message in stream.of_kind("event")] == [row]

    @pytest.mark.parametrize(("query", "every"), [("?agent_type=claude_code", 2), ("?event_type=error", 3)])
    def test_holds_the_filter(self, live: Server, session_id: str, query: str, every: int) -> None:
        last = newest_id(live)
        ids = live.post(
            *(
                event(
                    f"{session_id}-{number % 2}",
                    "error" if number % 3 == 0 else "response",
                    agent_type="codex" if number % 2 else "claude_code",
                )
                for number in range(120)
            )
        )
        with Stream(live, query, last_event_id=last) as stream:
            expected = ids[::every]
            stream.wait_for(lambda: len(stream.event_ids) >= len(expected), "the missed events")
            (new,) = live.post(event(f"{session_id}-new", "error", agent_type="claude_code"))
            stream.wait_for_event(new)
            assert stream.event_ids == [*expected, new]

    def test_works_across_a_restart(self, serving: ServerFactory, session_id: str) -> None:
        with serving() as server:
            with Stream(server) as stream:
                seen = server.post(event(session_id))
                stream.wait_for_event(seen[-1])
                missed = server.post(event(session_id), event(f"{session_id}-c", agent_type="claude_code"))
                server.stop()
                stream.wait_for(stream.ended.is_set, "the end of the stream")
            server.start()
            new = server.post(event(session_id))
            for query, expected in (("", missed + new), ("?agent_type=codex", missed[:1] + new)):
                with Stream(server, query, last_event_id=seen[-1]) as stream:
                    stream.wait_for_event(new[-1])
                    assert stream.event_ids == expected

    def test_again_and_again_under_load_gives_each_event_once_in_order(
        self, live: Server, session_id: str
    ) -> None:
        posted: list[int] = []

        def post() -> None:
            for number in range(120):
                posted.extend(live.post(*(event(session_id) for _ in range(1 + number % 3))))

        first = newest_id(live)
        posting = threading.Thread(target=post)
        posting.start()
        received: list[int] = []
        while posting.is_alive():
            with Stream(live, last_event_id=received[-1] if received else first) as stream:
                stream.wait_for(lambda: stream.event_ids or not posting.is_alive(), "an event")
            received += stream.event_ids
        posting.join()
        with Stream(live, last_event_id=received[-1]) as stream:
            (last,) = live.post(event(session_id))
            stream.wait_for_event(last)
            received += stream.event_ids
        assert received == [*posted, last]

    def test_that_missed_too_much_is_told_to_begin_anew(self, live: Server, session_id: str) -> None:
        last = newest_id(live)
        live.post(*(event(session_id) for _ in range(MOST_MISSED + 1)))
        with Stream(live, last_event_id=last) as stream:
            stream.wait_for(lambda: stream.of_kind("resync"), "the resync")
            (new,) = live.post(event(session_id))
            stream.wait_for_event(new)
            assert [frame.kind for frame in stream.frames if frame.kind != "stats"][:2] == ["connected", "resync"]
            assert stream.event_ids == [new]

    def test_that_missed_just_not_too_much_gets_all(self, live: Server, session_id: str) -> None:
        last = newest_id(live)
        ids = live.post(*(event(session_id) for _ in range(MOST_MISSED)))
        with Stream(live, last_event_id=last) as stream:
            stream.wait_for_event(ids[-1])
            assert stream.event_ids == ids

    @pytest.mark.parametrize("strange", ["abc", "", "-1", "1.5", "1e3", "9" * 30, "1; drop", "0x10", "NaN", "+1"])
    def test_with_a_strange_id_begins_now(self, live: Server, session_id: str, strange: str) -> None:
        live.post(event(session_id))
        with Stream(live, last_event_id=strange) as stream:
            (new,) = live.post(event(session_id))
            stream.wait_for_event(new)
            assert stream.event_ids == [new]

    def test_with_an_id_that_was_never_given_begins_now(self, live: Server, session_id: str) -> None:
        with Stream(live, last_event_id=newest_id(live) + 1000) as stream:
            (new,) = live.post(event(session_id))
            stream.wait_for_event(new)
            assert stream.event_ids == [new]

    def test_does_not_repeat_what_was_no_event(self, live: Server, session_id: str) -> None:
        with Stream(live) as other:
            live.post(event(session_id), event(f"{session_id}-2"))
            other.wait_for(lambda: len(other.of_kind("stats")) >= 2 and other.updates(session_id), "old frames")
            with Stream(live, last_event_id=newest_id(live)) as stream:
                (new,) = live.post(event(f"{session_id}-3"))
                stream.wait_for_event(new)
                assert stream.updates(session_id) == []
                assert len(stream.of_kind("stats")) <= 1


class TestOtherProcesses:
    def store(self, server: Server, session_id: str, count: int) -> list[int]:
        command = [sys.executable, "-m", "tests.other_process", session_id, str(count)]
        done = subprocess.run(
            command, cwd=ROOT, env=server.environment, capture_output=True, text=True, timeout=60, check=True
        )
        return [int(text) for text in done.stdout.split()]

    def test_reach_the_stream_between_our_own_in_order_and_once(self, live: Server, session_id: str) -> None:
        with Stream(live) as stream:
            own = live.post(event(session_id))
            foreign = self.store(live, session_id, 5)
            stream.wait_for(lambda: stream.event_ids[-1:] == foreign[-1:], "the foreign events")
            more = live.post(event(session_id))
            stream.wait_for_event(more[-1])
            assert stream.event_ids == own + foreign + more

    def test_reach_a_stream_that_nothing_else_wakes_within_a_second(self, live: Server, session_id: str) -> None:
        with Stream(live, "?agent_type=codex") as stream:
            foreign = self.store(live, session_id, 1)
            eventually(lambda: stream.event_ids == foreign, seconds=1.0, what="the foreign event")


class SlowClient:
    """Asks for the stream and then reads nothing, until it is told to."""

    def __init__(self, server: Server) -> None:
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", server.port))
        self.socket.sendall(b"GET /api/stream HTTP/1.1\r\nHost: localhost\r\n\r\n")

    def close(self) -> None:
        self.socket.close()

    def read_rest(self) -> list[int]:
        """The ids of the whole frames that had been on their way when the server gave up."""
        received = bytearray()
        while piece := self.socket.recv(1 << 20):
            received += piece
        frames = bytes(received).split(b"\n\n")[:-1]
        heads = [frame[frame.index(b"id: ") + 4 :] for frame in frames if b"id: " in frame]
        return [int(head.split(b"\n", 1)[0]) for head in heads]


class TestSlowClient:
    def test_is_cut_costs_nothing_holds_up_nobody_and_resumes(self, live: Server, session_id: str) -> None:
        eventually(lambda: live.get("/api/health")["sse_clients"] == 0, what="no clients")
        live.post(*(event(session_id, metadata=LARGE) for _ in range(100)))
        before_bytes = live.resident_bytes()
        with ExitStack() as stack, Stream(live, "?agent_type=codex") as reader:
            slow = [stack.enter_context(closing(SlowClient(live))) for _ in range(8)]
            eventually(lambda: live.get("/api/health")["sse_clients"] == 9, what="all clients")
            ids = []
            for _ in range(14):
                ids += live.post(*(event(session_id, metadata=LARGE) for _ in range(100)))
            reader.wait_for_event(ids[-1])
            assert reader.event_ids == ids
            # Kept for each of them it would be a hundred megabytes.
            assert live.resident_bytes() - before_bytes < 40_000_000
            eventually(lambda: live.get("/api/health")["sse_clients"] == 1, what="the cut")
            received = slow[0].read_rest()
        assert received == ids[: len(received)]
        assert 0 < len(received) < len(ids)
        missed = ids[len(received) :]
        with Stream(live, last_event_id=missed[-MOST_MISSED - 1]) as stream:
            stream.wait_for_event(ids[-1])
            assert stream.event_ids == missed[-MOST_MISSED:]


def test_a_client_that_reads_gets_a_burst_that_is_larger_than_the_memory(live: Server, session_id: str) -> None:
    with Stream(live) as stream:
        ids = live.post(*(event(session_id) for _ in range(5 * RING_FRAMES)))
        stream.wait_for_event(ids[-1])
        assert stream.event_ids == ids

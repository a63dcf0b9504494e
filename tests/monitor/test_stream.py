"""GET /api/stream: frames, filters, heartbeat and the client limit, under both servers."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.conftest import ServerFactory
from tests.serving import Server, event, eventually
from tests.streaming import Stream

MOST_CLIENTS = 3


@pytest.fixture(scope="module", params=["serve", "runserver"])
def live(request: pytest.FixtureRequest, serving: ServerFactory) -> Iterator[Server]:
    with serving(
        kind=request.param,
        # A minute of a session's life lasts 100 ms, and the clock is looked at ten times a second.
        patches={
            "ingest.runtime:MINUTE_MS": 100,
            "ingest.writer:TICK_SECONDS": 0.1,
            "ingest.writer:CLOCK_TICK_SECONDS": 0.1,
        },
        AGENTMONITOR_SESSION_TIMEOUT="10",
        AGENTMONITOR_MAX_SSE_CLIENTS=str(MOST_CLIENTS),
        AGENTMONITOR_SSE_HEARTBEAT_MS="1000",
        AGENTMONITOR_STATS_INTERVAL="250",
    ) as server:
        yield server


@pytest.fixture
def stream(live: Server) -> Iterator[Stream]:
    with Stream(live) as opened:
        yield opened


def test_the_answer_is_an_event_stream_that_nobody_buffers(stream: Stream) -> None:
    headers = stream.response.headers
    assert headers["content-type"] == "text/event-stream"
    assert headers["cache-control"] == "no-cache"
    assert headers["x-accel-buffering"] == "no"
    assert headers["access-control-allow-origin"] is None


def test_connected_comes_first(stream: Stream) -> None:
    first = stream.frames[0]
    assert (first.kind, first.fields) == ("connected", ("data",))
    assert first.message["timestamp"].endswith("Z")


def test_each_stored_event_is_one_frame_with_its_row(live: Server, stream: Stream, session_id: str) -> None:
    (event_id,) = live.post(event(session_id, "user_prompt", metadata={"message": "naïve\n日本\u2028"}))
    stream.wait_for_event(event_id)
    (row,) = live.get("/api/events", session_id=session_id)["events"]
    (frame,) = [frame for frame in stream.frames if frame.kind == "event"]
    assert frame.message == {"type": "event", "payload": row}
    assert (frame.event_id, frame.fields) == (event_id, ("id", "data"))


def test_an_event_that_is_completed_is_a_frame_without_an_id(
    live: Server, stream: Stream, session_id: str
) -> None:
    def tell(hook: str, **fields: object) -> None:
        body = {"session_id": session_id, "hook_event_name": hook, "tool_name": "Bash", "tool_use_id": session_id}
        assert live.client.post("/api/hooks/claude-code", json=body | fields).is_success

    tell("PostToolUse", tool_input={"command": "make"})
    tell("PostToolUseFailure", duration_ms=7, error="exit 2")
    stream.wait_for(
        lambda: [frame for frame in stream.frames if frame.kind == "event_update"], "the completed event"
    )
    (row,) = live.get("/api/events", session_id=session_id)["events"]
    (update,) = [frame for frame in stream.frames if frame.kind == "event_update"]
    assert (update.event_id, update.message["payload"]) == (None, row)
    assert (row["status"], row["duration_ms"]) == ("error", 7)
    assert stream.event_ids == [row["id"]]


def test_a_batch_comes_in_the_order_of_ids_without_what_was_not_stored(
    live: Server, stream: Stream, session_id: str
) -> None:
    known = f"e-{uuid4()}"
    live.post(event(session_id, event_id=known))
    items = [event(session_id), {"session_id": 1}, event(session_id, event_id=known), event(session_id)]
    answer = live.client.post("/api/events/batch", json={"events": items}).json()
    stream.wait_for_event(answer["ids"][-1])
    assert stream.event_ids[1:] == answer["ids"]


def test_a_large_batch_does_not_cut_a_client_that_reads(live: Server, stream: Stream, session_id: str) -> None:
    ids = live.post(*(event(session_id, metadata={"content": "x" * 9000}) for _ in range(100)))
    stream.wait_for_event(ids[-1])
    assert stream.event_ids == ids


@pytest.mark.parametrize(
    ("query", "taken"),
    [
        ("?agent_type=codex", [0, 1, 4]),
        ("?event_type=user_prompt", [1, 3]),
        ("?agent_type=codex&event_type=user_prompt", [1]),
        ("?agent_type=aider", []),
        ("?agent_type=&event_type=", [0, 1, 2, 3, 4]),
        ("?nonsense=1", [0, 1, 2, 3, 4]),
    ],
)
def test_filters_let_only_matching_events_pass(
    live: Server, session_id: str, query: str, taken: list[int]
) -> None:
    with Stream(live, query) as filtered:
        ids = live.post(
            event(session_id),
            event(session_id, "user_prompt"),
            event(f"{session_id}-c", agent_type="claude_code"),
            event(f"{session_id}-c", "user_prompt", agent_type="claude_code"),
            event(session_id, "error"),
        )
        # One that passes comes last: when it is there, nothing is still on its way.
        agent_type = "aider" if "aider" in query else "codex"
        (last,) = live.post(event(f"{session_id}-last", "user_prompt", agent_type=agent_type))
        filtered.wait_for_event(last)
        assert filtered.event_ids == [*(ids[index] for index in taken), last]


def test_with_a_filter_come_events_and_heartbeats_only(live: Server, stream: Stream, session_id: str) -> None:
    with Stream(live, "?agent_type=codex") as filtered:
        live.post(event(session_id))
        stream.wait_for(lambda: stream.of_kind("stats") and stream.updates(session_id), "stats and an update")
        filtered.wait_for(lambda: filtered.frames[-1].comment, "a heartbeat")
        assert {frame.kind for frame in filtered.frames} == {"connected", "event", None}
        heartbeat = filtered.frames[-1]
        assert (heartbeat.comment, heartbeat.fields) == ("heartbeat", ("",))
        stream.wait_for(lambda: any(frame.comment for frame in stream.frames), "a heartbeat without filter")


def test_stats_come_by_themselves_and_are_those_of_the_api(live: Server, session_id: str) -> None:
    live.post(event(session_id, tokens_in=5, model="o3"))
    with Stream(live) as stream:
        frame = stream.wait_for(lambda: stream.of_kind("stats"), "a stats frame")[-1]
        again = live.get("/api/stats")
        # Sessions come to rest meanwhile, and a window moves with the time; everything else stands still.
        moving = {"active_sessions", "live_sessions", "active_agents", "usage_monitor"}
        assert frame["payload"].keys() == again.keys()
        assert {name: value for name, value in frame["payload"].items() if name not in moving} == {
            name: value for name, value in again.items() if name not in moving
        }
        assert isinstance(frame["payload"]["usage_monitor"], list)


class TestStatus:
    """`session_update` frames of one session."""

    def test_of_a_new_session_and_of_its_end_are_told(self, live: Server, stream: Stream, session_id: str) -> None:
        live.post(event(session_id), event(session_id), event(session_id, "session_end"), event("other"))
        stream.wait_for(lambda: stream.updates(session_id), "the update")
        assert stream.updates(session_id) == ["ended"]
        live.post(event(session_id))
        stream.wait_for(lambda: len(stream.updates(session_id)) == 2, "the revival")
        assert stream.updates(session_id) == ["ended", "active"]

    def test_has_the_form_of_the_contract(self, live: Server, stream: Stream, session_id: str) -> None:
        live.post(event(session_id))
        stream.wait_for(lambda: stream.updates(session_id), "the update")
        payloads = [message["payload"] for message in stream.of_kind("session_update")]
        (payload,) = [payload for payload in payloads if payload.get("session_id") == session_id]
        expected = {"type": "status", "session_id": session_id, "agent_type": "codex", "status": "active"}
        assert expected.items() <= payload.items()

    def test_tells_what_an_agent_asks_and_since_when(self, live: Server, stream: Stream, session_id: str) -> None:
        ask = {"hook_event_name": "PermissionRequest", "tool_name": "Bash", "tool_input": {"command": "make"}}
        live.client.post("/api/hooks/codex", json={"session_id": session_id} | ask).raise_for_status()
        live.client.post("/api/hooks/codex", json={"session_id": session_id, "hook_event_name": "Stop"})
        stream.wait_for(lambda: stream.updates(session_id)[1:], "both updates")
        payloads = [message["payload"] for message in stream.of_kind("session_update")]
        asking, ended = [payload for payload in payloads if payload.get("session_id") == session_id][:2]
        assert (asking["attention"], asking["state"], asking["state_detail"]) == (
            "permission",
            "permission",
            "Bash: make",
        )
        assert ended["attention"] == "finished"
        assert asking["state_at"] <= ended["state_at"] and asking["state_at"].endswith("Z")

    def test_by_time_is_told_too_and_how_many_came_to_rest(
        self, live: Server, stream: Stream, session_id: str
    ) -> None:
        live.post(event(session_id))
        stream.wait_for(lambda: stream.updates(session_id)[-1:] == ["idle"], "rest by time")
        assert stream.updates(session_id) == ["active", "idle"]
        checks = [message["payload"] for message in stream.of_kind("session_update")]
        assert any(payload["type"] == "idle_check" and payload["idled"] >= 1 for payload in checks)


class TestLimit:
    def test_refuses_one_client_too_many_and_frees_places_at_once(self, live: Server) -> None:
        eventually(lambda: live.get("/api/health")["sse_clients"] == 0, what="no clients")
        streams = [Stream(live).__enter__() for _ in range(MOST_CLIENTS)]
        try:
            assert live.get("/api/health")["sse_clients"] == MOST_CLIENTS
            refused = live.client.get("/api/stream")
            assert refused.status_code == 503
            assert refused.json() == {"error": "SSE client limit reached", "max_clients": MOST_CLIENTS}
            assert refused.headers["content-type"] == "application/json; charset=utf-8"
            for _ in range(5):
                streams.pop().close()
                eventually(lambda: live.get("/api/health")["sse_clients"] == MOST_CLIENTS - 1, 1, "a free place")
                streams.append(Stream(live).__enter__())
        finally:
            for stream in streams:
                stream.close()

    def test_does_not_count_clients_that_were_refused(self, live: Server) -> None:
        eventually(lambda: live.get("/api/health")["sse_clients"] == 0, what="no clients")
        streams = [Stream(live).__enter__() for _ in range(MOST_CLIENTS)]
        for _ in range(3):
            assert live.client.get("/api/stream").status_code == 503
        for stream in streams:
            stream.close()
        eventually(lambda: live.get("/api/health")["sse_clients"] == 0, what="no clients")

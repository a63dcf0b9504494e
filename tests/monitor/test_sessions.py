"""GET /api/sessions and /api/sessions/:id."""

from collections.abc import Iterator
from urllib.parse import quote

import pytest

from tests.conftest import ServerFactory
from tests.serving import Server, event, wait_for_the_next_millisecond

CONTRACT_FIELDS = [
    *("id", "agent_id", "agent_type", "project", "branch", "status", "started_at", "ended_at", "last_event_at"),
    *("metadata", "event_count", "tokens_in", "tokens_out", "total_cost_usd"),
    *("files_edited", "lines_added", "lines_removed"),
]


def detail(server: Server, session_id: str, **parameters: object) -> dict[str, object]:
    return dict(server.get(f"/api/sessions/{quote(session_id, safe='')}", **parameters))


def names(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [session["id"] for session in answer["sessions"]]


def test_a_session_sums_its_events(server: Server, session_id: str) -> None:
    edit = {"file_path": "a.py", "lines_added": 5, "lines_removed": 2}
    server.post(
        event(session_id, project="shop", branch="main"),
        event(session_id, tool_name="Edit", metadata=edit),
        event(session_id, tool_name="Write", metadata=edit | {"file_path": "b.py"}),
        event(session_id, tool_name="Edit", metadata=edit),
        event(session_id, tool_name="Read", metadata={"file_path": "c.py", "lines_added": 1}),
        event(session_id, model="claude-sonnet-4-5", tokens_in=1000, tokens_out=200),
        event(session_id, model="o3", tokens_in=10, cost_usd=0.25),
    )
    (session,) = [row for row in server.get("/api/sessions", limit=0)["sessions"] if row["id"] == session_id]
    assert detail(server, session_id)["session"] == session
    assert list(session)[: len(CONTRACT_FIELDS)] == CONTRACT_FIELDS
    expected = {
        "agent_id": "codex-default",
        "project": "shop",
        "branch": "main",
        "status": "active",
        "ended_at": None,
        "metadata": "{}",
        "event_count": 7,
        "tokens_in": 1010,
        "tokens_out": 200,
        "files_edited": 2,
        "lines_added": 16,
        "lines_removed": 6,
    }
    assert {name: session[name] for name in expected} == expected
    assert session["total_cost_usd"] == pytest.approx(0.006 + 0.25, abs=1e-12)


@pytest.fixture(scope="module")
def few(serving: ServerFactory) -> Iterator[Server]:
    """Sessions a1, a2 (active), i1, i2 (idle), e1, e2 (ended); the later one of each pair last."""
    with serving() as server:
        for number in (1, 2):
            for session in (
                event(f"e{number}", "session_end", project="shop"),
                event(f"i{number}", "session_end", agent_type="claude_code"),
                event(f"a{number}", project="shop"),
            ):
                wait_for_the_next_millisecond()
                server.post(session)
        yield server


class TestList:
    def test_is_active_then_idle_then_ended_each_latest_first(self, few: Server) -> None:
        answer = few.get("/api/sessions")
        assert names(answer) == ["a2", "a1", "i2", "i1", "e2", "e1"]
        assert answer["total"] == 6

    @pytest.mark.parametrize(
        ("parameters", "expected"),
        [
            ({"status": "idle"}, ["i2", "i1"]),
            ({"status": "ended", "limit": 1}, ["e2"]),
            ({"exclude_status": "ended"}, ["a2", "a1", "i2", "i1"]),
            ({"exclude_status": "active", "agent_type": "codex"}, ["e2", "e1"]),
            ({"agent_type": "claude_code"}, ["i2", "i1"]),
            ({"project": "shop"}, ["a2", "a1", "e2", "e1"]),
            ({"status": "idle", "exclude_status": "idle"}, []),
            ({"status": "nonsense"}, []),
            ({"status": "", "agent_type": "", "limit": ""}, ["a2", "a1", "i2", "i1", "e2", "e1"]),
            ({"since": "2000-01-01", "limit": 3}, ["a2", "a1", "i2"]),
            ({"since": "2099-01-01"}, []),
            ({"limit": "0"}, ["a2", "a1", "i2", "i1", "e2", "e1"]),
            ({"limit": "-1"}, ["a2", "a1", "i2", "i1", "e2", "e1"]),
            ({"limit": "5"}, ["a2", "a1", "i2", "i1", "e2"]),
        ],
    )
    def test_holds_its_filters(self, few: Server, parameters: dict[str, object], expected: list[str]) -> None:
        answer = few.get("/api/sessions", **parameters)
        assert (names(answer), answer["total"]) == (expected, len(expected))

    def test_refuses_what_is_no_time(self, few: Server) -> None:
        assert few.client.get("/api/sessions?since=x").json() == {
            "error": "since: must be a date or an ISO 8601 time"
        }

    def test_of_agents_is_latest_first(self, few: Server) -> None:
        agents = few.get("/api/agents")["agents"]
        assert [agent["id"] for agent in agents] == ["codex-default", "claude_code-default"]
        assert {"id", "agent_type", "name", "registered_at", "last_seen_at"} <= agents[0].keys()

    def test_of_filter_options_has_each_value_once(self, few: Server) -> None:
        options = few.get("/api/filter-options")
        assert options["agent_types"] == ["claude_code", "codex"]
        assert options["event_types"] == ["response", "session_end"]
        assert options["projects"] == ["shop"]


class TestDetail:
    @pytest.mark.parametrize(
        ("parameters", "expected"),
        [
            ({}, 10),
            ({"event_limit": 3}, 3),
            ({"limit": 4}, 4),
            ({"event_limit": 3, "limit": 4}, 3),
            ({"event_limit": 0}, 0),
            ({"event_limit": "abc"}, 10),
            ({"event_limit": "-1"}, 10),
            ({"event_limit": "100"}, 12),
        ],
    )
    def test_has_the_newest_events_first(
        self, server: Server, session_id: str, parameters: dict[str, object], expected: int
    ) -> None:
        stored = server.post(*(event(session_id) for _ in range(12)))
        events = detail(server, session_id, **parameters)["events"]
        assert isinstance(events, list)
        assert [row["id"] for row in events] == stored[::-1][:expected]

    def test_of_nothing_is_404(self, server: Server) -> None:
        response = server.client.get("/api/sessions/none")
        assert (response.status_code, response.json()) == (404, {"error": "Session not found"})

    @pytest.mark.parametrize(
        "tail",
        [
            "a/b",
            "/",
            "a/",
            "//",
            "é 日本 🎉",
            "a?b#c&d=e",
            "100%",
            "%2F",
            "..",
            "../..",
            "a\\b",
            "a\nb",
            "a;b",
            "'\"<>",
        ],
    )
    def test_finds_ids_of_any_characters(self, server: Server, session_id: str, tail: str) -> None:
        name = f"{session_id}{tail}"
        server.post(event(name, "user_prompt", metadata={"message": "hi"}))
        session = detail(server, name)["session"]
        assert isinstance(session, dict)
        assert session["id"] == name.strip()
        transcript = server.get(f"/api/sessions/{quote(name, safe='')}/transcript")
        assert (transcript["session_id"], len(transcript["entries"])) == (name.strip(), 1)

"""GET /api/events: filters, order, pages."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import pytest

from tests.serving import Server, event

DAY = timedelta(days=1)


def ids(answer: dict[str, Any]) -> list[int]:
    return [row["id"] for row in answer["events"]]


class TestFilters:
    @pytest.mark.parametrize(
        ("name", "field"),
        [
            ("agent_type", "agent_type"),
            ("tool_name", "tool_name"),
            ("session_id", "session_id"),
            ("branch", "branch"),
            ("model", "model"),
            ("source", "source"),
            ("project", "project"),
        ],
    )
    def test_by_one_field_are_exact(self, server: Server, session_id: str, name: str, field: str) -> None:
        value = f"{session_id}-é %&+#"
        wanted = server.post(event(session_id) | {field: value}, event(session_id) | {field: value})
        server.post(event(session_id) | {field: f"{value}x"}, event(session_id) | {field: value.upper()})
        answer = server.get("/api/events", **{name: value})
        assert (ids(answer), answer["total"]) == (wanted[::-1], 2)

    def test_are_combined_with_and(self, server: Server, session_id: str) -> None:
        tools = [("Bash", "main"), ("Bash", "dev"), ("Edit", "main"), ("Edit", "dev")]
        stored = server.post(*(event(session_id, tool_name=tool, branch=branch) for tool, branch in tools))
        answer = server.get("/api/events", session_id=session_id, tool_name="Edit", branch="main")
        assert (ids(answer), answer["total"]) == ([stored[2]], 1)
        answer = server.get(
            "/api/events", tool_name="Edit", branch="main", event_type="response", agent_type="codex"
        )
        assert stored[2] in ids(answer)

    def test_that_are_empty_or_unknown_are_ignored(self, server: Server, session_id: str) -> None:
        stored = server.post(event(session_id))
        answer = server.get("/api/events", session_id=session_id, tool_name="", model="", since="", nonsense="1")
        assert ids(answer) == stored

    def test_that_nothing_matches_give_an_empty_list(self, server: Server, session_id: str) -> None:
        assert server.get("/api/events", project=session_id) == {"events": [], "total": 0}

    @pytest.mark.parametrize(
        "form",
        [
            "%Y-%m-%d",
            "%Y-%m-%d %H:%M:%S",
            "%Y-%m-%dT%H:%M:%SZ",
            "%Y-%m-%dT%H:%M:%S.000Z",
            "%Y-%m-%dT%H:%M:%S+00:00",
        ],
    )
    def test_by_time_take_any_form(self, server: Server, session_id: str, form: str) -> None:
        stored = server.post(event(session_id, project=session_id))
        before, after = ((datetime.now(UTC) + delta).strftime(form) for delta in (-DAY, 2 * DAY))
        for more in ({"session_id": session_id}, {"project": session_id}):
            assert ids(server.get("/api/events", since=before, until=after, **more)) == stored
            assert ids(server.get("/api/events", since=after, **more)) == []
            assert ids(server.get("/api/events", until=before, **more)) == []

    def test_by_the_time_of_a_row_take_that_row(self, server: Server, session_id: str) -> None:
        stored = server.post(event(session_id))
        (row,) = server.get("/api/events", session_id=session_id)["events"]
        second = row["created_at"]
        assert ids(server.get("/api/events", session_id=session_id, since=second, until=second)) == stored

    @pytest.mark.parametrize("name", ["since", "until"])
    def test_by_what_is_no_time_are_refused(self, server: Server, name: str) -> None:
        response = server.client.get("/api/events", params={name: "yesterday"})
        assert response.status_code == 400
        assert response.json() == {"error": f"{name}: must be a date or an ISO 8601 time"}

    @pytest.mark.parametrize("value", ["%00", "%ED%A0%80", "%FF", quote("x" * 5000), "%27%20OR%201=1--"])
    @pytest.mark.parametrize("name", ["session_id", "project", "since", "limit"])
    def test_of_any_bytes_never_fail(self, server: Server, name: str, value: str) -> None:
        assert server.client.get(f"/api/events?{name}={value}").status_code in (200, 400)


class TestPages:
    def test_are_newest_first_and_meet_without_gap(self, server: Server, session_id: str) -> None:
        stored = server.post(*(event(session_id, project=session_id) for _ in range(23)))
        for more in ({"session_id": session_id}, {"project": session_id}):
            pages = [server.get("/api/events", limit=10, offset=offset, **more) for offset in (0, 10, 20, 30)]
            assert [len(page["events"]) for page in pages] == [10, 10, 3, 0]
            assert {page["total"] for page in pages} == {23}
            assert [event_id for page in pages for event_id in ids(page)] == stored[::-1]

    @pytest.mark.parametrize(
        ("limit", "rows"),
        [("", 50), ("abc", 50), ("0", 50), ("-1", 50), ("7x", 7), ("60", 60), ("500", 60), ("10e9", 10)],
    )
    def test_have_fifty_rows_unless_told_otherwise(
        self, server: Server, session_id: str, limit: str, rows: int
    ) -> None:
        server.post(*(event(session_id) for _ in range(60)))
        assert len(server.get("/api/events", session_id=session_id, limit=limit)["events"]) == rows

    @pytest.mark.parametrize("offset", ["", "abc", "-5", "0"])
    def test_begin_at_the_start_when_the_offset_is_none(
        self, server: Server, session_id: str, offset: str
    ) -> None:
        stored = server.post(event(session_id))
        assert ids(server.get("/api/events", session_id=session_id, offset=offset)) == stored

    @pytest.mark.parametrize("offset", ["1000000", "9" * 18, "9" * 40])
    def test_beyond_the_end_are_empty(self, server: Server, session_id: str, offset: str) -> None:
        server.post(event(session_id))
        answer = server.get("/api/events", session_id=session_id, offset=offset)
        assert answer["total"] == 1
        assert len(answer["events"]) == (1 if len(offset) > 20 else 0)

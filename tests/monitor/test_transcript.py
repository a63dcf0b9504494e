"""GET /api/sessions/:id/transcript: events told as a conversation."""

from typing import Any

import pytest

from tests.serving import Server, event


def entries(server: Server, session_id: str) -> list[dict[str, Any]]:
    answer = server.get(f"/api/sessions/{session_id}/transcript")
    assert answer["session_id"] == session_id
    return list(answer["entries"])


def test_events_come_oldest_first(server: Server, session_id: str) -> None:
    types = ["session_start", "user_prompt", "tool_use", "llm_response", "session_end"]
    server.post(*(event(session_id, event_type) for event_type in types))
    assert [entry["type"] for entry in entries(server, session_id)] == types


def test_more_events_than_a_page_are_all_there(server: Server, session_id: str) -> None:
    server.post(*(event(session_id, tool_name=f"t{number}") for number in range(1500)))
    assert [entry["tool_name"] for entry in entries(server, session_id)] == [
        f"t{number}" for number in range(1500)
    ]


@pytest.mark.parametrize(
    ("event_type", "role"),
    [
        ("session_start", "system"),
        ("session_end", "system"),
        ("user_prompt", "user"),
        ("tool_use", "tool"),
        ("llm_response", "assistant"),
        ("response", "assistant"),
        ("error", "assistant"),
        ("plan_step", "assistant"),
    ],
)
def test_roles_follow_the_type(server: Server, session_id: str, event_type: str, role: str) -> None:
    server.post(event(session_id, event_type))
    (entry,) = entries(server, session_id)
    assert (entry["role"], entry["type"]) == (role, event_type)


def test_an_entry_says_only_what_there_is_to_say(server: Server, session_id: str) -> None:
    server.post(event(session_id, duration_ms=0, cost_usd=0, model=None))
    (entry,) = entries(server, session_id)
    assert entry.keys() == {"role", "type", "timestamp"}


def test_an_entry_says_all_there_is(server: Server, session_id: str) -> None:
    server.post(
        event(
            session_id,
            "llm_response",
            tool_name="T",
            status="timeout",
            model="claude-sonnet-4-5",
            tokens_in=2000,
            tokens_out=500,
            duration_ms=7,
            client_timestamp="2026-02-18T18:06:45.019Z",
            metadata={"content_preview": "Done."},
        )
    )
    assert entries(server, session_id) == [
        {
            "role": "assistant",
            "type": "llm_response",
            "timestamp": "2026-02-18T18:06:45.019Z",
            "tool_name": "T",
            "detail": "Done.",
            "status": "timeout",
            "model": "claude-sonnet-4-5",
            "tokens_in": 2000,
            "tokens_out": 500,
            "cost_usd": 0.0135,
            "duration_ms": 7,
        }
    ]


def test_the_time_is_that_of_receipt_when_the_client_has_none(server: Server, session_id: str) -> None:
    server.post(event(session_id))
    (row,) = server.get("/api/events", session_id=session_id)["events"]
    assert entries(server, session_id)[0]["timestamp"] == row["created_at"]


@pytest.mark.parametrize(
    ("event_type", "metadata", "detail"),
    [
        ("user_prompt", {"message": "m", "command": "c"}, "m"),
        ("tool_use", {"message": "m", "command": "c"}, "c"),
        ("tool_use", {"file_path": "f", "content_preview": "p"}, "p"),
        ("tool_use", {"query": "q", "pattern": "p", "file_path": "f"}, "f"),
        ("tool_use", {"query": "q", "pattern": "p"}, "p"),
        ("tool_use", {"query": "q", "error": "e"}, "q"),
        ("error", {"error": "e", "diff_preview": "d"}, "e"),
        ("error", {"error": {"message": "e", "code": 1}}, "e"),
        ("error", {"error": {"code": 1}, "diff_preview": "d"}, "d"),
        ("tool_use", {"command": "", "pattern": "p"}, "p"),
        ("tool_use", {"command": 5, "pattern": ["x"], "query": None}, None),
        ("tool_use", ["command"], None),
        ("tool_use", "command", None),
        ("user_prompt", {"message": "a\0b"}, "a\0b"),
    ],
)
def test_the_detail_is_the_first_of_its_sources(
    server: Server, session_id: str, event_type: str, metadata: object, detail: str | None
) -> None:
    server.post(event(session_id, event_type, metadata=metadata))
    assert entries(server, session_id)[0].get("detail") == detail


def test_a_session_without_events_has_none(server: Server) -> None:
    response = server.client.get("/api/sessions/none/transcript")
    assert (response.status_code, response.json()) == (404, {"error": "No transcript data for this session"})

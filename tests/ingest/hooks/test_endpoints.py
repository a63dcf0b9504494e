"""The three hook endpoints over real HTTP."""

import json
from typing import Any

import pytest

from tests.serving import Server

BODIES = {
    "claude-code": {"hook_event_name": "Stop", "last_assistant_message": "Done."},
    "codex": {"hook_event_name": "Stop", "turn_id": "t-1", "last_assistant_message": "Done."},
    "gemini": {"hook_event_name": "AfterAgent", "prompt_response": "Done."},
}
AGENT_TYPES = {"claude-code": "claude_code", "codex": "codex", "gemini": "gemini_cli"}


@pytest.mark.parametrize("client", sorted(BODIES))
def test_a_hook_is_stored_and_answered_with_nothing(client: str, server: Server) -> None:
    body = BODIES[client] | {"session_id": f"s-{client}", "cwd": "/home/u/myapp"}
    minimal = {"Content-Type": "application/json", "Prefer": "return=minimal"}
    plain = server.client.post(f"/api/hooks/{client}", json=body)
    quiet = server.client.post(f"/api/hooks/{client}", content=json.dumps(body), headers=minimal)
    assert (plain.status_code, plain.json()) == (200, {})
    assert (quiet.status_code, quiet.content) == (204, b"")
    session = server.client.get(f"/api/sessions/s-{client}").json()["session"]
    assert (session["agent_type"], session["project"]) == (AGENT_TYPES[client], "myapp")
    assert session["state"] == "turn_ended"


@pytest.mark.parametrize("client", sorted(BODIES))
def test_what_is_no_hook_is_refused(client: str, server: Server) -> None:
    for content, status in ((b"[]", 400), (b"{", 400), (b'{"session_id": ""}', 400)):
        answer = server.client.post(f"/api/hooks/{client}", content=content)
        assert answer.status_code == status and answer.json()["error"]
    wrong_kind = server.client.post(f"/api/hooks/{client}", content=b"{}", headers={"Content-Type": "text/html"})
    assert wrong_kind.status_code == 415


def test_each_hook_is_weighed(server: Server) -> None:
    def row() -> dict[str, Any]:
        rows = server.client.get("/api/status").json()["hooks"]
        return next((row for row in rows if row["hook"] == "Weighed" and row["client"] == "codex"), {"calls": 0})

    before = row()["calls"]
    body = {"hook_event_name": "Weighed", "session_id": "s-weighed"}
    content = json.dumps(body).encode()
    for _ in range(3):
        server.client.post("/api/hooks/codex", content=content)
    after = row()
    assert after["calls"] == before + 3
    assert (after["failures"], after["measured_by"], after["bytes"]) == (
        0,
        "server",
        after["calls"] * len(content),
    )
    assert 0 < after["median_ms"] <= after["p99_ms"]


def test_what_waits_is_told_until_it_was_seen(server: Server) -> None:
    def agent() -> dict[str, Any]:
        agents = server.client.get("/api/attention").json()["agents"]
        return next(agent for agent in agents if agent["session_id"] == "s/waits")

    common = {"session_id": "s/waits", "cwd": "/home/u/myapp"}
    ask = {"hook_event_name": "PermissionRequest", "tool_name": "Bash", "tool_input": {"command": "make"}}
    server.client.post("/api/hooks/codex", json=common | ask)
    asking = agent()
    assert (asking["attention"], asking["detail"], asking["waits"]) == ("permission", "Bash: make", True)
    server.client.post("/api/hooks/codex", json=common | {"hook_event_name": "Stop"})
    assert (agent()["attention"], agent()["waits"]) == ("finished", True)
    assert server.client.post("/api/attention/s%2Fwaits/seen").json() == {"seen": True}
    assert (agent()["attention"], agent()["waits"]) == ("idle", False)
    assert server.client.get("/api/sessions/s%2Fwaits").json()["session"]["attention"] == "idle"
    assert server.client.post("/api/attention/nobody/seen").status_code == 404

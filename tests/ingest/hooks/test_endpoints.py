"""The three hook endpoints over real HTTP."""

import json

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

"""The scripts against the recorded pairs of stdin, exit code, stderr and posted event."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.hooks.conftest import Listener, run, script

PAIRS = json.loads((Path(__file__).parents[1] / "fixtures/contract/hooks.json").read_text())
KINDS = ("shell", "python")
DENIED = "AgentMonitor: Blocked destructive command: "

# What the recorded hooks let through or did wrong, and ours do: stdin's tool input → exit code and event.
DEVIATIONS: dict[str, tuple[int, dict[str, Any] | None]] = {
    json.dumps({"command": command}): (
        2,
        {"blocked": True, "reason": "destructive_command", "command": command},
    )
    for command in ("sudo rm -f -r $HOME && ls", 'rm -rf "/"', "rm -r /")
} | {
    json.dumps({"file_path": "/a/.env.local"}): (
        0,
        {"security_warning": True, "file_path": "/a/.env.local", "reason": "sensitive_file_access"},
    )
}


def recorded() -> list[Any]:
    cases = [(kind, pair) for pair in PAIRS for kind in KINDS if kind in pair and isinstance(pair["stdin"], dict)]
    return [
        pytest.param(kind, pair, id=f"{kind}-{pair['script']}-{number}")
        for number, (kind, pair) in enumerate(cases)
    ]


@pytest.mark.parametrize(("kind", "pair"), recorded())
def test_a_hook_does_what_was_recorded(kind: str, pair: Any, listener: Listener, work_tree: Path) -> None:
    body, expected = pair["stdin"] | {"cwd": str(work_tree)}, pair[kind]
    exit_code, deviating = DEVIATIONS.get(json.dumps(body.get("tool_input")), (expected["exit"], None))
    done = run(script(kind, pair["script"]), json.dumps(body), listener.url)
    assert done.returncode == exit_code
    if deviating is None:
        assert done.stderr.strip() == expected["stderr"]
        assert listener.events == expected["posted"]
    else:
        assert [event["metadata"] for event in listener.events] == [deviating]
    assert done.stdout == ""


@pytest.mark.parametrize("kind", KINDS)
def test_a_denial_is_one_line_and_exit_2_also_without_a_server(kind: str) -> None:
    body = {"session_id": "s", "tool_name": "Bash", "tool_input": {"command": "cd /tmp\nrm -rf /"}}
    done = run(script(kind, "pre_tool_use"), json.dumps(body), "http://127.0.0.1:9")
    assert (done.returncode, done.stderr) == (2, f"{DENIED}cd /tmp rm -rf /\n")


@pytest.mark.parametrize("kind", KINDS)
def test_safety_can_be_turned_off(kind: str, listener: Listener) -> None:
    for tool_input in ({"command": "rm -rf /"}, {"file_path": "/a/.env"}):
        body = json.dumps({"session_id": "s", "tool_name": "Bash", "tool_input": tool_input})
        done = run(script(kind, "pre_tool_use"), body, listener.url, AGENTMONITOR_SAFETY="0")
        assert (done.returncode, done.stderr, listener.posted) == (0, "", [])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["session_start", "pre_tool_use", "post_tool_use", "user_prompt_submit"])
@pytest.mark.parametrize(
    "stdin", ["", "not json", "[]", "5", "null", "{}", '{"session_id": ""}', '{"session_id": 5}']
)
def test_what_is_no_hook_body_sends_nothing(kind: str, name: str, stdin: str, listener: Listener) -> None:
    done = run(script(kind, name), stdin, listener.url)
    assert (done.returncode, done.stdout, done.stderr, listener.posted) == (0, "", "", [])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["session_start", "session_end", "post_tool_use", "notification", "pre_tool_use"])
def test_values_of_the_wrong_kind_are_left_out(kind: str, name: str, listener: Listener) -> None:
    odd = {
        "cwd": 5,
        "model": [],
        "source": {},
        "tool_name": 1,
        "tool_input": "x",
        "message": 2,
        "tool_use_id": None,
    }
    done = run(script(kind, name), json.dumps({"session_id": "s", **odd}), listener.url)
    assert (done.returncode, done.stderr) == (0, "")
    assert all("project" not in event and "model" not in event for event in listener.events)


@pytest.mark.parametrize("kind", KINDS)
def test_no_server_is_no_trouble(kind: str) -> None:
    done = run(script(kind, "session_end"), '{"session_id": "s"}', "http://127.0.0.1:9")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("kind", KINDS)
def test_a_token_is_sent_when_there_is_one(kind: str, listener: Listener) -> None:
    run(script(kind, "session_end"), '{"session_id": "s"}', listener.url + "/", AGENTMONITOR_TOKEN='a"b\\c')
    run(script(kind, "session_end"), '{"session_id": "s"}', listener.url)
    assert [posted.headers.get("Authorization") for posted in listener.posted] == ['Bearer a"b\\c', None]
    assert {posted.path for posted in listener.posted} == {"/api/events"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_large_text_passes_whole(kind: str, listener: Listener) -> None:
    prompt = 'ü€ \\ "quoted" $HOME `x`\n' * 20_000
    run(script(kind, "user_prompt_submit"), json.dumps({"session_id": "s", "prompt": prompt}), listener.url)
    assert [event["metadata"]["message"] for event in listener.events] == [prompt]


@pytest.mark.parametrize("kind", KINDS)
def test_loaded_instructions_are_told(kind: str, listener: Listener) -> None:
    told = {"file_path": "/a/CLAUDE.md", "memory_type": "Project", "load_reason": "include", "globs": ["*.py"]}
    run(script(kind, "instructions_loaded"), json.dumps({"session_id": "s", **told}), listener.url)
    assert [(event["event_type"], event["metadata"]) for event in listener.events] == [("instruction_load", told)]


def test_the_shell_hook_counts_the_line_ends_of_several_edits(listener: Listener) -> None:
    edits = [{"old_string": "a\nb\nc", "new_string": "a"}, {"old_string": "x", "new_string": "x\ny\n"}]
    body = {"session_id": "s", "tool_name": "MultiEdit", "tool_input": {"file_path": "a.py", "edits": edits}}
    run(script("shell", "post_tool_use"), json.dumps(body), listener.url)
    assert listener.events[0]["metadata"] == {"file_path": "a.py", "lines_added": 1, "lines_removed": 2}


def test_the_python_hooks_carry_the_safety_checks_of_the_server() -> None:
    ours = Path(__file__).parents[2] / "ingest/hooks/safety.py"
    assert script("python", "safety").read_text() == ours.read_text()

import json

import pytest

from ingest.contract import Fault
from ingest.hooks.claude_code import HookFault, read, read_body
from tests.clients.claude_scenarios import (
    COMMAND_HOOK_EVENTS,
    HTTP_HOOK_EVENTS,
    LATER_EVENTS,
    REPLACING_HOOK_EVENTS,
)
from tests.ingest.hooks.bodies import LIMIT_BYTES, body, event_of, metadata_of, outcome_of, state_of


def test_a_session_start_tells_model_and_how_it_began() -> None:
    outcome = outcome_of("SessionStart", source="startup", model="claude-opus-4-6", session_title="Fix it")
    (event,), (facts,) = outcome.events, outcome.facts
    assert (event.event_type, event.model, event.project) == ("session_start", "claude-opus-4-6", "myapp")
    assert (event.source, event.agent_type) == ("hook", "claude_code")
    assert json.loads(event.metadata) == {"hook_source": "startup"}
    assert (facts.cwd, facts.project, facts.title) == ("/home/u/myapp", "myapp", "Fix it")
    assert (facts.model, facts.permission_mode) == ("claude-opus-4-6", "default")
    assert facts.transcript_path == "/home/u/.claude/projects/-home-u-myapp/s-1.jsonl"
    assert facts.state is None
    assert outcome.answer == {}


def test_a_prompt_is_one_with_the_same_prompt_elsewhere() -> None:
    event = event_of("UserPromptSubmit", prompt='Fix "it"\nnow', prompt_id="p-1")
    assert (event.event_type, event.event_id) == ("user_prompt", "cc-prompt-p-1")
    assert json.loads(event.metadata) == {"message": 'Fix "it"\nnow'}
    assert state_of("UserPromptSubmit", prompt="x") == ("working", None)


@pytest.mark.parametrize("prompt", ["", "  \n", None, 5])
def test_an_empty_prompt_is_no_event(prompt: object) -> None:
    assert outcome_of("UserPromptSubmit", prompt=prompt).events == []


def test_the_end_of_a_background_agent_is_no_human_prompt() -> None:
    prompt = "<task-notification>\n<task-id>a1</task-id>"
    event = event_of("UserPromptSubmit", prompt=prompt, prompt_id="p-2")
    assert (event.event_type, event.event_id) == ("response", None)
    assert json.loads(event.metadata) == {"hook_event_name": "UserPromptSubmit", "message": prompt}


def test_before_a_tool_only_the_state_changes() -> None:
    outcome = outcome_of("PreToolUse", tool_name="Bash", tool_use_id="t", tool_input={"command": "pytest\n -q"})
    assert outcome.events == []
    assert (outcome.facts[0].state, outcome.facts[0].state_detail) == ("tool", "Bash: pytest -q")


@pytest.mark.parametrize(
    ("tool", "tool_input", "state"),
    [
        ("Read", {"file_path": "/a/b.py"}, ("tool", "Read: /a/b.py")),
        ("Agent", {"description": "Find routes", "prompt": "Find all"}, ("tool", "Agent: Find routes")),
        ("mcp__x__y", {"z": 1}, ("tool", "mcp__x__y")),
        ("AskUserQuestion", {"questions": [{"question": "Which one?"}]}, ("question", "Which one?")),
        ("ExitPlanMode", {"plan": "1. Do it"}, ("permission", "ExitPlanMode: 1. Do it")),
    ],
)
def test_the_state_names_the_tool_and_who_it_waits_for(
    tool: str, tool_input: object, state: tuple[str, str]
) -> None:
    assert state_of("PreToolUse", tool_name=tool, tool_input=tool_input) == state


def test_a_tool_use_is_one_with_the_same_use_in_the_transcript() -> None:
    fields = {"tool_use_id": "tu1", "tool_input": {"command": "ls", "description": "List"}, "duration_ms": 48}
    event = event_of("PostToolUse", tool_name="Bash", **fields)
    assert (event.event_type, event.tool_name, event.status) == ("tool_use", "Bash", "success")
    assert (event.event_id, event.duration_ms) == ("cc-tool-tu1", 48)
    assert json.loads(event.metadata) == {"tool_use_id": "tu1", "command": "ls"}
    assert state_of("PostToolUse", tool_name="Bash", **fields) == ("working", None)


def test_a_search_keeps_what_was_looked_for() -> None:
    tool_input = {"pattern": "x", "query": "q", "url": "u"}
    assert metadata_of("PostToolUse", tool_name="Grep", tool_use_id="tu4", tool_input=tool_input) == {
        "tool_use_id": "tu4",
        "pattern": "x",
        "query": "q",
        "url": "u",
    }


@pytest.mark.parametrize(
    ("tool", "tool_input", "lines"),
    [
        ("Edit", {"old_string": "a\nb", "new_string": "a\nb\nc\n"}, (3, 2)),
        ("Edit", {"old_string": "", "new_string": "a"}, (1, 0)),
        ("Write", {"content": "1\n2\n"}, (2, 0)),
        ("MultiEdit", {"edits": [{"old_string": "a", "new_string": "b\nc"}, {"new_string": "d"}]}, (3, 1)),
        ("MultiEdit", {"edits": ["x", None]}, (0, 0)),
        ("Read", {"old_string": "a"}, (0, 0)),
    ],
)
def test_edits_count_lines(tool: str, tool_input: dict[str, object], lines: tuple[int, int]) -> None:
    event = event_of("PostToolUse", tool_name=tool, tool_input={"file_path": "a.py", **tool_input})
    assert (event.lines_added, event.lines_removed) == lines
    assert event.edited_path == (None if tool == "Read" else "a.py")


def test_a_failed_tool_is_an_error_and_changes_no_lines() -> None:
    tool_input = {"file_path": "a.py", "old_string": "a", "new_string": "b"}
    event = event_of(
        "PostToolUseFailure", tool_name="Edit", tool_use_id="t", tool_input=tool_input, error="No match"
    )
    assert (event.event_type, event.status, event.event_id) == ("tool_use", "error", "cc-tool-t")
    assert json.loads(event.metadata) == {"tool_use_id": "t", "file_path": "a.py", "error": "No match"}
    assert event.lines_added == 0


def test_an_interrupted_tool_leaves_the_turn_to_the_human() -> None:
    assert state_of("PostToolUseFailure", tool_name="Bash", error="x", is_interrupt=True) == ("turn_ended", None)


@pytest.mark.parametrize("duration_ms", [True, -1, 1e300, "5", None, float("nan")])
def test_a_strange_duration_is_none(duration_ms: object) -> None:
    assert event_of("PostToolUse", tool_name="Bash", duration_ms=duration_ms).duration_ms is None


def test_stop_ends_the_turn_and_not_the_session() -> None:
    outcome = outcome_of(
        "Stop", stop_hook_active=False, last_assistant_message="Done. " * 200, background_tasks=[]
    )
    (event,), (facts,) = outcome.events, outcome.facts
    assert event.event_type == "session_end"
    assert json.loads(event.metadata) == {"hook_event_name": "Stop", "content_preview": ("Done. " * 200)[:500]}
    assert (facts.state, facts.state_detail, facts.ends) == ("turn_ended", None, False)


def test_stop_says_what_goes_on_in_the_background() -> None:
    tasks = [{"id": "a", "type": "subagent", "description": "Find slow code"}, "x", {"description": 1}]
    assert state_of("Stop", background_tasks=tasks) == ("turn_ended", "in the background: Find slow code")


def test_a_session_end_ends_the_session() -> None:
    outcome = outcome_of("SessionEnd", reason="prompt_input_exit")
    assert outcome.events[0].event_type == "session_end"
    assert json.loads(outcome.events[0].metadata) == {
        "hook_event_name": "SessionEnd",
        "reason": "prompt_input_exit",
    }
    assert outcome.facts[0].ends


def test_a_failed_turn_is_an_error() -> None:
    event = event_of("StopFailure", error="rate_limit", last_assistant_message="API Error: 429")
    assert (event.event_type, event.status) == ("error", "error")
    assert json.loads(event.metadata)["error"] == "rate_limit"
    assert state_of("StopFailure", error="unknown") == ("turn_ended", None)


@pytest.mark.parametrize(
    ("kind", "message", "state"),
    [
        ("permission_prompt", "Claude needs your permission", ("permission", None)),
        ("permission_prompt", "Claude needs your permission to use Bash", ("permission", "Bash")),
        ("worker_permission_prompt", "x needs permission for Bash", ("permission", None)),
        ("idle_prompt", "Claude is waiting for your input", ("turn_ended", None)),
        ("elicitation_dialog", "Claude Code needs your input", ("question", "Claude Code needs your input")),
        (None, "Claude needs your permission to use Edit", ("permission", "Edit")),
        (None, "Claude is waiting for your input", ("turn_ended", None)),
        ("auth_success", "Logged in", (None, None)),
    ],
)
def test_a_notification_says_who_is_waited_for(
    kind: str | None, message: str, state: tuple[str | None, str | None]
) -> None:
    assert state_of("Notification", notification_type=kind, message=message) == state
    assert event_of("Notification", notification_type=kind, message=message).event_type == "response"


def test_a_notification_keeps_the_words_of_the_client() -> None:
    fields = {"message": "Claude needs your permission", "notification_type": "permission_prompt"}
    assert metadata_of("Notification", **fields) == fields


def test_a_permission_request_waits_for_the_human_and_uses_no_tool() -> None:
    outcome = outcome_of("PermissionRequest", tool_name="Bash", tool_input={"command": "rm -rf build/"})
    (event,), (facts,) = outcome.events, outcome.facts
    assert (facts.state, facts.state_detail) == ("permission", "Bash: rm -rf build/")
    assert (event.event_type, event.tool_name) == ("response", None)
    assert json.loads(event.metadata) == {
        "hook_event_name": "PermissionRequest",
        "tool_name": "Bash",
        "command": "rm -rf build/",
    }


def test_a_question_to_the_human_is_not_called_a_permission() -> None:
    tool_input = {"questions": [{"question": "Which one?"}]}
    assert state_of("PermissionRequest", tool_name="AskUserQuestion", tool_input=tool_input)[0] == "question"


def test_a_denied_permission_is_told_with_its_reason() -> None:
    event = event_of("PermissionDenied", tool_name="Bash", tool_input={"command": "ls"}, reason="Not allowed")
    assert (event.event_type, event.status, event.tool_name) == ("response", "error", None)
    assert json.loads(event.metadata)["reason"] == "Not allowed"


@pytest.mark.parametrize(
    ("event", "fields", "state"),
    [
        ("Elicitation", {"message": "Your name?"}, ("question", "Your name?")),
        ("ElicitationResult", {"action": "accept"}, ("working", None)),
        ("PreCompact", {"trigger": "auto"}, ("working", "compacting")),
        ("PostCompact", {"trigger": "auto"}, ("working", None)),
        ("PostCompact", {"trigger": "manual"}, ("turn_ended", None)),
        ("UserPromptExpansion", {"command_name": "plan"}, ("working", None)),
        ("SubagentStart", {"agent_id": "a1"}, (None, None)),
        ("TaskCreated", {"task_subject": "x"}, (None, None)),
    ],
)
def test_other_events_and_what_the_agent_does_then(
    event: str, fields: dict[str, str], state: tuple[str | None, str | None]
) -> None:
    assert state_of(event, **fields) == state
    assert event_of(event, **fields).event_type == "response"
    assert metadata_of(event, **fields)["hook_event_name"] == event


def test_instructions_are_told_with_how_they_came() -> None:
    fields = {"file_path": "/a/CLAUDE.md", "memory_type": "Project", "load_reason": "include", "globs": ["*.py"]}
    assert event_of("InstructionsLoaded", **fields).event_type == "instruction_load"
    assert metadata_of("InstructionsLoaded", **fields) == fields


def test_a_changed_file_is_a_file_change() -> None:
    assert event_of("FileChanged", file_path="/a/.env", event="change").event_type == "file_change"


def test_a_switched_model_is_the_model_of_the_session() -> None:
    (facts,) = outcome_of("PostModelSwitch", from_model="a", to_model="b").facts
    assert facts.model == "b"


@pytest.mark.parametrize("event", (*COMMAND_HOOK_EVENTS, *HTTP_HOOK_EVENTS, *LATER_EVENTS, *REPLACING_HOOK_EVENTS))
def test_every_event_that_the_client_knows_is_a_sign_of_life(event: str) -> None:
    (facts,) = outcome_of(event).facts
    assert (facts.session_id, facts.sign_of_life) == ("s-1", True)


@pytest.mark.parametrize("event", ["PostToolBatch", "MessageDisplay"])
def test_what_other_hooks_tell_better_is_a_sign_of_life_only(event: str) -> None:
    outcome = outcome_of(event, delta="x", tool_calls=[])
    assert outcome.events == []
    assert [facts.state for facts in outcome.facts] == [None]


def test_an_unknown_event_is_kept_with_what_it_says() -> None:
    metadata = metadata_of("SomethingNew", level=3, text="x" * 600, nothing=None, nested={"a": [1]})
    assert metadata == {"hook_event_name": "SomethingNew", "level": 3, "text": "x" * 500, "nested": {"a": [1]}}


def test_a_sub_agent_is_named_and_leaves_the_session_as_it_is() -> None:
    fields = {"agent_id": "a1", "agent_type": "Explore", "tool_name": "Bash", "tool_input": {"command": "ls"}}
    (facts,) = outcome_of("PreToolUse", **fields, cwd="/elsewhere").facts
    assert (facts.state, facts.cwd, facts.project, facts.permission_mode) == (None, None, None, None)
    assert (facts.sign_of_life, facts.ends) == (True, False)
    metadata = metadata_of("PostToolUse", **fields)
    assert (metadata["agent_id"], metadata["subagent_type"]) == ("a1", "Explore")
    assert state_of("PostToolUse", **fields) == (None, None)
    assert event_of("SubagentStop", **fields).event_type == "response"
    assert event_of("Stop", **fields).event_type == "response"


def test_a_sub_agent_that_asks_makes_the_session_wait() -> None:
    fields = {"agent_id": "a1", "tool_name": "Bash", "tool_input": {"command": "make"}}
    assert state_of("PermissionRequest", **fields) == ("permission", "Bash: make")


@pytest.mark.parametrize(
    ("cwd", "transcript_path", "project"),
    [
        ("/home/u/myapp", "t.jsonl", "myapp"),
        ("/home/u/myapp/", None, "myapp"),
        ("/home/u/my.app/src/deep", "/c/projects/-home-u-my-app/s.jsonl", "my.app"),
        ("/home/u/my-app-2", "/c/projects/-home-u-my-app/s.jsonl", "my-app-2"),
        ("/elsewhere/lib", "/c/projects/-home-u-myapp/s.jsonl", "lib"),
        ("C:\\Users\\u\\app", "C:\\c\\projects\\C--Users-u-app\\s.jsonl", "app"),
        ("/", None, None),
        ("", None, None),
        (7, None, None),
    ],
)
def test_the_project_is_the_directory_that_the_session_began_in(
    cwd: object, transcript_path: object, project: str | None
) -> None:
    assert event_of("Stop", cwd=cwd, transcript_path=transcript_path).project == project


def test_a_change_of_directory_is_followed() -> None:
    (facts,) = outcome_of("CwdChanged", old_cwd="/home/u/myapp", new_cwd="/home/u/other").facts
    assert (facts.cwd, facts.project) == ("/home/u/other", "other")


def test_a_destructive_command_is_denied_in_the_form_of_the_client() -> None:
    outcome = outcome_of("PreToolUse", tool_name="Bash", tool_input={"command": "rm -rf /"})
    assert outcome.answer == {
        "hookSpecificOutput": {
            "hookEventName": "PreToolUse",
            "permissionDecision": "deny",
            "permissionDecisionReason": "AgentMonitor: Blocked destructive command: rm -rf /",
        }
    }
    (event,) = outcome.events
    assert (event.event_type, event.status, event.tool_name) == ("error", "error", "Bash")
    assert json.loads(event.metadata) == {"blocked": True, "reason": "destructive_command", "command": "rm -rf /"}


def test_a_sensitive_file_is_warned_about_and_allowed() -> None:
    outcome = outcome_of("PreToolUse", tool_name="Read", tool_input={"file_path": "/a/.env"})
    assert outcome.answer == {}
    (event,) = outcome.events
    assert (event.event_type, event.tool_name, event.event_id) == ("tool_use", "Read", None)
    assert json.loads(event.metadata)["security_warning"] is True


def test_without_the_safety_checks_nothing_is_denied_or_warned_about() -> None:
    for tool_input in ({"command": "rm -rf /"}, {"file_path": "/a/.env"}):
        outcome = outcome_of("PreToolUse", safety=False, tool_name="Bash", tool_input=tool_input)
        assert (outcome.events, outcome.answer) == ([], {})


@pytest.mark.parametrize("value", [None, [], "text", 5, True])
def test_a_body_that_is_no_object_is_a_fault(value: object) -> None:
    with pytest.raises(HookFault) as caught:
        read(value, payload_limit_bytes=LIMIT_BYTES, safety=True)
    assert caught.value.faults == [Fault("body", "must be a JSON object")]


@pytest.mark.parametrize("content", [b"", b"not json", b"\xff", b"[" * 100_000])
def test_a_body_that_is_no_json_is_a_fault(content: bytes) -> None:
    with pytest.raises(HookFault) as caught:
        read_body(content, payload_limit_bytes=LIMIT_BYTES, safety=True)
    assert caught.value.faults == [Fault("body", "must be a JSON object")]


@pytest.mark.parametrize("session_id", [None, "", "  ", 7, "a\0b", "\ud800", "x" * 5000])
def test_a_body_without_a_usable_session_is_a_fault(session_id: object) -> None:
    with pytest.raises(HookFault) as caught:
        read(body("Stop", session_id=session_id), payload_limit_bytes=LIMIT_BYTES, safety=True)
    assert [fault.field for fault in caught.value.faults] == ["session_id"]


def test_a_body_above_the_cap_keeps_what_says_most() -> None:
    event = event_of("PostToolUse", tool_name="Bash", tool_input={"command": "ls", "url": "x" * LIMIT_BYTES})
    assert event.payload_truncated
    assert json.loads(event.metadata)["command"] == "ls"

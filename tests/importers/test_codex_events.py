"""What a Codex rollout tells beside its calls: start and end, prompts, tools with their results, errors."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.importers.codex_writing import (
    counts,
    event,
    function_call,
    line,
    meta,
    output,
    record,
    token_count,
    turn,
    uuid7,
)
from tests.importers.importing import Home, metadata, of_type

Import = Callable[..., Home]
THREAD = uuid7(0)
PATCH = "*** Begin Patch\n*** Update File: a/b.py\n--- a\n+++ b\n-x\n+y\n+z\n*** Add File: c.py\n+1\n*** End Patch"


def tool_event(home: Home) -> dict[str, Any]:
    (found,) = of_type(home.events(), "tool_use")
    return found


def test_a_session_starts_with_its_version_and_the_model_of_its_first_turn(import_codex: Import) -> None:
    home = import_codex([meta(THREAD, originator="codex_exec"), turn(1, "o3")])
    (start,) = of_type(home.events(), "session_start")
    assert start["model"] == "o3"
    assert metadata(start) == {"cli_version": "0.58.0", "cwd": "/home/u/shop", "originator": "codex_exec"}


def test_it_ends_with_its_totals(import_codex: Import) -> None:
    home = import_codex([meta(THREAD), turn(1), token_count(2, (1000, 400, 50), (1000, 400, 50))])
    (end,) = of_type(home.events(), "session_end")
    assert metadata(end) == {"total_tokens_in": 1000, "total_tokens_out": 50, "total_cache_read": 400}


def test_while_a_turn_goes_on_it_does_not_end(import_codex: Import) -> None:
    home = import_codex([meta(THREAD), event("task_started", 1, turn_id=uuid7(1)), turn(1)])
    assert of_type(home.events(), "session_end") == []


def test_a_prompt_is_told_once_however_often_it_is_written(import_codex: Import) -> None:
    item = {"type": "UserMessage", "content": [{"type": "text", "text": "Fix it"}]}
    home = import_codex(
        [
            meta(THREAD),
            turn(1, turn_id=uuid7(1)),
            event("user_message", 2, message="Fix it"),
            event("item_completed", 3, item=item),
            event("user_message", 4, message="And this"),
        ]
    )
    prompts = of_type(home.events(), "user_prompt")
    assert [metadata(prompt)["message"] for prompt in prompts] == ["Fix it", "And this"]
    assert prompts[0]["event_id"] == f"cdx-prompt-{uuid7(1)}"


def test_what_the_client_says_in_the_users_name_is_no_prompt(import_codex: Import) -> None:
    home = import_codex([meta(THREAD), event("user_message", 2, message="<environment_context>x")])
    assert of_type(home.events(), "user_prompt") == []


@pytest.mark.parametrize(
    ("name", "arguments", "command"),
    [
        ("exec_command", {"cmd": "git status"}, "git status"),
        ("shell", {"command": ["bash", "-lc", "git status"]}, "git status"),
        ("shell", {"command": ["git", "log", "a b"]}, "git log 'a b'"),
    ],
)
def test_a_command_is_shown_as_one_would_type_it(
    import_codex: Import, name: str, arguments: dict[str, Any], command: str
) -> None:
    home = import_codex([meta(THREAD), turn(1), function_call(2, name, json.dumps(arguments)), output(3, "ok")])
    assert metadata(tool_event(home)) == {"command": command}


@pytest.mark.parametrize(
    ("said", "status", "duration_ms"),
    [
        ("Wall time: 1.8543 seconds\nProcess exited with code 0\nOutput:\n", "success", 1854),
        ("Wall time: 0 seconds\nProcess exited with code 2\nOutput:\nno", "error", 0),
        ("Exit code: 1\nWall time: 0.5 seconds\nOutput:\nno", "error", 500),
        (json.dumps({"output": "no", "metadata": {"exit_code": 1, "duration_seconds": 0.25}}), "error", 250),
        ("plain text", "success", None),
        ([{"type": "input_text", "text": "Exit code: 3"}], "error", None),
    ],
)
def test_the_result_of_a_command_completes_it(
    import_codex: Import, said: Any, status: str, duration_ms: int | None
) -> None:
    home = import_codex([meta(THREAD), turn(1), function_call(2, "exec_command", '{"cmd": "x"}'), output(3, said)])
    found = tool_event(home)
    assert (found["status"], found["duration_ms"]) == (status, duration_ms)


def test_what_a_command_printed_is_not_taken_for_its_exit_code(import_codex: Import) -> None:
    said = "Process exited with code 0\nOutput:\n" + "x" * 500 + "\nExit code: 1\n"
    home = import_codex([meta(THREAD), turn(1), function_call(2, "exec_command", '{"cmd": "x"}'), output(3, said)])
    assert tool_event(home)["status"] == "success"


def test_older_versions_report_the_end_of_a_command_beside_its_output(import_codex: Import) -> None:
    end = event("exec_command_end", 3, call_id="c-1", exit_code=1, duration={"secs": 2, "nanos": 5_000_000})
    home = import_codex(
        [meta(THREAD), turn(1), function_call(2, "shell", '{"command": "x"}'), end, output(4, "no")]
    )
    found = tool_event(home)
    assert (found["status"], found["duration_ms"]) == ("error", 2005)


@pytest.mark.parametrize(
    "call",
    [
        line("response_item", 2, type="custom_tool_call", name="apply_patch", call_id="c-1", input=PATCH),
        function_call(2, "exec_command", json.dumps({"cmd": f"apply_patch <<'EOF'\n{PATCH}\nEOF"})),
        function_call(2, "shell", json.dumps({"command": ["apply_patch", PATCH]})),
        function_call(2, "apply_patch", json.dumps({"input": PATCH})),
    ],
    ids=["custom tool", "command", "words", "function"],
)
def test_a_patch_names_its_file_and_counts_its_lines(import_codex: Import, call: dict[str, Any]) -> None:
    found = tool_event(import_codex([meta(THREAD), turn(1), call, output(3, "Exit code: 0")]))
    assert found["tool_name"] == "apply_patch"
    assert (found["edited_path"], found["lines_added"], found["lines_removed"]) == ("a/b.py", 3, 1)


def test_a_patch_that_failed_changed_nothing(import_codex: Import) -> None:
    call = line("response_item", 2, type="custom_tool_call", name="apply_patch", call_id="c-1", input=PATCH)
    found = tool_event(import_codex([meta(THREAD), turn(1), call, output(3, "Exit code: 1")]))
    assert (found["status"], found["edited_path"], found["lines_added"]) == ("error", None, 0)


def test_commands_inside_a_script_are_tools_of_their_own(import_codex: Import) -> None:
    script = line("response_item", 2, type="custom_tool_call", name="exec", call_id="c-1", input="run()")
    command = {"type": "CommandExecution", "id": "exec-1", "command": ["/bin/bash", "-lc", "ls"], "exit_code": 2}
    change = {
        "type": "FileChange",
        "id": "exec-2",
        "changes": {"a.py": {"type": "update", "unified_diff": "@@\n-x\n+y\n"}},
    }
    inner = [event("item_completed", 3, item=item) for item in (command, change)]
    home = import_codex([meta(THREAD), turn(1), script, *inner, output(4, "done", kind="custom_tool_call_output")])
    tools = of_type(home.events(), "tool_use")
    assert [(tool["tool_name"], tool["status"]) for tool in tools] == [
        ("exec", "success"),
        ("exec_command", "error"),
        ("apply_patch", "success"),
    ]
    assert (tools[2]["edited_path"], tools[2]["lines_added"], tools[2]["lines_removed"]) == ("a.py", 1, 1)


def test_what_the_agent_said_is_the_preview_of_its_call(import_codex: Import) -> None:
    home = import_codex(
        [meta(THREAD), turn(1), event("agent_message", 2, message="Done."), record(3, counts((9, 0, 3)), "resp_1")]
    )
    (answer,) = of_type(home.events(), "llm_response")
    assert metadata(answer)["content_preview"] == "Done."


@pytest.mark.parametrize(
    "failure",
    [event("error", 2, message="Overloaded"), event("task_complete", 2, error={"message": "Overloaded"})],
    ids=["error", "end of the turn"],
)
def test_a_failure_is_an_error(import_codex: Import, failure: dict[str, Any]) -> None:
    (error,) = of_type(import_codex([meta(THREAD), turn(1), failure]).events(), "error")
    assert (error["status"], metadata(error)["error"]) == ("error", "Overloaded")


def test_a_compaction_is_told(import_codex: Import) -> None:
    (told,) = of_type(import_codex([meta(THREAD), line("compacted", 2, message="…")]).events(), "response")
    assert metadata(told)["type"] == "compacted"


def test_a_session_has_its_place_name_and_file(import_codex: Import) -> None:
    home = import_codex([meta(THREAD), event("thread_name_updated", 1, thread_name="The shop")])
    (session,) = home.rows("SELECT * FROM sessions")
    assert (session["project"], session["branch"], session["title"]) == ("shop", "main", "The shop")
    assert session["client_version"] == "0.58.0"
    assert session["transcript_path"].endswith("rollout-1.jsonl")


def test_the_events_of_a_fork_are_only_its_own(import_codex: Import) -> None:
    fork = uuid7(100)
    replay = [
        turn(100, turn_id=uuid7(1)),
        event("user_message", 100, message="Old", turn_id=uuid7(1)),
        function_call(100, "exec_command", '{"cmd": "x"}'),
    ]
    own = [turn(110, turn_id=uuid7(110)), event("user_message", 111, message="New", turn_id=uuid7(110))]
    home = import_codex([meta(fork, 100, forked_from_id=THREAD), *replay, *own])
    assert [metadata(prompt)["message"] for prompt in of_type(home.events(), "user_prompt")] == ["New"]
    assert of_type(home.events(), "tool_use") == []

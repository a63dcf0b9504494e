"""What a Codex rollout says, entry by entry: once, whether it is told as an item, as an event, or as both."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.importers.codex_writing import (
    BEGAN_MS,
    event,
    function_call,
    line,
    meta,
    output,
    said_event,
    said_item,
    turn,
    uuid7,
)
from tests.importers.importing import Home, Line
from tests.importers.test_claude_entries import told

Import = Callable[..., Home]
THREAD = uuid7(0)
TURN = uuid7(1)
PATCH = "*** Begin Patch\n*** Add File: a.py\n+x\n*** End Patch"


@pytest.fixture
def entries(import_codex: Import) -> Callable[..., list[tuple[Any, ...]]]:
    """Kind and text of what one turn of these lines says, or the columns asked for."""

    def read(*lines: Line, columns: tuple[str, ...] = ("kind", "text")) -> list[tuple[Any, ...]]:
        return told(import_codex([meta(THREAD), turn(1, turn_id=TURN), *lines]), *columns)

    return read


Entries = Callable[..., list[tuple[Any, ...]]]


def finished(second: float, kind: str, **item: Any) -> Line:
    return event("item_completed", second, item={"type": kind, **item})


def reasoning(second: float, *parts: str, **fields: Any) -> Line:
    summary = [{"type": "summary_text", "text": part} for part in parts]
    return line("response_item", second, type="reasoning", summary=summary, **fields)


def test_prompts_and_answers_of_an_old_stream_of_events(entries: Entries) -> None:
    found = entries(
        said_event(2, "user", "Go"),
        event("agent_reasoning", 3, text="Hm."),
        said_event(4, "assistant", "Done."),
        columns=("kind", "text", "at"),
    )
    assert found == [
        ("prompt", "Go", BEGAN_MS + 2000),
        ("thinking", "Hm.", BEGAN_MS + 3000),
        ("answer", "Done.", BEGAN_MS + 4000),
    ]


def test_what_is_told_in_both_forms_is_one_entry_in_whichever_order(entries: Entries) -> None:
    text = [{"type": "Text", "text": "Done."}]
    assert entries(
        said_item(2, "user", "Go", "msg_1"),
        finished(2, "UserMessage", id="u-1", content=[{"type": "text", "text": "Go"}]),
        finished(3, "Reasoning", id="rs_1", summary_text=["First.", "Then."]),
        reasoning(3, "First.", "Then.", id="rs_1"),
        finished(4, "AgentMessage", id="msg_2", content=text),
        said_item(4, "assistant", "Done.", "msg_2"),
    ) == [("prompt", "Go"), ("thinking", "First."), ("thinking", "Then."), ("answer", "Done.")]


def test_thoughts_told_one_by_one_and_as_one_item_are_the_same(entries: Entries) -> None:
    first, then = event("agent_reasoning", 2, text="First."), event("agent_reasoning", 2, text="Then.")
    assert entries(first, then, reasoning(3, "First.", "Then.")) == [("thinking", "First."), ("thinking", "Then.")]


def test_the_same_words_said_twice_are_two_entries(entries: Entries) -> None:
    twice = [
        said_item(2, "user", "Go"),
        said_event(2, "user", "Go"),
        said_event(4, "user", "Go"),
        said_item(4, "user", "Go"),
    ]
    assert entries(*twice) == [("prompt", "Go"), ("prompt", "Go")]


def test_a_prompt_with_an_image_names_it(entries: Entries) -> None:
    content = [
        {"type": "input_text", "text": "See"},
        {"type": "input_image", "image_url": "data:image/png;base64,QUJD"},
    ]
    item = line("response_item", 2, type="message", role="user", content=content)
    assert entries(item, said_event(2, "user", "See")) == [("prompt", "See\n[input_image]")]


def test_sealed_thoughts_have_no_text_and_make_no_entry(entries: Entries) -> None:
    assert entries(reasoning(2, encrypted_content="c2VhbGVk"), said_event(3, "user", "Go")) == [("prompt", "Go")]


def test_what_the_client_writes_is_a_notice_and_its_instructions_are_left_out(entries: Entries) -> None:
    context = "<environment_context>\n<cwd>/home/u</cwd>"
    found = entries(said_item(2, "developer", "You are Codex"), said_item(2, "user", context))
    assert found == [("notice", context)]


def test_a_tool_is_a_use_and_a_result(entries: Entries) -> None:
    call = function_call(2, "exec_command", '{"cmd":"make test"}', "c-1")
    end = event("exec_command_end", 3, call_id="c-1", command=["make", "test"], stdout="1 failed", exit_code=2)
    result = output(4, "Exit code: 2\nOutput:\n1 failed", "c-1")
    columns = ("kind", "text", "tool_name", "tool_id", "is_error")
    assert entries(call, end, result, columns=columns) == [
        ("tool_use", '{"cmd":"make test"}', "exec_command", "c-1", 0),
        ("tool_result", "Exit code: 2\nOutput:\n1 failed", None, "c-1", 1),
    ]


def test_a_failure_that_only_the_event_tells_is_one(entries: Entries) -> None:
    call = function_call(2, "exec_command", "{}", "c-1")
    end = finished(3, "CommandExecution", id="c-1", status="declined", command=["rm"])
    assert entries(call, end, output(4, "no", "c-1"), columns=("is_error",)) == [(0,), (1,)]


def test_older_results_are_taken_out_of_their_json(entries: Entries) -> None:
    wrapped = '{"output":"app.py","metadata":{"exit_code":1,"duration_seconds":0.1}}'
    found = entries(
        function_call(2, "shell", '{"command":["ls"]}'), output(3, wrapped), columns=("kind", "text", "is_error")
    )
    assert found[-1] == ("tool_result", "app.py", 1)


def test_a_patch_and_a_search_are_tools(entries: Entries) -> None:
    patch = line("response_item", 2, type="custom_tool_call", name="apply_patch", input=PATCH, call_id="c-1")
    search = line("response_item", 4, type="web_search_call", id="ws_1", action={"type": "search", "query": "x"})
    found = entries(
        patch,
        output(3, "Success", "c-1", kind="custom_tool_call_output"),
        event("web_search_end", 4, call_id="ws_1", query="x"),
        search,
        columns=("kind", "tool_name", "text"),
    )
    assert found[:2] == [("tool_use", "apply_patch", PATCH), ("tool_result", None, "Success")]
    assert [entry for entry in found if entry[1] == "web_search"] == [("tool_use", "web_search", "x")]


def test_commands_inside_a_script_are_told_by_their_end(entries: Entries) -> None:
    script = line("response_item", 2, type="custom_tool_call", name="exec", input="await ls()", call_id="c-1")
    inner = finished(
        3,
        "CommandExecution",
        id="exec-9",
        command=["/bin/bash", "-lc", "ls"],
        aggregated_output="a.py",
        exit_code=0,
    )
    done = output(4, [{"type": "input_text", "text": "a.py"}], "c-1", kind="custom_tool_call_output")
    assert entries(script, inner, done, columns=("kind", "tool_id", "text")) == [
        ("tool_use", "c-1", "await ls()"),
        ("tool_use", "exec-9", "ls"),
        ("tool_result", "exec-9", "a.py"),
        ("tool_result", "c-1", "a.py"),
    ]


def test_tools_of_servers_are_told_by_their_end_where_there_is_no_item(entries: Entries) -> None:
    answer = {"Ok": {"content": [{"type": "text", "text": "3 issues"}]}}
    end = event(
        "mcp_tool_call_end",
        2,
        call_id="c-1",
        invocation={"server": "issues", "tool": "search", "arguments": {"q": "x"}},
        result=answer,
    )
    assert entries(end, columns=("kind", "tool_name", "text")) == [
        ("tool_use", "search", '{"q":"x"}'),
        ("tool_result", None, "3 issues"),
    ]


def test_a_compaction_is_told_once_with_its_summary(entries: Entries) -> None:
    summary = said_item(2, "assistant", "Half is done.", "msg_1") | {"metadata": {"compaction_output": True}}
    assert entries(summary, line("compacted", 3, message="Summary: Half is done.")) == [
        ("compaction", "Summary: Half is done.")
    ]


def test_errors_are_notices(entries: Entries) -> None:
    found = entries(event("error", 2, message="usage limit"), columns=("kind", "text", "is_error"))
    assert found == [("notice", "usage limit", 1)]


def test_a_sub_agent_is_named_and_belongs_to_the_session_of_its_root(import_codex: Import) -> None:
    child = uuid7(5)
    source = {"subagent": {"thread_spawn": {"parent_thread_id": THREAD}}}
    import_codex([meta(THREAD), turn(1, turn_id=TURN), said_item(2, "user", "Go", "m-1")])
    own = [turn(6, turn_id=uuid7(6)), said_item(7, "user", "Name the modules", "m-1"), token()]
    home = import_codex([meta(child, 5, session_id=THREAD, source=source), *own], name="rollout-2")
    assert told(home, "session_id", "subagent_id", "kind", "text") == [
        (THREAD, None, "prompt", "Go"),
        (THREAD, child, "prompt", "Name the modules"),
    ]


def token() -> Line:
    used = {"input_tokens": 5, "cached_input_tokens": 0, "output_tokens": 1}
    return line("token_usage_record", 8, usage=used, response_id="resp_1")


def test_a_fork_tells_only_what_is_its_own(import_codex: Import) -> None:
    lines = [turn(1, turn_id=TURN), said_item(2, "user", "Go"), said_event(3, "assistant", "Done.")]
    import_codex([meta(THREAD), *lines])
    fork = uuid7(10)
    own = [turn(11, turn_id=uuid7(11)), said_item(12, "user", "And then?")]
    home = import_codex([meta(fork, 10, forked_from_id=THREAD), *lines, *own], name="rollout-2")
    assert told(home, "session_id", "text") == [(THREAD, "Go"), (THREAD, "Done."), (fork, "And then?")]

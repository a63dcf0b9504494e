"""Gemini CLI's chats: each answer once, in both forms of the files."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from importers.files import GEMINI
from tests.importers.gemini_writing import SESSION, answer, header, tokens, tool_call, typed, write_document
from tests.importers.importing import Home, Line, figures, metadata, of_type, write_lines

Import = Callable[..., Home]


@pytest.fixture
def chats(tmp_path: Path) -> Path:
    return tmp_path / "gemini" / "tmp" / "shop" / "chats"


@pytest.fixture
def import_gemini(home: Home, chats: Path, tmp_path: Path) -> Import:
    def run(lines: list[Line | str], *, name: str = "session-1", **options: Any) -> Home:
        write_lines(chats / f"{name}.jsonl", lines)
        home.run(GEMINI, tmp_path / "gemini", **options)
        return home

    return run


def test_cached_input_is_apart_thoughts_are_output_and_tool_prompts_input(import_gemini: Import) -> None:
    home = import_gemini([header(), answer("m", 1, tokens(1000, 400, 50, thoughts=30, tool=7))])
    (call,) = home.calls()
    assert figures(call) == (607, 400, 0, 0, 80, 30)
    assert (call["session_id"], call["model"]) == (SESSION, "gemini-2.5-pro")


def test_the_last_copy_of_a_message_counts(import_gemini: Import) -> None:
    copies: list[Line | str] = [answer("m", 1, used) for used in (None, tokens(10, 0, 9), tokens(10, 0, 5))]
    home = import_gemini([header(), *copies, typed("u", 2, "Thanks")])
    assert [figures(call) for call in home.calls()] == [(10, 0, 0, 0, 5, 0)]
    assert len(of_type(home.events(), "llm_response")) == 1


def test_equal_figures_of_two_messages_are_two_calls(import_gemini: Import) -> None:
    home = import_gemini([header(), *(answer(f"m{n}", n, tokens(10, 0, 5)) for n in (1, 2))])
    assert len(home.calls()) == 2


def test_equal_ids_in_two_sessions_are_two_calls(import_gemini: Import) -> None:
    import_gemini([header("s-1"), answer("m", 1, tokens(10, 0, 5))], name="session-1")
    home = import_gemini([header("s-2"), answer("m", 1, tokens(10, 0, 5))], name="session-2")
    assert [call["session_id"] for call in home.calls()] == ["s-1", "s-2"]


def test_a_message_that_grew_between_two_imports_is_one_call(import_gemini: Import) -> None:
    lines: list[Line | str] = [header(), answer("m", 1, tokens(10, 0, 5))]
    import_gemini(lines)
    home = import_gemini([*lines, answer("m", 1, tokens(10, 0, 8))])
    assert [figures(call) for call in home.calls()] == [(10, 0, 0, 0, 8, 0)]


def test_messages_that_a_header_line_replaces_are_read_once(import_gemini: Import) -> None:
    told = [typed("u", 1, "Go"), answer("m", 2, tokens(10, 0, 5))]
    home = import_gemini([header(), *told, header(second=3), {"$set": {"messages": told}}])
    assert len(home.calls()) == 1
    assert [event["event_type"] for event in home.events()] == ["user_prompt", "llm_response"]


def test_the_older_form_is_one_document(home: Home, chats: Path, tmp_path: Path) -> None:
    messages = [typed("u", 1, "Go"), answer("m", 2, tokens(10, 4, 5))]
    write_document(chats / "session-old.json", messages, summary="Stock")
    home.run(GEMINI, tmp_path / "gemini")
    assert [figures(call) for call in home.calls()] == [(6, 4, 0, 0, 5, 0)]
    assert home.rows("SELECT id, title FROM sessions") == [{"id": SESSION, "title": "Stock"}]


def test_a_document_that_is_rewritten_adds_what_is_new(home: Home, chats: Path, tmp_path: Path) -> None:
    messages = [answer(f"m{n}", n, tokens(10, 0, 5)) for n in range(3)]
    for known in (1, 2, 3):
        write_document(chats / "session-old.json", messages[:known])
        home.run(GEMINI, tmp_path / "gemini")
    assert len(home.calls()) == len(home.events()) == 3


def test_a_document_cut_in_the_middle_is_read_when_it_is_whole(home: Home, chats: Path, tmp_path: Path) -> None:
    file = write_document(chats / "session-old.json", [answer("m", 1, tokens(10, 0, 5))])
    whole = file.read_text()
    file.write_text(whole[:100])
    (report,) = home.run(GEMINI, tmp_path / "gemini")
    assert (report.outcome, [note.reason for note in report.bad]) == ("EMPTY", ["not JSON"])
    file.write_text(whole)
    home.run(GEMINI, tmp_path / "gemini")
    assert len(home.calls()) == 1


def test_a_tool_is_told_when_it_has_ended(import_gemini: Import) -> None:
    changes = {"fileName": "a.py", "diffStat": {"model_added_lines": 2, "model_removed_lines": 1}}
    failed = [{"functionResponse": {"response": {"error": "no such file"}}}]
    tools = [
        tool_call("t1", "write_file", args={"file_path": "/w/a.py"}, resultDisplay=changes),
        tool_call("t2", "read_file", "error", args={"file_path": "/w/b.py"}, result=failed),
        tool_call("t3", "run_shell_command", "executing", args={"command": "ls"}),
    ]
    used = tokens(9, 0, 1)
    home = import_gemini([header(), answer("m", 1, used), answer("m", 1, used, toolCalls=tools)])
    written, read = of_type(home.events(), "tool_use")
    assert (written["tool_name"], written["lines_added"], written["lines_removed"]) == ("write_file", 2, 1)
    assert (read["tool_name"], read["status"], metadata(read)["error"]) == ("read_file", "error", "no such file")


def test_a_prompt_is_what_a_human_typed(import_gemini: Import) -> None:
    result: Line = {"functionResponse": {"id": "t1", "response": {"output": "done"}}}
    home = import_gemini(
        [
            header(),
            typed("u1", 1, "<session_context>\nThis is the Gemini CLI."),
            typed("u2", 2, "Count the stock."),
            {**typed("u3", 3, ""), "content": [result]},
        ]
    )
    assert [metadata(event)["message"] for event in home.events()] == ["Count the stock."]


def test_an_error_and_notices_of_the_client(import_gemini: Import) -> None:
    lines: list[Line | str] = [{"id": kind, "type": kind, "content": f"an {kind}"} for kind in ("info", "error")]
    home = import_gemini([header(), *lines])
    (event,) = home.events()
    assert (event["event_type"], event["status"], metadata(event)["error"]) == ("error", "error", "an error")


def test_the_project_is_the_directory_beside_the_chats(import_gemini: Import, chats: Path) -> None:
    chats.mkdir(parents=True)
    (chats.parent / ".project_root").write_text("/home/u/shop-api")
    home = import_gemini([header(), typed("u", 1, "Go")])
    assert home.rows("SELECT project, cwd FROM sessions") == [{"project": "shop-api", "cwd": "/home/u/shop-api"}]


def test_a_sub_agents_calls_belong_to_its_parents_session(import_gemini: Import) -> None:
    lines = [header("sub", kind="subagent"), typed("u", 1, "Look"), answer("m", 2, tokens(9, 0, 1))]
    home = import_gemini(lines, name=f"{SESSION}/sub")
    (event,) = home.events()
    assert (event["session_id"], metadata(event)["agent_id"]) == (SESSION, "sub")


@pytest.mark.parametrize(
    "line",
    [
        {"id": "m", "type": "gemini", "tokens": "many", "toolCalls": "none", "content": 7},
        {"id": "m", "type": "gemini", "tokens": {"input": -5, "output": True, "cached": "x"}, "toolCalls": [{}]},
        {"id": 7, "type": "gemini"},
        {"id": "m", "type": []},
        {"$set": []},
        {"$set": {"messages": [1, None, {"id": "m"}]}},
        {"$rewindTo": "m"},
        {"sessionId": 7, "messages": {}},
    ],
)
def test_strange_values_cost_nothing(import_gemini: Import, line: Line) -> None:
    home = import_gemini([line, header(), answer("good", 1, tokens(9, 0, 1))])
    assert home.calls()[-1]["output_tokens"] == 1

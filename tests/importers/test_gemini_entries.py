"""What a Gemini CLI chat says, entry by entry, though its messages repeat as they grow and when it is resumed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from importers.files import GEMINI
from tests.importers.gemini_writing import SESSION, answer, header, tokens, tool_call, typed, write_document
from tests.importers.importing import Home, Line, write_lines
from tests.importers.test_claude_entries import told

USED = tokens(10, 0, 5)
Import = Callable[..., Home]


@pytest.fixture
def import_gemini(home: Home, tmp_path: Path) -> Import:
    def run(*lines: Line, name: str = "session-1") -> Home:
        write_lines(tmp_path / "gemini" / "tmp" / "shop" / "chats" / f"{name}.jsonl", lines)
        home.run(GEMINI, tmp_path / "gemini")
        return home

    return run


def response(tool_id: str, **said: str) -> Line:
    return {"functionResponse": {"id": tool_id, "name": "read_file", "response": said}}


def test_prompts_thoughts_answers_and_tools(import_gemini: Import) -> None:
    thought = {"subject": "Files", "description": "Read them first."}
    call = tool_call("t-1", "read_file", args={"path": "a.py"}, result=[response("t-1", output="x = 1")])
    home = import_gemini(
        header(),
        typed("u", 1, "Explain"),
        answer("m", 2, USED, content="It sets x.", thoughts=[thought], toolCalls=[call]),
    )
    assert sorted(told(home, "kind", "text", "tool_name", "tool_id", "is_error")) == [
        ("answer", "It sets x.", None, None, 0),
        ("prompt", "Explain", None, None, 0),
        ("thinking", "Files\nRead them first.", None, None, 0),
        ("tool_result", "x = 1", None, "t-1", 0),
        ("tool_use", '{"path":"a.py"}', "read_file", "t-1", 0),
    ]
    assert {session for (session,) in told(home, "session_id")} == {SESSION}


def test_of_a_message_that_grows_the_longest_copy_is_kept(import_gemini: Import) -> None:
    copies = [answer("m", 2, USED, content="It sets x."[:end]) for end in (0, 5, 10, 7)]
    home = import_gemini(header(), typed("u", 1, "Explain"), *copies)
    assert told(home, "kind", "text") == [("prompt", "Explain"), ("answer", "It sets x.")]
    assert home.found("sets") == ["It sets x."]


def test_a_message_that_grew_between_two_imports_is_one_entry_and_found_by_its_new_words(
    import_gemini: Import,
) -> None:
    begun = [header(), typed("u", 1, "Explain"), answer("m", 2, USED, content="Reading")]
    import_gemini(*begun)
    home = import_gemini(*begun, answer("m", 2, USED, content="Written all over"))
    assert told(home, "kind", "text")[1:] == [("answer", "Written all over")]
    assert (home.found("written"), home.found("reading")) == (["Written all over"], [])


def test_a_tool_that_runs_has_no_result_yet(import_gemini: Import) -> None:
    running, ended = (
        tool_call("t-1", "shell", "executing"),
        tool_call("t-1", "shell", "error", resultDisplay="exit 1"),
    )
    begun = [header(), answer("m", 1, USED, toolCalls=[running])]
    assert told(import_gemini(*begun), "kind") == [("tool_use",)]
    home = import_gemini(*begun, answer("m", 1, USED, toolCalls=[ended]))
    assert told(home, "kind", "text", "is_error") == [("tool_use", "{}", 0), ("tool_result", "exit 1", 1)]


def test_the_message_that_hands_a_result_to_the_model_repeats_it(import_gemini: Import) -> None:
    call = tool_call("t-1", "read_file", result=[response("t-1", error="no such file")])
    handed = typed("u", 3, "") | {"content": [response("t-1", error="no such file")]}
    home = import_gemini(header(), answer("m", 2, USED, toolCalls=[call]), handed)
    assert told(home, "kind", "text", "is_error") == [("tool_use", "{}", 0), ("tool_result", "no such file", 1)]


def test_a_resumed_chat_repeats_itself_in_another_form(import_gemini: Import) -> None:
    thought = {"subject": "", "description": "First."}
    said = [
        header(),
        typed("u", 1, "Explain"),
        answer("m", 2, USED, content="It is.", thoughts=[thought], toolCalls=[tool_call("t-1", "shell")]),
    ]
    parts = [
        {"text": "First.", "thought": True},
        {"text": "It is."},
        {"functionCall": {"id": "t-1", "name": "shell", "args": {}}},
    ]
    again: Line = {"id": "m", "timestamp": "2026-09-21T15:00:00Z", "type": "gemini", "content": parts}
    before = told(import_gemini(*said), "kind", "text", "at")
    home = import_gemini(*said, header(second=30), {"$set": {"messages": [typed("u", 40, "Explain"), again]}})
    assert told(home, "kind", "text", "at") == before


def test_the_clients_own_words_are_left_out_but_for_what_it_tells_the_person(import_gemini: Import) -> None:
    home = import_gemini(
        header(),
        typed("c", 0, "<session_context>\nToday is Monday"),
        typed("u", 1, "Explain"),
        {"id": "e", "timestamp": "2026-09-21T14:13:02Z", "type": "error", "content": "Quota exceeded"},
        {"id": "i", "timestamp": "2026-09-21T14:13:03Z", "type": "info", "content": "Update available"},
        {"id": "k", "timestamp": "2026-09-21T14:13:04Z", "type": "compression", "content": "Chat compressed"},
    )
    assert told(home, "kind", "text", "is_error") == [
        ("prompt", "Explain", 0),
        ("notice", "Quota exceeded", 1),
        ("notice", "Update available", 0),
        ("compaction", "Chat compressed", 0),
    ]


def test_a_sub_agents_chat_belongs_to_its_parents_session(import_gemini: Import) -> None:
    import_gemini(header(), typed("u", 1, "Explain"))
    home = import_gemini(
        header("other"),
        typed("u", 2, "Look around"),
        answer("m", 3, USED, content="Seen."),
        name=f"{SESSION}/agent-7",
    )
    assert told(home, "session_id", "subagent_id", "kind", "text") == [
        (SESSION, None, "prompt", "Explain"),
        (SESSION, "agent-7", "prompt", "Look around"),
        (SESSION, "agent-7", "answer", "Seen."),
    ]


def test_a_document_of_the_older_form_says_the_same(home: Home, tmp_path: Path) -> None:
    path = tmp_path / "gemini" / "tmp" / "shop" / "chats" / "session-1.json"
    messages: list[Any] = [typed("u", 1, "Explain"), answer("m", 2, USED, content="It is.")]
    write_document(path, messages)
    home.run(GEMINI, tmp_path / "gemini")
    write_document(path, [*messages, typed("v", 3, "Thanks")])
    home.run(GEMINI, tmp_path / "gemini")
    assert told(home, "kind", "text") == [("prompt", "Explain"), ("answer", "It is."), ("prompt", "Thanks")]


def test_a_chat_without_any_word_makes_no_session(import_gemini: Import) -> None:
    home = import_gemini(
        header(), {"id": "i", "timestamp": "2026-09-21T14:13:03Z", "type": "info", "content": "Hi"}
    )
    assert (home.rows("SELECT id FROM sessions"), told(home, "text")) == ([], [])

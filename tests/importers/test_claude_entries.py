"""What a Claude Code transcript says, entry by entry: each thing once, by kind, in the clear or by reference."""

from collections.abc import Callable
from typing import Any

from ingest.entries import SAID_CHARACTERS, TOOL_CHARACTERS
from tests.importers.claude_writing import BEGAN_MS, answer, line, opening, prompt, tool, tool_result, usage
from tests.importers.importing import Home

Import = Callable[..., Home]


def told(home: Home, *columns: str) -> list[tuple[Any, ...]]:
    """The named columns of each entry, in the order of time."""
    rows = home.rows("SELECT * FROM entries ORDER BY at, id")
    return [tuple(row[name] for name in columns) for row in rows]


def block(kind: str, **fields: Any) -> dict[str, Any]:
    return {"type": kind, **fields}


def test_each_kind_of_thing_that_is_said_is_an_entry(import_claude: Import) -> None:
    said = [block("thinking", thinking="Hm."), block("text", text="I look."), tool("Bash", "t-1", command="ls")]
    home = import_claude(
        [
            opening(),
            prompt("Fix it", 1),
            answer(2, usage(5), content=said),
            tool_result("t-1", 3, "app.py", is_error=True),
            line("system", 4, subtype="compact_boundary", content="Conversation compacted"),
            prompt("What came before", 5, isCompactSummary=True),
            prompt("Caveat: local commands", 6, isMeta=True),
            answer(7, usage(0), content=[block("text", text="Overloaded")], isApiErrorMessage=True),
        ]
    )
    assert told(home, "kind", "text", "tool_name", "tool_id", "is_error") == [
        ("prompt", "Fix it", None, None, 0),
        ("thinking", "Hm.", None, None, 0),
        ("answer", "I look.", None, None, 0),
        ("tool_use", '{"command":"ls"}', "Bash", "t-1", 0),
        ("tool_result", "app.py", None, "t-1", 1),
        ("compaction", "Conversation compacted", None, None, 0),
        ("compaction", "What came before", None, None, 0),
        ("notice", "Caveat: local commands", None, None, 0),
        ("notice", "Overloaded", None, None, 0),
    ]
    assert told(home, "session_id", "agent_type", "at")[0] == ("s-1", "claude_code", BEGAN_MS + 1000)


def test_an_answer_names_its_call(import_claude: Import) -> None:
    home = import_claude([opening(), prompt("Go", 1), answer(2, usage(5), request="req_7")])
    assert told(home, "call_key") == [(None,), ("request:req_7",)]
    assert home.calls()[0]["call_key"] == "request:req_7"


def test_a_side_conversation_has_its_agent_and_its_prompt_is_one(import_claude: Import) -> None:
    side = {"agentId": "a1", "isSidechain": True}
    agent = [prompt("Look for it", 2, **side), answer(3, usage(5), **side)]
    home = import_claude([opening(), prompt("Go", 1)], agents={"a1": agent})
    assert told(home, "session_id", "subagent_id", "kind") == [
        ("s-1", None, "prompt"),
        ("s-1", "a1", "prompt"),
        ("s-1", "a1", "answer"),
    ]


def test_images_and_documents_are_named_not_stored(import_claude: Import) -> None:
    image = block("image", source={"type": "base64", "media_type": "image/png", "data": "QUJD" * 1000})
    home = import_claude(
        [
            opening(),
            line("user", 1, message={"role": "user", "content": [block("text", text="See"), image]}),
            answer(2, usage(5), content=[tool("Read", "t-1", file_path="a.png")]),
            tool_result("t-1", 3, [image, block("text", text="2 x 2")]),
        ]
    )
    assert ("notice", "[image image/png 3000 bytes]") in told(home, "kind", "text")
    assert told(home, "kind", "text")[-1] == ("tool_result", "[image image/png 3000 bytes]\n2 x 2")
    assert not any("QUJD" in text for (text,) in told(home, "text"))


def test_a_long_result_keeps_its_beginning_its_end_and_its_true_size(import_claude: Import) -> None:
    said = "begin " + "ä" * 100_000 + " 3 failed"
    home = import_claude([opening(), prompt("Go", 1), tool_result("t-1", 2, said)])
    (text, text_bytes) = told(home, "text", "text_bytes")[-1]
    assert text.startswith("begin ä") and text.endswith("ä 3 failed")
    assert "characters left out" in text and len(text) <= TOOL_CHARACTERS
    assert text_bytes == len(said.encode())


def test_what_is_said_is_kept_longer_than_what_tools_say(import_claude: Import) -> None:
    said = "x" * SAID_CHARACTERS
    home = import_claude([opening(), prompt(said, 1), prompt(said + "y", 2)])
    whole, cut = told(home, "text", "text_bytes")
    assert whole == (said, SAID_CHARACTERS)
    assert len(cut[0]) <= SAID_CHARACTERS and cut[1] == SAID_CHARACTERS + 1


def test_a_long_input_stays_json(import_claude: Import) -> None:
    content = [tool("Write", "t-1", file_path="a.py", content="z" * 50_000)]
    home = import_claude([opening(), prompt("Go", 1), answer(2, usage(5), content=content)])
    (text,) = told(home, "text")[-1]
    assert text.startswith('{"file_path":"a.py","content":"zzz') and text.endswith('…"}')


def test_what_a_fork_copied_gives_no_second_entry(import_claude: Import) -> None:
    lines = [opening(), prompt("Go", 1), answer(2, usage(5))]
    import_claude(lines)
    copies = [copied | {"sessionId": "s-2"} for copied in lines[1:]]
    own = prompt("And then?", 11, session="s-2")
    home = import_claude([opening(10, session="s-2"), *copies, own], session="s-2")
    assert told(home, "session_id", "text") == [("s-1", "Go"), ("s-1", "Done."), ("s-2", "And then?")]


def test_lines_without_ids_are_kept_under_their_number(import_claude: Import) -> None:
    def plain(kind: str, content: Any) -> dict[str, Any]:
        return {"type": kind, "sessionId": "s-1", "message": {"role": kind, "content": content}}

    lines = [
        plain("user", "hello"),
        plain("assistant", [block("text", text="hi"), tool("Bash", "t", command="ls")]),
    ]
    import_claude(lines)
    home = import_claude([*lines, plain("user", "hello")])
    assert sorted(told(home, "text", "at")) == [("hello", 0), ("hello", 0), ("hi", 0), ('{"command":"ls"}', 0)]


def test_book_keeping_says_nothing(import_claude: Import) -> None:
    home = import_claude([opening(), prompt("Go", 1), line("attachment", 2), {"type": "ai-title", "aiTitle": "T"}])
    assert told(home, "text") == [("Go",)]


def test_notices_alone_make_no_session_and_are_kept_once_there_is_one(import_claude: Import) -> None:
    notices = [prompt(f"Caveat {number}", number, isMeta=True) for number in range(1, 40)]
    home = import_claude([opening(), *notices])
    assert (home.rows("SELECT id FROM sessions"), told(home, "text")) == ([], [])
    import_claude([opening(), *notices, prompt("Go", 50)])
    assert [text for (text,) in told(home, "text")] == [*(f"Caveat {number}" for number in range(1, 40)), "Go"]

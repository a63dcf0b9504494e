"""What a Claude Code transcript tells beside its calls: prompts, tools, errors, titles, and what is no news."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.importers.claude_writing import answer, line, prompt, tool, tool_result, usage
from tests.importers.importing import Home, metadata, of_type

Import = Callable[..., Home]


def prompts(home: Home) -> list[str]:
    return [metadata(event)["message"] for event in of_type(home.events(), "user_prompt")]


def tool_event(home: Home) -> dict[str, Any]:
    (event,) = of_type(home.events(), "tool_use")
    return event


def use(name: str, **given: Any) -> dict[str, Any]:
    return answer(1, usage(5), content=[tool(name, "t-1", **given)])


def test_what_a_human_typed_is_a_prompt(import_claude: Import) -> None:
    home = import_claude([prompt("Fix it", 1, promptId="p-1")])
    assert prompts(home) == ["Fix it"]
    assert home.events()[0]["event_id"] == "cc-prompt-p-1"


def test_a_prompt_with_an_image_is_its_text(import_claude: Import) -> None:
    blocks = [{"type": "image", "source": {}}, {"type": "text", "text": "What is this?"}]
    home = import_claude([line("user", 1, message={"role": "user", "content": blocks})])
    assert prompts(home) == ["What is this?"]


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("<command-message>plan</command-message>\n<command-name>/plan</command-name>", "/plan"),
        ("<command-name>/model</command-name>\n<command-args>opus</command-args>", "/model opus"),
        ("<bash-input>git status</bash-input>", "!git status"),
    ],
)
def test_commands_are_shown_as_they_were_typed(import_claude: Import, written: str, typed: str) -> None:
    assert prompts(import_claude([prompt(written, 1)])) == [typed]


@pytest.mark.parametrize(
    "fields",
    [
        {"isMeta": True},
        {"isSidechain": True},
        {"isCompactSummary": True},
        {"toolUseResult": "x"},
        {"origin": {"kind": "task-notification"}},
    ],
)
def test_a_user_line_that_the_client_wrote_is_no_prompt(import_claude: Import, fields: dict[str, Any]) -> None:
    assert prompts(import_claude([prompt("Go on", 1, **fields), answer(2, usage(1))])) == []


@pytest.mark.parametrize(
    "written",
    [
        "<task-notification>done</task-notification>",
        "<local-command-stdout>Bye!</local-command-stdout>",
        "<bash-stdout>x</bash-stdout>",
        "[Request interrupted by user]",
        "   ",
    ],
)
def test_text_that_the_client_puts_into_the_users_mouth_is_no_prompt(import_claude: Import, written: str) -> None:
    assert prompts(import_claude([prompt(written, 1), answer(2, usage(1))])) == []


def test_a_long_prompt_keeps_its_beginning(import_claude: Import) -> None:
    (kept,) = prompts(import_claude([prompt("ab" * 50_000, 1)]))
    assert kept == "ab" * 1000


def test_a_tool_is_one_event_with_its_target_and_its_id(import_claude: Import) -> None:
    home = import_claude([use("Bash", command="ls " + "x" * 300), tool_result("t-1", 2)])
    event = tool_event(home)
    assert (event["event_id"], event["tool_name"], event["status"]) == ("cc-tool-t-1", "Bash", "success")
    assert metadata(event)["command"] == ("ls " + "x" * 300)[:200]


@pytest.mark.parametrize("key", ["file_path", "pattern", "query", "url"])
def test_the_target_of_a_tool_is_kept(import_claude: Import, key: str) -> None:
    assert metadata(tool_event(import_claude([use("Any", **{key: "there"})])))[key] == "there"


def test_an_edit_counts_the_lines_it_takes_and_puts(import_claude: Import) -> None:
    edit = use("Edit", file_path="a.py", old_string="1\n2\n3", new_string="1")
    event = tool_event(import_claude([edit, tool_result("t-1", 2)]))
    assert (event["lines_added"], event["lines_removed"], event["edited_path"]) == (1, 3, "a.py")


def test_several_edits_of_one_file_add_up(import_claude: Import) -> None:
    edits = [{"old_string": "a", "new_string": "b\nc"}, {"old_string": "", "new_string": "d"}]
    event = tool_event(import_claude([use("MultiEdit", file_path="a.py", edits=edits), tool_result("t-1", 2)]))
    assert (event["lines_added"], event["lines_removed"]) == (3, 1)


def test_an_edit_that_failed_changed_nothing(import_claude: Import) -> None:
    edit = use("Edit", file_path="a.py", old_string="1", new_string="2")
    event = tool_event(import_claude([edit, tool_result("t-1", 2, "String not found", is_error=True)]))
    assert (event["status"], event["lines_added"], event["edited_path"]) == ("error", 0, None)
    assert metadata(event)["error"] == "String not found"


def test_a_tool_that_says_how_long_it_took_has_a_duration(import_claude: Import) -> None:
    home = import_claude([use("Agent"), tool_result("t-1", 90, toolUseResult={"totalDurationMs": 412})])
    assert tool_event(home)["duration_ms"] == 412


def test_a_human_who_took_time_to_allow_a_tool_did_not_make_it_slow(import_claude: Import) -> None:
    home = import_claude([use("Bash", command="ls"), tool_result("t-1", 3600)])
    assert tool_event(home)["duration_ms"] is None


def test_a_tool_that_never_answered_is_told_too(import_claude: Import) -> None:
    assert tool_event(import_claude([use("Bash", command="sleep 60")]))["status"] == "success"


def test_thousands_of_events_wait_for_no_single_tool(import_claude: Import) -> None:
    lines = [use("Bash", command="sleep 60")]
    lines += [prompt(f"Go {number}", 2, promptId=f"p-{number}") for number in range(1200)]
    home = import_claude(lines)
    assert len(home.events()) == 1202
    assert max(len(batch.events) for batch in home.batches) <= 500


def test_an_answers_text_is_its_preview(import_claude: Import) -> None:
    blocks = [{"type": "thinking", "thinking": "Hm."}, {"type": "text", "text": "Done. " * 200}]
    (event,) = import_claude([answer(1, usage(5), content=blocks)]).events()
    assert metadata(event)["content_preview"] == ("Done. " * 200)[:500]


def test_terms_out_of_the_ordinary_are_kept_with_the_answer(import_claude: Import) -> None:
    used = usage(5, service_tier="priority", speed="fast", server_tool_use={"web_search_requests": 2})
    (event,) = import_claude([answer(1, used)]).events()
    assert {"service_tier": "priority", "speed": "fast", "web_search_requests": 2}.items() <= metadata(
        event
    ).items()


def test_an_api_error_is_an_error(import_claude: Import) -> None:
    blocks = [{"type": "text", "text": "API Error: 400"}]
    (event,) = import_claude(
        [answer(1, usage(0), model="<synthetic>", content=blocks, isApiErrorMessage=True)]
    ).events()
    assert (event["event_type"], event["status"]) == ("error", "error")
    assert metadata(event)["error"] == "API Error: 400"


def test_a_retried_error_is_an_error_with_the_providers_words(import_claude: Import) -> None:
    error = {"status": 529, "error": {"error": {"type": "overloaded_error"}, "message": "Overloaded"}}
    (event,) = import_claude([line("system", 1, subtype="api_error", error=error)]).events()
    assert metadata(event)["error"] == "Overloaded"


@pytest.mark.parametrize(
    ("titles", "shown"),
    [
        ([{"type": "ai-title", "aiTitle": "Old"}, {"type": "ai-title", "aiTitle": "New"}], "New"),
        ([{"type": "custom-title", "customTitle": "Mine"}, {"type": "ai-title", "aiTitle": "Its"}], "Mine"),
        ([{"type": "summary", "summary": "Sum"}], "Sum"),
        ([{"type": "summary", "summary": "Of another conversation", "leafUuid": "elsewhere"}], "Go"),
    ],
)
def test_a_session_has_the_title_that_ranks_highest(
    import_claude: Import, titles: list[dict[str, Any]], shown: str | None
) -> None:
    home = import_claude([prompt("Go", 1), *({"sessionId": "s-1"} | title for title in titles)])
    assert [session["title"] for session in home.rows("SELECT title FROM sessions")] == [shown]


def test_a_summary_at_the_head_names_the_session_that_holds_its_leaf(import_claude: Import) -> None:
    typed = prompt("Go", 1)
    summary = {"type": "summary", "summary": "Sum", "leafUuid": typed["uuid"]}
    home = import_claude([summary, typed])
    assert [session["title"] for session in home.rows("SELECT title FROM sessions")] == ["Sum"]


def test_a_session_keeps_the_project_it_began_in_and_the_last_branch(import_claude: Import) -> None:
    home = import_claude([prompt("Go", 1), prompt("On", 2, cwd="/home/u/shop/docs", gitBranch="dev")])
    (session,) = home.rows("SELECT * FROM sessions")
    assert (session["project"], session["cwd"], session["branch"]) == ("shop", "/home/u/shop", "dev")


@pytest.mark.parametrize(
    "kind",
    [
        "api-request-blob",
        "attachment",
        "cost-state",
        "file-history-snapshot",
        "mode",
        "queue-operation",
        "progress",
    ],
)
def test_book_keeping_of_the_client_is_no_event(import_claude: Import, kind: str) -> None:
    home = import_claude([{"type": kind, "sessionId": "s-1", "content": "x"}])
    assert home.events() == home.rows("SELECT id FROM sessions") == []


def test_an_unknown_line_with_content_is_a_response(import_claude: Import) -> None:
    (event,) = import_claude([{"type": "brand-new", "sessionId": "s-1", "content": "Something"}]).events()
    assert (event["event_type"], metadata(event)) == ("response", {"content_preview": "Something"})


def test_texts_that_no_database_can_hold_are_mended(import_claude: Import) -> None:
    home = import_claude([prompt("nul \0 and surrogate \ud800", 1, gitBranch="a\0b")])
    assert prompts(home) == ["nul � and surrogate ?"]
    assert home.events()[0]["branch"] == "a�b"


def test_a_windows_path_has_a_project_too(import_claude: Import) -> None:
    home = import_claude([prompt("Go", 1, cwd="C:\\work\\shop")])
    assert home.events()[0]["project"] == "shop"


def test_a_result_that_comes_after_hundreds_of_events_still_completes_its_tool(import_claude: Import) -> None:
    between = [prompt(f"On {number}", 2, promptId=f"p-{number}") for number in range(600)]
    home = import_claude([use("Bash", command="make"), *between, tool_result("t-1", 3, is_error=True)])
    assert tool_event(home)["status"] == "error"

"""Recorded transcripts of the real clients, against what their model server billed."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from importers import snapshot
from importers.files import CLAUDE, CODEX, GEMINI, Source, discover, path_facts
from importers.reader import TimeRange
from tests.importers.importing import RECORDED, Home, figures, home_in, metadata, of_type

CLAUDE_FOLDERS = sorted(RECORDED.glob("claude-*"))
CODEX_FOLDERS = sorted(RECORDED.glob("codex-*"))
GEMINI_FOLDERS = sorted(RECORDED.glob("gemini-*"))
FOLDERS = [
    *((CLAUDE, folder) for folder in CLAUDE_FOLDERS),
    *((CODEX, folder) for folder in CODEX_FOLDERS),
    *((GEMINI, folder) for folder in GEMINI_FOLDERS),
]
each_recording = pytest.mark.parametrize(("source", "folder"), FOLDERS, ids=lambda value: value.name)


class Billed(NamedTuple):
    session: str
    model: str
    figures: tuple[int, ...]


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def transcripts(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("projects/**/*.jsonl")):
        yield from lines_of(path)


def oracle(folder: Path) -> list[dict[str, Any]]:
    return lines_of(folder / "oracle.jsonl")


def billed(line: dict[str, Any]) -> Billed:
    """Claude's transcripts don't say how much of the output was thinking."""
    reasoning = 0 if line["client"] == "claude_code" else line["reasoning_tokens"]
    counts = (
        line["input_tokens"],
        line["cache_read_tokens"],
        line["cache_write_5m_tokens"],
        line["cache_write_1h_tokens"],
        line["output_tokens"],
        reasoning,
    )
    return Billed(line["session_hint"], line["model"], counts)


def stored(home: Home) -> list[Billed]:
    return [Billed(call["session_id"], call["model"], figures(call)) for call in home.calls()]


class Unfinished(NamedTuple):
    """Requests whose lines were all written before the end of their stream, and those that Esc stopped."""

    requests: set[str]
    interrupted_messages: set[str]


def unfinished(folder: Path) -> Unfinished:
    open_requests: dict[str, bool] = {}
    interrupted = set()
    for line in transcripts(folder):
        interrupted.add(line.get("interruptedMessageId"))
        if line["type"] == "assistant" and line.get("requestId"):
            is_open = line["message"]["stop_reason"] is None
            open_requests[line["requestId"]] = open_requests.get(line["requestId"], True) and is_open
    return Unfinished({request for request, is_open in open_requests.items() if is_open}, interrupted)


@pytest.fixture
def imported(home: Home, source: Source, folder: Path) -> Home:
    home.run(source, folder)
    return home


@each_recording
def test_every_file_is_understood(home: Home, source: Source, folder: Path) -> None:
    reports = home.run(source, folder)
    assert {report.outcome for report in reports} == {"DONE"}
    assert [report.bad for report in reports if report.bad] == []
    assert [report.unknown for report in reports if report.unknown] == []


@pytest.mark.parametrize("folder", CODEX_FOLDERS, ids=lambda folder: folder.name)
def test_codex_calls_are_exactly_those_billed(home: Home, folder: Path) -> None:
    home.run(CODEX, folder)
    assert Counter(stored(home)) == Counter(map(billed, oracle(folder)))


@pytest.mark.parametrize("folder", GEMINI_FOLDERS, ids=lambda folder: folder.name)
def test_gemini_calls_are_exactly_those_billed_but_for_small_checks(home: Home, folder: Path) -> None:
    """The model server saw no session: tools was resumed, so that there are two of them."""
    home.run(GEMINI, folder)
    known = [line for line in oracle(folder) if line["kind"] != "check"]
    assert Counter((call["model"], figures(call)) for call in home.calls()) == Counter(
        (line["model"], billed(line).figures) for line in known
    )
    resumed = Counter("reasoning" if line["scenario"] == "reasoning" else "tools" for line in known)
    sessions = Counter(call["session_id"] for call in home.calls())
    assert sorted(sessions.values()) == sorted(resumed.values())


@pytest.mark.parametrize("folder", CLAUDE_FOLDERS, ids=lambda folder: folder.name)
def test_claude_calls_are_exactly_those_billed_that_a_transcript_can_know(home: Home, folder: Path) -> None:
    """Compactions, small checks and what Esc stopped are in no transcript; see the next test for the rest."""
    home.run(CLAUDE, folder)
    open_calls = unfinished(folder)
    known = [
        line
        for line in oracle(folder)
        if line["kind"] in {"main", "agent"} and line["message_id"] not in open_calls.interrupted_messages
    ]
    finished = [line for line in known if line["request_id"] not in open_calls.requests]
    by_key = {call["call_key"]: call for call in home.calls()}
    assert set(by_key) == {f"request:{line['request_id']}" for line in known}
    for line in finished:
        call = by_key[f"request:{line['request_id']}"]
        assert Billed(call["session_id"], call["model"], figures(call)) == billed(line)


@pytest.mark.parametrize("folder", CLAUDE_FOLDERS, ids=lambda folder: folder.name)
def test_of_an_answer_whose_end_was_not_written_only_the_output_is_unknown(home: Home, folder: Path) -> None:
    home.run(CLAUDE, folder)
    open_calls = unfinished(folder).requests
    assert open_calls
    by_key = {call["call_key"]: call for call in home.calls()}
    for line in oracle(folder):
        if line["request_id"] in open_calls:
            call = by_key[f"request:{line['request_id']}"]
            assert figures(call)[:4] == billed(line).figures[:4]
            assert call["output_tokens"] < line["output_tokens"]
            # Telemetry, which has the whole answer, is to win.
            assert call["authority"] == 1


@each_recording
def test_the_sums_of_sessions_and_of_hours_are_those_of_the_calls(imported: Home) -> None:
    def total(table: str) -> dict[str, Any]:
        names = ("uncached_input_tokens", "cache_read_tokens", "output_tokens", "cost_nanos")
        sums = ", ".join(f"sum({name}) AS {name}" for name in names)
        return imported.rows(f"SELECT {sums} FROM {table}")[0]

    assert total("calls") == total("sessions") == total("usage_hours")


@each_recording
def test_every_call_has_a_price(imported: Home) -> None:
    assert imported.rows("SELECT model FROM calls WHERE cost_nanos IS NULL AND model NOT LIKE '%sol'") == []


@each_recording
def test_a_second_import_reads_nothing(imported: Home, source: Source, folder: Path) -> None:
    before = imported.ledger()
    assert {report.outcome for report in imported.run(source, folder)} == {"SKIP"}
    assert imported.ledger() == before


@each_recording
def test_a_forced_import_changes_nothing(imported: Home, source: Source, folder: Path) -> None:
    before, events = imported.ledger(), imported.events()
    reports = imported.run(source, folder, force=True)
    assert sum(report.imported for report in reports) == 0
    assert sum(report.duplicates for report in reports) == sum(report.events for report in reports) > 0
    assert imported.ledger() == before
    assert imported.events() == events


@each_recording
def test_the_files_in_reverse_order_give_the_same_ledger(
    imported: Home, source: Source, folder: Path, tmp_path: Path, migrated_database: Path
) -> None:
    with home_in(tmp_path / "reverse", migrated_database) as other:
        other.run(source, folder, reverse=True)
        assert other.ledger() == imported.ledger()
        assert {event["event_id"] for event in other.events()} == {
            event["event_id"] for event in imported.events()
        }


@each_recording
def test_files_that_grow_between_imports_give_the_same_ledger(
    imported: Home, source: Source, folder: Path, tmp_path: Path, migrated_database: Path
) -> None:
    copy = tmp_path / "growing"
    with home_in(tmp_path / "grown", migrated_database) as other:
        for part in (1, 2, 3, 4):
            copy_part(folder, copy, part / 4)
            other.run(source, copy)
        assert other.ledger()["calls"] == imported.ledger()["calls"]
        assert other.ledger()["hours"] == imported.ledger()["hours"]


def copy_part(folder: Path, copy: Path, part: float) -> None:
    for path in folder.glob("*/**/*.jsonl"):
        content = path.read_bytes()
        target = copy / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content[: round(len(content) * part)])


@pytest.fixture
def claude(home: Home) -> Callable[[str], list[dict[str, Any]]]:
    """The events of the session of a recorded scenario."""
    folder = CLAUDE_FOLDERS[-1]
    home.run(CLAUDE, folder)
    sessions = {line["scenario"]: line["session_hint"] for line in oracle(folder)}
    return lambda scenario: [event for event in home.events() if event["session_id"] == sessions[scenario]]


def test_the_events_of_a_session_are_prompt_answers_and_tools_in_their_order(
    claude: Callable[[str], list[dict[str, Any]]],
) -> None:
    events = claude("parallel")
    assert [(event["event_type"], event["tool_name"]) for event in events[:7]] == [
        ("user_prompt", None),
        ("llm_response", None),
        ("tool_use", "Bash"),
        ("tool_use", "Bash"),
        ("tool_use", "Read"),
        ("tool_use", "Read"),
        ("llm_response", None),
    ]


def test_a_failed_tool_is_an_error_with_what_it_said(claude: Callable[[str], list[dict[str, Any]]]) -> None:
    (failed,) = [event for event in claude("tools") if event["status"] == "error"]
    assert failed["tool_name"] == "Bash"
    assert metadata(failed)["error"].startswith("Exit code 1")


def test_prompts_and_tools_share_their_ids_with_the_hooks(claude: Callable[[str], list[dict[str, Any]]]) -> None:
    hooks = [line["body"] for line in lines_of(CLAUDE_FOLDERS[-1] / "hooks.jsonl") if line["scenario"] == "tools"]
    tools = {f"cc-tool-{body['tool_use_id']}" for body in hooks if body["hook_event_name"] == "PreToolUse"}
    prompts = {f"cc-prompt-{body['prompt_id']}" for body in hooks if body["hook_event_name"] == "UserPromptSubmit"}
    events = claude("tools")
    assert tools <= {event["event_id"] for event in of_type(events, "tool_use")}
    assert prompts <= {event["event_id"] for event in of_type(events, "user_prompt")}


def test_what_a_sub_agent_did_belongs_to_its_parent_and_names_the_agent(
    claude: Callable[[str], list[dict[str, Any]]],
) -> None:
    agents = {metadata(event).get("agent_id") for event in claude("agents")}
    assert len(agents - {None}) == 2


def test_a_notification_of_a_background_task_is_no_prompt(claude: Callable[[str], list[dict[str, Any]]]) -> None:
    assert len(of_type(claude("background"), "user_prompt")) == 1


def test_a_compaction_is_told(claude: Callable[[str], list[dict[str, Any]]]) -> None:
    (told,) = of_type(claude("compact"), "response")
    assert metadata(told)["type"] == "compact_boundary"
    assert metadata(told)["trigger"] == "manual"


@pytest.mark.parametrize("folder", CLAUDE_FOLDERS, ids=lambda folder: folder.name)
def test_sessions_know_their_place_version_title_and_times(home: Home, folder: Path) -> None:
    home.run(CLAUDE, folder)
    sessions = home.rows("SELECT * FROM sessions")
    assert {session["status"] for session in sessions} == {"ended"}
    assert {session["branch"] for session in sessions} == {"main"}
    assert "shop-api" in {session["project"] for session in sessions}
    assert all(session["started_at"] <= session["last_event_at"] == session["ended_at"] for session in sessions)
    assert {session["client_version"] for session in sessions} == {folder.name.removeprefix("claude-")}
    assert "Shop work" in {session["title"] for session in sessions}


@each_recording
def test_every_reader_can_go_on_after_a_restart(source: Source, folder: Path) -> None:
    """After any line of any file: what is under way then is a part of its memory."""
    for file in discover(source, [folder]).files:
        reader = source.reader(path_facts(source, file, None), TimeRange())
        for number, line in enumerate(lines_of(file.path)):
            reader.read(number, line)
            reader.take()
            memory = snapshot.freeze(reader, number + 1)
            resumed = snapshot.thaw(memory) if memory is not None else None
            assert resumed is not None
            assert resumed.lines == number + 1
            reader = resumed.reader


def strings_of(value: Any) -> set[str]:
    return {value} if isinstance(value, str) else set()


def said_by_claude(folder: Path) -> set[str]:
    """What stands in the transcripts: prompts, answers, thoughts, results; of tools their names."""
    said: set[str] = set()
    for line in transcripts(folder):
        if line["type"] not in ("user", "assistant"):
            continue
        content = line["message"]["content"]
        for block in [{"text": content}] if isinstance(content, str) else content:
            said |= {block[key] for key in ("text", "thinking", "name") if isinstance(block.get(key), str)}
            said |= strings_of(block.get("content"))
    return said


def said_by_codex(folder: Path) -> set[str]:
    said: set[str] = set()
    for path in sorted(folder.glob("sessions/**/*.jsonl")):
        for line in lines_of(path):
            payload = line["payload"]
            if line["type"] != "response_item" or payload.get("role") in ("developer", "system"):
                continue
            is_summary = line.get("metadata", {}).get("compaction_output")
            parts = [*(payload.get("content") or []), *(payload.get("summary") or [])]
            said |= set() if is_summary else {part["text"].strip() for part in parts}
            said |= {payload[key] for key in ("name", "input", "arguments") if isinstance(payload.get(key), str)}
            said |= strings_of(payload.get("output"))
    return said


def said_by_gemini(folder: Path) -> set[str]:
    said: set[str] = set()
    for path in sorted(folder.glob("tmp/**/*.jsonl")):
        for line in lines_of(path):
            said |= {part["text"] for part in line.get("content", []) if "text" in part and line["type"] == "user"}
            if line.get("type") != "gemini":
                continue
            said |= {line["content"], *(thought["description"] for thought in line["thoughts"])}
            for call in line.get("toolCalls", []):
                said.add(call["name"])
                said |= {part["functionResponse"]["response"]["output"] for part in call["result"]}
    return said - {""}


SAID_BY = {CLAUDE: said_by_claude, CODEX: said_by_codex, GEMINI: said_by_gemini}


@each_recording
def test_everything_that_was_said_is_kept_once(home: Home, source: Source, folder: Path) -> None:
    home.run(source, folder)
    rows = home.rows("SELECT * FROM entries")
    kept = {row["text"] for row in rows} | {row["tool_name"] for row in rows}
    said = SAID_BY[source](folder)
    assert len(said) > 10
    assert {text for text in said if text not in kept} == set()
    uses = Counter(row["tool_id"] for row in rows if row["kind"] == "tool_use")
    assert set(uses.values()) == {1}


@each_recording
def test_each_entry_names_a_call_that_there_is(home: Home, source: Source, folder: Path) -> None:
    home.run(source, folder)
    named = {row["call_key"] for row in home.rows("SELECT DISTINCT call_key FROM entries")} - {None}
    assert named <= {call["call_key"] for call in home.calls()}
    assert bool(named) == (source is CLAUDE)

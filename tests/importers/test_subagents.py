"""Sub-agents of the recorded clients: who sent them out, what each was billed, and compactions."""

import json
from collections import Counter
from pathlib import Path

import pytest

from importers.files import CLAUDE, CODEX
from ingest.store import Batch
from tests.importers import claude_writing as claude
from tests.importers.importing import Home, figures, write_lines
from tests.importers.test_recorded import CLAUDE_FOLDERS, CODEX_FOLDERS, billed, lines_of, oracle
from tests.ingest.otlp.test_captures import log_events

CLAUDE_FOLDER, CODEX_FOLDER = CLAUDE_FOLDERS[-1], CODEX_FOLDERS[-1]
Bill = Counter[tuple[str, str | None, tuple[int, ...]]]


def claude_agents(folder: Path) -> dict[tuple[str, str], str]:
    """Which agent of a session was given which task: the first line of its transcript."""
    found = {}
    for path in folder.glob("projects/*/*/subagents/agent-*.jsonl"):
        first = lines_of(path)[0]
        found[first["sessionId"], first["message"]["content"]] = first["agentId"]
    return found


def codex_agents(folder: Path) -> dict[tuple[str, str], str]:
    """The same from the order and the answer of the tool that sends out."""
    found = {}
    for path in folder.glob("sessions/**/*.jsonl"):
        payloads = [line["payload"] for line in lines_of(path)]
        orders = {one["call_id"]: one for one in payloads if one.get("name") == "spawn_agent"}
        for answer in payloads:
            if answer.get("type") == "function_call_output" and answer["call_id"] in orders:
                task = json.loads(orders[answer["call_id"]]["arguments"])["message"]
                found[payloads[0]["id"], task] = json.loads(answer["output"])["agent_id"]
    return found


def billed_by_agent(folder: Path, agents: dict[tuple[str, str], str]) -> Bill:
    """What the model server billed, each call by the task that stood in its prompt."""
    agent_ids = {
        line["request_id"]: agents[line["session_hint"], line["prompt"]] if line["kind"] == "agent" else None
        for line in oracle(folder)
    }
    return Counter(
        (line["session_hint"], agent_ids[line["request_id"]], billed(line).figures) for line in oracle(folder)
    )


def ledger_by_agent(home: Home) -> Bill:
    return Counter((call["session_id"], call["subagent_id"], figures(call)) for call in home.calls())


@pytest.mark.parametrize("telemetry_first", [True, False])
def test_each_sub_agent_of_claude_code_is_billed_its_own(home: Home, *, telemetry_first: bool) -> None:
    """With telemetry, which knows the whole of answers that a transcript left unfinished, and no agent's id."""
    agents = claude_agents(CLAUDE_FOLDER)
    steps = [lambda: home.run(CLAUDE, CLAUDE_FOLDER), lambda: home.store(Batch(log_events("claude")))]
    for step in steps[::-1] if telemetry_first else steps:
        step()
    expected = billed_by_agent(CLAUDE_FOLDER, agents)
    of_agents = {key: count for key, count in expected.items() if key[1] is not None}
    ledger = ledger_by_agent(home)
    assert {key: count for key, count in ledger.items() if key[1] is not None} == of_agents
    assert {agent for _, agent, _ in of_agents} == set(agents.values())
    assert not {key for key in ledger if key[1] is None} - set(expected)


def test_each_sub_agent_of_codex_is_billed_its_own(home: Home) -> None:
    agents = codex_agents(CODEX_FOLDER)
    home.run(CODEX, CODEX_FOLDER)
    assert len(agents) == 2
    assert ledger_by_agent(home) == billed_by_agent(CODEX_FOLDER, agents)


def test_the_tree_of_claude_code_is_what_it_was_asked_for(home: Home) -> None:
    home.run(CLAUDE, CLAUDE_FOLDER)
    told = {
        path.stem.removeprefix("agent-").removesuffix(".meta"): json.loads(path.read_text())
        for path in CLAUDE_FOLDER.glob("projects/*/*/subagents/*.meta.json")
    }
    rows = home.subagents()
    assert {row["subagent_id"]: (row["kind"], row["description"]) for row in rows} == {
        agent_id: (meta["agentType"], meta["description"]) for agent_id, meta in told.items()
    }
    assert {row["parent_subagent_id"] for row in rows} == {None}
    assert all(row["started_at"] < row["last_at"] <= row["ended_at"] for row in rows)


def test_the_tree_of_codex_names_role_and_nickname(home: Home) -> None:
    home.run(CODEX, CODEX_FOLDER)
    rows = home.subagents()
    assert {(row["kind"], row["description"]) for row in rows} == {("explorer", "Socrates"), (None, "Gibbs")}
    assert {row["subagent_id"] for row in rows} == set(codex_agents(CODEX_FOLDER).values())
    assert {row["parent_subagent_id"] for row in rows} == {None}
    assert all(row["started_at"] < row["ended_at"] == row["last_at"] for row in rows)


def test_without_the_file_beside_a_transcript_its_parent_says_what_it_is(home: Home, tmp_path: Path) -> None:
    (session,) = {row[0] for row in claude_agents(CLAUDE_FOLDER) if "README" in row[1]}
    for path in CLAUDE_FOLDER.glob(f"projects/*/{session}*/**/*.jsonl"):
        write_lines(tmp_path / path.relative_to(CLAUDE_FOLDER), lines_of(path))
    for path in CLAUDE_FOLDER.glob(f"projects/*/{session}.jsonl"):
        write_lines(tmp_path / path.relative_to(CLAUDE_FOLDER), lines_of(path))
    home.run(CLAUDE, tmp_path)
    assert {(row["kind"], row["description"]) for row in home.subagents()} == {
        ("Explore", "Find routes"),
        ("general-purpose", "Check README"),
    }


def test_compactions_are_told_once(home: Home) -> None:
    for _ in range(2):
        home.run(CLAUDE, CLAUDE_FOLDER, force=True)
        home.run(CODEX, CODEX_FOLDER, force=True)
    found = {row["session_id"]: row for row in home.compactions()}
    claude_session = next(line["session_hint"] for line in oracle(CLAUDE_FOLDER) if line["kind"] == "compaction")
    codex_session = next(line["session_hint"] for line in oracle(CODEX_FOLDER) if line["kind"] == "compaction")
    assert set(found) == {claude_session, codex_session}
    assert len(home.compactions()) == 2
    by_hand, by_itself = found[claude_session], found[codex_session]
    assert (by_hand["trigger"], by_hand["pre_tokens"], by_hand["subagent_id"]) == ("manual", 29809, None)
    assert (by_itself["trigger"], by_itself["pre_tokens"]) == (None, None)


def test_answers_of_older_versions_that_name_no_agent_are_of_one_sub_agent(home: Home, tmp_path: Path) -> None:
    lines = [
        claude.prompt("Look", 0),
        claude.answer(1, claude.usage(5)),
        claude.answer(2, claude.usage(7), message="msg_2", request="req_2", isSidechain=True),
    ]
    write_lines(tmp_path / "projects/p/s-1.jsonl", lines)
    home.run(CLAUDE, tmp_path)
    assert {(call["subagent_id"], call["output_tokens"]) for call in home.calls()} == {(None, 5), ("sidechain", 7)}
    assert [row["subagent_id"] for row in home.subagents()] == ["sidechain"]


def test_what_a_fork_copied_sent_out_nobody(home: Home, tmp_path: Path) -> None:
    order = claude.tool("Agent", "toolu_1", description="Look", subagent_type="Explore")
    lines = [
        claude.prompt("Go", 1),
        claude.answer(2, claude.usage(5), content=[order]),
        claude.tool_result("toolu_1", 3, toolUseResult={"agentId": "a1", "status": "completed"}),
    ]
    write_lines(tmp_path / "projects/p/s-1.jsonl", [claude.opening(0), *lines])
    copies = [line | {"sessionId": "s-2"} for line in lines]
    own = [
        claude.prompt("And?", 11, session="s-2"),
        claude.answer(12, claude.usage(9), request="r", session="s-2"),
    ]
    write_lines(tmp_path / "projects/p/s-2.jsonl", [claude.opening(10, session="s-2"), *copies, *own])
    home.run(CLAUDE, tmp_path)
    assert [(row["session_id"], row["subagent_id"]) for row in home.subagents()] == [("s-1", "a1")]
    assert {row["session_id"] for row in home.rows("SELECT session_id FROM calls")} == {"s-1", "s-2"}


def test_an_agent_in_the_background_ends_with_its_notification(home: Home, tmp_path: Path) -> None:
    order = claude.tool("Agent", "toolu_1", description="Look", subagent_type="Explore", run_in_background=True)
    launched = {"agentId": "a1", "status": "async_launched", "isAsync": True}
    lines = [
        claude.prompt("Go", 1),
        claude.answer(2, claude.usage(5), content=[order]),
        claude.tool_result("toolu_1", 3, toolUseResult=launched),
    ]
    path = write_lines(tmp_path / "projects/p/s-1.jsonl", lines)
    home.run(CLAUDE, tmp_path)
    (row,) = home.subagents()
    assert row["ended_at"] is None
    news = "<task-notification>\n<task-id>a1</task-id>\n<status>completed</status>\n</task-notification>"
    write_lines(path, [*lines, claude.prompt(news, 9)])
    home.run(CLAUDE, tmp_path)
    (row,) = home.subagents()
    assert row["ended_at"] == claude.BEGAN_MS + 9000

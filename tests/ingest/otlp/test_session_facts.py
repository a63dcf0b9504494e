"""What telemetry says of its sessions: beginning, place, version; and which sessions it does not make."""

from pathlib import Path
from typing import Any

import pytest

from ingest.contract import SessionFacts
from ingest.otlp.service import read_traces
from ingest.store import Batch, write_group
from tests.ingest.otlp.bodies import JSON, LIMIT_BYTES, TIME_NS, as_json, log_record, logs, read, span, traces
from tests.storing import START_MS, opened, rules, session_row, table

PROMPT = {"event.name": "user_prompt", "session.id": "s-1", "prompt": "Hello"}
SECOND_NS = 1_000_000_000


def facts(*records: Any, **resource: Any) -> SessionFacts:
    [told] = read(logs(*records, **resource)).facts
    return told


def test_a_session_began_with_its_first_record() -> None:
    told = facts(log_record(PROMPT), log_record(PROMPT, time_ns=TIME_NS - 5 * SECOND_NS))

    assert (told.session_id, told.agent_type) == ("s-1", "claude_code")
    assert told.started_at_ms == (TIME_NS - 5 * SECOND_NS) // 1_000_000


@pytest.mark.parametrize("name", ["cwd", "process.working_directory"])
def test_the_place_is_taken_from_record_or_resource(name: str) -> None:
    of_record = facts(log_record(PROMPT | {name: "/home/dev/shop"}))
    of_resource = facts(log_record(PROMPT), **{name: "/home/dev/shop/"})

    assert [(told.cwd, told.project) for told in (of_record, of_resource)] == [
        ("/home/dev/shop", "shop"),
        ("/home/dev/shop/", "shop"),
    ]


def test_a_named_project_wins_over_the_folder_s_name() -> None:
    assert facts(log_record(PROMPT | {"cwd": "/home/dev/shop", "project": "store"})).project == "store"


def test_the_version_is_the_client_s_own() -> None:
    named = {"service.version": "2.1.197"}

    assert facts(log_record(PROMPT), **named).client_version == "2.1.197"
    codex = log_record({"event.name": "codex.user_prompt", "conversation.id": "c", "app.version": "0.169.0"})
    assert facts(codex, service="codex_exec", **{"service.version": "1"}).client_version == "0.169.0"
    gemini = log_record({"event.name": "gemini_cli.user_prompt", "session.id": "g"})
    assert facts(gemini, service="gemini-cli", **{"service.version": "v20.20.2"}).client_version is None


def test_spans_tell_of_their_sessions_too() -> None:
    chat = span(attributes={"gen_ai.conversation.id": "c", "gen_ai.usage.input_tokens": 1, "cwd": "/x/y"})
    [told] = read_traces(as_json(traces(chat)), JSON, LIMIT_BYTES).facts

    assert (told.session_id, told.project) == ("c", "y")


def test_a_session_of_which_only_hooks_and_connections_are_told_is_none(database: Path) -> None:
    """Claude Code's `--continue` and `--resume` begin under a session of their own, which is thrown away."""
    thrown_away = [
        log_record({"event.name": name, "session.id": "thrown-away"})
        for name in ("hook_registered", "hook_execution_start", "hook_execution_complete", "mcp_server_connection")
    ]
    outcome = read(logs(*thrown_away, log_record(PROMPT)))
    with opened(database) as connection:
        batch = Batch(outcome.events, opening=outcome.facts)
        write_group(connection, [batch], START_MS, rules(Path("no projects")))

        assert table(connection, "SELECT id FROM sessions") == [{"id": "s-1"}]


def test_facts_make_a_live_session_with_its_place_and_beginning(database: Path) -> None:
    outcome = read(logs(log_record(PROMPT | {"cwd": "/home/dev/shop"}), **{"service.version": "2.1"}))
    with opened(database) as connection:
        batch = Batch(outcome.events, opening=outcome.facts)
        write_group(connection, [batch, batch], START_MS, rules(Path("no projects")))
        row = session_row(connection, "s-1")
        events = table(connection, "SELECT project FROM events")

    assert (row["status"], row["ended_at"], row["last_event_at"]) == ("active", None, START_MS)
    assert (row["cwd"], row["project"], row["client_version"]) == ("/home/dev/shop", "shop", "2.1")
    assert row["started_at"] == TIME_NS // 1_000_000
    assert events == [{"project": "shop"}]

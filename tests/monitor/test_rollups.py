"""The law of the rollups: kept by the writer, batch after batch, they are what is computed anew."""

import io
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.contract import NewCall, NewEvent, SessionFacts
from ingest.git import BranchLookup
from ingest.store import Batch, StoreRules, write_group
from monitor.rollups import SESSION_CALL_SUMS, SESSION_EVENT_SUMS, rebuild
from monitor.times import HOUR_MS
from pricing.registry import default_registry
from pricing.usage import Usage

NOW_MS = 1_764_000_000_000
RULES = StoreRules(default_registry(), BranchLookup(Path("/nonexistent")), import_recent_ms=30 * 60_000)
ROLLUPS = ("event_hours", "usage_hours", "session_files")
SESSION_SUMS = SESSION_EVENT_SUMS + SESSION_CALL_SUMS

sessions = st.sampled_from(["s1", "s2", "s3"])
agent_types = st.sampled_from(["claude_code", "codex"])
models = st.sampled_from([None, "claude-sonnet-4-5", "gemini-2.5-pro", "a-model-that-nobody-sells"])
tokens = st.sampled_from([0, 0, 1, 7, 250_000])
costs = st.sampled_from([None, None, 0, 12_345])
# Around an hour's edge, before 1970, far ahead.
moments = st.sampled_from(
    [None, -1, -HOUR_MS, 0, NOW_MS, NOW_MS - 1, NOW_MS - NOW_MS % HOUR_MS - 1, NOW_MS + 30 * HOUR_MS]
)
usages = st.builds(
    Usage,
    *(tokens, tokens, tokens, tokens, tokens, st.just(0)),
    web_searches=st.sampled_from([0, 0, 3]),
    speed=st.sampled_from([None, None, "fast"]),
)
calls = st.builds(
    NewCall,
    key=st.sampled_from(["k1", "k2", "event:e1"]),
    usage=usages,
    model=models,
    called_at_ms=moments,
    authority=st.integers(0, 3),
    cost_nanos=costs,
    ref=st.sampled_from([None, "a", "b"]),
)
events = st.builds(
    NewEvent,
    session_id=sessions,
    agent_type=agent_types,
    event_type=st.sampled_from(["tool_use", "llm_request", "llm_response", "error"]),
    # The last two are ids that sources share: who tells of them again completes the event.
    event_id=st.sampled_from([None, "e1", "cc-tool-1", "import-cc-1"]),
    tool_name=st.sampled_from([None, "Bash", "Edit"]),
    status=st.sampled_from(["success", "error", "timeout"]),
    tokens_in=tokens,
    tokens_out=tokens,
    cache_read_tokens=tokens,
    cache_write_tokens=tokens,
    branch=st.sampled_from([None, "main"]),
    project=st.sampled_from([None, "shop"]),
    model=models,
    duration_ms=st.sampled_from([None, 0, 31]),
    cost_nanos=costs,
    client_at_ms=moments,
    source=st.sampled_from(["api", "otel", "import", "import"]),
    metadata=st.sampled_from(["{}", '{"command":"ls"}', '{"file_path":"/a.py","lines_added":2}']),
    edited_path=st.sampled_from([None, None, "/a.py", "/b.py"]),
    lines_added=st.sampled_from([0, 3]),
    lines_removed=st.sampled_from([0, -2, 5]),
    call=st.one_of(st.none(), calls),
)
facts = st.builds(
    SessionFacts,
    session_id=sessions,
    agent_type=agent_types,
    project=st.sampled_from([None, "shop", "api"]),
    state=st.sampled_from([None, "working", "permission"]),
    ends=st.booleans(),
    sign_of_life=st.booleans(),
    started_at_ms=moments,
    last_at_ms=moments,
)
batches = st.builds(Batch, st.lists(events, max_size=4), st.lists(facts, max_size=2))
groups = st.lists(
    st.tuples(st.sampled_from([0, 1, HOUR_MS, -HOUR_MS]), st.lists(batches, min_size=1, max_size=3)), max_size=4
)


@contextmanager
def fresh_database(template: Path) -> Iterator[sqlite3.Connection]:
    with TemporaryDirectory() as directory:
        path = shutil.copyfile(template, Path(directory, "agentmonitor.db"))
        with closing(sqlite3.connect(path, isolation_level=None)) as raw:
            raw.execute("PRAGMA foreign_keys = ON")
            yield raw


def store(raw: sqlite3.Connection, steps: Sequence[tuple[int, Sequence[Batch]]]) -> None:
    now_ms = NOW_MS
    for passed_ms, together in steps:
        now_ms += passed_ms
        write_group(raw, together, now_ms, RULES)


def contents(raw: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """Every rollup row and every sum of a session; without row ids, which say nothing."""
    dumped = {table: sorted(row[1:] for row in raw.execute(f"SELECT * FROM {table}")) for table in ROLLUPS}
    dumped["sessions"] = sorted(raw.execute(f"SELECT id, {', '.join(SESSION_SUMS)} FROM sessions"))
    return dumped


@settings(max_examples=250, deadline=None)
@given(steps=groups)
def test_what_the_writer_keeps_is_what_is_computed_anew(
    migrated_database: Path, steps: list[tuple[int, list[Batch]]]
) -> None:
    with fresh_database(migrated_database) as raw:
        store(raw, steps)
        kept = contents(raw)
        rebuild(raw)
        assert kept == contents(raw)
        assert all(any(row[-4:]) for row in kept["event_hours"])
        assert not raw.execute("SELECT 1 FROM usage_hours WHERE calls <= 0").fetchall()
        assert not raw.execute("SELECT 1 FROM session_files WHERE edits <= 0").fetchall()


def test_a_call_that_moves_to_another_hour_leaves_no_empty_row(migrated_database: Path) -> None:
    def told(authority: int, called_at_ms: int) -> Batch:
        call = NewCall(key="k", usage=Usage(1), called_at_ms=called_at_ms, authority=authority)
        return Batch([NewEvent(session_id="s", agent_type="codex", event_type="llm_response", call=call)])

    with fresh_database(migrated_database) as raw:
        store(raw, [(0, [told(1, NOW_MS)]), (0, [told(2, NOW_MS - 5 * HOUR_MS)])])

        moved_to = (NOW_MS - 5 * HOUR_MS) // HOUR_MS * HOUR_MS
        assert raw.execute("SELECT called_hour, calls FROM usage_hours").fetchall() == [(moved_to, 1)]


def store_a_few(raw: sqlite3.Connection) -> None:
    event = NewEvent(
        session_id="s", agent_type="codex", event_type="llm_response", model="o3", tokens_in=9, edited_path="/a.py"
    )
    write_group(raw, [Batch([event])], NOW_MS, RULES)


@pytest.fixture
def stored(transactional_db: None) -> sqlite3.Connection:
    connection.ensure_connection()
    raw: sqlite3.Connection = connection.connection
    store_a_few(raw)
    return raw


def run_command() -> str:
    printed = io.StringIO()
    call_command("rebuild_rollups", stdout=printed)
    return printed.getvalue()


def test_the_command_finds_no_difference_in_what_the_writer_kept(stored: sqlite3.Connection) -> None:
    kept = contents(stored)

    assert "No differences." in run_command()
    assert contents(stored) == kept


def test_the_command_repairs_and_shows_what_was_wrong(stored: sqlite3.Connection) -> None:
    kept = contents(stored)
    stored.execute("UPDATE event_hours SET events = 41")
    stored.execute("DELETE FROM usage_hours")
    stored.execute("UPDATE sessions SET cost_nanos = cost_nanos + 1")

    printed = run_command()

    assert contents(stored) == kept
    for table in ("event_hours", "usage_hours", "sessions"):
        assert f"{table}: " in printed
    assert "session_files: " not in printed
    assert "events=41 " in printed

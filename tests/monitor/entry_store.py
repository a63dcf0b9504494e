"""Entries stored as an import stores them, for tests of reading and searching."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

from django.db import connection

from ingest.contract import SessionFacts
from ingest.entries import NewEntry, entry
from ingest.store import Batch, write_group
from tests.storing import START_MS, open_database, rules


def said(text: str, *, key: str, session: str = "s-1", kind: str = "answer", **more: Any) -> NewEntry:
    """An entry of Claude Code; `after_ms` since the start of the tests' time."""
    at_ms = START_MS + more.pop("after_ms", 0)
    agent_type = more.pop("agent_type", "claude_code")
    return entry(session, agent_type, key, kind, at_ms, text, **more)


def store_entries(database: Path, *told: NewEntry, **facts: Any) -> None:
    """Stores them, and their sessions before them."""
    connection.ensure_connection()
    write_entries(cast(sqlite3.Connection, connection.connection), database, told, _facts(told, facts))


def store_entries_beside(database: Path, *told: NewEntry, **facts: Any) -> None:
    """The same on a connection of its own, beside a server."""
    raw = open_database(database, busy_timeout_ms=5000)
    try:
        write_entries(raw, database, told, _facts(told, facts))
    finally:
        raw.close()


def write_entries(
    raw: sqlite3.Connection, database: Path, told: Sequence[NewEntry], opening: Sequence[SessionFacts]
) -> None:
    batch = Batch([], entries=list(told), opening=opening)
    write_group(raw, [batch], START_MS, rules(database.parent / "projects"))


def _facts(told: Sequence[NewEntry], facts: dict[str, Any]) -> list[SessionFacts]:
    sessions = dict.fromkeys((one.session_id, one.agent_type) for one in told)
    return [
        SessionFacts(session_id=session_id, agent_type=agent_type, sign_of_life=False, **facts)
        for session_id, agent_type in sessions
    ]

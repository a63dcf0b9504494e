"""Entries stored as an import stores them, for tests of reading and searching."""

import sqlite3
from pathlib import Path
from typing import Any, cast

from django.db import connection

from ingest.contract import SessionFacts
from ingest.entries import NewEntry, entry
from ingest.store import Batch, write_group
from tests.storing import START_MS, rules


def said(text: str, *, key: str, session: str = "s-1", kind: str = "answer", **more: Any) -> NewEntry:
    """An entry of Claude Code; `after_ms` since the start of the tests' time."""
    at_ms = START_MS + more.pop("after_ms", 0)
    agent_type = more.pop("agent_type", "claude_code")
    return entry(session, agent_type, key, kind, at_ms, text, **more)


def store_entries(database: Path, *told: NewEntry, **facts: Any) -> None:
    """Stores them, and their sessions before them."""
    opening = [
        SessionFacts(session_id=session_id, agent_type=agent_type, sign_of_life=False, **facts)
        for session_id, agent_type in dict.fromkeys((one.session_id, one.agent_type) for one in told)
    ]
    batch = Batch([], entries=list(told), opening=opening)
    connection.ensure_connection()
    raw = cast(sqlite3.Connection, connection.connection)
    write_group(raw, [batch], START_MS, rules(database.parent / "projects"))

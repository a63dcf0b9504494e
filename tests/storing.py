"""Writing to a database without a server: connections, rules, a clock that tests set."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connections

from ingest.contract import NewEvent
from ingest.git import BranchLookup
from ingest.store import Batch, StatusChange, StoreRules
from ingest.writer import Listener, Writer
from monitor.lifecycle import MINUTE_MS
from pricing.registry import default_registry

TIMEOUT_MINUTES = 5
RECENT_MINUTES = 30
# Any moment does; this one is the start of an hour.
START_MS = 1_800_000_000_000
Row = dict[str, Any]


class Clock:
    """A clock that stands still until it is moved, in either direction."""

    def __init__(self, now_ms: int = START_MS) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms

    def pass_minutes(self, minutes: float) -> None:
        self.now_ms += round(minutes * MINUTE_MS)


class Kept(Listener):
    """Remembers what the writer told."""

    def __init__(self) -> None:
        self.begun_at: int | None = None
        self.ids: list[int] = []
        self.completed_ids: list[int] = []
        self.changes: list[StatusChange] = []
        self.idled = 0
        self.resyncs = 0

    def begin(self, last_event_id: int) -> None:
        self.begun_at = last_event_id

    def publish(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self.ids += [row[0] for row in rows]

    def publish_completed(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self.completed_ids += [row[0] for row in rows]

    def publish_changes(self, changes: Sequence[StatusChange], idled: int) -> None:
        self.changes += changes
        self.idled += idled

    def resync(self) -> None:
        self.resyncs += 1


def open_database(path: Path, busy_timeout_ms: int = 0) -> sqlite3.Connection:
    """A connection in autocommit, with the pragmas that storing counts on."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=busy_timeout_ms / 1000)
    connection.execute("PRAGMA foreign_keys=ON")
    connection.execute("PRAGMA synchronous=NORMAL")
    return connection


@contextmanager
def django_on(path: Path) -> Iterator[None]:
    """Django's default connection, in every thread, is to this file for as long as the block lasts."""
    settings_dict = connections.settings["default"]
    before = settings_dict["NAME"]
    connections["default"].close()
    settings_dict["NAME"] = path
    try:
        yield
    finally:
        connections["default"].close()
        settings_dict["NAME"] = before


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    connection = open_database(path)
    try:
        yield connection
    finally:
        connection.close()


def rules(projects_dir: Path) -> StoreRules:
    return StoreRules(default_registry(), BranchLookup(projects_dir), RECENT_MINUTES * MINUTE_MS)


@contextmanager
def running_writer(
    path: Path,
    *,
    clock: Callable[[], int] | None = None,
    listener: Listener | None = None,
    connect: Callable[[], sqlite3.Connection] | None = None,
) -> Iterator[Writer]:
    """A writer for as long as the block lasts."""
    writer = Writer(
        connect or (lambda: open_database(path, busy_timeout_ms=20)),
        rules(path.parent / "projects"),
        TIMEOUT_MINUTES * MINUTE_MS,
        listener or Listener(),
        clock or Clock(),
    )
    writer.start()
    try:
        yield writer
    finally:
        writer.stop()


def new_event(session_id: str = "s", event_type: str = "response", **fields: Any) -> NewEvent:
    return NewEvent(**{"session_id": session_id, "agent_type": "codex", "event_type": event_type, **fields})


def batch(*events: NewEvent) -> Batch:
    return Batch(events or [new_event()])


def table(connection: sqlite3.Connection, sql: str, *parameters: Any) -> list[Row]:
    """The rows of a query as dictionaries."""
    cursor = connection.execute(sql, parameters)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, values, strict=True)) for values in cursor.fetchall()]


def session_row(connection: sqlite3.Connection, session_id: str = "s") -> Row:
    (row,) = table(connection, "SELECT * FROM sessions WHERE id = ?", session_id)
    return row


@contextmanager
def write_lock(path: Path) -> Iterator[None]:
    """Nobody else can write for as long as the block lasts."""
    with opened(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")

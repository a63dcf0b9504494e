"""Recorded telemetry in a real database: the ledger is what was billed, and telling it again changes nothing."""

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ingest.otlp.service import read_logs, read_metrics
from ingest.store import Batch, write_group
from tests.ingest.otlp.bodies import LIMIT_BYTES
from tests.ingest.otlp.test_captures import captures, oracle
from tests.storing import START_MS, opened, rules

SUMS = (
    "SELECT count(*), sum(uncached_input_tokens), sum(cache_read_tokens), sum(cache_write_5m_tokens), "
    "sum(output_tokens) FROM calls"
)


def store_logs(connection: sqlite3.Connection, client: str, projects: Path) -> None:
    for capture in captures(client, "logs"):
        events = read_logs(capture.body, capture.content_type, LIMIT_BYTES).events
        write_group(connection, [Batch(events)], START_MS, rules(projects))


def rows(connection: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    """All that is stored, rollups too."""
    tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for (name,) in tables}


@pytest.mark.parametrize("client", ["codex", "gemini"])
def test_the_ledger_is_what_was_billed(database: Path, tmp_path: Path, client: str) -> None:
    with opened(database) as connection:
        store_logs(connection, client, tmp_path)
        [sums] = connection.execute(SUMS).fetchall()

    billed = oracle(client)
    writes = ("cache_write_5m_tokens", "cache_write_1h_tokens")
    assert sums == (
        len(billed),
        sum(row["input_tokens"] for row in billed),
        sum(row["cache_read_tokens"] for row in billed),
        sum(row[name] for row in billed for name in writes),
        sum(row["output_tokens"] for row in billed),
    )


@pytest.mark.parametrize("client", ["claude", "codex", "gemini"])
def test_telling_it_again_changes_nothing(database: Path, tmp_path: Path, client: str) -> None:
    with opened(database) as connection:
        store_logs(connection, client, tmp_path)
        before = rows(connection)

        store_logs(connection, client, tmp_path)

        assert rows(connection) == before


def store_metrics(connection: sqlite3.Connection, projects: Path) -> None:
    for capture in captures("claude", "metrics"):
        readings = read_metrics(capture.body, capture.content_type).readings
        write_group(connection, [Batch(readings=readings)], START_MS, rules(projects))


@pytest.mark.parametrize("order", ["logs first", "metrics first"])
def test_metrics_beside_logs_leave_the_ledger_as_the_logs_told_it(
    database: Path, tmp_path: Path, order: str
) -> None:
    with opened(database) as connection:
        if order == "metrics first":
            store_metrics(connection, tmp_path)
        store_logs(connection, "claude", tmp_path)
        store_metrics(connection, tmp_path)
        of_metrics = connection.execute("SELECT count(*) FROM calls WHERE authority = 0").fetchone()
        [told] = connection.execute("SELECT count(*) FROM metric_hours").fetchone()

        assert of_metrics == (0,)
        assert told > 0

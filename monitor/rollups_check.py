"""Rebuilding the rollups, and saying what was different before: in a sound database, nothing."""

from sqlite3 import Connection
from typing import Any, Final, NamedTuple

from monitor.rollups import (
    EVENT_KEY,
    EVENT_SUMS,
    SESSION_CALL_SUMS,
    SESSION_EVENT_SUMS,
    USAGE_KEY,
    USAGE_SUMS,
    rebuild,
)

COLUMNS: Final = {
    "event_hours": EVENT_KEY + EVENT_SUMS,
    "usage_hours": USAGE_KEY + USAGE_SUMS,
    "session_files": ("session_id", "path", "edits"),
    "sessions": ("id", *SESSION_EVENT_SUMS, *SESSION_CALL_SUMS),
}
MOST_EXAMPLES: Final = 5


class Difference(NamedTuple):
    """One table that the rebuild changed: rows that are gone, rows that came, and the first few of both."""

    table: str
    rows_before: int
    rows_after: int
    examples_before: list[tuple[Any, ...]]
    examples_after: list[tuple[Any, ...]]


def rebuild_and_compare(connection: Connection) -> list[Difference]:
    """Rebuild inside the caller's transaction; the tables that changed, with values as in COLUMNS."""
    for table, columns in COLUMNS.items():
        connection.execute(f"DROP TABLE IF EXISTS temp.{table}_before")
        connection.execute(f"CREATE TEMP TABLE {table}_before AS SELECT {', '.join(columns)} FROM main.{table}")
    rebuild(connection)
    differences = [_compare(connection, table) for table in COLUMNS]
    for table in COLUMNS:
        connection.execute(f"DROP TABLE temp.{table}_before")
    return [difference for difference in differences if difference.rows_before or difference.rows_after]


def _compare(connection: Connection, table: str) -> Difference:
    columns = ", ".join(COLUMNS[table])
    before, after = f"SELECT * FROM temp.{table}_before", f"SELECT {columns} FROM main.{table}"
    gone, come = f"{before} EXCEPT {after}", f"{after} EXCEPT {before}"
    return Difference(
        table,
        _count(connection, gone),
        _count(connection, come),
        connection.execute(f"{gone} LIMIT {MOST_EXAMPLES}").fetchall(),
        connection.execute(f"{come} LIMIT {MOST_EXAMPLES}").fetchall(),
    )


def _count(connection: Connection, rows: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM ({rows})").fetchone()[0])

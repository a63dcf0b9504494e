"""Multi-row statements.

Python's sqlite3 gives up its lock at every step of a statement and has to win it back from the event loop's
thread; `executemany` does that once for each row. One statement for many rows does it once, which under load
is most of the time of a write.
"""

from collections.abc import Sequence
from itertools import chain
from sqlite3 import Connection
from typing import Any, Final

# Few shapes, so that prepared statements are found again in sqlite3's cache; the largest stays far below
# SQLite's limit of 32,766 parameters.
CHUNKS: Final = (128, 32, 8, 4, 2, 1)


class RowStatement:
    """`head` + one parenthesis for each row + `tail`."""

    __slots__ = ("_sql",)

    def __init__(self, head: str, columns: int, tail: str = "") -> None:
        row = f"({', '.join('?' * columns)})"
        self._sql = {rows: f"{head} {', '.join([row] * rows)} {tail}" for rows in CHUNKS}

    def run(self, connection: Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Execute for all rows, in chunks."""
        done, total = 0, len(rows)
        for size in CHUNKS:
            while total - done >= size:
                connection.execute(self._sql[size], list(chain.from_iterable(rows[done : done + size])))
                done += size


def insert(table: str, columns: Sequence[str], conflict: str = "") -> RowStatement:
    return RowStatement(f"INSERT INTO {table} ({', '.join(columns)}) VALUES", len(columns), conflict)


def upsert_sums(table: str, key: Sequence[str], sums: Sequence[str]) -> RowStatement:
    """Insert rows, or add their sums to those of the same key."""
    added = ", ".join(f"{name} = {table}.{name} + excluded.{name}" for name in sums)
    return insert(table, (*key, *sums), f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {added}")


def update(table: str, key: str, assignments: Sequence[tuple[str, str]]) -> RowStatement:
    """Update rows by key, which is the first value of each row; an assignment's `{}` is its own value."""
    sets = ", ".join(
        f"{name} = {expression.format(f'v.column{number}')}"
        for number, (name, expression) in enumerate(assignments, start=2)
    )
    head = f"UPDATE {table} SET {sets} FROM (VALUES"
    return RowStatement(head, len(assignments) + 1, f") AS v WHERE {table}.{key} = v.column1")


def replaced(*names: str) -> list[tuple[str, str]]:
    return [(name, "{}") for name in names]


def added(table: str, *names: str) -> list[tuple[str, str]]:
    return [(name, f"{table}.{name} + {{}}") for name in names]

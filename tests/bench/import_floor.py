"""The floor of an import: decode every line of the tree, and insert the very rows that the import made of it.

Run as `python -m tests.bench.import_floor TREE OURS.db FLOOR.db`: OURS was imported, FLOOR is migrated and empty.
Prints its seconds. The rows are in memory before the clock starts.
"""

import sqlite3
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import msgspec

TABLES = ("agents", "sessions", "events", "calls", "entries", "event_hours", "usage_hours", "session_files")
# The rows of one transaction of the import, about.
ROWS_IN_TRANSACTION = 1000
INDEX_WORDS = "INSERT INTO entry_search (rowid, text) SELECT id, text FROM entries WHERE id > ? AND id <= ?"


def rows_of(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    with sqlite3.connect(database) as connection:
        return {table: connection.execute(f"SELECT * FROM {table}").fetchall() for table in TABLES}


def decode_all(tree: Path) -> None:
    decode = msgspec.json.Decoder().decode
    for path in sorted(tree.rglob("*.jsonl")):
        with path.open("rb") as stream:
            for line in stream:
                decode(line)


def insert_all(database: Path, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    connection = sqlite3.connect(database, isolation_level=None)
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=OFF", "cache_size=-16000"):
        connection.execute(f"PRAGMA {pragma}")
    for table, values in rows.items():
        if not values:
            continue
        statement = f"INSERT INTO {table} VALUES ({', '.join('?' * len(values[0]))})"
        for start in range(0, len(values), ROWS_IN_TRANSACTION):
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(statement, values[start : start + ROWS_IN_TRANSACTION])
            if table == "entries":
                connection.execute(INDEX_WORDS, (start, start + ROWS_IN_TRANSACTION))
            connection.execute("COMMIT")
    connection.close()


def main() -> None:
    tree, ours, floor = map(Path, sys.argv[1:])
    rows = rows_of(ours)
    began = perf_counter()
    decode_all(tree)
    insert_all(floor, rows)
    print(perf_counter() - began)


if __name__ == "__main__":
    main()

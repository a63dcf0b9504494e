"""Importing into a database file without threads, and reading what came of it."""

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from importers.files import Source, discover
from importers.report import FileReport
from importers.run import ImportOptions, import_files
from importers.state import COLUMNS, FileState
from ingest.call_store import Stored
from ingest.store import Batch, write_group
from tests.storing import START_MS, opened, rules, table

Line = dict[str, Any]
RECORDED = Path(__file__).parent.parent / "fixtures" / "clients"
CALL_COLUMNS = (
    "agent_type, call_key, session_id, model, called_at, received_at, uncached_input_tokens, cache_read_tokens, "
    "cache_write_5m_tokens, cache_write_1h_tokens, output_tokens, reasoning_tokens, cost_nanos, price, authority, "
    "subagent_id"
)
ENTRY_COLUMNS = (
    "entry_key, session_id, agent_type, subagent_id, kind, at, tool_name, tool_id, call_key, is_error, "
    "text_bytes, text"
)
SUBAGENT_COLUMNS = "session_id, subagent_id, parent_subagent_id, kind, description, started_at, last_at, ended_at"
COMPACTION_COLUMNS = "session_id, line_id, subagent_id, at, trigger, pre_tokens"
SESSION_SUMS = (
    "id, call_count, unpriced_calls, uncached_input_tokens, cache_read_tokens, cache_write_tokens, output_tokens, "
    "cost_nanos"
)


class Home:
    """One database, and the imports into it."""

    def __init__(self, database: Path, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self._rules = rules(database.parent / "projects")
        self.batches: list[Batch] = []

    def store(self, batch: Batch) -> "Future[Stored]":
        """As the writer does it, at once."""
        self.batches.append(batch)
        future: Future[Stored] = Future()
        future.set_result(write_group(self.connection, [batch], START_MS, self._rules).stored[0])
        return future

    def run(self, source: Source, *roots: Path, reverse: bool = False, **options: Any) -> list[FileReport]:
        files = discover(source, roots).files
        known = {
            row["file_path"]: FileState(*(row[name] for name in COLUMNS))
            for row in self.rows("SELECT * FROM import_state")
        }
        chosen = ImportOptions(**{"known": known, "memory": self.memory, "retry_seconds": 0, **options})
        return list(import_files(source, files[::-1] if reverse else files, chosen, self.store))

    def memory(self, path: str) -> bytes | None:
        (row,) = self.rows("SELECT reader_state FROM import_state WHERE file_path = ?", path)
        memory = row["reader_state"]
        assert memory is None or isinstance(memory, bytes)
        return memory

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        return table(self.connection, sql, *parameters)

    def events(self) -> list[dict[str, Any]]:
        return self.rows("SELECT * FROM events ORDER BY id")

    def entries(self) -> list[dict[str, Any]]:
        """All that is known of them but their ids."""
        return self.rows(f"SELECT {ENTRY_COLUMNS} FROM entries ORDER BY at, entry_key")

    def found(self, words: str) -> list[str]:
        """Texts that the search index finds, as it stands."""
        matching = "SELECT rowid FROM entry_search WHERE text MATCH ?"
        rows = self.rows(f"SELECT text FROM entries WHERE id IN ({matching}) ORDER BY id", words)
        return [row["text"] for row in rows]

    def calls(self) -> list[dict[str, Any]]:
        return self.rows(f"SELECT {CALL_COLUMNS} FROM calls ORDER BY agent_type, call_key")

    def ledger(self) -> dict[str, list[dict[str, Any]]]:
        """All that counts money, and whose: calls, the sums of sessions and of hours, sub-agents, compactions."""
        return {
            "calls": self.calls(),
            "sessions": self.rows(f"SELECT {SESSION_SUMS} FROM sessions ORDER BY id"),
            "hours": self._hours(),
            "subagents": self.subagents(),
            "compactions": self.compactions(),
        }

    def subagents(self) -> list[dict[str, Any]]:
        return self.rows(f"SELECT {SUBAGENT_COLUMNS} FROM subagents ORDER BY session_id, subagent_id")

    def compactions(self) -> list[dict[str, Any]]:
        return self.rows(f"SELECT {COMPACTION_COLUMNS} FROM compactions ORDER BY session_id, line_id")

    def _hours(self) -> list[dict[str, Any]]:
        hours = self.rows(
            "SELECT * FROM usage_hours ORDER BY received_hour, called_hour, session_id, agent_type, model"
        )
        return [{name: value for name, value in hour.items() if name != "id"} for hour in hours]


@contextmanager
def home_in(directory: Path, template: Path) -> Iterator[Home]:
    """A database of its own in `directory`, made from a migrated one."""
    directory.mkdir(parents=True, exist_ok=True)
    database = directory / "agentmonitor.db"
    shutil.copyfile(template, database)
    with opened(database) as connection:
        yield Home(database, connection)


def write_lines(path: Path, lines: Iterable[Line | str]) -> Path:
    """A transcript; texts stand as they are, for lines that are no JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    path.write_text("".join(line + "\n" for line in written))
    return path


def figures(row: dict[str, Any]) -> tuple[int, ...]:
    """Uncached input, cache read, 5-minute and 1-hour cache writes, output, reasoning of a row of calls."""
    return tuple(
        row[name]
        for name in (
            "uncached_input_tokens",
            "cache_read_tokens",
            "cache_write_5m_tokens",
            "cache_write_1h_tokens",
            "output_tokens",
            "reasoning_tokens",
        )
    )


def of_type(events: Sequence[dict[str, Any]], event_type: str) -> list[dict[str, Any]]:
    return [event for event in events if event["event_type"] == event_type]


def metadata(event: dict[str, Any]) -> dict[str, Any]:
    value = json.loads(event["metadata"])
    assert isinstance(value, dict)
    return value

"""The writer of this process: built from the settings, started by whoever needs it first, once."""

import sqlite3
import threading
from typing import Final, cast

from django.conf import settings
from django.db import connection

from ingest.git import BranchLookup
from ingest.store import StoreRules
from ingest.writer import BULK_LIMIT_BYTES, Listener, Writer
from monitor.lifecycle import MINUTE_MS, recent_ms
from pricing.registry import default_registry

# A writer that waits longer holds up everything behind it; clients of a 503 try again.
BUSY_TIMEOUT_MS: Final = 2000
# The writer's checkpoints run beside it; SQLite's own, in the middle of a commit, are the last resort (256 MB).
CHECKPOINT_PAGES: Final = 65_536
# The inner pages of the indexes that each group touches; filled as the database grows, not at the start.
CACHE_KB: Final = 32_000

_lock = threading.Lock()
_writer: Writer | None = None


def writer(listener: Listener | None = None, bulk_limit_bytes: int = BULK_LIMIT_BYTES) -> Writer:
    """The running writer. Who calls first decides who listens; a command's writer tells nobody."""
    global _writer
    if _writer is None:
        with _lock:
            if _writer is None:
                fresh = build_writer(listener or Listener(), bulk_limit_bytes)
                fresh.start()
                _writer = fresh
    return _writer


def stop_writer() -> None:
    """Store what waits and end the writer, if there is one."""
    global _writer
    with _lock:
        if _writer is not None:
            _writer.stop()
            _writer = None


def build_writer(listener: Listener, bulk_limit_bytes: int = BULK_LIMIT_BYTES) -> Writer:
    environment = settings.ENVIRONMENT
    rules = StoreRules(
        registry=default_registry(),
        branches=BranchLookup(environment.projects_dir),
        import_recent_ms=recent_ms(environment.auto_import_minutes),
        payload_limit_bytes=environment.max_payload_kb * 1024,
    )
    return Writer(
        connect,
        rules,
        environment.session_timeout_minutes * MINUTE_MS,
        listener,
        bulk_limit_bytes=bulk_limit_bytes,
    )


def connect() -> sqlite3.Connection:
    """Django's own connection for this thread, with its pragmas, in autocommit."""
    connection.ensure_connection()
    raw = cast(sqlite3.Connection, connection.connection)
    raw.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    raw.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    raw.execute(f"PRAGMA cache_size = -{CACHE_KB}")
    # The writer reads few pages, and those that it maps count as its memory.
    raw.execute("PRAGMA mmap_size = 0")
    return raw

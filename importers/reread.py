"""What the transcripts on disk say of calls, read by the readers of the import and stored nowhere.

Witnesses of a call are merged as the writer merges them, but from the files alone: nothing of the stored ledger
is taken for granted.
"""

from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from importers.files import Source, Unreadable, discover
from importers.run import ImportOptions, import_files
from ingest.call_store import Stored
from ingest.joining import repeats
from ingest.ledger import LedgerRow, call_of, merge, row_of
from ingest.store import Batch
from monitor.times import now_ms

# Agent type and call key.
Key = tuple[str, str]


@dataclass(slots=True)
class Transcripts:
    """All calls that the files tell of, as the ledger should hold them; which files were read and which not."""

    calls: dict[Key, LedgerRow] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    unreadable: list[Unreadable] = field(default_factory=list)
    bad_lines: int = 0

    def read(self, source: Source, roots: Iterable[Path], exclude: Sequence[str] = ()) -> None:
        """Add everything below the client's configuration directories."""
        found = discover(source, roots, exclude)
        self.unreadable += found.unreadable
        for report in import_files(source, found.files, ImportOptions(force=True), self._take):
            self.bad_lines += report.bad_lines
            if report.error is None:
                self.files.add(report.path)
            else:
                self.unreadable.append(Unreadable(Path(report.path), report.error))
        for copy in repeats(self.calls.values()):
            del self.calls[copy.agent_type, copy.call_key]

    def _take(self, batch: Batch) -> "Future[Stored]":
        """In the place of the writer: keeps the calls, stores nothing."""
        at_ms = now_ms()
        for event in batch.events:
            call = call_of(event, 0)
            if call is not None:
                told = row_of(call, event, at_ms)
                key = (told.agent_type, told.call_key)
                self.calls[key] = merge(self.calls.get(key), told)
        done: Future[Stored] = Future()
        done.set_result(Stored([], 0))
        return done

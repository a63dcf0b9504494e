"""One import: files in, batches to the writer, a report for each file.

A file is read line by line and handed over in slices, at most two at a time, so that neither memory nor the
writer's queue grows with it. That a file was read is stored with its last slice, when all others are on disk: a
kill in between means reading it again, which changes nothing.
"""

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Final

from importers import report as outcome
from importers.files import DOCUMENT, FoundFile, Source, configured_model, path_facts
from importers.lines import BadLine, Line, decode_line, read_document, read_lines
from importers.reader import DEFAULT_PAYLOAD_BYTES, Reader, TimeRange
from importers.report import FileReport
from importers.state import FileState
from ingest.contract import NewEvent
from ingest.store import Batch, FileProgress, Stored
from ingest.writer import Stopped, Unavailable

log = logging.getLogger("agentmonitor.importers")

SLICE_EVENTS: Final = 500
MOST_IN_FLIGHT: Final = 2
# A locked or full database: some half a minute of patience, then the import gives up.
MOST_TRIES: Final = 12
RETRY_SECONDS: Final = 2.5

Store = Callable[[Batch], "Future[Stored]"]


class ImportEnded(Exception):
    """The import can't go on: it was told to stop, or the database can't be written."""


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What to import and how. `known` is what was read before, by path; `stop` ends the import after a slice."""

    wanted: TimeRange = TimeRange()
    dry_run: bool = False
    force: bool = False
    known: Mapping[str, FileState] = field(default_factory=dict)
    payload_limit_bytes: int = DEFAULT_PAYLOAD_BYTES
    stop: threading.Event = field(default_factory=threading.Event)
    retry_seconds: float = RETRY_SECONDS


def import_files(
    source: Source, files: Sequence[FoundFile], options: ImportOptions, store: Store
) -> Iterator[FileReport]:
    """Import the files in their order. Ends early when told to stop; raises ImportEnded when it can't go on."""
    models: dict[Path, str | None] = {}
    for file in files:
        if options.stop.is_set():
            return
        if file.root not in models:
            models[file.root] = configured_model(source, file.root)
        yield _FileImport(source, file, options, store, models[file.root]).run()


class _FileImport:
    """The import of one file."""

    def __init__(
        self, source: Source, file: FoundFile, options: ImportOptions, store: Store, model: str | None
    ) -> None:
        self._source, self._file, self._options = source, file, options
        facts = path_facts(source, file, model, options.payload_limit_bytes)
        self._reader: Reader = source.reader(facts, options.wanted)
        self._report = FileReport(source.name, facts.path)
        self._feeder = _Feeder(store, options, self._report)
        self._slice: list[NewEvent] = []
        self._has_named_sessions = False
        self._digest, self._size_bytes = sha256(), 0

    def run(self) -> FileReport:
        report = self._report
        try:
            if self._is_unchanged():
                report.outcome = outcome.SKIPPED
                return report
            with self._file.path.open("rb") as stream:
                lines = read_document if self._file.path.suffix == DOCUMENT else read_lines
                for line in lines(stream, self._saw):
                    self._read_line(line)
                    if self._options.stop.is_set():
                        report.outcome = outcome.STOPPED
                        self._feeder.drain()
                        return report
            self._finish()
        except OSError as error:
            report.outcome, report.error = outcome.FAILED, error.strerror or type(error).__name__
        return report

    def _is_unchanged(self) -> bool:
        known = self._options.known.get(str(self._file.path))
        if known is None or self._options.force or known.size_bytes != self._file.size_bytes:
            return False
        with self._file.path.open("rb") as stream:
            return file_digest(stream, "sha256").hexdigest() == known.digest

    def _saw(self, content: bytes) -> None:
        self._digest.update(content)
        self._size_bytes += len(content)

    def _read_line(self, line: Line) -> None:
        if line.content is not None and not line.content.strip():
            return
        try:
            if line.content is None:
                raise BadLine("too long")
            value = decode_line(line.content)
            self._reader.read(line.number, value)
        except BadLine as fault:
            if not line.ended and line.content is not None:
                # The client is writing this line; the next import reads it.
                return
            self._report.note_bad(line.number, str(fault))
        except Exception as error:
            # One line that our reader can't take must not cost the rest of the history.
            log.exception("%s:%d can't be read", self._report.path, line.number + 1)
            self._report.note_bad(line.number, type(error).__name__)
        self._report.lines += 1
        self._take(everything=False)

    def _take(self, *, everything: bool) -> None:
        for event in self._reader.take(everything=everything):
            self._report.note_event(event)
            self._slice.append(event)
            if len(self._slice) > SLICE_EVENTS:
                self._name_sessions()
                self._feeder.hand_in(Batch(self._slice[:SLICE_EVENTS]))
                del self._slice[:SLICE_EVENTS]

    def _name_sessions(self) -> None:
        """Make the sessions first: events that are known already make none, yet they are witnesses of calls."""
        if not self._has_named_sessions:
            self._has_named_sessions = True
            self._feeder.hand_in(Batch(facts=self._reader.facts()))
            self._feeder.drain()

    def _finish(self) -> None:
        report, options = self._report, self._options
        self._take(everything=True)
        report.unknown = dict(self._reader.unknown)
        if not report.events:
            return
        self._name_sessions()
        self._feeder.drain()
        progress = FileProgress(
            report.path, self._digest.hexdigest(), self._size_bytes, self._source.name, report.events
        )
        self._feeder.hand_in(Batch(self._slice, self._reader.facts(), () if options.wanted else (progress,)))
        self._feeder.drain()
        report.outcome = outcome.FOUND if options.dry_run else outcome.DONE


class _Feeder:
    """Hands slices to the writer, waits for them, and tries again while the database is busy."""

    def __init__(self, store: Store, options: ImportOptions, report: FileReport) -> None:
        self._store, self._options, self._report = store, options, report
        self._in_flight: deque[tuple[Batch, Future[Stored]]] = deque()

    def hand_in(self, batch: Batch) -> None:
        if self._options.dry_run:
            return
        if len(self._in_flight) >= MOST_IN_FLIGHT:
            self._settle()
        self._in_flight.append((batch, self._submit(batch)))

    def drain(self) -> None:
        while self._in_flight:
            self._settle()

    def _submit(self, batch: Batch) -> "Future[Stored]":
        try:
            return self._store(batch)
        except Stopped:
            raise ImportEnded("the writer has stopped") from None

    def _settle(self) -> None:
        batch, future = self._in_flight.popleft()
        for tries in range(1, MOST_TRIES + 1):
            try:
                self._report.note_stored(future.result())
                return
            except Unavailable as fault:
                if tries == MOST_TRIES or self._options.stop.wait(self._options.retry_seconds):
                    raise ImportEnded(f"the database can't be written: {fault}") from None
            future = self._submit(batch)

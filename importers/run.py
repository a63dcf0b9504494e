"""One import: files in, batches to the writer, a report for each file.

A file is read line by line and handed over in slices, at most two at a time, so that neither memory nor the
writer's queue grows with it. That a file was read is stored with its last slice, when all others are on disk: a
kill in between means reading it again, which changes nothing. With it goes the reader's memory, as it was after
the last whole line, so that a file that has grown costs what was added.
"""

import logging
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Final

from importers import report as outcome
from importers import snapshot
from importers.files import DOCUMENT, FoundFile, Source, configured_model, identity_of, path_facts
from importers.lines import BadLine, Line, decode_line, read_document, read_lines
from importers.reader import DEFAULT_PAYLOAD_BYTES, Reader, TimeRange
from importers.report import FileReport
from importers.state import FileState, saved_reader
from importers.tails import has_grown, has_same_content, is_untouched, prefix_check
from ingest.call_store import Stored
from ingest.contract import NewEvent
from ingest.store import Batch, FileProgress
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
    """What to import and how.

    `pause_seconds` is left to others between two slices: to a server, when another process imports beside it.
    `known` is what was read before, by path, and `memory` gives what the reader of a path must remember to go on;
    `stop` ends the import after a slice.
    """

    wanted: TimeRange = TimeRange()
    dry_run: bool = False
    force: bool = False
    known: Mapping[str, FileState] = field(default_factory=dict)
    memory: Callable[[str], bytes | None] = saved_reader
    payload_limit_bytes: int = DEFAULT_PAYLOAD_BYTES
    stop: threading.Event = field(default_factory=threading.Event)
    retry_seconds: float = RETRY_SECONDS
    pause_seconds: float = 0.0


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
        self._known = options.known.get(facts.path)
        self._digest, self._size_bytes = sha256(), 0
        # The reader's memory after the last whole line, and where that line ended.
        self._memory: bytes | None = None
        self._lines, self._offset_bytes = 0, 0

    def run(self) -> FileReport:
        report = self._report
        try:
            if self._is_unchanged():
                report.outcome = outcome.SKIPPED
                return report
            with self._file.path.open("rb") as stream:
                for line in self._lines_of(stream):
                    self._read_line(line)
                    if self._options.stop.is_set():
                        report.outcome = outcome.STOPPED
                        self._feeder.drain()
                        return report
                self._finish(stream)
        except OSError as error:
            report.outcome, report.error = outcome.FAILED, error.strerror or type(error).__name__
        return report

    def _is_unchanged(self) -> bool:
        known, file = self._known, self._file
        if known is None or self._options.force:
            return False
        if is_untouched(known, file):
            return True
        if not has_same_content(known, file):
            return False
        seen_again = known._replace(identity=file.identity, modified_ns=file.modified_ns)
        self._feeder.hand_in(Batch(files=[self._progress(seen_again, self._options.memory(self._report.path))]))
        self._feeder.drain()
        return True

    def _lines_of(self, stream: IO[bytes]) -> Iterator[Line]:
        if self._file.path.suffix == DOCUMENT:
            return read_document(stream, self._saw)
        if self._can_go_on(stream):
            assert self._known is not None
            self._digest.update(self._known.digest.encode())
            self._size_bytes = self._offset_bytes = self._known.offset_bytes
        else:
            self._known = None
        stream.seek(self._offset_bytes)
        return read_lines(stream, self._saw, number=self._lines)

    def _can_go_on(self, stream: IO[bytes]) -> bool:
        options = self._options
        if self._known is None or options.force or options.wanted or not has_grown(self._known, stream):
            return False
        memory = options.memory(self._report.path)
        resumed = snapshot.thaw(memory) if memory is not None else None
        if resumed is not None:
            self._reader, self._lines = resumed
        return resumed is not None

    def _saw(self, content: bytes) -> None:
        self._digest.update(content)
        self._size_bytes += len(content)

    def _read_line(self, line: Line) -> None:
        if not line.ended:
            self._remember()
        self._decode(line)
        if line.ended:
            self._lines, self._offset_bytes = line.number + 1, self._size_bytes

    def _decode(self, line: Line) -> None:
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

    def _finish(self, stream: IO[bytes]) -> None:
        report, options = self._report, self._options
        self._remember()
        self._take(everything=True)
        report.unknown = dict(self._reader.unknown)
        if not report.events and self._known is None:
            return
        self._name_sessions()
        self._feeder.drain()
        progress = () if options.wanted else (self._progress(self._state_of(stream), self._memory),)
        self._feeder.hand_in(Batch(self._slice, self._reader.facts(), progress))
        self._feeder.drain()
        if report.events:
            report.outcome = outcome.FOUND if options.dry_run else outcome.DONE

    def _remember(self) -> None:
        """Once, before what may still change is read: a last line without its end, the end of the file."""
        is_kept = not (self._options.wanted or self._options.dry_run or self._file.path.suffix == DOCUMENT)
        if is_kept and self._memory is None:
            self._memory = snapshot.freeze(self._reader, self._lines)

    def _state_of(self, stream: IO[bytes]) -> FileState:
        status = os.fstat(stream.fileno())
        # What was written while we read is found by the next look at the time.
        is_all = status.st_size == self._size_bytes
        return FileState(
            digest=self._digest.hexdigest(),
            size_bytes=self._size_bytes,
            events=self._report.events + (self._known.events if self._known is not None else 0),
            identity=identity_of(status),
            modified_ns=status.st_mtime_ns if is_all else 0,
            offset_bytes=self._offset_bytes,
            prefix_check=prefix_check(stream, self._offset_bytes),
        )

    def _progress(self, state: FileState, memory: bytes | None) -> FileProgress:
        return FileProgress(
            path=self._report.path,
            digest=state.digest,
            size_bytes=state.size_bytes,
            source=self._source.name,
            events=state.events,
            identity=state.identity,
            modified_ns=state.modified_ns,
            offset_bytes=state.offset_bytes,
            prefix_check=state.prefix_check,
            reader_state=memory,
        )


class _Feeder:
    """Hands slices to the writer, waits for them, and tries again while the database is busy."""

    def __init__(self, store: Store, options: ImportOptions, report: FileReport) -> None:
        self._store, self._options, self._report = store, options, report
        self._in_flight: deque[tuple[Batch, Future[Stored]]] = deque()

    def hand_in(self, batch: Batch) -> None:
        if self._options.dry_run:
            return
        if self._options.pause_seconds and batch.events:
            self.drain()
            self._options.stop.wait(self._options.pause_seconds)
        elif len(self._in_flight) >= MOST_IN_FLIGHT:
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

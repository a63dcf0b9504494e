"""One import: files in, batches to the writer, a report for each file.

A file is read line by line and handed over in slices, some at a time (importers/feeder.py), so that neither
memory nor the writer's queue grows with it. With the note that a file was read goes the reader's memory, as it was
after the last whole line, so that a file that has grown costs what was added.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO, Final, NamedTuple

from importers import report as outcome
from importers import snapshot
from importers.feeder import MOST_IN_FLIGHT, Feeder, Store
from importers.files import DOCUMENT, FoundFile, Source, configured_model, identity_of, path_facts
from importers.lines import BadLine, Line, decode_line, read_document, read_lines
from importers.reader import Reader, TimeRange
from importers.report import FileReport
from importers.state import FileState, saved_reader
from importers.tails import has_grown, has_same_content, is_untouched, prefix_check
from ingest.call_store import Stored
from ingest.contract import NewEvent, SessionFacts
from ingest.entries import NewEntry
from ingest.metadata import DEFAULT_LIMIT_BYTES
from ingest.store import Batch, FileProgress

log = logging.getLogger("agentmonitor.importers")

SLICE_EVENTS: Final = 500
# Words cost the search index some 20 ns each byte; no live event should wait for more.
SLICE_ENTRY_BYTES: Final = 128 * 1024
# Most lines say little; to look after each costs more than to hold some.
LINES_BETWEEN_TAKES: Final = 16
RETRY_SECONDS: Final = 2.5


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
    payload_limit_bytes: int = DEFAULT_LIMIT_BYTES
    stop: threading.Event = field(default_factory=threading.Event)
    retry_seconds: float = RETRY_SECONDS
    pause_seconds: float = 0.0
    most_in_flight: int = MOST_IN_FLIGHT


def import_files(
    source: Source, files: Sequence[FoundFile], options: ImportOptions, store: Store
) -> Iterator[FileReport]:
    """Import the files in their order. Ends early when told to stop; raises ImportEnded when it can't go on."""
    models: dict[Path, str | None] = {}
    feeder = (
        Feeder(_discard, options.stop.wait)
        if options.dry_run
        else Feeder(store, options.stop.wait, options.retry_seconds, options.pause_seconds, options.most_in_flight)
    )
    for file in files:
        if options.stop.is_set():
            break
        if file.root not in models:
            models[file.root] = configured_model(source, file.root)
        _FileImport(source, file, options, feeder, models[file.root]).run()
        yield from feeder.finished()
    yield from feeder.flush()


class _End(NamedTuple):
    """What a file leaves to store: its last slice, and how far it was read."""

    last: Batch | None = None
    progress: FileProgress | None = None


class _FileImport:
    """The import of one file."""

    def __init__(
        self, source: Source, file: FoundFile, options: ImportOptions, feeder: Feeder, model: str | None
    ) -> None:
        self._source, self._file, self._options = source, file, options
        facts = path_facts(source, file, model, options.payload_limit_bytes)
        self._reader: Reader = source.reader(facts, options.wanted)
        self._report = FileReport(source.name, facts.path)
        self._feeder = feeder
        self._slice: list[NewEvent] = []
        self._entries: list[NewEntry] = []
        self._entry_bytes = 0
        self._named_sessions: set[str] = set()
        self._known = options.known.get(facts.path)
        self._digest, self._size_bytes = sha256(), 0
        # The reader's memory after the last whole line, and where that line ended.
        self._memory: bytes | None = None
        self._lines, self._offset_bytes = 0, 0

    def run(self) -> None:
        """Read the file and hand it in; its report comes out of the feeder when all is stored."""
        end = _End()
        try:
            end = self._skip() or self._read()
        except OSError as error:
            self._report.outcome, self._report.error = outcome.FAILED, error.strerror or type(error).__name__
        self._feeder.close(self._report, end.last, end.progress)

    def _skip(self) -> _End | None:
        """Nothing to do for a file that was not written since; one that was only touched is noted as such."""
        known, file = self._known, self._file
        if known is None or self._options.force:
            return None
        if is_untouched(known, file):
            self._report.outcome = outcome.SKIPPED
            return _End()
        if not has_same_content(known, file):
            return None
        self._report.outcome = outcome.SKIPPED
        seen_again = known._replace(identity=file.identity, modified_ns=file.modified_ns)
        return _End(progress=self._progress(seen_again, self._options.memory(self._report.path)))

    def _read(self) -> _End:
        with self._file.path.open("rb") as stream:
            for line in self._lines_of(stream):
                self._read_line(line)
                if self._options.stop.is_set():
                    return self._stop(stream)
            return self._finish(stream)

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
            self._lines = line.number + 1
            self._offset_bytes += line.size_bytes

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
        if not line.number % LINES_BETWEEN_TAKES:
            self._take(everything=False)

    def _take(self, *, everything: bool) -> None:
        for event in self._reader.take(everything=everything):
            self._report.note_event(event)
            self._slice.append(event)
            if len(self._slice) > SLICE_EVENTS:
                self._hand_in_slice()
        for entry in self._reader.take_entries():
            self._entries.append(entry)
            self._entry_bytes += len(entry.text)
        if self._entry_bytes > SLICE_ENTRY_BYTES:
            self._hand_in_slice()

    def _hand_in_slice(self) -> None:
        batch = Batch(self._slice[:SLICE_EVENTS], entries=self._entries, opening=self._opening())
        self._feeder.hand_in(batch, self._report)
        del self._slice[:SLICE_EVENTS]
        self._entries, self._entry_bytes = [], 0

    def _opening(self) -> Sequence[SessionFacts]:
        """Sessions come first: events that are known already make none, yet they are witnesses of calls."""
        told = {event.session_id for event in self._slice} | {entry.session_id for entry in self._entries}
        if told <= self._named_sessions:
            return ()
        self._named_sessions |= told
        return self._reader.facts()

    def _finish(self, stream: IO[bytes]) -> _End:
        report, options = self._report, self._options
        self._remember()
        self._take(everything=True)
        report.unknown = dict(self._reader.unknown)
        if report.events:
            report.outcome = outcome.FOUND if options.dry_run else outcome.DONE
        progress = None if options.wanted else self._progress(self._state_of(stream), self._memory)
        has_news = report.events or self._known is not None
        if not has_news:
            return _End(progress=progress)
        last = Batch(self._slice, self._reader.facts(), entries=self._entries, opening=self._opening())
        return _End(last, progress)

    def _stop(self, stream: IO[bytes]) -> _End:
        """In the middle of a file: the next import goes on here."""
        self._report.outcome = outcome.STOPPED
        self._remember()
        if self._memory is None:
            return _End()
        # What was read ahead counts as unread.
        self._size_bytes = self._offset_bytes
        last = Batch(self._slice, self._reader.facts(), entries=self._entries, opening=self._opening())
        return _End(last, self._progress(self._state_of(stream)._replace(digest=""), self._memory))

    def _remember(self) -> None:
        """Once, before what may still change is read: a last line without its end, the end of the file."""
        is_kept = not (self._options.wanted or self._options.dry_run or self._file.path.suffix == DOCUMENT)
        if is_kept and self._memory is None:
            self._take(everything=False)
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


def _discard(batch: Batch) -> "Future[Stored]":
    """The writer of a dry run."""
    done: Future[Stored] = Future()
    done.set_result(Stored([], 0))
    return done

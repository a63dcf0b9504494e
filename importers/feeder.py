"""Slices of files on their way to the writer, in order, some at a time.

That a file was read is stored with its last slice, or, while others of its slices are under way, with a later
transaction when all of them are on disk. A kill in between means reading the file again, which changes nothing.
"""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import Final, NamedTuple

from importers.report import FileReport
from ingest.call_store import Stored
from ingest.store import Batch, FileProgress
from ingest.writer import Stopped, Unavailable

# Enough for the writer to find more when it has stored one group, and little to hold in memory.
MOST_IN_FLIGHT: Final = 6
# Where nobody else waits for the writer, the search index is written in large parts: a word that stands in many
# entries is then written once.
ALONE_GROUP_BYTES: Final = 4 * 1024 * 1024
ALONE_IN_FLIGHT: Final = 40
# A locked or full database: some half a minute of patience, then the import gives up.
MOST_TRIES: Final = 12

Store = Callable[[Batch], "Future[Stored]"]
# Waits for some seconds; true when the import is to stop.
Wait = Callable[[float], bool]


class ImportEnded(Exception):
    """The import can't go on: it was told to stop, or the database can't be written."""


class _Slice(NamedTuple):
    batch: Batch
    future: "Future[Stored]"
    report: FileReport | None


class _Closed(NamedTuple):
    """A file that was read; it is done when as many slices as `after` have been stored."""

    report: FileReport
    progress: FileProgress | None
    after: int


class Feeder:
    """Hands slices to the writer, waits for them, and tries again while the database is busy."""

    def __init__(
        self,
        store: Store,
        wait: Wait,
        retry_seconds: float = 0.0,
        pause_seconds: float = 0.0,
        most_in_flight: int = MOST_IN_FLIGHT,
    ) -> None:
        self._store, self._wait, self._most_in_flight = store, wait, most_in_flight
        self._retry_seconds, self._pause_seconds = retry_seconds, pause_seconds
        self._in_flight: deque[_Slice] = deque()
        self._closed: deque[_Closed] = deque()
        self._handed_in = self._stored = 0
        self._read: list[FileProgress] = []

    def hand_in(self, batch: Batch, report: FileReport | None) -> None:
        """Give a slice to the writer; blocks while enough of them are under way."""
        if self._pause_seconds and (batch.events or batch.entries):
            self._drain()
            self._wait(self._pause_seconds)
        while self._in_flight and self._is_due():
            self._settle()
        if self._read:
            batch.files, self._read = [*batch.files, *self._read], []
        self._in_flight.append(_Slice(batch, self._submit(batch), report))
        self._handed_in += 1

    def close(self, report: FileReport, last: Batch | None, progress: FileProgress | None) -> None:
        """The end of a file, with its last slice; `progress` says that it was read as far as it goes."""
        if last is not None:
            alone = all(slice_.report is not report for slice_ in self._in_flight)
            if alone and progress is not None:
                last.files, progress = [progress], None
            self.hand_in(last, report)
        self._closed.append(_Closed(report, progress, self._handed_in))

    def finished(self) -> Iterator[FileReport]:
        """The reports of files all of whose slices are stored, in order."""
        while self._closed and self._closed[0].after <= self._stored:
            closed = self._closed.popleft()
            if closed.progress is not None:
                self._read.append(closed.progress)
            yield closed.report

    def flush(self) -> Iterator[FileReport]:
        """Wait for everything; the remaining reports."""
        self._drain()
        yield from self.finished()
        if self._read:
            self.hand_in(Batch(), None)
            self._drain()

    def _is_due(self) -> bool:
        return self._in_flight[0].future.done() or len(self._in_flight) >= self._most_in_flight

    def _drain(self) -> None:
        while self._in_flight:
            self._settle()

    def _submit(self, batch: Batch) -> "Future[Stored]":
        try:
            return self._store(batch)
        except Stopped:
            raise ImportEnded("the writer has stopped") from None

    def _settle(self) -> None:
        batch, future, report = self._in_flight.popleft()
        for tries in range(1, MOST_TRIES + 1):
            try:
                stored = future.result()
                break
            except Unavailable as fault:
                if tries == MOST_TRIES or self._wait(self._retry_seconds):
                    raise ImportEnded(f"the database can't be written: {fault}") from None
            future = self._submit(batch)
        self._stored += 1
        if report is not None:
            report.note_stored(stored)

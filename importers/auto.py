"""The server's own import: all soon after the start and every some minutes, in between what the clients write."""

import logging
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from time import monotonic
from typing import Final, NamedTuple

import msgspec
from django.conf import settings
from django.db import DatabaseError, connection

from importers.feeder import ImportEnded
from importers.files import CLAUDE, CODEX, SOURCES, FoundFile, Source, discover, folders_of, transcripts_of
from importers.follow import changes
from importers.report import FileReport
from importers.run import ImportOptions, import_files
from importers.state import read_states
from ingest.writer import Writer
from monitor.times import now_ms

log = logging.getLogger("agentmonitor.importers")

# The page and its first requests go before history.
FIRST_RUN_SECONDS: Final = 1.5
STOP_SECONDS: Final = 10.0
PROGRESS_SECONDS: Final = 0.2
MOST_ERRORS: Final = 20
# Of more files the whole table of states is as quickly read.
FEW_FILES: Final = 100


class AutoImportProgress(msgspec.Struct):
    """How far the present or the last run came. `source` is the client being read, None between runs."""

    source: str | None = None
    files_total: int = 0
    files_done: int = 0
    events_imported: int = 0
    running: bool = False
    finished_at_ms: int | None = None
    errors: list[str] = []


class Found(NamedTuple):
    """Transcripts of one client in one directory; `newest_ms` is when the latest of them was written."""

    source: str
    directory: Path
    files: int
    newest_ms: int


def roots_of(source: Source) -> tuple[Path, ...]:
    """The configuration directories of a client that the environment names."""
    environment = settings.ENVIRONMENT
    if source is CLAUDE:
        return tuple(environment.claude_roots)
    return (environment.codex_home if source is CODEX else environment.gemini_root,)


def found_history() -> list[Found]:
    """What there is to import, by directory: a walk that opens no file."""
    exclude = settings.ENVIRONMENT.sync_exclude_patterns
    history = []
    for source in SOURCES:
        for root in roots_of(source):
            files = discover(source, [root], exclude).files
            if files:
                folder = folders_of(source, root)[0]
                history.append(Found(source.title, folder, len(files), files[-1].modified_ns // 1_000_000))
    return history


def watched_folders() -> list[Path]:
    """Where the clients write, as far as it is there."""
    return [folder for source in SOURCES for root in roots_of(source) for folder in folders_of(source, root)]


class AutoImporter(threading.Thread):
    """Imports every client's history through the server's writer, and follows what is written, until `stop()`.

    `on_progress` is called some times a second while it runs, `on_finished` with the number of new events
    after each run; both in this thread.
    """

    def __init__(
        self,
        writer: Writer,
        *,
        on_progress: Callable[[AutoImportProgress], None] = lambda progress: None,
        on_finished: Callable[[int], None] = lambda imported: None,
        first_run_seconds: float = FIRST_RUN_SECONDS,
    ) -> None:
        super().__init__(name="auto-import", daemon=True)
        self._writer, self._on_progress, self._on_finished = writer, on_progress, on_finished
        self._first_run_seconds = first_run_seconds
        self._stop_asked = threading.Event()
        self._next_progress = 0.0
        self.progress = AutoImportProgress()

    def stop(self) -> None:
        """End after the present slice."""
        self._stop_asked.set()
        if self.is_alive() and threading.current_thread() is not self:
            self.join(STOP_SECONDS)

    def run(self) -> None:
        self._stop_asked.wait(self._first_run_seconds)
        while not self._stop_asked.is_set():
            self._attempt(self.import_once)
            seconds = settings.ENVIRONMENT.auto_import_minutes * 60
            if not seconds:
                return
            for written in changes(watched_folders, self._stop_asked, seconds):
                self._attempt(partial(self.import_written, written))

    def _attempt(self, act: Callable[[], None]) -> None:
        try:
            act()
        except Exception:
            log.exception("the automatic import failed; it is tried again")

    def import_once(self) -> None:
        """One run over all clients."""
        self.progress = AutoImportProgress(running=True)
        try:
            self._import_all()
        except (ImportEnded, DatabaseError) as error:
            self._note_error(str(error))
            log.warning("the automatic import ended early: %s", error)
        finally:
            connection.close()
            self.progress.source, self.progress.running = None, False
            self.progress.finished_at_ms = now_ms()
            self._tell(at_once=True)
        self._on_finished(self.progress.events_imported)

    def import_written(self, paths: set[Path] | None) -> None:
        """What was written just now, in silence: its events are on the stream. None looks at all files."""
        exclude = settings.ENVIRONMENT.sync_exclude_patterns
        try:
            for source in SOURCES:
                roots = roots_of(source)
                if paths is None:
                    files = discover(source, roots, exclude).files
                else:
                    files = transcripts_of(source, roots, paths, exclude)
                for report in self._reports(source, files):
                    if report.error is not None:
                        self._note_error(f"{report.path}: {report.error}")
        except (ImportEnded, DatabaseError) as error:
            log.warning("what was written could not be imported: %s", error)
        finally:
            connection.close()

    def _import_all(self) -> None:
        exclude = settings.ENVIRONMENT.sync_exclude_patterns
        found = {source.name: discover(source, roots_of(source), exclude) for source in SOURCES}
        self.progress.files_total = sum(len(discovery.files) for discovery in found.values())
        for source in SOURCES:
            for path, reason in found[source.name].unreadable:
                self._note_error(f"{path}: {reason}")
            self._import_source(source, found[source.name].files)

    def _import_source(self, source: Source, files: list[FoundFile]) -> None:
        self.progress.source = source.title
        self._tell(at_once=True)
        for report in self._reports(source, files):
            self._note(report)

    def _reports(self, source: Source, files: list[FoundFile]) -> Iterator[FileReport]:
        if not files:
            return iter(())
        few = [str(file.path) for file in files] if len(files) < FEW_FILES else None
        options = ImportOptions(
            known=read_states(source, few),
            payload_limit_bytes=settings.ENVIRONMENT.max_payload_kb * 1024,
            stop=self._stop_asked,
        )
        return import_files(source, files, options, self._writer.store_bulk)

    def _note(self, report: FileReport) -> None:
        self.progress.files_done += 1
        self.progress.events_imported += report.imported
        if report.error is not None:
            self._note_error(f"{report.path}: {report.error}")
        self._tell(at_once=False)

    def _note_error(self, error: str) -> None:
        if len(self.progress.errors) < MOST_ERRORS:
            self.progress.errors.append(error)

    def _tell(self, *, at_once: bool) -> None:
        now = monotonic()
        if at_once or now >= self._next_progress:
            self._next_progress = now + PROGRESS_SECONDS
            self._on_progress(msgspec.structs.replace(self.progress))

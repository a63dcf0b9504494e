"""The import commands, thin: arguments in, one import, what it did out."""

import json
import signal
import socket
import sys
import threading
from argparse import ArgumentParser
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from time import monotonic
from types import FrameType
from typing import IO, Any, Final, cast

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from importers.auto import roots_of
from importers.console import plain_line, show_summary, with_bar
from importers.feeder import ALONE_GROUP_BYTES, ALONE_IN_FLIGHT, MOST_IN_FLIGHT, ImportEnded
from importers.files import CLAUDE, CODEX, GEMINI, Discovery, Source, Unreadable, discover
from importers.reader import TimeRange
from importers.report import FileReport, Summary
from importers.run import ImportOptions, import_files
from importers.state import ensure_database, read_states
from ingest import runtime
from ingest.call_store import Stored
from ingest.dates import parse_date
from ingest.store import Batch
from ingest.writer import BULK_LIMIT_BYTES
from monitor.prices import registry_in_force

DAY_MS: Final = 86_400_000
STOPPED_BY_CTRL_C: Final = 130
DATE_ONLY_CHARACTERS: Final = len("2026-01-31")


# What a slice holds up, a server beside us catches up with; it is looked for at its configured address.
PAUSE_SECONDS: Final = 0.02
CONNECT_SECONDS: Final = 0.2
DIRECTORY_OPTIONS: Final = {CLAUDE.name: "--claude-dir", CODEX.name: "--codex-dir", GEMINI.name: "--gemini-dir"}


class ImportCommand(BaseCommand):
    """Base of the import commands: each reads one client, import_history all of them."""

    sources: tuple[Source, ...]
    title: str

    def run_from_argv(self, argv: list[str]) -> None:
        """As every other fault, a wrong argument is one line and status 1."""
        try:
            super().run_from_argv(argv)
        except CommandError as fault:
            sys.exit(str(fault))

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.called_from_command_line = False
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--from", dest="from_date", metavar="DATE", help="leave out what is older (UTC)")
        parser.add_argument(
            "--to", dest="to_date", metavar="DATE", help="leave out what is newer (a day is whole)"
        )
        parser.add_argument("--dry-run", action="store_true", help="read and count, store nothing")
        parser.add_argument("--force", action="store_true", help="read unchanged files too")
        parser.add_argument("--json", action="store_true", help="print the sums as one JSON object")
        add_directories(parser, self.sources)

    def handle(self, *args: Any, **options: Any) -> None:
        began = monotonic()
        wanted = _time_range(options["from_date"], options["to_date"])
        roots = {source.name: roots_wanted(source, options[source.name]) for source in self.sources}
        ensure_database()
        summary = Summary(wanted, dry_run=options["dry_run"])
        stop = threading.Event()
        alone = not _server_answers()
        import_options = ImportOptions(
            wanted=wanted,
            dry_run=options["dry_run"],
            force=options["force"],
            payload_limit_bytes=settings.ENVIRONMENT.max_payload_kb * 1024,
            stop=stop,
            pause_seconds=0.0 if alone else PAUSE_SECONDS,
            most_in_flight=ALONE_IN_FLIGHT if alone else MOST_IN_FLIGHT,
        )
        with _ctrl_c(stop.set):
            ended = self._import_all(roots, import_options, summary, quiet=options["json"])
        self._show(summary.as_dict(registry_in_force(), monotonic() - began), as_json=options["json"])
        self._leave(ended, summary, stop)

    def _import_all(
        self, roots: Mapping[str, list[Path]], options: ImportOptions, summary: Summary, *, quiet: bool
    ) -> ImportEnded | None:
        try:
            for source in self.sources:
                found = discover(source, roots[source.name], settings.ENVIRONMENT.sync_exclude_patterns)
                summary.failed += found.unreadable
                summary.loops += found.loops
                known = replace(options, known=read_states(source))
                self._import(source, found, known, summary, quiet=quiet)
        except ImportEnded as ended:
            return ended
        finally:
            runtime.stop_writer()
        return None

    def _import(
        self, source: Source, found: Discovery, options: ImportOptions, summary: Summary, *, quiet: bool
    ) -> None:
        group_bytes = ALONE_GROUP_BYTES if options.most_in_flight == ALONE_IN_FLIGHT else BULK_LIMIT_BYTES

        def store(batch: Batch) -> "Future[Stored]":
            return runtime.writer(bulk_limit_bytes=group_bytes).store_bulk(batch)

        reports = import_files(source, found.files, options, store)
        if not quiet and self.stdout.isatty():
            reports = with_bar(reports, len(found.files), source.title, sys.stdout)
        for report in reports:
            self._note(report, summary, quiet=quiet)

    def _note(self, report: FileReport, summary: Summary, *, quiet: bool) -> None:
        summary.add(report)
        if report.error is not None:
            summary.failed.append(Unreadable(Path(report.path), report.error))
        if not quiet and not self.stdout.isatty():
            self.stdout.write(plain_line(report))

    def _show(self, sums: dict[str, Any], *, as_json: bool) -> None:
        if as_json:
            self.stdout.write(json.dumps(sums, ensure_ascii=False))
        else:
            stream = cast(IO[str], self.stdout)
            show_summary(self.title, sums, stream, is_terminal=self.stdout.isatty())

    def _leave(self, ended: ImportEnded | None, summary: Summary, stop: threading.Event) -> None:
        """Exit statuses: 1 for what could not be read or stored, 130 after Ctrl-C."""
        if stop.is_set():
            raise CommandError("Stopped; the next import goes on from here.", returncode=STOPPED_BY_CTRL_C)
        if ended is not None:
            raise CommandError(f"The import ended early: {ended}")
        if summary.failed:
            raise CommandError(f"{len(summary.failed)} files or directories could not be read.")


def add_directories(parser: ArgumentParser, sources: Iterable[Source]) -> None:
    """The option of each client that names its configuration directories."""
    for source in sources:
        parser.add_argument(
            DIRECTORY_OPTIONS[source.name],
            dest=source.name,
            action="append",
            type=Path,
            metavar="DIR",
            help=f"configuration directory of {source.title}; may be given more than once",
        )


def roots_wanted(source: Source, directories: list[Path] | None) -> list[Path]:
    """The directories that were named, else those of the environment."""
    for directory in directories or ():
        if not directory.is_dir():
            raise CommandError(f"No such directory: {directory} ({DIRECTORY_OPTIONS[source.name]})")
    return [directory.absolute() for directory in directories or roots_of(source)]


def _server_answers() -> bool:
    environment = settings.ENVIRONMENT
    try:
        with socket.create_connection((environment.host, environment.port), CONNECT_SECONDS):
            return True
    except OSError:
        return False


@contextmanager
def _ctrl_c(ask_to_stop: Callable[[], None]) -> Iterator[None]:
    """The first Ctrl-C asks to stop, the second one interrupts. Only the main thread may set this up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def asked(signum: int, frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, before)
        ask_to_stop()

    signal.signal(signal.SIGINT, asked)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _time_range(from_date: str | None, to_date: str | None) -> TimeRange:
    from_ms, to_ms = _date("--from", from_date), _date("--to", to_date)
    if to_ms is not None and to_date is not None and len(to_date.strip()) == DATE_ONLY_CHARACTERS:
        to_ms += DAY_MS - 1
    if from_ms is not None and to_ms is not None and from_ms > to_ms:
        raise CommandError("--from is later than --to")
    return TimeRange(from_ms, to_ms)


def _date(option: str, written: str | None) -> int | None:
    if written is None:
        return None
    at_ms = parse_date(written)
    if at_ms is None:
        raise CommandError(f"{option}: not a date: {written!r} (as in 2026-01-31)")
    return at_ms

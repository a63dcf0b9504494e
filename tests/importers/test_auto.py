"""The server's own import: what there is, how far it is, and that it ends when told."""

import dataclasses
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from django.conf import settings

from importers.auto import AutoImporter, AutoImportProgress, found_history
from ingest import runtime
from ingest.writer import Listener, Writer
from tests.importers.claude_writing import prompt
from tests.importers.codex_writing import meta, token_count, uuid7
from tests.importers.gemini_writing import header, typed
from tests.importers.importing import write_lines

WAIT_SECONDS = 20.0
in_database = pytest.mark.django_db(transaction=True)


@pytest.fixture
def clients(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Configuration directories with one transcript of each client."""
    claude, codex = tmp_path / "claude", tmp_path / "codex"
    write_lines(claude / "projects" / "a" / "auto-1.jsonl", [prompt("Go", 1, session="auto-1", promptId="auto-1")])
    write_lines(codex / "sessions" / "r.jsonl", [meta(uuid7(0)), token_count(1, (10, 0, 1))])
    places = {"claude_dirs": (claude,), "codex_home": codex, "gemini_cli_home": tmp_path}
    chosen = dataclasses.replace(settings.ENVIRONMENT, **places)
    monkeypatch.setattr(settings, "ENVIRONMENT", chosen)
    return tmp_path


@pytest.fixture
def writer() -> Iterator[Writer]:
    running = runtime.build_writer(Listener())
    running.start()
    yield running
    running.stop()


def test_what_there_is_to_import_is_counted_by_directory(clients: Path) -> None:
    chats = clients / ".gemini" / "tmp" / "shop" / "chats"
    write_lines(chats / "session-1.jsonl", [header(), typed("u", 2, "Go")])
    history = found_history()
    assert [(found.source, found.directory, found.files) for found in history] == [
        ("Claude Code", clients / "claude" / "projects", 1),
        ("Codex", clients / "codex" / "sessions", 1),
        ("Gemini CLI", clients / ".gemini" / "tmp", 1),
    ]
    assert all(found.newest_ms > 0 for found in history)


def test_without_transcripts_there_is_nothing(clients: Path) -> None:
    for file in clients.glob("**/*.jsonl"):
        file.unlink()
    assert found_history() == []


@in_database
def test_a_run_imports_every_client_and_tells_how_far_it_is(clients: Path, writer: Writer) -> None:
    told: list[AutoImportProgress] = []
    finished: list[int] = []
    importer = AutoImporter(writer, on_progress=told.append, on_finished=finished.append)
    importer.import_once()
    assert finished == [4]
    assert (told[0].running, told[0].source, told[0].files_done) == (True, "Claude Code", 0)
    last = importer.progress
    assert (last.running, last.source, last.files_total, last.files_done) == (False, None, 2, 2)
    assert (last.events_imported, last.errors) == (4, [])
    assert last.finished_at_ms is not None
    assert told[-1] == last
    msgspec.json.encode(last)


@in_database
def test_a_second_run_finds_nothing_new(clients: Path, writer: Writer) -> None:
    finished: list[int] = []
    importer = AutoImporter(writer, on_finished=finished.append)
    importer.import_once()
    importer.import_once()
    assert finished == [4, 0]


@in_database
def test_what_can_not_be_read_is_told_and_the_rest_imported(clients: Path, writer: Writer) -> None:
    (clients / "claude" / "projects" / "a" / "gone.jsonl").symlink_to(clients / "gone")
    importer = AutoImporter(writer)
    importer.import_once()
    assert importer.progress.events_imported == 4
    assert [error.endswith("gone.jsonl: No such file or directory") for error in importer.progress.errors] == [
        True
    ]


@in_database
def test_a_writer_that_ended_ends_the_run_with_a_word(clients: Path, writer: Writer) -> None:
    writer.stop()
    finished: list[int] = []
    importer = AutoImporter(writer, on_finished=finished.append)
    importer.import_once()
    assert importer.progress.errors == ["the writer has stopped"]
    assert finished == [0]


@in_database
def test_as_a_thread_it_runs_soon_and_stops_at_once(
    clients: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = threading.Event()
    importer = AutoImporter(writer, on_finished=lambda imported: ran.set(), first_run_seconds=0)
    importer.start()
    assert ran.wait(WAIT_SECONDS)
    importer.stop()
    assert not importer.is_alive()


def test_stopped_before_its_first_run_it_never_runs(clients: Path) -> None:
    ran = threading.Event()
    unused = runtime.build_writer(Listener())
    importer = AutoImporter(unused, on_finished=lambda imported: ran.set(), first_run_seconds=3600)
    importer.start()
    importer.stop()
    assert not importer.is_alive()
    assert not ran.is_set()


@in_database
def test_a_failure_of_one_run_does_not_end_the_thread(
    clients: Path, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = threading.Event()
    runs: list[int] = []

    def fails_once(imported: int) -> None:
        runs.append(imported)
        if len(runs) == 1:
            raise sqlite3.Error("the stream is gone")
        done.set()

    often = dataclasses.replace(settings.ENVIRONMENT, auto_import_minutes=1e-6)
    monkeypatch.setattr(settings, "ENVIRONMENT", often)
    importer = AutoImporter(writer, on_finished=fails_once, first_run_seconds=0)
    importer.start()
    assert done.wait(WAIT_SECONDS)
    importer.stop()
    assert runs[:2] == [4, 0]

"""One import: slices, what is kept of each file, bad lines, ranges, patience, and stopping."""

import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from importers import run
from importers.claude import ClaudeReader
from importers.feeder import MOST_IN_FLIGHT, MOST_TRIES, ImportEnded
from importers.files import CLAUDE, CODEX, discover
from importers.report import MOST_LISTED, FileReport
from importers.run import ImportOptions, TimeRange, import_files
from importers.state import FileState
from ingest.call_store import Stored
from ingest.store import Batch
from ingest.writer import Stopped, Unavailable
from tests.importers.claude_writing import BEGAN_MS, answer, prompt, usage
from tests.importers.codex_writing import meta, token_count, uuid7
from tests.importers.importing import Home, Line, write_lines

PROMPTS = [prompt(f"Go {number}", number, promptId=f"p-{number}") for number in range(5)]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "claude" / "projects" / "a" / "s-1.jsonl"


@pytest.fixture
def root(file: Path) -> Path:
    return file.parent.parent.parent


def many_prompts(number: int) -> list[Line]:
    return [prompt("Go", second, promptId=f"p-{second}") for second in range(number)]


def only(reports: list[FileReport]) -> FileReport:
    (report,) = reports
    return report


def test_a_file_goes_to_the_writer_in_slices_of_500(home: Home, root: Path, file: Path) -> None:
    write_lines(file, many_prompts(1100))
    report = only(home.run(CLAUDE, root))
    assert [len(batch.events) for batch in home.batches if batch.events] == [500, 500, 100]
    assert (report.outcome, report.events, report.imported) == ("DONE", 1100, 1100)


def test_only_the_last_slice_says_that_the_file_was_read(home: Home, root: Path, file: Path) -> None:
    write_lines(file, many_prompts(1100))
    home.run(CLAUDE, root)
    assert [len(batch.files) for batch in home.batches] == [0] * (len(home.batches) - 1) + [1]


def test_an_import_that_was_killed_between_slices_is_made_good_by_the_next(
    home: Home, root: Path, file: Path
) -> None:
    write_lines(file, many_prompts(1100))
    stored = 0

    def dies_after_two(batch: Batch) -> "Future[Stored]":
        nonlocal stored
        stored += 1
        if stored > 2:
            raise KeyboardInterrupt
        return home.store(batch)

    with pytest.raises(KeyboardInterrupt):
        list(import_files(CLAUDE, discover(CLAUDE, [root]).files, ImportOptions(), dies_after_two))
    assert home.rows("SELECT * FROM import_state") == []
    home.run(CLAUDE, root)
    assert len(home.events()) == 1100


def test_few_slices_are_under_way(root: Path, file: Path) -> None:
    write_lines(file, many_prompts(5000))
    waiting: list[Future[Stored]] = []
    most = 0

    class Lazy(Future[Stored]):
        """Done only when somebody waits for it."""

        def result(self, timeout: float | None = None) -> Stored:
            waiting.remove(self)
            return Stored([], 0)

    def store(batch: Batch) -> "Future[Stored]":
        nonlocal most
        waiting.append(Lazy())
        most = max(most, len(waiting))
        return waiting[-1]

    list(import_files(CLAUDE, discover(CLAUDE, [root]).files, ImportOptions(), store))
    assert (most, waiting) == (MOST_IN_FLIGHT, [])


def test_a_broken_line_is_named_and_costs_nothing_else(home: Home, root: Path, file: Path) -> None:
    write_lines(file, [PROMPTS[0], "not json", '["list"]', PROMPTS[1]])
    report = only(home.run(CLAUDE, root))
    assert [(bad.path, bad.line, bad.reason) for bad in report.bad] == [
        (str(file), 2, "not JSON"),
        (str(file), 3, "not a JSON object"),
    ]
    assert (report.lines, report.bad_lines, report.events) == (4, 2, 2)


def test_of_many_broken_lines_the_first_are_named_and_all_counted(home: Home, root: Path, file: Path) -> None:
    write_lines(file, [PROMPTS[0], *["{"] * 100])
    report = only(home.run(CLAUDE, root))
    assert (len(report.bad), report.bad_lines) == (MOST_LISTED, 100)


def test_a_line_that_is_too_long_is_named(
    home: Home, root: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lines(file, [PROMPTS[0], prompt("x" * 5000, 1), PROMPTS[1]])
    real = run.read_lines
    monkeypatch.setattr(run, "read_lines", lambda *where, **at: real(*where, longest_bytes=2000, **at))
    report = only(home.run(CLAUDE, root))
    assert [(bad.line, bad.reason) for bad in report.bad] == [(2, "too long")]
    assert report.events == 2


def test_a_line_that_the_reader_trips_over_is_a_bad_line(
    home: Home, root: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lines(file, PROMPTS[:2])
    read = ClaudeReader.read

    def trips(reader: ClaudeReader, number: int, line: Line) -> None:
        read(reader, number // number * number, line)

    monkeypatch.setattr(ClaudeReader, "read", trips)
    report = only(home.run(CLAUDE, root))
    assert [(bad.line, bad.reason) for bad in report.bad] == [(1, "ZeroDivisionError")]
    assert report.events == 1


def test_blank_lines_are_nothing(home: Home, root: Path, file: Path) -> None:
    write_lines(file, [PROMPTS[0], "", "  ", PROMPTS[1]])
    report = only(home.run(CLAUDE, root))
    assert (report.lines, report.bad_lines) == (2, 0)


def test_a_half_written_last_line_waits_for_its_rest(home: Home, root: Path, file: Path) -> None:
    write_lines(file, [PROMPTS[0]])
    whole = file.read_text()
    rest = write_lines(file.with_suffix(".tmp"), [PROMPTS[1]]).read_text()
    file.write_text(whole + rest[:40])
    report = only(home.run(CLAUDE, root))
    assert (report.events, report.bad_lines) == (1, 0)
    file.write_text(whole + rest)
    assert only(home.run(CLAUDE, root)).imported == 1


def test_a_last_line_that_lacks_only_its_line_feed_is_read(home: Home, root: Path, file: Path) -> None:
    write_lines(file, PROMPTS[:2])
    file.write_text(file.read_text().rstrip("\n"))
    assert only(home.run(CLAUDE, root)).events == 2


def test_an_unchanged_file_is_skipped(home: Home, root: Path, file: Path) -> None:
    write_lines(file, PROMPTS)
    home.run(CLAUDE, root)
    assert only(home.run(CLAUDE, root)).outcome == "SKIP"


def test_an_unchanged_file_is_read_when_forced(home: Home, root: Path, file: Path) -> None:
    write_lines(file, PROMPTS)
    home.run(CLAUDE, root)
    report = only(home.run(CLAUDE, root, force=True))
    assert (report.outcome, report.imported, report.duplicates) == ("DONE", 0, 5)


def test_a_rewritten_file_of_the_same_size_is_read_again(home: Home, root: Path, file: Path) -> None:
    write_lines(file, PROMPTS)
    home.run(CLAUDE, root)
    file.write_text(file.read_text().replace("Go 1", "Go 9"))
    assert only(home.run(CLAUDE, root)).outcome == "DONE"


def test_a_file_without_events_makes_no_session_and_is_not_read_again(home: Home, root: Path, file: Path) -> None:
    write_lines(file, [{"type": "mode", "sessionId": "s-1"}])
    assert only(home.run(CLAUDE, root)).outcome == "EMPTY"
    assert home.rows("SELECT * FROM sessions") == []
    assert only(home.run(CLAUDE, root)).outcome == "SKIP"


def test_the_first_events_of_a_file_that_had_none_are_read(home: Home, root: Path, file: Path) -> None:
    write_lines(file, [{"type": "mode", "sessionId": "s-1"}])
    home.run(CLAUDE, root)
    write_lines(file, [{"type": "mode", "sessionId": "s-1"}, *PROMPTS])
    assert only(home.run(CLAUDE, root)).events == len(PROMPTS)


def test_a_file_that_vanished_is_a_failure_and_the_next_is_read(home: Home, root: Path, file: Path) -> None:
    write_lines(file, PROMPTS)
    write_lines(file.with_name("s-2.jsonl"), [prompt("Go", 1, session="s-2")])
    files = discover(CLAUDE, [root]).files
    file.unlink()
    reports = list(import_files(CLAUDE, files, ImportOptions(), home.store))
    assert {Path(report.path).name: (report.outcome, report.error) for report in reports} == {
        "s-1.jsonl": ("FAIL", "No such file or directory"),
        "s-2.jsonl": ("DONE", None),
    }


def test_a_dry_run_counts_and_stores_nothing(home: Home, root: Path, file: Path) -> None:
    write_lines(file, [*PROMPTS, answer(9, usage(40))])
    report = only(home.run(CLAUDE, root, dry_run=True))
    assert (report.outcome, report.events, len(report.calls)) == ("FOUND", 6, 1)
    assert home.batches == []


def test_a_range_takes_lines_by_their_time_and_forgets_the_file(home: Home, root: Path, file: Path) -> None:
    write_lines(file, [*PROMPTS, {"type": "user", "sessionId": "s-1", "message": {"content": "no time"}}])
    report = only(home.run(CLAUDE, root, wanted=TimeRange(BEGAN_MS + 1000, BEGAN_MS + 3000)))
    assert report.events == 3
    assert home.rows("SELECT * FROM import_state") == []


@pytest.mark.parametrize(("from_second", "events"), [(0, 3), (1, 0)])
def test_a_range_takes_codex_sessions_by_their_start(
    home: Home, tmp_path: Path, from_second: int, events: int
) -> None:
    lines = [meta(uuid7(0), 0), token_count(50, (10, 0, 1))]
    write_lines(tmp_path / "codex" / "sessions" / "r.jsonl", lines)
    report = only(home.run(CODEX, tmp_path / "codex", wanted=TimeRange(BEGAN_MS + from_second * 1000, None)))
    assert report.events == events


def test_a_busy_database_is_tried_again(home: Home, root: Path, file: Path) -> None:
    write_lines(file, many_prompts(1100))
    refusals = iter([True, False] * 50)

    def sometimes(batch: Batch) -> "Future[Stored]":
        if not next(refusals):
            return home.store(batch)
        refused: Future[Stored] = Future()
        refused.set_exception(Unavailable("locked"))
        return refused

    options = ImportOptions(retry_seconds=0)
    report = only(list(import_files(CLAUDE, discover(CLAUDE, [root]).files, options, sometimes)))
    assert (report.outcome, report.imported) == ("DONE", 1100)


def test_a_database_that_stays_busy_ends_the_import(root: Path, file: Path) -> None:
    write_lines(file, PROMPTS)
    tries = 0

    def never(batch: Batch) -> "Future[Stored]":
        nonlocal tries
        tries += 1
        refused: Future[Stored] = Future()
        refused.set_exception(Unavailable("locked"))
        return refused

    with pytest.raises(ImportEnded, match="locked"):
        list(import_files(CLAUDE, discover(CLAUDE, [root]).files, ImportOptions(retry_seconds=0), never))
    assert tries == MOST_TRIES


def test_a_writer_that_ended_ends_the_import(root: Path, file: Path) -> None:
    write_lines(file, PROMPTS)

    def ended(batch: Batch) -> "Future[Stored]":
        raise Stopped

    with pytest.raises(ImportEnded, match="stopped"):
        list(import_files(CLAUDE, discover(CLAUDE, [root]).files, ImportOptions(), ended))


def test_told_to_stop_it_stores_what_it_read_and_the_next_import_goes_on_there(
    home: Home, root: Path, file: Path
) -> None:
    write_lines(file, many_prompts(2000))
    write_lines(file.with_name("s-2.jsonl"), [prompt("Go", 1, session="s-2")])
    stop = threading.Event()

    def stops_it(batch: Batch) -> "Future[Stored]":
        if batch.events:
            stop.set()
        return home.store(batch)

    files = sorted(discover(CLAUDE, [root]).files)
    report = only(list(import_files(CLAUDE, files, ImportOptions(stop=stop), stops_it)))
    assert report.outcome == "STOP"
    assert 500 <= report.imported == report.lines < 2000
    rest = home.run(CLAUDE, root)
    assert sum(report.lines for report in rest) == sum(report.imported for report in rest) == 2001 - report.lines


def test_a_state_of_another_size_needs_no_digest(home: Home, root: Path, file: Path) -> None:
    write_lines(file, PROMPTS)
    known = {str(file): FileState("of another file", 1)}
    assert only(home.run(CLAUDE, root, known=known)).outcome == "DONE"


def test_a_pause_lies_before_each_slice_and_all_before_it_is_stored(home: Home, root: Path, file: Path) -> None:
    write_lines(file, [prompt("Go", 1, promptId=f"q-{number}") for number in range(1200)])
    pauses: list[tuple[float | None, int]] = []

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append((timeout, len(home.events())))
            return False

    home.run(CLAUDE, root, stop=Stop(), pause_seconds=0.5)
    assert pauses == [(0.5, 0), (0.5, 500), (0.5, 1000)]

"""A file that has grown costs what was added; any other change is noticed, and nothing counts twice."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from importers import run, snapshot
from importers.files import CLAUDE
from importers.report import FileReport
from tests.importers.claude_writing import answer, prompt, tool, tool_result, usage
from tests.importers.importing import Home, Line, write_lines


def prompts(*numbers: int) -> list[Line]:
    return [prompt(f"Number {number}", number, promptId=f"p-{number}") for number in numbers]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "claude"


@pytest.fixture
def file(root: Path) -> Path:
    return root / "projects" / "a" / "s-1.jsonl"


@pytest.fixture
def take(home: Home, root: Path) -> Callable[..., FileReport]:
    """One import of the one file."""

    def imported(**options: Any) -> FileReport:
        (report,) = home.run(CLAUDE, root, **options)
        return report

    return imported


Take = Callable[..., FileReport]


def append(file: Path, *lines: Line) -> None:
    more = write_lines(file.with_suffix(".more"), lines)
    with file.open("ab") as stream:
        stream.write(more.read_bytes())
    more.unlink()


def state(home: Home) -> dict[str, Any]:
    (row,) = home.rows("SELECT * FROM import_state")
    return row


def test_of_a_file_that_has_grown_only_the_new_lines_are_read(home: Home, file: Path, take: Take) -> None:
    write_lines(file, prompts(1, 2, 3))
    take()
    append(file, *prompts(4))
    report = take()
    assert (report.outcome, report.lines, report.imported) == ("DONE", 1, 1)
    assert len(home.events()) == 4
    assert (state(home)["file_size"], state(home)["offset_bytes"]) == (file.stat().st_size, file.stat().st_size)
    assert take().outcome == "SKIP"


def test_an_unchanged_file_is_not_opened(file: Path, take: Take, monkeypatch: pytest.MonkeyPatch) -> None:
    write_lines(file, prompts(1))
    take()
    monkeypatch.setattr(Path, "open", lambda path, *mode: pytest.fail(f"{path} was opened"))
    assert take().outcome == "SKIP"


def test_a_touched_file_is_compared_once(
    home: Home, file: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lines(file, prompts(1))
    take()
    os.utime(file, (1, 1))
    assert take().outcome == "SKIP"
    monkeypatch.setattr(run, "has_same_content", lambda known, found: pytest.fail("it was compared again"))
    assert take().outcome == "SKIP"


def test_a_touched_file_can_still_go_on(file: Path, take: Take) -> None:
    write_lines(file, prompts(1, 2))
    take()
    os.utime(file, (1, 1))
    take()
    append(file, *prompts(3))
    assert take().lines == 1


def test_lines_without_events_are_read_once(home: Home, file: Path, take: Take) -> None:
    write_lines(file, prompts(1))
    take()
    append(file, {"type": "mode", "mode": "normal", "sessionId": "s-1"})
    assert (take().outcome, take().outcome) == ("EMPTY", "SKIP")


def test_a_half_written_line_waits_and_keeps_its_number(home: Home, file: Path, take: Take) -> None:
    write_lines(file, [*prompts(1), {"type": "odd", "sessionId": "s-1", "content": "Two"}])
    whole = file.read_bytes()
    file.write_bytes(whole[:-10])
    take()
    file.write_bytes(whole)
    assert (take().lines, len(home.events())) == (1, 2)
    append(file, {"type": "odd", "sessionId": "s-1", "content": "Three"})
    take()
    ids = [event["event_id"] for event in home.events()]
    take(force=True)
    assert [event["event_id"] for event in home.events()] == ids


def test_a_last_line_without_its_line_feed_counts_once(home: Home, file: Path, take: Take) -> None:
    write_lines(file, [*prompts(1), {"type": "odd", "sessionId": "s-1", "content": "Two"}])
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    take()
    assert len(home.events()) == 2
    file.write_bytes(whole)
    append(file, {"type": "odd", "sessionId": "s-1", "content": "Three"})
    take()
    assert len(home.events()) == 3
    assert take(force=True).imported == 0


def rewritten(file: Path) -> None:
    write_lines(file, prompts(7, 8, 9, 10))


def rewritten_at_equal_length(file: Path) -> None:
    write_lines(file, prompts(7, 2, 3))


def changed_before_its_end(file: Path) -> None:
    write_lines(file, prompts(7, 2, 3, 4))


def truncated(file: Path) -> None:
    write_lines(file, prompts(7))


def replaced(file: Path) -> None:
    other = write_lines(file.with_suffix(".new"), prompts(1, 2, 3, 7))
    other.replace(file)


def moved(file: Path) -> None:
    file.rename(file.with_name("s-2.jsonl"))
    append(file.with_name("s-2.jsonl"), *prompts(7))


CHANGES = [rewritten, rewritten_at_equal_length, changed_before_its_end, truncated, replaced, moved]


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_any_other_change_is_noticed(home: Home, file: Path, take: Take, change: Callable[[Path], None]) -> None:
    write_lines(file, prompts(1, 2, 3))
    take()
    change(file)
    report = take()
    told = [event["event_id"] for event in home.events()]
    assert (report.outcome, "cc-prompt-p-7" in told) == ("DONE", True)
    assert len(told) == len(set(told))
    assert take().outcome == "SKIP"


def test_an_answer_and_a_tool_that_end_after_a_restart(home: Home, file: Path, take: Take) -> None:
    write_lines(
        file,
        [
            *prompts(1),
            answer(2, usage(5), request="r-1", message="m-1", stop=None),
        ],
    )
    take()
    append(file, answer(3, usage(60), request="r-1", message="m-1", content=[tool("Bash", "t-1", command="ls")]))
    assert take().lines == 1
    append(file, tool_result("t-1", 4))
    assert take().lines == 1
    assert [(call["call_key"], call["output_tokens"]) for call in home.calls()] == [("request:r-1", 60)]
    assert [event["event_type"] for event in home.events()] == ["user_prompt", "llm_response", "tool_use"]


def test_what_another_version_of_the_readers_kept_is_not_used(
    file: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_lines(file, prompts(1, 2))
    monkeypatch.setattr(snapshot, "version", lambda: b"older")
    take()
    monkeypatch.undo()
    append(file, *prompts(3))
    assert (take().lines, take().outcome) == (3, "SKIP")


@pytest.mark.parametrize("damage", [b"", b"no pickle", None], ids=["empty", "other", "missing"])
def test_a_damaged_memory_costs_a_whole_reading(home: Home, file: Path, take: Take, damage: bytes | None) -> None:
    write_lines(file, prompts(1, 2))
    take()
    kept = None if damage is None else snapshot.version() + damage
    home.connection.execute("UPDATE import_state SET reader_state = ?", (kept,))
    append(file, *prompts(3))
    assert take().lines == 3


def test_a_memory_can_build_nothing_but_readers() -> None:
    hostile = snapshot.freeze(shutil.rmtree, 0)  # type: ignore[arg-type]
    assert hostile is not None
    assert snapshot.thaw(hostile) is None

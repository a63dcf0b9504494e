"""A running server shows what clients write, with no hook installed."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from importers import follow
from tests.conftest import ServerFactory
from tests.importers.claude_writing import answer, prompt, tool, usage
from tests.importers.codex_writing import meta, turn, uuid7
from tests.importers.gemini_writing import header, typed
from tests.importers.importing import Line, write_lines
from tests.serving import Server, eventually
from tests.streaming import Stream

LIMIT_SECONDS = 10.0


@contextmanager
def following(serving: ServerFactory, tmp_path: Path, **variables: Any) -> Iterator[tuple[Server, Stream]]:
    """A server whose first look at everything is over."""
    places = {
        "AGENTMONITOR_CLAUDE_DIR": str(tmp_path / "claude"),
        "CODEX_HOME": str(tmp_path / "codex"),
        "GEMINI_CLI_HOME": str(tmp_path),
        "AGENTMONITOR_AUTO_IMPORT_MINUTES": "10",
    }
    with serving(**places, **variables) as server:
        eventually(lambda: server.get("/api/status")["import"]["finished_at_ms"], what="the first import")
        with Stream(server) as stream:
            yield server, stream


def append(file: Path, *lines: Line) -> None:
    """As a client does: the file may be there or not."""
    more = write_lines(file.with_name("more.tmp"), lines)
    with file.open("ab") as stream:
        stream.write(more.read_bytes())
    more.unlink()


def told(stream: Stream, session: str) -> list[tuple[str, str | None]]:
    payloads = [frame.message["payload"] for frame in stream.frames if frame.kind == "event"]
    return [(row["event_type"], row["tool_name"]) for row in payloads if row["session_id"] == session]


def test_a_transcript_is_on_the_stream_as_it_is_written(serving: ServerFactory, tmp_path: Path) -> None:
    file = tmp_path / "claude" / "projects" / "a" / "s-1.jsonl"
    write_lines(file, [prompt("Go", 1, promptId="p-1")])
    with following(serving, tmp_path) as (server, stream):
        append(file, answer(2, usage(5), content=[tool("Bash", "t-1", command="ls")]))
        stream.wait_for(lambda: ("tool_use", "Bash") in told(stream, "s-1"), "the tool that was written")
        append(file, prompt("And then?", 3, promptId="p-2"))
        stream.wait_for(lambda: told(stream, "s-1")[-1][0] == "user_prompt", "the prompt that was written")
        assert server.get("/api/events", session_id="s-1")["total"] == 4


def test_new_sessions_of_every_client_appear(serving: ServerFactory, tmp_path: Path) -> None:
    for folder in ("claude/projects", "codex/sessions", ".gemini/tmp"):
        (tmp_path / folder).mkdir(parents=True)
    with following(serving, tmp_path) as (_, stream):
        thread = uuid7(0)
        append(tmp_path / "claude/projects/b/s-2.jsonl", prompt("Go", 1, session="s-2", promptId="p-3"))
        append(tmp_path / "codex/sessions/2026/09/r.jsonl", meta(thread), turn(1))
        append(tmp_path / ".gemini/tmp/shop/chats/session-1.jsonl", header("g-1"), typed("u", 1, "Go"))
        for session in ("s-2", thread, "g-1"):
            stream.wait_for(lambda session=session: told(stream, session), f"the session {session}")


def test_a_client_that_is_installed_later_is_seen(serving: ServerFactory, tmp_path: Path) -> None:
    with following(serving, tmp_path) as (_, stream):
        append(tmp_path / "claude/projects/b/s-3.jsonl", prompt("Go", 1, session="s-3", promptId="p-4"))
        stream.wait_for(lambda: told(stream, "s-3"), "the first session")


def test_what_is_excluded_is_not_followed(serving: ServerFactory, tmp_path: Path) -> None:
    (tmp_path / "claude/projects/secret").mkdir(parents=True)
    with following(serving, tmp_path, AGENTMONITOR_SYNC_EXCLUDE_PATTERNS="secret") as (_, stream):
        append(tmp_path / "claude/projects/secret/s-4.jsonl", prompt("Hush", 1, session="s-4", promptId="p-5"))
        append(tmp_path / "claude/projects/open/s-5.jsonl", prompt("Go", 2, session="s-5", promptId="p-6"))
        stream.wait_for(lambda: told(stream, "s-5"), "the open session")
        assert told(stream, "s-4") == []


@pytest.fixture
def changes(tmp_path: Path) -> Iterator[Callable[[], set[Path] | None]]:
    stop = threading.Event()
    found = follow.changes(lambda: [tmp_path], stop, LIMIT_SECONDS)
    yield lambda: next(found)
    stop.set()


def test_a_new_watch_asks_for_a_look_everywhere(changes: Callable[[], set[Path] | None]) -> None:
    assert changes() is None


@pytest.mark.parametrize("refused", [False, True], ids=["told by the system", "polling"])
def test_changed_files_are_named(
    changes: Callable[[], set[Path] | None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, refused: bool
) -> None:
    real = follow.watch

    def watch(*paths: Path, **options: Any) -> Any:
        if refused and not options["force_polling"]:
            raise OSError("no watches left")
        return real(*paths, **options)

    monkeypatch.setattr(follow, "watch", watch)
    assert changes() is None
    (tmp_path / "a.jsonl").write_text("{}\n")
    assert tmp_path / "a.jsonl" in (changes() or ())


def test_it_ends_when_told(tmp_path: Path) -> None:
    stop = threading.Event()
    stop.set()
    assert list(follow.changes(lambda: [tmp_path], stop, LIMIT_SECONDS)) == []

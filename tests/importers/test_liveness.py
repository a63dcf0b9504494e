"""Who runs, who was killed, who left; with real processes."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from importers.claude_processes import ClaudeProcess, Unreadable, claude_processes, process_of
from importers.liveness import NOTED_EVERY_MS, verdicts
from ingest.contract import SessionFacts
from monitor.queries_attention import OpenSession
from tests.serving import eventually

AT_MS = 1_795_569_334_519
# As Claude Code 2.1.197 writes it, while it asks for a permission.
REAL = {
    "pid": 27036,
    "sessionId": "a960a414-bc73-4d60-b6f8-8b1aa4897759",
    "cwd": "/tmp/agentmonitor-demo/shop-api",
    "startedAt": 1795569237426,
    "procStart": "1368044",
    "version": "2.1.197",
    "peerProtocol": 1,
    "kind": "interactive",
    "entrypoint": "cli",
    "name": "shop-api-da",
    "nameSource": "derived",
    "status": "waiting",
    "updatedAt": 1795569246098,
    "statusUpdatedAt": 1795569246098,
    "waitingFor": "permission prompt",
}


def process(status: str | None = None, at_ms: int = AT_MS, *, alive: bool = True) -> ClaudeProcess:
    return ClaudeProcess("s", 7, None, status, at_ms, "permission prompt" if status == "waiting" else None, alive)


def session(state: str | None = None, at_ms: int = AT_MS - 1000, alive_at_ms: int | None = AT_MS) -> OpenSession:
    return OpenSession(state, at_ms if state else None, alive_at_ms)


def told(*processes: ClaudeProcess, known: OpenSession, missing: bool = False) -> SessionFacts | None:
    found = verdicts(processes, {"s": known}, {"s"} if missing else set(), AT_MS)
    return found[0] if found else None


def test_the_real_file_is_read() -> None:
    read = process_of(REAL)
    assert read is not None
    assert (read.session_id, read.pid, read.proc_start) == (REAL["sessionId"], 27036, "1368044")
    assert (read.status, read.status_at_ms, read.waiting_for) == ("waiting", 1795569246098, "permission prompt")


@pytest.mark.parametrize("change", [{"sessionId": None}, {"pid": 0}, {"pid": "x"}, {"pid": 2**40}, {"pid": True}])
def test_a_file_that_names_nobody_is_none(change: dict[str, Any]) -> None:
    assert process_of(REAL | change) is None


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "60"]) as running:
        yield running
        running.kill()


def written(root: Path, pid: int, **fields: Any) -> Path:
    folder = root / "sessions"
    folder.mkdir(exist_ok=True)
    path = folder / f"{pid}.json"
    path.write_text(json.dumps(REAL | {"pid": pid, "procStart": None} | fields))
    return path


def test_a_killed_process_is_not_alive(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    written(tmp_path, sleeper.pid)
    assert [found.is_alive for found in claude_processes([tmp_path])] == [True]
    sleeper.kill()
    # Before its parent has taken note of the end, too.
    eventually(lambda: [found.is_alive for found in claude_processes([tmp_path])] == [False])


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the kernel tells no start of a process")
def test_another_process_under_the_same_number_is_not_the_same(tmp_path: Path) -> None:
    own = Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]
    written(tmp_path, os.getpid(), procStart=own)
    assert [found.is_alive for found in claude_processes([tmp_path])] == [True]
    written(tmp_path, os.getpid(), procStart=str(int(own) - 1))
    assert [found.is_alive for found in claude_processes([tmp_path])] == [False]


def test_what_is_no_file_of_a_process_is_passed_over(tmp_path: Path) -> None:
    assert claude_processes([tmp_path / "nowhere"]) == []
    (tmp_path / "sessions").mkdir()
    (tmp_path / "sessions" / "notes.json").write_text("{")
    assert claude_processes([tmp_path]) == []


def test_a_file_that_is_being_written_tells_that_nothing_is_known(tmp_path: Path) -> None:
    written(tmp_path, 1).write_text('{"pid": 1, "sess')
    with pytest.raises(Unreadable):
        claude_processes([tmp_path])


def test_a_life_is_noted_now_and_then() -> None:
    assert told(process(), known=session()) is None
    noted = told(process(), known=session(alive_at_ms=AT_MS - NOTED_EVERY_MS))
    assert noted is not None and noted.alive_at_ms == AT_MS
    first = told(process(), known=session(alive_at_ms=None))
    assert first is not None and (first.alive_at_ms, first.sign_of_life) == (AT_MS, False)


def test_only_who_was_seen_alive_can_be_found_dead() -> None:
    dead = told(process(alive=False), known=session())
    assert dead is not None and (dead.dies, dead.ends) == (True, False)
    assert told(process(alive=False), known=session(alive_at_ms=None)) is None
    # Resumed in another process: the file of the first is still there.
    assert told(process(), process(alive=False), known=session()) is None
    assert told(process(alive=False), process(), known=session()) is None


def test_who_has_no_process_twice_has_left() -> None:
    assert told(known=session()) is None
    left = told(known=session(), missing=True)
    assert left is not None and (left.dies, left.ends) == (False, True)
    assert told(known=session(alive_at_ms=None), missing=True) is None


@pytest.mark.parametrize(
    ("status", "state", "then"),
    [
        ("idle", "tool", ("turn_ended", None)),
        ("idle", "permission", ("turn_ended", None)),
        ("idle", "turn_ended", None),
        ("idle", None, None),
        ("busy", "permission", ("working", None)),
        ("busy", "turn_ended", ("working", None)),
        ("busy", None, ("working", None)),
        ("busy", "tool", None),
        ("waiting", "tool", ("permission", "permission prompt")),
        ("waiting", "question", None),
        ("strange", "tool", None),
        (None, "tool", None),
    ],
)
def test_what_the_client_says_of_itself_counts_where_it_is_news(
    status: str | None, state: str | None, then: tuple[str, str | None] | None
) -> None:
    facts = told(process(status), known=session(state))
    assert (None if facts is None else (facts.state, facts.state_detail)) == then
    older = told(process(status, AT_MS - 2000), known=session(state or "tool"))
    assert older is None

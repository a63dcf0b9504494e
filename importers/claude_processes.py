"""Which Claude Code processes run, and what they say they do: `<config>/sessions/<pid>.json`. Facts of 2.1.197.

A client writes its file at the start, rewrites it with each change of status, and takes it away when it leaves.
A file whose process is gone was left by a kill. `procStart` is the process's start in the kernel's own count, so
that another process under the same number is told apart.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from importers.fields import text
from importers.lines import BadLine, decode_line

MOST_FILES: Final = 500
LARGEST_FILE_BYTES: Final = 65_536
# Of /proc/<pid>/stat, behind the name in parentheses.
START_FIELD: Final = 19
ENDED: Final = "ended"


class ClaudeProcess(NamedTuple):
    """One file. `status` is busy, idle or waiting, since `status_at_ms`; `is_alive` whether its process runs."""

    session_id: str
    pid: int
    proc_start: str | None
    status: str | None
    status_at_ms: int
    waiting_for: str | None
    is_alive: bool = False


class Unreadable(Exception):
    """Not all files could be read: nothing is known of who has none."""


def claude_processes(roots: Iterable[Path]) -> list[ClaudeProcess]:
    """All that are named in these configuration directories. Raises Unreadable."""
    found = []
    for root in roots:
        for path in _files(root / "sessions"):
            process = _read(path)
            if process is not None:
                found.append(process._replace(is_alive=is_alive(process)))
    return found


def _files(folder: Path) -> Iterator[Path]:
    try:
        names = sorted(folder.iterdir())[:MOST_FILES]
    except FileNotFoundError:
        return
    except OSError as error:
        raise Unreadable(str(error)) from None
    yield from (path for path in names if path.suffix == ".json" and path.stem.isdigit())


def _read(path: Path) -> ClaudeProcess | None:
    try:
        with path.open("rb") as stream:
            return process_of(decode_line(stream.read(LARGEST_FILE_BYTES)))
    except FileNotFoundError:
        return None
    except (OSError, BadLine) as error:
        raise Unreadable(f"{path}: {error}") from None


def process_of(content: dict[str, Any]) -> ClaudeProcess | None:
    """From a file's content; None when it names no session or no process. Pure."""
    session_id, pid = text(content.get("sessionId")), _whole(content.get("pid"))
    if session_id is None or not 0 < pid < 2**31:
        return None
    return ClaudeProcess(
        session_id,
        pid,
        text(content.get("procStart")),
        text(content.get("status")),
        _whole(content.get("statusUpdatedAt")),
        text(content.get("waitingFor")),
    )


def _whole(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else 0


def is_alive(process: ClaudeProcess) -> bool:
    """Whether the very process runs."""
    try:
        os.kill(process.pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        # Another user's: it runs.
        pass
    started = _started(process.pid)
    if started is None or process.proc_start is None:
        return started != ENDED
    return started == process.proc_start


def _started(pid: int) -> str | None:
    """The start of a process in the kernel's count; None where the kernel has no such files.

    A killed process whose parent has not noticed yet is still there: ENDED.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return ENDED if fields[:1] == ["Z"] else fields[START_FIELD] if len(fields) > START_FIELD else None

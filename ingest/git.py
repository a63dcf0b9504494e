"""The git branch of a project directory, cached, read from `.git/HEAD` without starting a process."""

import re
from pathlib import Path
from time import monotonic
from typing import Final

CACHE_SECONDS: Final = 60.0
MOST_CACHED: Final = 1000
LONGEST_LINE_BYTES: Final = 4096
PLAIN_NAME: Final = re.compile(r"[^/\\\0]{1,255}")


class BranchLookup:
    """`branch(project)` for projects under one directory; what was found, and what was not, holds 60 s.

    Reading one small file takes some 50 µs, so the writer may do it between two events; the contract's
    `git rev-parse` would take milliseconds, or its whole time limit, for the same answer.
    """

    def __init__(self, projects_dir: Path) -> None:
        self._projects_dir = projects_dir
        self._known: dict[str, tuple[float, str | None]] = {}

    def branch(self, project: str) -> str | None:
        """Of a project by its name."""
        if project in {".", ".."} or not PLAIN_NAME.fullmatch(project):
            return None
        return self.branch_at(self._projects_dir / project)

    def branch_at(self, directory: Path) -> str | None:
        """Of a directory that a client named."""
        now, name = monotonic(), str(directory)
        known = self._known.get(name)
        if known is not None and now - known[0] < CACHE_SECONDS:
            return known[1]
        if len(self._known) >= MOST_CACHED:
            self._known.clear()
        try:
            branch = branch_of(directory)
        except (OSError, ValueError):
            branch = None
        self._known[name] = (now, branch)
        return branch


def branch_of(directory: Path) -> str | None:
    """As `git rev-parse --abbrev-ref HEAD` there: the branch, `HEAD` when detached, None outside a repository."""
    if not directory.is_dir():
        return None
    for place in (directory, *directory.parents):
        head = _head_file(place / ".git")
        if head is not None:
            return _branch_in(_first_line(head))
    return None


def _head_file(git: Path) -> Path | None:
    if git.is_dir():
        return git / "HEAD"
    if git.is_file():  # a worktree or submodule: one line that says where the repository is
        return git.parent / _first_line(git).removeprefix("gitdir:").strip() / "HEAD"
    return None


def _first_line(path: Path) -> str:
    """Of a regular file only: a pipe or device in its place would hold up the writer."""
    if not path.is_file():
        return ""
    with path.open("rb") as file:
        line = file.read(LONGEST_LINE_BYTES).decode("utf-8", "replace").partition("\n")[0]
    return line.replace("\0", "")


def _branch_in(head: str) -> str | None:
    head = head.strip()
    if head.startswith("ref: refs/heads/"):
        return head.removeprefix("ref: refs/heads/")
    return "HEAD" if head else None

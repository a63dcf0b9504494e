"""The git branch of a project directory, cached, read from `.git/HEAD` without starting a process."""

import re
from pathlib import Path
from time import monotonic
from typing import Final

CACHE_SECONDS: Final = 60.0
MOST_CACHED: Final = 1000
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
        now = monotonic()
        known = self._known.get(project)
        if known is not None and now - known[0] < CACHE_SECONDS:
            return known[1]
        if len(self._known) >= MOST_CACHED:
            self._known.clear()
        branch = self._read(project)
        self._known[project] = (now, branch)
        return branch

    def _read(self, project: str) -> str | None:
        if project in {".", ".."} or not PLAIN_NAME.fullmatch(project):
            return None
        try:
            return branch_of(self._projects_dir / project)
        except (OSError, ValueError):
            return None


def branch_of(directory: Path) -> str | None:
    """As `git rev-parse --abbrev-ref HEAD` there: the branch, `HEAD` when detached, None outside a repository."""
    if not directory.is_dir():
        return None
    for place in (directory, *directory.parents):
        head = _head_file(place / ".git")
        if head is not None:
            return _branch_in(head.read_text(errors="replace")[:4096])
    return None


def _head_file(git: Path) -> Path | None:
    if git.is_dir():
        return git / "HEAD"
    if git.is_file():  # a worktree or submodule: one line that says where the repository is
        target = git.read_text(errors="replace")[:4096].removeprefix("gitdir:").strip()
        return git.parent / target / "HEAD"
    return None


def _branch_in(head: str) -> str | None:
    head = head.strip()
    if head.startswith("ref: refs/heads/"):
        return head.removeprefix("ref: refs/heads/")
    return "HEAD" if head else None

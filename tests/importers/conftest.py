from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from importers.files import CLAUDE, CODEX
from tests.importers.importing import Home, Line, home_in, write_lines


@pytest.fixture
def home(tmp_path: Path, migrated_database: Path) -> Iterator[Home]:
    with home_in(tmp_path / "home", migrated_database) as opened:
        yield opened


@pytest.fixture
def import_claude(home: Home, tmp_path: Path) -> Callable[..., Home]:
    """Import lines as one session's transcript; `agents` are the lines of its sub-agents' files."""

    def run(lines: list[Line | str], *, session: str = "s-1", agents: dict[str, list[Line]] | None = None) -> Home:
        folder = tmp_path / "claude" / "projects" / "-home-u-shop"
        write_lines(folder / f"{session}.jsonl", lines)
        for agent, agent_lines in (agents or {}).items():
            write_lines(folder / session / "subagents" / f"agent-{agent}.jsonl", agent_lines)
        home.run(CLAUDE, tmp_path / "claude")
        return home

    return run


@pytest.fixture
def import_codex(home: Home, tmp_path: Path) -> Callable[..., Home]:
    """Import lines as one rollout."""

    def run(lines: list[Line | str], *, name: str = "rollout-1", **options: Any) -> Home:
        write_lines(tmp_path / "codex" / "sessions" / "2026" / f"{name}.jsonl", lines)
        home.run(CODEX, tmp_path / "codex", **options)
        return home

    return run

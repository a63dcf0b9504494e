"""What a version of a client can do, asked of the program itself."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from functools import cache
from pathlib import Path

# Before it hooks are commands only, and a settings file that names an unknown event is refused as a whole.
CLAUDE_HTTP_HOOKS = (2, 1, 130)
# Before them there is no chat that could be gone on with, and no word of hooks.
GEMINI_RESUMES = (0, 20)
GEMINI_HOOKS = (0, 26)
CODEX_HOOKS = (0, 130)


@cache
def version_of(cli: Path) -> str:
    shown = _said(cli, "--version")
    found = re.search(r"\d+\.\d+\.\d+[-\w.]*", shown)
    assert found, f"{cli} names no version: {shown!r}"
    return found.group()


def numbers_of(cli: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version_of(cli))[:3])


@cache
def knows(cli: Path, word: str, *command: str) -> bool:
    """Whether the help of a (sub)command names a word: an option or a subcommand."""
    return re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", _said(cli, *command, "--help")) is not None


def _said(cli: Path, *args: str) -> str:
    with tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "CODEX_HOME": home, "PATH": os.environ["PATH"], "DISABLE_AUTOUPDATER": "1"}
        done = subprocess.run([cli, *args], capture_output=True, text=True, timeout=60, check=False,
                              stdin=subprocess.DEVNULL, env=environment)  # fmt: skip
    return done.stdout + done.stderr

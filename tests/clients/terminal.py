"""A person at a terminal: start a program on a pty, wait for what it shows, type, until it ends."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from fcntl import ioctl
from pathlib import Path
from termios import TIOCSWINSZ
from types import TracebackType
from typing import Self

ROWS, COLUMNS = 50, 160
ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_]|[()][0-9A-B])")


class NotShown(Exception):
    """What was waited for did not come in time; holds what the terminal showed."""


class Terminal:
    """A running program. Leaving the `with` block kills it if it still runs."""

    def __init__(self, command: Sequence[str | Path], folder: Path, env: Mapping[str, str]) -> None:
        self.shown = b""
        self.is_leaving = False
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execve(command[0], [str(word) for word in command], dict(env))
        ioctl(self.fd, TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()
        os.close(self.fd)

    def wait_for(self, condition: Callable[[], bool], timeout_s: float = 30.0) -> None:
        """Read what the program shows until `condition` holds."""
        ends_at = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > ends_at:
                raise NotShown(self.text()[-3000:])
            self._read(0.05)

    def wait_for_text(self, pattern: str, timeout_s: float = 30.0) -> None:
        """Wait for a text shown from now on; spaces in it may be any cursor movement."""
        start = len(self.shown)
        compiled = re.compile(pattern.replace(" ", r"\s*"))
        self.wait_for(lambda: bool(compiled.search(_plain(self.shown[start:]))), timeout_s)

    def type(self, keys: str) -> None:
        os.write(self.fd, keys.encode())

    def text(self) -> str:
        return _plain(self.shown)

    def kill(self) -> int:
        """kill -9 and reap the program, 0 when it has ended already; returns the negative signal."""
        if not self.pid:
            return 0
        os.kill(self.pid, signal.SIGKILL)
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def wait_for_end(self, timeout_s: float = 30.0) -> int:
        """Exit status of the program (negative after a signal)."""
        status = 0

        def ended() -> bool:
            nonlocal status
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            return pid != 0

        self.wait_for(ended, timeout_s)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def _read(self, timeout_s: float) -> None:
        ready, _, _ = select.select([self.fd], [], [], timeout_s)
        if ready:
            try:
                self.shown += os.read(self.fd, 65536)
            except OSError:  # the program closed its side
                time.sleep(timeout_s)


def _plain(shown: bytes) -> str:
    return ESCAPES.sub(b" ", shown).decode(errors="replace")

"""Starting and stopping what is measured."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def monitor(**environment: str) -> Iterator[tuple[int, int]]:
    """A fresh `manage.py serve`: its port and pid."""
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        variables = {
            "AGENTMONITOR_DB_PATH": f"{directory}/bench.db",
            "AGENTMONITOR_AUTO_IMPORT_MINUTES": "0",
            "AGENTMONITOR_PROJECTS_DIR": directory,
            **environment,
        }
        command = [sys.executable, "manage.py", "serve", "--port", str(port)]
        with _process(command, variables, port, "/api/health") as pid:
            yield port, pid


@contextmanager
def floor() -> Iterator[tuple[int, int]]:
    with tempfile.TemporaryDirectory() as directory:
        port = free_port()
        command = [sys.executable, "-m", "tests.bench.floor", str(port), f"{directory}/floor.db"]
        with _process(command, {}, port, "/") as pid:
            yield port, pid


@contextmanager
def _process(command: list[str], variables: dict[str, str], port: int, path: str) -> Iterator[int]:
    process = subprocess.Popen(command, cwd=ROOT, env=os.environ | variables, stdout=subprocess.DEVNULL)
    try:
        _wait_until_up(f"http://127.0.0.1:{port}{path}", process)
        yield process.pid
    finally:
        process.terminate()
        process.wait(15)


def _wait_until_up(url: str, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with status {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server did not come up")


def json_of(port: int, path: str) -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
        return json.load(answer)


def resident_megabytes(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmRSS")

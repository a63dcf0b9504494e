"""Starting the real server as a process of its own, and talking to it."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 30.0
STOP_SECONDS = 15.0
# Patience for a busy machine; what never comes fails all the same.
WAIT_SECONDS = 40.0
T = TypeVar("T")


def eventually(condition: Callable[[], T], seconds: float = WAIT_SECONDS, what: str = "the condition") -> T:
    """The first truthy value of `condition`, asked again and again; an AssertionError when it never comes."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"{what} did not come true within {seconds:g} s"
        time.sleep(0.01)


def wait_for_the_next_millisecond() -> None:
    """So that what happens now is later than what happened before, in the times of rows."""
    before = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 == before:
        pass


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def clean_environment(directory: Path, **variables: str) -> dict[str, str]:
    """What a server process gets: nothing of the developer's own settings or agents."""
    kept = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR")
    home = directory / "home"
    home.mkdir(parents=True, exist_ok=True)
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "HOME": str(home),
        "PYTHONUNBUFFERED": "1",
        "AGENTMONITOR_DB_PATH": str(directory / "agentmonitor.db"),
        "AGENTMONITOR_AUTO_IMPORT_MINUTES": "0",
        "AGENTMONITOR_PROJECTS_DIR": str(directory / "projects"),
        **variables,
    }


class Server:
    """A server process, its address and its database."""

    def __init__(
        self, directory: Path, kind: str, patches: Mapping[str, object], variables: dict[str, str]
    ) -> None:
        self.directory, self.kind, self.patches = directory, kind, patches
        self.environment = clean_environment(directory, **variables)
        self.db_path = Path(self.environment["AGENTMONITOR_DB_PATH"])
        self.log_path = directory / "server.log"
        self.port = free_port()
        self.arguments: Sequence[str] = ()
        self.process: subprocess.Popen[bytes] | None = None
        self.client = httpx.Client(base_url=self.url, timeout=WAIT_SECONDS, trust_env=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def projects_dir(self) -> Path:
        return Path(self.environment["AGENTMONITOR_PROJECTS_DIR"])

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        """Start, and wait until it answers. After a stop it comes back at the same address."""
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self._command(), cwd=ROOT, env=self.environment, stdout=log, stderr=subprocess.STDOUT
            )
        eventually(self._is_up, START_SECONDS, "the server's start")

    def _command(self) -> list[str]:
        program = [sys.executable, "manage.py"]
        if self.patches:
            program = [sys.executable, "-m", "tests.patched", json.dumps(dict(self.patches))]
        if self.kind == "runserver":
            return [*program, "runserver", "--noreload", f"127.0.0.1:{self.port}"]
        return [*program, "serve", "--port", str(self.port), *self.arguments]

    def _is_up(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the server ended at once:\n{self.log}"
        try:
            return self.client.get("/api/health", headers=self._authorization()).is_success
        except httpx.TransportError:
            return False

    def _authorization(self) -> dict[str, str]:
        token = self.environment.get("AGENTMONITOR_TOKEN")
        return {"Authorization": f"Bearer {token}"} if token else {}

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the process by its id, and wait for its end; its exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
            raise AssertionError(f"the server did not stop by {how.name}:\n{self.log}") from None

    def close(self) -> None:
        self.client.close()
        if self.process is not None and self.process.poll() is None:
            self.stop()

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON of a successful GET."""
        response = self.client.get(path, params=parameters)
        assert response.status_code == 200, (path, response.status_code, response.text)
        return response.json()

    def post(self, *events: Mapping[str, Any]) -> list[int]:
        """Store events that have to be accepted, all of them new; their ids."""
        response = self.client.post("/api/events/batch", json={"events": events})
        assert response.status_code == 201, (response.status_code, response.text)
        answer = response.json()
        assert answer["received"] == len(events), answer
        return list(answer["ids"])

    def resident_bytes(self) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("the process tells no size")


@contextmanager
def running_server(
    directory: Path,
    template: Path | None = None,
    *,
    kind: str = "serve",
    patches: Mapping[str, object] | None = None,
    arguments: Sequence[str] = (),
    **variables: str,
) -> Iterator[Server]:
    """A server on a free port for as long as the block lasts.

    `template` is a migrated database to begin with, which saves the migration; `variables` are
    AGENTMONITOR_* settings; `patches` are constants to shorten, see tests/patched.py; `arguments` are of `serve`.
    """
    directory.mkdir(parents=True, exist_ok=True)
    server = Server(directory, kind, patches or {}, variables)
    server.arguments = arguments
    if template is not None and not server.db_path.exists():
        shutil.copyfile(template, server.db_path)
    try:
        server.start()
        yield server
    finally:
        server.close()


def event(session_id: str, event_type: str = "response", **fields: Any) -> dict[str, Any]:
    """The body of an event that is accepted."""
    return {"session_id": session_id, "agent_type": "codex", "event_type": event_type, **fields}

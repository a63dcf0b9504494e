"""The hook scripts as the client runs them: a body on stdin, a server that listens, a work tree they run in."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import pytest

SCRIPTS = Path(__file__).parents[2] / "hooks" / "claude-code"
LIMIT_SECONDS = 30


class Posted(NamedTuple):
    path: str
    headers: dict[str, str]
    event: Any


class Listener:
    """A server that answers everything with 201 and remembers it."""

    def __init__(self) -> None:
        self.posted: list[Posted] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                listener.posted.append(Posted(self.path, dict(self.headers), json.loads(content)))
                self.send_response(201)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    @property
    def events(self) -> list[Any]:
        return [posted.event for posted in self.posted]


@pytest.fixture
def listener() -> Iterator[Listener]:
    listening = Listener()
    thread = threading.Thread(target=listening.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield listening
    listening.server.shutdown()
    listening.server.server_close()
    thread.join()


@pytest.fixture(scope="session")
def work_tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory `myapp` on the branch `trunk`, with one commit."""
    folder = tmp_path_factory.mktemp("work") / "myapp"
    git = ["git", "-c", "user.name=u", "-c", "user.email=u@example.com"]
    subprocess.run([*git, "init", "-q", "-b", "trunk", str(folder)], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "Begin"], cwd=folder, check=True)
    return folder


def script(kind: str, name: str) -> Path:
    """The file of a hook: `kind` is shell or python."""
    return SCRIPTS / f"{name}.sh" if kind == "shell" else SCRIPTS / "python" / f"{name}.py"


def run(path: Path, stdin: str, url: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """One hook, as the client starts it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AGENTMONITOR_")}
    environment = kept | {"AGENTMONITOR_URL": url} | variables
    return subprocess.run(
        [str(path)], input=stdin, capture_output=True, text=True, env=environment, timeout=LIMIT_SECONDS
    )

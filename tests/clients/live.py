"""Real clients with this monitor connected by hooks and OTLP, then imported: `python -m tests.clients.live`.

Every program that is found plays its scenarios against the fake model server. The ledger has to be what was
billed, and a second import and a second sending of all telemetry must change nothing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from tests.serving import ROOT, Server, running_server

from . import record_claude, record_codex, record_gemini
from .agreement import Booked, Figures, faults
from .recording import Tape
from .run import Place, make_place
from .sink import Forward
from .versions import version_of

IMPORT_TIMEOUT_S = 120.0
LEDGER = (
    "SELECT session_id, subagent_id, model, uncached_input_tokens, cache_read_tokens, cache_write_5m_tokens, "
    "cache_write_1h_tokens, output_tokens, reasoning_tokens, authority, witnesses, called_at, cost_nanos "
    "FROM calls ORDER BY agent_type, call_key"
)
# All that must stay as it is when everything is told again.
KEPT = (
    LEDGER,
    "SELECT event_id, event_type, tool_name, status, session_id FROM events ORDER BY id",
    "SELECT * FROM usage_hours ORDER BY id",
    "SELECT id, call_count, cost_nanos FROM sessions ORDER BY id",
)


class Client(NamedTuple):
    """How one client is played; `hooks` is the path that takes its hooks."""

    hooks: str
    taped: Callable[[Place, Path, Forward], AbstractContextManager[Tape]]
    play: Callable[[Path, Place, Tape], None]


CLIENTS: Mapping[str, Client] = {
    "claude": Client("/api/hooks/claude-code", record_claude.taped, record_claude.play),
    "codex": Client(
        "/api/hooks/codex",
        lambda place, folder, forward: record_codex.taped(folder, forward),
        record_codex.play,
    ),
    "gemini": Client("/api/hooks/gemini", record_gemini.taped, record_gemini.play),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folders", nargs="*", type=Path, help="where programs are installed; else those on PATH")
    found = sorted(programs(parser.parse_args().folders))
    if not found:
        sys.exit("no claude, codex or gemini found: npm install --prefix DIR … and name DIR")
    good = [trial(name, cli) for name, cli in found]
    sys.exit(0 if all(good) else 1)


def programs(folders: list[Path]) -> Iterator[tuple[str, Path]]:
    """What `npm install --prefix` leaves in the folders, or one level below."""
    for name in CLIENTS:
        if not folders and (on_path := shutil.which(name)):
            yield name, Path(on_path)
        for folder in folders:
            for pattern in ("node_modules/.bin", "*/node_modules/.bin"):
                yield from ((name, path.absolute()) for path in folder.glob(f"{pattern}/{name}"))


def trial(name: str, cli: Path) -> bool:
    """One version of one client; prints a line for each scenario and whether all agrees."""
    with tempfile.TemporaryDirectory(prefix="agentmonitor-clients-") as folder:
        root = Path(folder)
        place = make_place(root)
        homes = {
            "AGENTMONITOR_CLAUDE_DIR": str(place.claude),
            "CODEX_HOME": str(place.codex),
            "GEMINI_CLI_HOME": str(place.home),
        }
        with running_server(root / "monitor", **homes) as server:
            return _trial(name, cli, place, server)


def _trial(name: str, cli: Path, place: Place, server: Server) -> bool:
    client = CLIENTS[name]
    refused: list[str] = []
    forward = forwarding(server, client.hooks, refused)
    with client.taped(place, server.directory / "sink", forward) as tape:
        client.play(cli, place, tape)
    import_history(server)
    label = f"{name} {version_of(cli)}"
    billed = [(run.scenario, call) for run in tape.runs for call in run.billed]
    wrong = faults(billed, ledger(server))
    for scenario in dict.fromkeys(run.scenario for run in tape.runs):
        print(f"{label} · {scenario}: {'differs' if scenario in wrong else 'equal'}")
    before = kept(server)
    for received in tape.sink.received:
        if not received.path.startswith("/hooks/"):
            forward(received.path, received.headers, tape.sink.body(received))
    import_history(server, "--force")
    if kept(server) != before:
        wrong["told again"] = ["a second import and the same telemetry again changed what is stored"]
    if refused:
        wrong["refused"] = refused
    for scenario, words in wrong.items():
        print(*(f"{label} · {scenario or 'beside'}: {word}" for word in words), sep="\n")
    return not wrong


def forwarding(server: Server, hooks: str, refused: list[str]) -> Forward:
    """Hands on what a client sends; notes in `refused` what the monitor does not take."""
    http = httpx.Client(base_url=server.url, timeout=30, trust_env=False)

    def forward(path: str, headers: Mapping[str, str], body: bytes) -> None:
        target = hooks if path.startswith("/hooks/") else f"/api/otel{path}"
        kind = {"Content-Type": headers.get("content-type", "application/json")}
        if target == hooks:
            kind = {"Content-Type": "application/json"}
        answer = http.post(target, content=body, headers=kind)
        if not answer.is_success:
            refused.append(f"{path}: {answer.status_code} {answer.text[:200]}")

    return forward


def import_history(server: Server, *options: str) -> None:
    command = [sys.executable, "manage.py", "import_history", "--json", *options]
    subprocess.run(command, cwd=ROOT, env=server.environment, check=True, timeout=IMPORT_TIMEOUT_S,
                   stdout=subprocess.DEVNULL)  # fmt: skip


def ledger(server: Server) -> list[Booked]:
    return [
        Booked(row[0], row[1], row[2] or "", Figures(*row[3:9]), row[9],
               any(witness["source"] == "import" for witness in json.loads(row[10])))
        for row in _rows(server, LEDGER)
    ]  # fmt: skip


def kept(server: Server) -> list[list[tuple[Any, ...]]]:
    return [_rows(server, sql) for sql in KEPT]


def _rows(server: Server, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(f"file:{server.db_path}?mode=ro", uri=True)) as connection:
        return connection.execute(sql).fetchall()


if __name__ == "__main__":
    main()

"""The folder of one recorded client: oracle, hooks, OTLP and the runs, each with its scenario."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from .model_server import BilledCall, ModelServer
from .otlp_samples import shortened
from .run import Finished
from .scrub import require_neutral, scrub_tree
from .sink import Received, Sink


class Run(msgspec.Struct, frozen=True):
    """One run of a scenario, and the slices of what arrived while it ran."""

    scenario: str
    session_id: str | None
    finished: Finished
    billed: Sequence[BilledCall]
    received: Sequence[Received]


class Tape:
    """Cuts the growing lists of a model server and a sink into runs."""

    def __init__(self, server: ModelServer, sink: Sink) -> None:
        self.server, self.sink = server, sink
        self.runs: list[Run] = []
        self._billed = self._received = 0

    def cut(self, scenario: str, session_id: str | None, finished: Finished) -> Run:
        billed, received = self.server.billed[self._billed :], self.sink.received[self._received :]
        self._billed += len(billed)
        self._received += len(received)
        run = Run(scenario, session_id, finished, billed, received)
        self.runs.append(run)
        print(f"{scenario}: status {finished.status}, {len(billed)} answers, {len(received)} bodies")
        return run

    def session_of(self, scenario: str) -> str:
        found = next(run.session_id for run in self.runs if run.scenario == scenario)
        assert found, f"{scenario} has no session"
        return found


def write_recording(folder: Path, tape: Tape, trees: Iterable[Path], cli: Path) -> None:
    """Replace `folder` by the scrubbed recording: transcript trees are copied under their own names."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for tree in trees:
        shutil.copytree(tree, folder / tree.name)
    _write_lines(folder / "oracle.jsonl", [
        {"scenario": run.scenario, **msgspec.to_builtins(call)} for run in tape.runs for call in run.billed
    ])  # fmt: skip
    _write_lines(folder / "hooks.jsonl", [
        line for run in tape.runs for line in _hook_lines(run, tape.sink)
    ])  # fmt: skip
    _write_lines(folder / "runs.jsonl", [_run_line(run) for run in tape.runs])
    _write_otlp(folder / "otlp", tape)
    program_folders = (str(cli.parent), str(cli.resolve().parent))
    scrub_tree(folder, program_folders)
    require_neutral(folder, program_folders)


def _run_line(run: Run) -> dict[str, Any]:
    return {"scenario": run.scenario, "session_id": run.session_id, "status": run.finished.status,
            "stdout": run.finished.stdout, "stderr": run.finished.stderr}  # fmt: skip


def _hook_lines(run: Run, sink: Sink) -> list[dict[str, Any]]:
    """`/hooks/<via>/<event>` is where the recorded settings send each hook."""
    lines = []
    for received in run.received:
        if received.path.startswith("/hooks/"):
            via, event = received.path.split("/")[2:4]
            body = json.loads(sink.body(received))
            lines.append({"scenario": run.scenario, "event": event, "via": via, "at": received.at, "body": body})
    return lines


# Codex sends megabytes of spans and metrics a second; a few bodies show their form.
LARGE_BODY_BYTES = 48_000
MAX_BODIES = {"/v1/traces": 1, "/v1/metrics": 6, "/v1/logs": 200}


def _write_otlp(folder: Path, tape: Tape) -> None:
    folder.mkdir()
    index = []
    for run in tape.runs:
        for received in _kept_signals(run.received):
            body = tape.sink.body(received)
            if is_cut := len(body) > LARGE_BODY_BYTES and received.path != "/v1/logs":
                body = shortened(received.path, body, is_json=received.file.endswith(".json"))
            (folder / received.file).write_bytes(body)
            index.append({"scenario": run.scenario, **msgspec.to_builtins(received), "is_cut": is_cut})
    (folder / "index.json").write_text(json.dumps(index, indent=1) + "\n")


def _kept_signals(received: Iterable[Received]) -> list[Received]:
    """The first bodies of each signal, in order of arrival."""
    room = dict(MAX_BODIES)
    kept = []
    for one in received:
        if room.get(one.path, 0) > 0:
            room[one.path] -= 1
            kept.append(one)
    return kept


def _write_lines(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))

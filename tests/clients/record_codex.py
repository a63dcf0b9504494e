"""Record Codex: every scenario in one home, hooks, notify and OTLP to the sink."""

from __future__ import annotations

import json
from pathlib import Path

from .codex_scenarios import SCENARIOS, THREADS, Scenario
from .model_server import ModelServer, model_server
from .recording import Tape, version_of, write_recording
from .run import Place, make_place, run_codex
from .sink import sink

PAUSE_S = 0.02


def record_codex(cli: Path, root: Path, out: Path) -> Path:
    """Run all scenarios; returns the folder written below `out`."""
    place = make_place(root)
    with model_server(THREADS, pause_s=PAUSE_S) as server, sink(root / "sink") as collector:
        tape = Tape(server, collector)
        for scenario in SCENARIOS:
            _record(cli, scenario, place, server, tape)
        folder = out / f"codex-{version_of(cli)}"
        write_recording(folder, tape, [place.codex / "sessions"], cli)
    return folder


def _record(cli: Path, scenario: Scenario, place: Place, server: ModelServer, tape: Tape) -> None:
    session = (tape.session_of(scenario.resumes),) if scenario.resumes else ()
    finished = run_codex(
        cli,
        scenario.prompt,
        place,
        server.url,
        config=telemetry(tape.sink.url, scenario.otlp_protocol),
        subcommand=(scenario.subcommand, *session) if scenario.subcommand else (),
    )
    tape.cut(scenario.name, _thread_id(finished.stdout), finished)


def _thread_id(stdout: str) -> str | None:
    """The thread's id from the first `--json` event."""
    for line in stdout.splitlines():
        if line.startswith("{") and "thread_id" in (event := json.loads(line)):
            return str(event["thread_id"])
    return None


def telemetry(sink_url: str, protocol: str) -> str:
    """TOML that sends all three signals and every finished turn to the sink; endpoints are taken verbatim."""
    exporters = "".join(
        f'\n[otel.{key}.otlp-http]\nendpoint = "{sink_url}/v1/{signal}"\nprotocol = "{protocol}"\n'
        for key, signal in (
            ("exporter", "logs"),
            ("metrics_exporter", "metrics"),
            ("trace_exporter", "traces"),
        )
    )
    return f"\n[otel]\nlog_user_prompt = true\n{exporters}"

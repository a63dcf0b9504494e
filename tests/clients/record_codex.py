"""Record Codex: every scenario in one home, hooks, notifications and OTLP to the sink."""

from __future__ import annotations

import json
from pathlib import Path

from .codex_scenarios import AGENT_PROMPTS, HOOK_EVENTS, SCENARIOS, THREADS, Scenario
from .model_server import model_server
from .recording import Tape, version_of, write_recording
from .run import Place, make_place, run_codex
from .sink import sink

PAUSE_S = 0.02


def record_codex(cli: Path, root: Path, out: Path) -> Path:
    """Run all scenarios; returns the folder written below `out`."""
    place = make_place(root)
    main = set(THREADS) - set(AGENT_PROMPTS)
    with model_server(THREADS, main_prompts=main, pause_s=PAUSE_S) as server, sink(root / "sink") as collector:
        tape = Tape(server, collector)
        for scenario in SCENARIOS:
            _record(cli, scenario, place, tape)
        folder = out / f"codex-{version_of(cli)}"
        write_recording(folder, tape, [place.codex / "sessions"], cli)
    return folder


def _record(cli: Path, scenario: Scenario, place: Place, tape: Tape) -> None:
    session = (tape.session_of(scenario.resumes),) if scenario.resumes else ()
    url = tape.sink.url
    finished = run_codex(
        cli,
        scenario.prompt,
        place,
        tape.server.url,
        top_config=notify(url),
        config=telemetry(url, scenario.otlp_protocol) + hooks(url),
        model=scenario.model,
        # Hooks run only after a person has looked at them, or with this.
        args=("--dangerously-bypass-hook-trust", *scenario.args),
        subcommand=(scenario.subcommand, *session) if scenario.subcommand else (),
    )
    tape.cut(scenario.name, _thread_id(finished.stdout), finished)


def _thread_id(stdout: str) -> str | None:
    """The thread's id from the first `--json` event."""
    for line in stdout.splitlines():
        if line.startswith("{") and "thread_id" in (event := json.loads(line)):
            return str(event["thread_id"])
    return None


def notify(sink_url: str) -> str:
    """TOML for the program that gets one JSON argument when a turn ends."""
    return f'notify = ["curl", "-s", "-m", "3", "{sink_url}/hooks/notify/notify", "--data-binary"]\n'


def hooks(sink_url: str) -> str:
    """TOML that pipes every hook's body to the sink: this client knows command hooks only."""
    return "".join(
        f"\n[[hooks.{event}]]\n[[hooks.{event}.hooks]]\n"
        'type = "command"\n'
        f'command = "curl -s -m 3 --data-binary @- {sink_url}/hooks/command/{event} >/dev/null"\n'
        for event in HOOK_EVENTS
    )


def telemetry(sink_url: str, protocol: str) -> str:
    """TOML that sends all three signals to the sink; endpoints are taken verbatim."""
    exporters = "".join(
        f'\n[otel.{key}.otlp-http]\nendpoint = "{sink_url}/v1/{signal}"\nprotocol = "{protocol}"\n'
        for key, signal in (("exporter", "logs"), ("metrics_exporter", "metrics"), ("trace_exporter", "traces"))
    )
    return f"\n[otel]\nlog_user_prompt = true\n{exporters}"

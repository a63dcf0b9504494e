"""Record Codex: every scenario in one home, hooks, notifications and OTLP to the sink."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .codex_scenarios import AGENT_PROMPTS, HOOK_EVENTS, SCENARIOS, THREADS, Scenario
from .model_server import model_server
from .recording import Tape, write_recording
from .run import Finished, Place, make_place, run_codex
from .sink import Forward, sink
from .versions import CODEX_HOOKS, knows, numbers_of, version_of

PAUSE_S = 0.02


def record_codex(cli: Path, root: Path, out: Path) -> Path:
    """Run all scenarios; returns the folder written below `out`."""
    place = make_place(root)
    with taped(root / "sink") as tape:
        play(cli, place, tape)
        folder = out / f"codex-{version_of(cli)}"
        write_recording(folder, tape, [place.codex / "sessions"], cli)
    return folder


@contextmanager
def taped(sink_folder: Path, forward: Forward | None = None) -> Iterator[Tape]:
    """A model server that knows the script, and a sink, for as long as the block lasts."""
    main = set(THREADS) - set(AGENT_PROMPTS)
    with (
        model_server(THREADS, main_prompts=main, pause_s=PAUSE_S) as server,
        sink(sink_folder, forward) as collector,
    ):
        yield Tape(server, collector)


def play(cli: Path, place: Place, tape: Tape) -> None:
    """Every run that this version can do."""
    for scenario in SCENARIOS:
        if scenario.subcommand is None or knows(cli, scenario.subcommand, "exec"):
            _record(cli, scenario, place, tape)


def _record(cli: Path, scenario: Scenario, place: Place, tape: Tape) -> None:
    session = (tape.session_of(scenario.resumes),) if scenario.resumes else ()
    url = tape.sink.url
    # Hooks run only after a person has looked at them, or with this.
    trusting = ("--dangerously-bypass-hook-trust",)
    has_hooks = numbers_of(cli) >= CODEX_HOOKS
    finished = run_codex(
        cli,
        scenario.prompt,
        place,
        tape.server.url,
        top_config=notify(url),
        config=telemetry(url, scenario.otlp_protocol) + (hooks(url) if has_hooks else ""),
        model=scenario.model,
        args=(*(trusting if knows(cli, trusting[0], "exec") else ()), *scenario.args),
        subcommand=(scenario.subcommand, *session) if scenario.subcommand else (),
    )
    tape.cut(scenario.name, _thread_id(finished) or _session_on_disk(place), finished)


def _session_on_disk(place: Place) -> str | None:
    """The newest session: older versions don't tell its id."""
    newest = max(place.codex.glob("sessions/**/*.jsonl"), default=None, key=lambda path: path.name)
    return newest.stem[-36:] if newest else None


def _thread_id(finished: Finished) -> str | None:
    """The thread's id from the first `--json` event."""
    for line in finished.stdout.splitlines():
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
        # 0.58 does not start without it.
        "headers = {}\n"
        for key, signal in (("exporter", "logs"), ("metrics_exporter", "metrics"), ("trace_exporter", "traces"))
    )
    return f"\n[otel]\nlog_user_prompt = true\n{exporters}"

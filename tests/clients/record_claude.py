"""Record Claude Code: every scenario in one home, all hooks and OTLP to the sink."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .claude_at_terminal import Conversation, asked_and_interrupted, converse, killed
from .claude_scenarios import (
    AGENT_PROMPTS,
    COMMAND_HOOK_EVENTS,
    HTTP_HOOK_EVENTS,
    OLD_HOOK_EVENTS,
    SCENARIOS,
    Scenario,
)
from .claude_turns import threads
from .model_server import model_server
from .recording import Tape, write_recording
from .run import Place, make_place, run_claude
from .sink import Forward, sink
from .versions import CLAUDE_HTTP_HOOKS, numbers_of, version_of

# Long enough that blocks of one answer are written apart, as with a real model.
PAUSE_S = 0.02


def record_claude(cli: Path, root: Path, out: Path) -> Path:
    """Run all scenarios; returns the folder written below `out`."""
    place = make_place(root)
    with taped(place, root / "sink") as tape:
        play(cli, place, tape)
        if numbers_of(cli) >= CLAUDE_HTTP_HOOKS:
            _record_talk(cli, "terminal", asked_and_interrupted, place, tape)
            _record_talk(cli, "killed", killed, place, tape)
        folder = out / f"claude-{version_of(cli)}"
        write_recording(folder, tape, [place.claude / "projects"], cli)
    return folder


@contextmanager
def taped(place: Place, sink_folder: Path, forward: Forward | None = None) -> Iterator[Tape]:
    """A model server that knows the script, and a sink, for as long as the block lasts."""
    turns = threads(place.project)
    main = set(turns) - set(AGENT_PROMPTS)
    with (
        model_server(turns, main_prompts=main, pause_s=PAUSE_S) as server,
        sink(sink_folder, forward) as collector,
    ):
        yield Tape(server, collector)


def play(cli: Path, place: Place, tape: Tape) -> None:
    """Every run without a terminal."""
    place.claude.mkdir()
    settings = {"hooks": hooks(tape.sink.url, over_http=numbers_of(cli) >= CLAUDE_HTTP_HOOKS)}
    (place.claude / "settings.json").write_text(json.dumps(settings))
    for scenario in SCENARIOS:
        _record(cli, scenario, place, tape)


def _record(cli: Path, scenario: Scenario, place: Place, tape: Tape) -> None:
    resume = ("--resume", tape.session_of(scenario.resumes)) if scenario.resumes else ()
    finished = run_claude(
        cli,
        scenario.prompt,
        place,
        tape.server.url,
        extra_env=telemetry(tape.sink.url, scenario.otlp_protocol),
        args=(*resume, *scenario.args),
    )
    tape.cut(scenario.name, _session_id(finished.stdout), finished)


def _record_talk(cli: Path, name: str, talk: Callable[[Conversation], None], place: Place, tape: Tape) -> None:
    env = telemetry(tape.sink.url, "http/json")
    finished = converse(cli, place, tape.server.url, tape.sink, env, talk)
    tape.cut(name, None, finished)


def _session_id(stdout: str) -> str | None:
    """The session's id from `--output-format json`."""
    try:
        return str(json.loads(stdout)["session_id"])
    except (ValueError, KeyError):
        return None


def hooks(sink_url: str, *, over_http: bool = True) -> dict[str, Any]:
    """Every hook event to the sink: over http, and by command what never comes over http.

    Older versions know commands and a few events only, and refuse a settings file that names others.
    """
    by_command = {
        event: {
            "type": "command",
            "timeout": 5,
            "command": f"curl -s -m 3 --data-binary @- {sink_url}/hooks/command/{event} >/dev/null",
        }
        for event in (COMMAND_HOOK_EVENTS if over_http else OLD_HOOK_EVENTS)
    }
    by_http = {
        event: {"type": "http", "url": f"{sink_url}/hooks/http/{event}", "timeout": 5}
        for event in (HTTP_HOOK_EVENTS if over_http else ())
    }
    return {event: [{"hooks": [hook]}] for event, hook in (by_command | by_http).items()}


def telemetry(sink_url: str, protocol: str) -> dict[str, str]:
    return {
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
        "CLAUDE_CODE_ENHANCED_TELEMETRY_BETA": "1",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        "OTEL_EXPORTER_OTLP_ENDPOINT": sink_url,
        "OTEL_METRIC_EXPORT_INTERVAL": "1000",
        "OTEL_LOGS_EXPORT_INTERVAL": "500",
        "OTEL_LOG_USER_PROMPTS": "1",
        "OTEL_LOG_TOOL_DETAILS": "1",
    }

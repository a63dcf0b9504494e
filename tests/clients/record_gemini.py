"""Record Gemini CLI: every scenario in one home, hooks and OTLP to the sink."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .gemini_scenarios import HOOK_EVENTS, SCENARIOS, threads
from .model_server import model_server
from .recording import Tape, write_recording
from .run import Place, make_place, run_gemini
from .sink import Forward, sink
from .versions import GEMINI_HOOKS, knows, numbers_of, version_of

PAUSE_S = 0.02


def record_gemini(cli: Path, root: Path, out: Path) -> Path:
    """Run all scenarios; returns the folder written below `out`."""
    place = make_place(root)
    with taped(place, root / "sink") as tape:
        play(cli, place, tape)
        folder = out / f"gemini-{version_of(cli)}"
        write_recording(folder, tape, [place.gemini / "tmp"], cli)
    return folder


@contextmanager
def taped(place: Place, sink_folder: Path, forward: Forward | None = None) -> Iterator[Tape]:
    """A model server that knows the script, and a sink, for as long as the block lasts."""
    with (
        model_server(threads(place.project), pause_s=PAUSE_S) as server,
        sink(sink_folder, forward) as collector,
    ):
        yield Tape(server, collector)


def play(cli: Path, place: Place, tape: Tape) -> None:
    """Every run that this version can do."""
    settings = settings_for(tape.sink.url, with_hooks=numbers_of(cli) >= GEMINI_HOOKS)
    as_json = ("--output-format", "json") if knows(cli, "--output-format") else ()
    for scenario in SCENARIOS:
        if "--resume" in scenario.args and not knows(cli, "--resume"):
            continue
        args = (*as_json, *scenario.args)
        finished = run_gemini(cli, scenario.prompt, place, tape.server.url, settings=settings, args=args)
        tape.cut(scenario.name, _session_id(finished.stdout), finished)


def settings_for(sink_url: str, *, with_hooks: bool) -> dict[str, Any]:
    """User settings: a key instead of an account, no updates, telemetry over OTLP/http, hooks by command."""
    hooks = {event: [{"hooks": [_hook(sink_url, event)]}] for event in HOOK_EVENTS}
    return {
        "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
        "privacy": {"usageStatisticsEnabled": False},
        "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
        "telemetry": {
            "enabled": True,
            "target": "local",
            "otlpEndpoint": sink_url,
            "otlpProtocol": "http",
            "logPrompts": True,
        },
        **({"hooks": hooks} if with_hooks else {}),
    }


def _hook(sink_url: str, event: str) -> dict[str, Any]:
    command = f"curl -s -m 3 --data-binary @- {sink_url}/hooks/command/{event} >/dev/null"
    return {"type": "command", "command": command, "timeout": 5000}


def _session_id(stdout: str) -> str | None:
    """The session's id from `--output-format json`."""
    try:
        return str(json.loads(stdout)["session_id"])
    except (ValueError, KeyError):
        return None

"""Record Gemini CLI: every scenario in one home, hooks and OTLP to the sink."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .gemini_scenarios import HOOK_EVENTS, SCENARIOS, threads
from .model_server import model_server
from .recording import Tape, version_of, write_recording
from .run import make_place, run_gemini
from .sink import sink

PAUSE_S = 0.02


def record_gemini(cli: Path, root: Path, out: Path) -> Path:
    """Run all scenarios; returns the folder written below `out`."""
    place = make_place(root)
    with (
        model_server(threads(place.project), pause_s=PAUSE_S) as server,
        sink(root / "sink") as collector,
    ):
        tape = Tape(server, collector)
        for scenario in SCENARIOS:
            args = ("--output-format", "json", *scenario.args)
            settings = settings_for(collector.url)
            finished = run_gemini(cli, scenario.prompt, place, server.url, settings=settings, args=args)
            tape.cut(scenario.name, _session_id(finished.stdout), finished)
        folder = out / f"gemini-{version_of(cli)}"
        write_recording(folder, tape, [place.gemini / "tmp"], cli)
    return folder


def settings_for(sink_url: str) -> dict[str, Any]:
    """User settings: a key instead of an account, no updates, telemetry over OTLP/http, hooks by command."""
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
        "hooks": {event: [{"hooks": [_hook(sink_url, event)]}] for event in HOOK_EVENTS},
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

"""A small part of a recording: `python -m tests.clients.excerpt RECORDING OUT SCENARIO …`.

Holds the transcripts of the scenarios' sessions, what was billed, and of the telemetry only the log records that
tell of answers and errors, as JSON, one body a line.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

TELLING = frozenset({"input_tokens", "input_token_count", "error", "error.message"})
# What the client was sent, and sends; only its form is of interest.
LONG_LINES = ("api-request-shape", "api-request-blob")
LONGEST_LINE = 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recording", type=Path)
    parser.add_argument("out", type=Path, help="folder for <client>-<version>/, replaced when it exists")
    parser.add_argument("scenarios", nargs="+")
    asked = parser.parse_args()
    excerpt(asked.recording, asked.out / asked.recording.name, set(asked.scenarios))


def excerpt(recording: Path, folder: Path, scenarios: set[str]) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    billed = [line for line in _lines(recording / "oracle.jsonl") if line["scenario"] in scenarios]
    runs = [line for line in _lines(recording / "runs.jsonl") if line["scenario"] in scenarios]
    named = (line.get("session_hint") or line.get("session_id") for line in [*billed, *runs])
    sessions = {str(name) for name in named if name}
    for path in sorted(recording.glob("*/**/*")):
        if path.suffix in (".json", ".jsonl") and path.parent.name != "otlp" and _belongs(path, sessions):
            target = folder / path.relative_to(recording)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("".join(_shorter(path.read_text())))
    _write(folder / "oracle.jsonl", billed)
    _write(folder / "logs.jsonl", _logs(recording / "otlp", scenarios))


def _belongs(path: Path, sessions: set[str]) -> bool:
    """By name or folder, or by the root that a sub-agent names; of Gemini CLI the model server sees no session."""
    beginning = path.read_text()[:3000]
    return path.parent.name == "chats" or any(name in str(path) or name in beginning for name in sessions)


def _shorter(content: str) -> Iterator[str]:
    for line in content.splitlines(keepends=True):
        is_long = len(line) > LONGEST_LINE and any(f'"type":"{kind}"' in line for kind in LONG_LINES)
        if not is_long:
            yield line
            continue
        value = {key: part for key, part in json.loads(line).items() if len(json.dumps(part)) < LONGEST_LINE}
        yield json.dumps(value, separators=(",", ":")) + "\n"


def _logs(otlp: Path, scenarios: set[str]) -> Iterator[dict[str, Any]]:
    for entry in json.loads((otlp / "index.json").read_text()):
        if entry["path"] == "/v1/logs" and entry["scenario"] in scenarios:
            body = (otlp / entry["file"]).read_bytes()
            told = _telling(json.loads(body) if entry["file"].endswith(".json") else _as_json(body))
            if told is not None:
                yield {"scenario": entry["scenario"], "body": told}


def _as_json(body: bytes) -> dict[str, Any]:
    return MessageToDict(ExportLogsServiceRequest.FromString(body))


def _telling(body: dict[str, Any]) -> dict[str, Any] | None:
    groups = []
    for group in body["resourceLogs"]:
        scopes = [
            scope | {"logRecords": [record for record in scope["logRecords"] if _tells(record)]}
            for scope in group["scopeLogs"]
        ]
        if any(scope["logRecords"] for scope in scopes):
            groups.append(group | {"scopeLogs": [scope for scope in scopes if scope["logRecords"]]})
    return {"resourceLogs": groups} if groups else None


def _tells(record: dict[str, Any]) -> bool:
    return any(attribute["key"] in TELLING for attribute in record["attributes"])


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _write(path: Path, lines: Iterable[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))


if __name__ == "__main__":
    main()

"""The recorded request and response pairs, and what has to be restored of them before they can be sent."""

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

FOLDER: Final = Path(__file__).resolve().parent.parent / "fixtures" / "contract"
# Recorded bodies that were shortened for the file, in full.
FULL_BODIES: Final = {
    ("events-ingest", "over 1 MB"): '{"session_id":"' + "x" * 1_100_000 + '"}',
    ("later", "double-encoded JSON accepted"): json.dumps(
        json.dumps({"session_id": "fx-dbl", "agent_type": "codex", "event_type": "response"})
    ),
}


class Pair(NamedTuple):
    """One request and what the reference answered."""

    file: str
    name: str
    request: dict[str, Any]
    response: dict[str, Any]

    @property
    def label(self) -> tuple[str, str]:
        return self.file, self.name

    @property
    def headers(self) -> dict[str, str]:
        given = self.request.get("headers", {})
        return {"Content-Type": "application/json"} | given if "body" in self.request else dict(given)

    @property
    def content(self) -> bytes:
        if "body" in self.request:
            return json.dumps(self.request["body"]).encode()
        raw = self.request.get("raw", "")
        if "raw_bytes" not in self.request:
            return str(raw).encode()
        full = FULL_BODIES[self.label]
        assert full.startswith(raw) and len(full) == self.request["raw_bytes"], self.label
        return full.encode()


def recorded(file: str) -> list[Pair]:
    """All pairs of one file, in the order in which they were recorded."""
    items = json.loads((FOLDER / f"{file}.json").read_text())
    return [Pair(file, item["name"], item["request"], item["response"]) for item in items]


def some(file: str, *names: str) -> list[Pair]:
    """Pairs of one file by name."""
    by_name = {pair.name: pair for pair in recorded(file)}
    return [by_name[name] for name in names]


def rest(file: str, *done: str) -> list[Pair]:
    """The pairs of one file that are not named."""
    return [pair for pair in recorded(file) if pair.name not in done]

"""Other versions of the clients: excerpts of their transcripts and telemetry, against what was billed."""

import json
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import msgspec
import pytest

from importers.files import CLAUDE, CODEX, GEMINI
from ingest.otlp.service import read_logs
from ingest.store import Batch
from tests.clients.agreement import Booked, Figures, faults
from tests.clients.model_server import BilledCall
from tests.importers.importing import Home, figures
from tests.ingest.otlp.bodies import LIMIT_BYTES

FOLDERS = sorted((Path(__file__).parent.parent / "fixtures" / "versions").iterdir())
SOURCES = {"claude": CLAUDE, "codex": CODEX, "gemini": GEMINI}
# Requests that the clients write to no transcript.
NOT_WRITTEN = ("check", "compaction")

each_version = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    yield from map(json.loads, path.read_text().splitlines())


def billed(folder: Path) -> list[tuple[str, BilledCall]]:
    return [(line["scenario"], msgspec.convert(line, BilledCall)) for line in lines(folder / "oracle.jsonl")]


def ledger(home: Home) -> list[Booked]:
    told = {row["call_key"]: row["witnesses"] for row in home.rows("SELECT call_key, witnesses FROM calls")}
    return [
        Booked(
            call["session_id"],
            call["subagent_id"],
            call["model"],
            Figures(*figures(call)),
            call["authority"],
            '"import"' in told[call["call_key"]],
        )
        for call in home.calls()
    ]


def tell(home: Home, step: str, folder: Path) -> None:
    if step == "transcripts":
        home.run(SOURCES[folder.name.split("-")[0]], folder, force=True)
        return
    for line in lines(folder / "logs.jsonl"):
        home.store(Batch(read_logs(json.dumps(line["body"]).encode(), "application/json", LIMIT_BYTES).events))


@each_version
def test_every_line_is_understood(home: Home, folder: Path) -> None:
    reports = home.run(SOURCES[folder.name.split("-")[0]], folder)
    assert [(report.path, report.bad, report.unknown) for report in reports if report.bad or report.unknown] == []


STEPS = ("transcripts", "telemetry", "transcripts", "telemetry")


@each_version
@pytest.mark.parametrize("steps", sorted(set(permutations(STEPS))), ids=", ".join)
def test_transcripts_and_telemetry_in_any_order_are_what_was_billed(
    home: Home, folder: Path, steps: tuple[str, ...]
) -> None:
    for step in steps:
        tell(home, step, folder)
    assert faults(billed(folder), ledger(home)) == {}


@each_version
def test_telemetry_adds_to_transcripts_only_what_they_never_hold(home: Home, folder: Path) -> None:
    tell(home, "transcripts", folder)
    written = {row["call_key"] for row in home.calls()}
    tell(home, "telemetry", folder)
    added = [row for row in ledger(home) if not row.is_written]
    unwritten = [(scenario, call) for scenario, call in billed(folder) if call.kind in NOT_WRITTEN]
    assert "" not in faults(unwritten, added)
    assert written <= {row["call_key"] for row in home.calls()}

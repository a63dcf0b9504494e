"""Recorded hook bodies, by scenario."""

import json
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parents[2] / "fixtures/clients"


def bodies(recording: Path, scenario: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in recording.read_text().splitlines()]
    return [line["body"] for line in lines if line["scenario"] == scenario]

"""One call told by telemetry and by a transcript is one row of the ledger, in whatever order they come."""

from collections import Counter
from itertools import permutations
from pathlib import Path

import pytest

from importers.files import CODEX
from ingest.store import Batch, write_group
from monitor.times import now_ms
from tests.importers.importing import Home, figures
from tests.importers.test_recorded import CODEX_FOLDERS, oracle
from tests.ingest.otlp.test_captures import log_events
from tests.storing import rules

FOLDER = CODEX_FOLDERS[-1]
STEPS = ("telemetry", "telemetry", "transcripts", "half the telemetry")


def tell(home: Home, step: str, folder: Path) -> None:
    if step == "transcripts":
        home.run(CODEX, folder, force=True)
        return
    events = log_events("codex")
    chosen = events[::2] if step.startswith("half") else events
    for start in range(0, len(chosen), 7):
        write_group(home.connection, [Batch(chosen[start : start + 7])], now_ms(), rules(folder))


def billed_figures(folder: Path) -> Counter[tuple[int, ...]]:
    names = (
        "input_tokens",
        "cache_read_tokens",
        "cache_write_5m_tokens",
        "cache_write_1h_tokens",
        "output_tokens",
        "reasoning_tokens",
    )
    return Counter(tuple(line[name] for name in names) for line in oracle(folder))


@pytest.mark.parametrize("order", sorted(set(permutations(STEPS))), ids=lambda order: ", ".join(order))
def test_any_order_and_any_repetition_gives_what_was_billed(home: Home, order: tuple[str, ...]) -> None:
    for step in order:
        tell(home, step, FOLDER)
    calls = home.calls()
    assert Counter(map(figures, calls)) == billed_figures(FOLDER)
    assert {call["authority"] for call in calls} == {3}
    sums = home.rows("SELECT sum(calls) AS calls, sum(cost_nanos) AS cost FROM usage_hours")
    assert sums == [{"calls": len(calls), "cost": sum(call["cost_nanos"] for call in calls)}]


def test_telemetry_alone_gives_what_it_carried(home: Home) -> None:
    tell(home, "telemetry", FOLDER)
    assert Counter(map(figures, home.calls())) == billed_figures(FOLDER)

"""Claude Code's recorded metrics, logs and transcripts, in any order: metrics add only what nothing else told."""

from itertools import permutations
from pathlib import Path

import pytest

from importers.files import CLAUDE
from ingest.ledger import METRIC
from ingest.otlp.service import read_metrics
from ingest.store import Batch, write_group
from monitor.times import now_ms
from tests.importers.importing import Home
from tests.importers.test_recorded import CLAUDE_FOLDERS
from tests.ingest.otlp.test_captures import captures, log_events
from tests.storing import rules

FOLDER = CLAUDE_FOLDERS[-1]


def tell(home: Home, source: str) -> None:
    if source == "transcripts":
        home.run(CLAUDE, FOLDER, force=True)
        return
    if source == "logs":
        events = log_events("claude")
        batches = [Batch(events[start : start + 9]) for start in range(0, len(events), 9)]
    else:
        told = [read_metrics(capture.body, capture.content_type) for capture in captures("claude", "metrics")]
        batches = [Batch(readings=outcome.readings) for outcome in told]
    for batch in batches:
        write_group(home.connection, [batch], now_ms(), rules(Path("no projects")))


@pytest.mark.parametrize("order", list(permutations(["metrics", "logs", "transcripts"])), ids=", ".join)
def test_beside_logs_and_transcripts_metrics_change_nothing(home: Home, order: tuple[str, ...]) -> None:
    for source in (*order, *order):
        tell(home, source)

    assert {call["authority"] for call in home.calls()} & {METRIC} == set()
    hours = home.rows("SELECT sum(calls) AS calls, sum(output_tokens) AS output FROM usage_hours")
    assert hours == home.rows("SELECT count(*) AS calls, sum(output_tokens) AS output FROM calls")


def test_beside_transcripts_alone_metrics_tell_what_transcripts_leave_out(home: Home) -> None:
    """Compactions, titles, and the true end of answers that a sub-agent wrote down too early."""
    for source in ("metrics", "transcripts"):
        tell(home, source)
    [told] = home.rows("SELECT sum(output_tokens) AS output FROM metric_hours")
    [counted] = home.rows("SELECT sum(output_tokens) AS output FROM calls")
    [surplus] = home.rows(f"SELECT sum(output_tokens) AS output FROM calls WHERE authority = {METRIC}")

    assert 0 < surplus["output"] < told["output"]
    assert counted["output"] >= told["output"]


def test_metrics_alone_are_what_the_client_told(home: Home) -> None:
    tell(home, "metrics")
    tell(home, "metrics")

    sums = "sum(uncached_input_tokens) AS input, sum(output_tokens) AS output, sum(cost_nanos) AS cost"
    assert home.rows(f"SELECT {sums} FROM calls") == home.rows(f"SELECT {sums} FROM metric_hours")

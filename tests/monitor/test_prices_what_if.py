"""Calls are read piece by piece, each once, along an index."""

import sqlite3
from pathlib import Path

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from ingest.store import Batch, write_group
from monitor import prices_what_if as module
from monitor.prices_what_if import what_if
from monitor.queries_usage import UsageFilter
from pricing.registry import default_registry
from tests.storing import START_MS, new_event, rules


@pytest.fixture
def raw(transactional_db: None) -> sqlite3.Connection:
    connection.ensure_connection()
    return connection.connection  # type: ignore[no-any-return]


def test_pages_hold_every_call_once_also_of_one_moment(
    raw: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = [START_MS, START_MS, START_MS, START_MS - 5, START_MS + 5]
    sent = [
        new_event(event_type="llm_response", model="o3", tokens_in=10**number, client_at_ms=at_ms)
        for number, at_ms in enumerate(moments)
    ]
    write_group(raw, [Batch(sent)], START_MS, rules(Path("/nonexistent")))
    whole = what_if(UsageFilter(), "gpt-4o", default_registry())
    assert (whole.calls, whole.compared_calls) == (5, 5)

    monkeypatch.setattr(module, "PAGE", 2)
    with CaptureQueriesContext(connection) as queries:
        assert what_if(UsageFilter(), "gpt-4o", default_registry()) == whole
    assert len(queries) == 3


@pytest.mark.parametrize(
    "wanted",
    [
        UsageFilter(),
        UsageFilter(since_ms=0, until_ms=START_MS),
        UsageFilter(model="o3"),
        UsageFilter(session_id="s"),
        UsageFilter(project="p"),
    ],
)
def test_no_page_reads_all_calls_or_sorts_them(raw: sqlite3.Connection, wanted: UsageFilter) -> None:
    with CaptureQueriesContext(connection) as queries:
        what_if(wanted, "o3", default_registry())
    (query,) = queries.captured_queries
    plan = [row[-1] for row in raw.execute(f"EXPLAIN QUERY PLAN {query['sql']}")]
    assert not [step for step in plan if step.startswith("SCAN") or "TEMP B-TREE" in step], plan

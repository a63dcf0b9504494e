"""Metrics in a real database: they count only what no log and no transcript told, whatever comes first."""

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.contract import NewCall
from ingest.ledger import METRIC, OTLP, TRANSCRIPT
from ingest.metric_ledger import COST, Reading
from ingest.store import Batch, write_group
from monitor import rollups
from monitor.times import HOUR_MS
from pricing.usage import Usage
from tests.storing import START_MS, new_event, opened, rules, table

MODEL = "claude-opus-4-8"
MINUTE_MS = 60_000


@pytest.fixture
def connection(database: Path) -> Iterator[sqlite3.Connection]:
    with opened(database) as opened_connection:
        yield opened_connection


def reading(amount: int, at_ms: int = START_MS, **fields: Any) -> Reading:
    defaults = {
        "session_id": "s",
        "agent_type": "claude_code",
        "model": MODEL + "[1m]",
        "kind": "output_tokens",
        "event_id": f"m-{at_ms}-{amount}",
    }
    return Reading(amount=amount, at_ms=at_ms, **{**defaults, **fields})


def call(key: str, output: int, authority: int = OTLP, at_ms: int = START_MS, **fields: Any) -> Batch:
    told = NewCall(
        key=key,
        usage=Usage(output_tokens=output),
        model=MODEL,
        called_at_ms=at_ms,
        authority=authority,
        ref=key,
    )
    event = {
        "event_id": f"{key}-{authority}",
        "agent_type": "claude_code",
        "source": "otel",
        "call": told,
    } | fields
    return Batch([new_event(**event)])


def store(connection: sqlite3.Connection, *batches: Batch, now_ms: int = START_MS + 5 * HOUR_MS) -> None:
    for batch in batches:
        write_group(connection, [batch], now_ms, rules(Path("no projects")))


def calls(connection: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return connection.execute(
        "SELECT call_key, output_tokens, authority, cost_nanos, called_at, price FROM calls ORDER BY 1"
    ).fetchall()


def total(connection: sqlite3.Connection) -> int:
    [(tokens,)] = connection.execute("SELECT coalesce(sum(output_tokens), 0) FROM calls").fetchall()
    assert isinstance(tokens, int)
    return tokens


def assert_rollups_are_right(connection: sqlite3.Connection) -> None:
    def sums() -> list[Any]:
        hours = table(connection, "SELECT * FROM usage_hours ORDER BY received_hour, called_hour, model")
        sessions = table(connection, "SELECT id, call_count, output_tokens, cost_nanos FROM sessions ORDER BY 1")
        return [[{k: v for k, v in hour.items() if k != "id"} for hour in hours], sessions]

    kept = sums()
    connection.execute("BEGIN IMMEDIATE")
    rollups.rebuild(connection)
    rebuilt = sums()
    connection.execute("ROLLBACK")
    assert kept == rebuilt


def test_metrics_alone_are_counted_hour_by_hour(connection: sqlite3.Connection) -> None:
    later = START_MS + HOUR_MS + 1
    store(connection, Batch(readings=[reading(5), reading(7, later)]), Batch(readings=[reading(2, START_MS + 9)]))

    assert [(output, authority, at) for _, output, authority, _, at, _ in calls(connection)] == [
        (7, METRIC, START_MS + 9),
        (7, METRIC, later),
    ]
    assert_rollups_are_right(connection)


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("left_out", [None, 1, 2])
def test_beside_logs_or_transcripts_that_tell_it_all_metrics_add_nothing(
    connection: sqlite3.Connection, order: tuple[int, ...], left_out: int | None
) -> None:
    sources = [
        [Batch(readings=[reading(10, START_MS + MINUTE_MS)]), Batch(readings=[reading(5, START_MS + HOUR_MS)])],
        [call("c1", 10), call("c2", 5, at_ms=START_MS + 2 * MINUTE_MS)],
        [call("c1", 10, TRANSCRIPT), call("c2", 5, TRANSCRIPT, at_ms=START_MS + 2 * MINUTE_MS)],
    ]
    for source in order:
        if source != left_out:
            store(connection, *sources[source], *sources[source])

    assert [row[:2] for row in calls(connection)] == [("c1", 10), ("c2", 5)]
    assert_rollups_are_right(connection)


tellings = st.lists(
    st.one_of(
        st.tuples(st.just("metric"), st.integers(0, 5)),
        st.tuples(st.just("log"), st.integers(0, 5)),
        st.tuples(st.just("transcript"), st.integers(0, 5)),
    ),
    max_size=14,
)


@settings(deadline=None, max_examples=40)
@given(tellings)
def test_any_part_in_any_order_and_number_is_what_the_better_of_both_told(
    migrated_database: Path, tmp_path_factory: pytest.TempPathFactory, told: list[tuple[str, int]]
) -> None:
    database = tmp_path_factory.mktemp("law") / "a.db"
    database.write_bytes(migrated_database.read_bytes())
    with opened(database) as connection:
        for source, number in told:
            at_ms = START_MS + number * 20 * MINUTE_MS
            if source == "metric":
                store(connection, Batch(readings=[reading(2**number, at_ms + MINUTE_MS)]))
            else:
                authority = OTLP if source == "log" else TRANSCRIPT
                store(connection, call(f"c{number}", 2**number, authority, at_ms))

        by_metrics = sum({2**number for source, number in told if source == "metric"})
        by_calls = sum({2**number for source, number in told if source != "metric"})
        assert total(connection) == max(by_metrics, by_calls)
        assert_rollups_are_right(connection)


def test_a_lost_batch_of_logs_is_filled_in_from_metrics_in_its_hour(connection: sqlite3.Connection) -> None:
    hours = [START_MS + number * HOUR_MS for number in range(4)]
    for number, at_ms in enumerate(hours):
        store(connection, Batch(readings=[reading(10 + number, at_ms + MINUTE_MS)]))
        if number != 1:
            store(connection, call(f"c{number}", 10 + number, at_ms=at_ms))

    [surplus] = [row for row in calls(connection) if row[2] == METRIC]
    assert (surplus[1], surplus[4]) == (11, hours[1] + MINUTE_MS)
    assert surplus[3] is not None, "priced by the price book"


def test_totals_and_deltas_sent_again_add_nothing_also_after_a_restart(database: Path) -> None:
    totals = [reading(amount, START_MS + at, series="t") for at, amount in enumerate((100, 150, 30, 40))]
    told = [Batch(readings=[reading(5)]), *(Batch(readings=[one]) for one in totals)]
    for batch in (*told, *told):
        with opened(database) as connection:
            store(connection, batch)

    with opened(database) as connection:
        assert total(connection) == 5 + 150 + 30 + 10
        [(events,)] = connection.execute("SELECT count(*) FROM events").fetchall()
        assert events == 5


def test_what_could_not_be_stored_is_told_again(connection: sqlite3.Connection) -> None:
    failing = Batch(readings=[reading(100, series="t")], events=[new_event(event_type=None)])
    with pytest.raises(sqlite3.IntegrityError):
        store(connection, failing)
    store(connection, Batch(readings=[reading(100, series="t")]))

    assert total(connection) == 100


def test_a_stated_cost_is_kept_while_metrics_alone_tell_of_the_model(connection: sqlite3.Connection) -> None:
    cost = reading(50_000_000, kind=COST)
    store(connection, Batch(readings=[reading(1000, is_paid=True), cost]))
    assert [(row[1], row[3], row[5]) for row in calls(connection)] == [(1000, 50_000_000, "client")]

    store(connection, call("c", 400))
    [surplus] = [row for row in calls(connection) if row[2] == METRIC]
    assert (surplus[1], surplus[5]) == (600, f"{MODEL}@start")

    store(connection, call("d", 600))
    assert [row[0] for row in calls(connection)] == ["c", "d"]
    assert_rollups_are_right(connection)


def test_points_without_a_session_are_compared_with_all_calls_of_the_agent(connection: sqlite3.Connection) -> None:
    store(connection, Batch(readings=[reading(10, session_id="unknown")]), call("c", 4, at_ms=START_MS + 1))

    assert [row[1] for row in calls(connection)] == [4, 6]
    store(connection, call("d", 6, at_ms=START_MS + 2, session_id="other"))
    assert [row[1] for row in calls(connection)] == [4, 6]
    assert {row[2] for row in calls(connection)} == {OTLP}


def test_points_of_sessions_that_calls_tell_of_are_no_events(connection: sqlite3.Connection) -> None:
    store(connection, call("c", 10), Batch(readings=[reading(10), reading(7, session_id="silent")]))

    events = table(connection, "SELECT session_id, tokens_out FROM events WHERE metadata LIKE '%_synthetic%'")
    assert events == [{"session_id": "silent", "tokens_out": 7}]


def test_many_exporters_of_one_session_are_added_up(connection: sqlite3.Connection) -> None:
    batches: Sequence[Batch] = [
        Batch(readings=[reading(amount, START_MS + amount, series=f"exporter {number}", event_id=None)])
        for amount in (10, 20, 30)
        for number in range(10)
    ]
    write_group(connection, batches, START_MS + HOUR_MS, rules(Path("no projects")))

    assert total(connection) == 10 * 30

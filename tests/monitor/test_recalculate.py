"""Pricing anew: afterwards everything is as if it had come in under the new prices."""

import io
import sqlite3
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.contract import NewCall, NewEvent
from ingest.git import BranchLookup
from ingest.store import Batch, StoreRules, write_group
from monitor import recalculate as module
from monitor.recalculate import Recalculation, Wanted, recalculate
from monitor.rollups import rebuild
from pricing.datafile import PricedModel
from pricing.registry import PricingRegistry, default_registry
from pricing.rows import PriceRow, Rates
from pricing.usage import Usage
from tests.monitor.test_rollups import calls, contents, events, fresh_database

NOW_MS = 1_764_000_000_000


def book(**dollars: int) -> PricingRegistry:
    """Every class of tokens of a model costs so many dollars per million; dated, so that time matters too."""

    def row(name: str, since_ms: int | None, until_ms: int | None, nanos: int) -> PriceRow:
        return PriceRow(f"{name}@{since_ms or 'start'}", name, since_ms, until_ms, Rates(*[nanos] * 5), ())

    return PricingRegistry(
        PricedModel(
            "test.json",
            name.replace("_", "-"),
            (),
            (
                row(name, NOW_MS - 1, None, amount * 10**9),
                row(name, None, NOW_MS - 1, amount * 10**8),
            ),
        )
        for name, amount in dollars.items()
    )


OLD_BOOK = book(gone=7, cheap=1)
NEW_BOOK = book(cheap=3, late=11)
models = st.sampled_from([None, "gone", "cheap", "late", "a-model-that-nobody-sells"])


def store(raw: sqlite3.Connection, batches: Sequence[Batch], registry: PricingRegistry) -> None:
    rules = StoreRules(registry, BranchLookup(Path("/nonexistent")), import_recent_ms=0)
    for step, batch in enumerate(batches):
        write_group(raw, [batch], NOW_MS + step // 2, rules)


def copies(events_sent: Sequence[NewEvent]) -> list[Batch]:
    """One batch for each; new ones, since storing fills in what an event leaves out."""
    return [Batch([NewEvent(**{name: getattr(e, name) for name in e.__struct_fields__})]) for e in events_sent]


def run(raw: sqlite3.Connection, registry: PricingRegistry, *, dry_run: bool = False) -> Recalculation:
    return list(recalculate(raw, registry, dry_run=dry_run))[-1]


def ledger(raw: sqlite3.Connection) -> dict[str, list[tuple[Any, ...]]]:
    return contents(raw) | {"calls": raw.execute("SELECT * FROM calls ORDER BY id").fetchall()}


def event_costs(raw: sqlite3.Connection) -> list[tuple[Any, ...]]:
    return raw.execute("SELECT id, cost_nanos FROM events ORDER BY id").fetchall()


def told(model: str | None, **fields: Any) -> NewEvent:
    return NewEvent(session_id="s", agent_type="codex", event_type="llm_response", model=model, **fields)


def in_the_books(event: NewEvent, call: NewCall | None, model: str | None, call_model: str | None) -> NewEvent:
    event.model, event.call = model, call
    if call is not None:
        call.model = call_model
    return event


plain_events = st.lists(st.builds(in_the_books, events, st.none(), models, st.none()), max_size=6)
any_events = st.lists(st.builds(in_the_books, events, st.one_of(st.none(), calls), models, models), max_size=6)


@settings(max_examples=100, deadline=None)
@given(sent=any_events)
def test_calls_and_sums_are_as_if_they_had_come_in_under_the_new_prices(
    migrated_database: Path, sent: list[NewEvent]
) -> None:
    with fresh_database(migrated_database) as raw, fresh_database(migrated_database) as expected:
        store(raw, copies(sent), OLD_BOOK)
        store(expected, copies(sent), NEW_BOOK)

        run(raw, NEW_BOOK)

        assert ledger(raw) == ledger(expected)


@settings(max_examples=100, deadline=None)
@given(sent=plain_events)
def test_events_too_are_as_if_they_had_come_in_under_the_new_prices(
    migrated_database: Path, sent: list[NewEvent]
) -> None:
    with fresh_database(migrated_database) as raw, fresh_database(migrated_database) as expected:
        store(raw, copies(sent), OLD_BOOK)
        store(expected, copies(sent), NEW_BOOK)

        run(raw, NEW_BOOK)

        assert event_costs(raw) == event_costs(expected)


def test_each_call_is_counted_once_and_totals_are_of_all_calls(migrated_database: Path) -> None:
    sent = [
        told("cheap", tokens_in=1_000_000, client_at_ms=NOW_MS),
        told("cheap", tokens_in=1, cost_nanos=5, client_at_ms=NOW_MS),
        told("gone", tokens_in=1_000_000, client_at_ms=NOW_MS),
        told("never", tokens_in=1),
        told(None, tokens_in=1),
    ]
    with fresh_database(migrated_database) as raw:
        store(raw, copies(sent), OLD_BOOK)

        figures = run(raw, NEW_BOOK)

        assert (figures.found, figures.updated, figures.unchanged, figures.kept) == (5, 1, 0, 1)
        assert figures.unknown_models == {"gone": 1, "never": 1, None: 1}
        assert (figures.before_nanos, figures.after_nanos) == (8 * 10**9 + 5, 3 * 10**9 + 5)
        assert figures.events_updated == 2
        total = raw.execute("SELECT sum(cost_nanos) FROM usage_hours").fetchone()[0]
        assert total == figures.after_nanos


def test_a_second_run_finds_nothing_to_do(migrated_database: Path) -> None:
    with fresh_database(migrated_database) as raw:
        store(raw, copies([told("cheap", tokens_in=9), told("late", tokens_out=3)]), OLD_BOOK)
        run(raw, NEW_BOOK)
        before = ledger(raw)

        figures = run(raw, NEW_BOOK)

        assert (figures.updated, figures.unchanged, figures.events_updated) == (0, 2, 0)
        assert ledger(raw) == before


def test_a_dry_run_tells_the_same_and_changes_nothing(migrated_database: Path) -> None:
    with fresh_database(migrated_database) as raw:
        store(raw, copies([told("cheap", tokens_in=9), told("late", tokens_out=3)]), OLD_BOOK)
        before = ledger(raw), event_costs(raw)
        writes = raw.total_changes

        dry = run(raw, NEW_BOOK, dry_run=True)

        assert (ledger(raw), event_costs(raw)) == before
        assert raw.total_changes == writes
        assert dry == run(raw, NEW_BOOK)


def test_an_event_follows_the_call_that_its_source_keyed_and_split(migrated_database: Path) -> None:
    """An event has one figure for cache writes; what they cost is known from the call."""
    usage = Usage(10, 20, 30, 40, 50, 5)
    call = NewCall(key="msg_1", usage=usage, model="claude-opus-4-5", called_at_ms=NOW_MS, authority=3)
    event = told(
        "claude-opus-4-5", tokens_in=10, cache_read_tokens=20, cache_write_tokens=70, tokens_out=50, call=call
    )
    event.client_at_ms = NOW_MS
    with fresh_database(migrated_database) as raw:
        store(raw, [Batch([event])], OLD_BOOK)

        run(raw, default_registry())

        priced = default_registry().price("claude-opus-4-5", usage, NOW_MS)
        assert priced is not None
        assert event_costs(raw) == [(1, priced.cost_nanos)]


def test_a_price_that_the_client_stated_stays_on_its_event(migrated_database: Path) -> None:
    """Also beside an event that looks the same in all but its price."""
    sent = [told("cheap", tokens_in=1_000_000, cost_nanos=10**9), told("cheap", tokens_in=1_000_000)]
    with fresh_database(migrated_database) as raw:
        store(raw, copies(sent), OLD_BOOK)
        run(raw, NEW_BOOK)

        assert event_costs(raw) == [(1, 10**9), (2, 3 * 10**9)]


def test_every_slice_is_a_transaction_of_its_own(migrated_database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SLICE", 2)
    with fresh_database(migrated_database) as raw:
        store(raw, copies([told("cheap", tokens_in=n) for n in range(1, 6)]), OLD_BOOK)

        found = []
        for figures in recalculate(raw, NEW_BOOK):
            assert not raw.in_transaction
            found.append(figures.found)

        assert found == [0, 0, 0, 2, 4, 5]
        kept = contents(raw)
        rebuild(raw)
        assert contents(raw) == kept


def test_many_calls_of_one_moment_are_not_compared_with_each_other(migrated_database: Path) -> None:
    """A large batch without times of its own is stored at one moment, in one session."""
    with fresh_database(migrated_database) as raw:
        store(raw, [Batch([told("cheap", tokens_in=1) for _ in range(module.SLICE)])], OLD_BOOK)
        steps = count_steps(raw, lambda: run(raw, NEW_BOOK, dry_run=True))
        store(raw, [Batch([told("cheap", tokens_in=1) for _ in range(3 * module.SLICE)])], OLD_BOOK)

        assert count_steps(raw, lambda: run(raw, NEW_BOOK, dry_run=True)) < 6 * steps


def count_steps(raw: sqlite3.Connection, act: Callable[[], object]) -> int:
    """How much the database has to do, in hundreds of its machine's instructions."""
    steps = count()
    raw.set_progress_handler(lambda: next(steps) < 0, 100)
    act()
    raw.set_progress_handler(None, 0)
    return next(steps)


def test_no_slice_reads_whole_tables(migrated_database: Path) -> None:
    with fresh_database(migrated_database) as raw:
        parameters = {"after": 0, "until": 500, "since": NOW_MS, "models": '["o3"]'}
        for statement in (module.SELECT_EVENTS, module.SELECT_CALLS):
            plan = [row[-1] for row in raw.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert not [step for step in plan if step.startswith("SCAN") and "json_each" not in step], plan


@pytest.fixture
def priced_wrongly(transactional_db: None) -> sqlite3.Connection:
    connection.ensure_connection()
    raw: sqlite3.Connection = connection.connection
    store(raw, copies([told("o3", tokens_in=1_000_000), told("never", tokens_in=3)]), OLD_BOOK)
    return raw


def run_command(*options: str) -> str:
    printed = io.StringIO()
    call_command("recalculate_costs", *options, stdout=printed)
    return printed.getvalue()


def test_the_command_prints_what_it_did(priced_wrongly: sqlite3.Connection) -> None:
    printed = run_command()

    assert [line.split() for line in printed.splitlines()] == [
        ["Calls", "found", "2"],
        ["updated", "1"],
        ["unchanged", "0"],
        ["client's", "price", "0", "(kept)"],
        ["unknown", "model", "1"],
        ["never:", "1"],
        ["Events", "updated", "1"],
        ["Total", "before", "$0.000000000"],
        ["Total", "after", "$2.000000000"],
    ]


def test_only_calls_that_are_wanted_are_priced_anew(migrated_database: Path) -> None:
    sent = [
        told("cheap", tokens_in=1_000_000, client_at_ms=NOW_MS - 2),
        told("cheap", tokens_in=1_000_000, client_at_ms=NOW_MS),
        told("late", tokens_in=1_000_000, client_at_ms=NOW_MS),
        told(None, tokens_in=1_000_000, client_at_ms=NOW_MS),
    ]
    with fresh_database(migrated_database) as raw:
        store(raw, copies(sent), OLD_BOOK)
        wanted = Wanted(since_ms=NOW_MS, models=frozenset({"cheap"}))

        figures = list(recalculate(raw, NEW_BOOK, wanted=wanted))[-1]

        assert (figures.found, figures.updated, figures.events_updated) == (1, 1, 1)
        costs = [(1, 10**8), (2, 3 * 10**9), (3, None), (4, None)]
        assert event_costs(raw) == costs
        assert raw.execute("SELECT id, cost_nanos FROM calls ORDER BY id").fetchall() == costs
        kept = contents(raw)
        rebuild(raw)
        assert contents(raw) == kept


def test_the_command_takes_a_model_in_any_spelling_and_a_time(priced_wrongly: sqlite3.Connection) -> None:
    assert "found        0" in run_command("--model", "o4-mini")
    assert "found        0" in run_command("--since", "9999-01-01")
    assert "found        1" in run_command("--model", "openai/o3-2025-04-16", "--since", "2020-01-01")
    with pytest.raises(CommandError, match="--since"):
        run_command("--since", "yesterday")


def test_the_command_can_only_look(priced_wrongly: sqlite3.Connection) -> None:
    before = ledger(priced_wrongly)

    assert run_command("--dry-run").endswith("Dry run: nothing was changed.\n")
    assert ledger(priced_wrongly) == before


def test_terms_and_searches_are_a_part_of_what_a_call_costs(migrated_database: Path) -> None:
    usage = Usage(uncached_input_tokens=1_000_000, web_searches=3, service_tier="priority", speed="fast")
    call = NewCall(key="msg_1", usage=usage, model="claude-opus-5", called_at_ms=NOW_MS, authority=3)
    event = told("claude-opus-5", tokens_in=1_000_000, client_at_ms=NOW_MS, call=call)
    with fresh_database(migrated_database) as raw:
        store(raw, [Batch([event])], default_registry())
        kept = "SELECT web_searches, service_tier, speed, cost_nanos, unpriced_terms FROM calls"
        expected = [(3, "priority", "fast", 10_030_000_000, "service_tier=priority")]
        assert raw.execute(kept).fetchall() == expected
        assert event_costs(raw) == [(1, 10_030_000_000)]

        run(raw, OLD_BOOK)
        assert raw.execute(kept).fetchall() == [(3, "priority", "fast", None, None)]
        run(raw, default_registry())
        assert raw.execute(kept).fetchall() == expected
        assert event_costs(raw) == [(1, 10_030_000_000)]

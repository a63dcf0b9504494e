"""What totals add, and what metrics tell beyond the calls that are known."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from ingest.metric_ledger import Seen, grown, same_model, shown_model, surplus


class Step(NamedTuple):
    """One export: what was used since the last, whether it reached us, and whether it was sent again."""

    used: int
    arrives: bool
    is_sent_again: bool


steps = st.lists(st.builds(Step, st.integers(0, 100), st.booleans(), st.booleans()))
amounts = st.dictionaries(st.integers(0, 5), st.integers(0, 100))


def added_by(totals: list[tuple[int, int | None]]) -> list[int]:
    seen: Seen | None = None
    added = []
    for total, at_ms in totals:
        amount, seen = grown(seen, total, at_ms)
        added.append(amount)
    return added


@given(steps)
def test_lost_and_repeated_exports_lose_and_add_nothing(history: list[Step]) -> None:
    told: list[tuple[int, int | None]] = []
    total = 0
    for at_ms, step in enumerate(history):
        total += step.used
        told += [(total, at_ms)] * (step.arrives + step.is_sent_again)
    told.append((total, len(history)))

    assert sum(added_by(told)) == total


@given(st.lists(st.integers(0, 1000)))
def test_a_restarted_counter_counts_from_nothing(totals: list[int]) -> None:
    before = [0, *totals]

    assert added_by([(total, None) for total in totals]) == [
        now - then if now >= then else now for then, now in zip(before, totals, strict=False)
    ]


def test_an_older_total_that_comes_late_adds_nothing() -> None:
    assert added_by([(100, 2), (60, 1), (110, 3)]) == [100, 0, 10]


@given(amounts, amounts)
def test_the_surplus_is_what_all_that_was_told_exceeds_all_that_is_held(
    told: dict[int, int], held: dict[int, int]
) -> None:
    left = surplus(told, held)

    assert sum(left.values()) == max(0, sum(told.values()) - sum(held.values()))
    assert all(0 <= amount <= told.get(hour, 0) for hour, amount in left.items())


@given(amounts)
def test_without_calls_all_that_was_told_is_left_where_it_was_told(told: dict[int, int]) -> None:
    assert surplus(told, {}) == told


def test_a_metric_that_comes_an_hour_after_its_call_is_no_surplus() -> None:
    assert surplus({2: 10, 3: 5}, {1: 10, 2: 5}) == {1: 0, 2: 0, 3: 0}


def test_what_was_lost_stays_in_its_hour_while_later_hours_are_told() -> None:
    assert surplus({1: 10, 2: 7, 3: 5, 4: 1}, {1: 10, 3: 5, 4: 1}) == {1: 0, 2: 7, 3: 0, 4: 0}


def test_spellings_of_a_model_are_one() -> None:
    assert {same_model(name) for name in ("claude-opus-4-8[1m]", "anthropic/claude-opus-4-8")} == {
        "claude-opus-4-8"
    }
    assert same_model(None) == ""
    assert shown_model(["claude-opus-4-8-20260101", "claude-opus-4-8[1m]"]) == "claude-opus-4-8"

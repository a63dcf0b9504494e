from typing import NamedTuple

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.otlp.cumulative import MOST_SERIES, CumulativeState, Taken


class Step(NamedTuple):
    """One export: what was used since the last, and whether it reached us, was stored, and was sent again."""

    used: int
    restarts: bool
    arrives: bool
    is_stored: bool
    is_sent_again: bool


steps = st.lists(st.builds(Step, st.integers(0, 100), st.booleans(), st.booleans(), st.booleans(), st.booleans()))


def export(state: CumulativeState, total: int, at_ms: int, *, is_stored: bool) -> float:
    added = state.take("s", total, at_ms)
    if is_stored:
        return added
    state.give_back([Taken("s", added)])
    return 0


@given(steps)
def test_lost_failed_and_repeated_exports_lose_and_add_nothing(history: list[Step]) -> None:
    state, stored, total = CumulativeState(), 0.0, 0
    for at_ms, step in enumerate(history):
        total += step.used
        if step.arrives:
            stored += export(state, total, at_ms, is_stored=step.is_stored)
        if step.is_sent_again:
            stored += export(state, total, at_ms, is_stored=True)
    stored += export(state, total, len(history), is_stored=True)

    assert stored == total


@given(st.lists(st.integers(0, 1000)))
def test_a_restarted_counter_counts_from_nothing(totals: list[int]) -> None:
    state = CumulativeState()

    added = [state.take("s", total, None) for total in totals]

    before = [0, *totals]
    assert added == [now - then if now >= then else now for then, now in zip(before, totals, strict=False)]


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 100))), st.integers(0, 10))
def test_a_restart_of_ours_changes_nothing(points: list[tuple[int, int]], cut: int) -> None:
    state, restarted = CumulativeState(), CumulativeState()
    for index, (series, total) in enumerate(points):
        if index == cut:
            restarted = CumulativeState.load(restarted.dump())

        assert state.take(str(series), total, index) == restarted.take(str(series), total, index)


def test_an_older_total_that_comes_late_adds_nothing() -> None:
    state = CumulativeState()
    state.take("s", 100, 2)

    assert state.take("s", 60, 1) == 0
    assert state.take("s", 110, 3) == 10


def test_memory_is_bounded_and_the_silent_are_forgotten_first() -> None:
    state = CumulativeState()
    for number in range(MOST_SERIES):
        state.take(f"s{number}", 1, None)
    state.take("s0", 2, None)
    state.take("one more", 1, None)

    assert state.take("s0", 3, None) == 1
    assert state.take("s1", 1, None) == 1, "the longest silent was forgotten"


@pytest.mark.parametrize("content", [b"", b"[]", b'{"a":1}'])
def test_a_spoiled_dump_is_refused(content: bytes) -> None:
    with pytest.raises(msgspec.MsgspecError):
        CumulativeState.load(content)

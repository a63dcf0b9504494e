"""What hooks cost, in fixed buckets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.hook_weight import BOUNDS_US, MOST_KINDS, Histogram, HookWeight


def histogram(*took_us: float) -> Histogram:
    filled = Histogram()
    for took in took_us:
        filled.add(took)
    return filled


def test_nothing_has_no_median() -> None:
    assert histogram().quantile_ms(0.5) is None


@given(took_us=st.lists(st.floats(BOUNDS_US[0], BOUNDS_US[-1]), min_size=1, max_size=200))
@pytest.mark.parametrize("share", [0.5, 0.99])
def test_a_quantile_is_right_to_a_quarter(share: float, took_us: list[float]) -> None:
    ordered = sorted(took_us)
    exact = ordered[max(0, -(-int(share * 100) * len(ordered) // 100) - 1)]
    told = histogram(*took_us).quantile_ms(share)
    assert told is not None
    assert exact <= told * 1000 * 1.001 and told * 1000 <= exact * 1.26


def test_what_takes_longer_than_the_last_bound_is_counted() -> None:
    assert histogram(1e12).quantile_ms(0.5) == BOUNDS_US[-1] / 1000


def test_each_kind_has_its_own_row() -> None:
    weight = HookWeight()
    for _ in range(3):
        weight.note("codex", "Stop", 400, body_bytes=100)
    weight.note("codex", "PreToolUse", 900, failed=True)
    weight.note_reported("claude_code", "Stop", 12_000)
    first, *others = weight.rows()
    assert (first["client"], first["hook"], first["measured_by"]) == ("codex", "Stop", "server")
    assert (first["calls"], first["failures"], first["bytes"]) == (3, 0, 300)
    assert first["median_ms"] == pytest.approx(0.4, rel=0.25)
    assert [(row["hook"], row["measured_by"], row["failures"]) for row in others] == [
        ("Stop", "client", 0),
        ("PreToolUse", "server", 1),
    ]


def test_names_from_outside_do_not_fill_the_memory() -> None:
    weight = HookWeight()
    for number in range(3 * MOST_KINDS):
        weight.note("codex", f"{number}{'x' * 1000}", 1)
    rows = weight.rows()
    assert len(rows) == MOST_KINDS + 1
    assert (rows[0]["hook"], rows[0]["calls"]) == ("others", 2 * MOST_KINDS)
    assert all(len(row["hook"]) <= 40 for row in rows)

"""Query parameters: lenient where the contract is, refused by name where it matters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.filters import (
    DEFAULT_LIMIT,
    LARGEST_OFFSET,
    MOST_ROWS,
    FilterFault,
    leading_integer,
    limit_of,
    moment_of,
    offset_of,
    until_of,
)
from monitor.times import iso_text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5),
        (" 5 ", 5),
        ("5.9", 5),
        ("5abc", 5),
        ("-3", -3),
        ("+7", 7),
        ("007", 7),
        ("abc", None),
        ("", None),
        (None, None),
        ("-", None),
        ("--5", None),
        ("٣", None),
        ("9" * 30, None),
    ],
)
def test_integers_are_read_as_javascript_does(text: str | None, number: int | None) -> None:
    assert leading_integer(text) == number


@pytest.mark.parametrize(
    ("text", "limit"), [("1", 1), ("0", DEFAULT_LIMIT), ("-1", DEFAULT_LIMIT), ("x", DEFAULT_LIMIT)]
)
def test_a_limit_that_is_none_is_the_default(text: str, limit: int) -> None:
    assert limit_of(text) == limit


def test_a_large_limit_is_clamped_but_not_below_500() -> None:
    assert limit_of("500") == 500
    assert limit_of("999999") == MOST_ROWS >= 500


@given(st.text() | st.none())
def test_any_text_is_a_limit_and_an_offset(text: str | None) -> None:
    assert 0 < limit_of(text) <= MOST_ROWS
    assert 0 <= offset_of(text) <= LARGEST_OFFSET


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-02-18", "2026-02-18T00:00:00.000Z"),
        ("2026-02-18 18:06:41", "2026-02-18T18:06:41.000Z"),
        ("2026-02-18T18:06:41Z", "2026-02-18T18:06:41.000Z"),
        ("2026-02-18T18:06:41.231Z", "2026-02-18T18:06:41.231Z"),
        ("2026-02-18T20:06:41+02:00", "2026-02-18T18:06:41.000Z"),
        ("2026-02-18T20:06:41 02:00", "2026-02-18T18:06:41.000Z"),
        ("2026-02-18T13:06:41-05:00", "2026-02-18T18:06:41.000Z"),
        (" 2026-02-18 ", "2026-02-18T00:00:00.000Z"),
    ],
)
def test_since_is_read_as_a_time(text: str, shown: str) -> None:
    at_ms = moment_of("since", text)
    assert at_ms is not None
    assert iso_text(at_ms) == shown


@pytest.mark.parametrize("text", [None, "", " "])
def test_an_empty_since_is_a_missing_one(text: str | None) -> None:
    assert moment_of("since", text) is None
    assert until_of(text) is None


@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01", "1e400", "99999-01-01", "0001-01-01T00:00:00+12:00", "\0"]
)
def test_what_is_no_time_is_refused_by_name(text: str) -> None:
    with pytest.raises(FilterFault, match="since"):
        moment_of("since", text)


def test_until_a_second_takes_all_of_it() -> None:
    at_ms = moment_of("until", "2026-02-18T18:06:41Z")
    assert at_ms is not None
    assert until_of("2026-02-18T18:06:41Z") == at_ms + 999
    assert until_of("2026-02-18T18:06:41.500Z") == at_ms + 500


@given(st.text())
def test_any_text_is_a_time_or_refused(text: str) -> None:
    try:
        moment_of("since", text)
    except FilterFault as fault:
        assert str(fault).startswith("since: ")

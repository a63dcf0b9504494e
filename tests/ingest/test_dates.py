"""Dates as JavaScript's `Date` reads them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.dates import parse_date
from monitor.times import iso_text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026-02-18T18:06:41.231Z", "2026-02-18T18:06:41.231Z"),
        ("2026-02-18T18:06:41Z", "2026-02-18T18:06:41.000Z"),
        ("2026-02-18T18:06Z", "2026-02-18T18:06:00.000Z"),
        ("2026-02-18T20:06:41+02:00", "2026-02-18T18:06:41.000Z"),
        ("2026-02-18T20:06:41+0200", "2026-02-18T18:06:41.000Z"),
        ("2026-02-18T12:36:41.5-05:30", "2026-02-18T18:06:41.500Z"),
        ("2026-02-18T18:06:41.231999Z", "2026-02-18T18:06:41.231Z"),
        ("2026-02-18T18:06:41.231999999Z", "2026-02-18T18:06:41.231Z"),
        ("2026-02-18 18:06:41", "2026-02-18T18:06:41.000Z"),
        ("2026-02-18", "2026-02-18T00:00:00.000Z"),
        ("2026-02", "2026-02-01T00:00:00.000Z"),
        ("2026/02/18", "2026-02-18T00:00:00.000Z"),
        ("2/18/2026", "2026-02-18T00:00:00.000Z"),
        ("Feb 18, 2026", "2026-02-18T00:00:00.000Z"),
        ("February 18, 2026 18:06:41", "2026-02-18T18:06:41.000Z"),
        ("18 Feb 2026", "2026-02-18T00:00:00.000Z"),
        ("Wed, 18 Feb 2026 18:06:41 GMT", "2026-02-18T18:06:41.000Z"),
        ("Wed, 18 Feb 2026 20:06:41 +0200", "2026-02-18T18:06:41.000Z"),
        ("Wed Feb 18 2026 20:06:41 GMT+0200 (Central European Summer Time)", "2026-02-18T18:06:41.000Z"),
        ("  2026-02-18T18:06:41Z\n", "2026-02-18T18:06:41.000Z"),
        ("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z"),
        ("0001-01-01", "0001-01-01T00:00:00.000Z"),
    ],
)
def test_what_is_a_date(text: str, shown: str) -> None:
    at_ms = parse_date(text)
    assert at_ms is not None
    assert iso_text(at_ms) == shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "not a date",
        "2026-13-01",
        "2026-02-30",
        "2026-02-18T25:00:00Z",
        "20260218",
        "2026-W08-3",
        "2026-02-18T18:06:41Zz",
        "99999-01-01",
        "0001-01-01T00:00:00+12:00",
        "9999-12-31T23:59:59-12:00",
        "1" * 5000,
        "\ud800",
        "٢٠٢٦-٠٢-١٨",
    ],
)
def test_what_is_no_date(text: str) -> None:
    assert parse_date(text) is None


@given(
    st.datetimes(
        min_value=datetime(1, 1, 2),
        max_value=datetime(9999, 12, 30),
        timezones=st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    )
)
def test_any_iso_time_is_read_to_the_millisecond(moment: datetime) -> None:
    at_ms = parse_date(moment.isoformat())
    assert at_ms is not None
    assert iso_text(at_ms) == moment.astimezone(UTC).isoformat("T", "milliseconds")[:23] + "Z"


@given(st.text())
def test_any_text_is_read_or_not_but_never_fails(text: str) -> None:
    at_ms = parse_date(text)
    assert at_ms is None or iso_text(at_ms)

"""Holding an answer against a recorded one: what has to be equal, and what can only be alike."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

TOLERANCE: Final = 1e-9
RECORDED_TIME: Final = re.compile(r"2026-11-24[ T]14:4\d:\d\d(\.\d{3}Z)?")
RECORDED_HOUR: Final = "2026-11-24T14:00:00Z"
HOUR: Final = "%Y-%m-%dT%H:00:00Z"
# An object with one of these fields may have more fields than recorded; every other one is exact.
MAY_HAVE_MORE: Final = {"schema_version", "agent_id", "total_events", "db_size_bytes", "windowHours", "session"}


class AnyOf(NamedTuple):
    """Anything of a type."""

    kind: type | tuple[type, ...]


class Rows(NamedTuple):
    """Rows with these ids in this order; of those that were recorded here, all fields."""

    ids: tuple[object, ...]
    known: list[dict[str, Any]]


class Period(NamedTuple):
    """When a replay took place, for the times that the server gave itself."""

    start: datetime
    end: datetime

    def holds(self, text: str, form: str) -> bool:
        """Whether the text is of the period, and has the form of a recorded one."""
        if len(text) != len(form) or text[10] != form[10] or text[19:20] != form[19:20]:
            return False
        try:
            moment = datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
        except ValueError:
            return False
        return self.start - timedelta(seconds=1) <= moment <= self.end


def differences(actual: Any, expected: Any, period: Period, where: str = "body") -> Iterator[str]:
    """Each place where the answer is not what was recorded."""
    if isinstance(expected, AnyOf):
        if not isinstance(actual, expected.kind) or isinstance(actual, bool):
            yield f"{where}: {actual!r} is no {expected.kind}"
    elif isinstance(expected, Rows):
        yield from _row_differences(actual, expected, period, where)
    elif isinstance(expected, dict):
        yield from _object_differences(actual, expected, period, where)
    elif isinstance(expected, list):
        yield from _list_differences(actual, expected, period, where)
    elif not _is_same(actual, expected, period):
        yield f"{where}: {actual!r}, recorded {expected!r}"


def _object_differences(actual: Any, expected: dict[str, Any], period: Period, where: str) -> Iterator[str]:
    if not isinstance(actual, dict):
        yield f"{where}: {actual!r} is no object"
        return
    for name in sorted(expected.keys() - actual.keys()):
        yield f"{where}.{name} is missing, recorded {expected[name]!r}"
    if not MAY_HAVE_MORE & expected.keys():
        for name in sorted(actual.keys() - expected.keys()):
            yield f"{where}.{name}: {actual[name]!r} is not recorded"
    for name in expected.keys() & actual.keys():
        yield from differences(actual[name], expected[name], period, f"{where}.{name}")


def _list_differences(actual: Any, expected: list[Any], period: Period, where: str) -> Iterator[str]:
    if where.endswith(".timeline"):
        actual, expected = _without_this_hour(actual, period), _without_this_hour(expected, period)
    if not isinstance(actual, list) or len(actual) != len(expected):
        yield f"{where}: {len(actual)} items, recorded {len(expected)}"
        return
    for index, pair in enumerate(zip(actual, expected, strict=True)):
        yield from differences(*pair, period, f"{where}[{index}]")


def _without_this_hour(buckets: list[dict[str, Any]], period: Period) -> list[dict[str, Any]]:
    """The hours of the run as one: a run may begin in one hour and end in the next."""
    now = [bucket for bucket in buckets if _is_now(bucket["bucket"], period)]
    sums = {name: sum(bucket[name] for bucket in now) for name in (now[0] if now else {}) if name != "bucket"}
    return [bucket for bucket in buckets if bucket not in now] + ([sums] if now else [])


def _is_now(bucket: str, period: Period) -> bool:
    return bucket in {RECORDED_HOUR, period.start.strftime(HOUR), period.end.strftime(HOUR)}


def _row_differences(actual: Any, expected: Rows, period: Period, where: str) -> Iterator[str]:
    ids = tuple(row["id"] for row in actual)
    if ids != expected.ids:
        yield f"{where}: rows {ids}, expected {expected.ids}"
    known = {row["id"]: row for row in expected.known}
    for row in actual:
        if row["id"] in known:
            yield from differences(row, known[row["id"]], period, f"{where}[{row['id']}]")


def _is_same(actual: Any, expected: Any, period: Period) -> bool:
    if isinstance(expected, bool) or expected is None:
        return actual is expected
    if isinstance(expected, (int, float)):
        is_number = isinstance(actual, (int, float)) and not isinstance(actual, bool)
        return is_number and abs(actual - expected) <= TOLERANCE
    if RECORDED_TIME.fullmatch(expected):
        return isinstance(actual, str) and period.holds(actual, expected)
    return bool(actual == expected)

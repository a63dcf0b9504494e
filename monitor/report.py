"""Usage for the terminal: by day, week, month, session, model, project, or in windows of five hours.

All figures come from `monitor.queries_usage.usage`, so that they are those of /api/usage.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final

import msgspec

from monitor.filters import FilterFault, moment_of, until_of
from monitor.queries_usage import UsageFilter, UsageSums, usage
from monitor.rows import NANOS_PER_DOLLAR
from monitor.times import HOUR_MS, from_datetime, iso_text

# What each report groups by; the first is the name of its rows.
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "daily": ("day",),
    "weekly": ("week",),
    "monthly": ("month",),
    "session": ("session_id", "project", "agent_type"),
    "model": ("model",),
    "project": ("project",),
}
BLOCKS: Final = "blocks"
KINDS: Final = (*GROUPS, BLOCKS)
# Providers count a plan's use in windows of five hours, which begin with the hour of their first call.
BLOCK_MS: Final = 5 * HOUR_MS
COMPACT_DAY_CHARACTERS: Final = len("20260131")
DAY_CHARACTERS: Final = len("2026-01-31")

Row = dict[str, Any]


class Report(msgspec.Struct):
    """Rows have the group's values by name, `models`, and the sums; `columns` are the names of the values."""

    kind: str
    columns: tuple[str, ...]
    rows: list[Row]
    totals: UsageSums


def usage_report(kind: str, wanted: UsageFilter, zone: tzinfo, now_ms: int) -> Report:
    """One of KINDS. `now_ms` tells which block is still open."""
    groups = ("hour",) if kind == BLOCKS else GROUPS[kind]
    found = usage(wanted, groups, zone)
    by_model = usage(wanted, tuple(dict.fromkeys((*groups, "model"))), zone)["rows"]
    models = _models(by_model, groups)
    rows = [{**row, "models": models[_key(row, groups)]} for row in found["rows"]]
    if kind == BLOCKS:
        return Report(kind, ("start", "end", "active"), blocks(rows, now_ms), found["totals"])
    return Report(kind, groups, rows, found["totals"])


def _key(row: Row, groups: Sequence[str]) -> tuple[Any, ...]:
    return tuple(row[name] for name in groups)


def _models(rows: Iterable[Row], groups: Sequence[str]) -> dict[tuple[Any, ...], list[str]]:
    models: dict[tuple[Any, ...], list[str]] = {}
    for row in rows:
        models.setdefault(_key(row, groups), []).append(row["model"] or "(no model named)")
    return models


def blocks(hours: Iterable[Row], now_ms: int) -> list[Row]:
    """Hours, in order, put together to windows: each begins with the first hour after the last one ended."""
    found: list[Row] = []
    end_ms: int | None = None
    for hour in hours:
        start_ms = from_datetime(datetime.fromisoformat(hour["hour"]))
        if end_ms is None or start_ms >= end_ms:
            end_ms = start_ms + BLOCK_MS
            found.append(_empty_block(start_ms, end_ms, now_ms))
        _add_hour(found[-1], hour)
    return found


def _empty_block(start_ms: int, end_ms: int, now_ms: int) -> Row:
    times = {"start": _second_text(start_ms), "end": _second_text(end_ms), "active": start_ms <= now_ms < end_ms}
    return {**times, "models": [], **dict.fromkeys(UsageSums.__struct_fields__, 0)}


def _second_text(at_ms: int) -> str:
    return iso_text(at_ms)[:19] + "Z"


def _add_hour(block: Row, hour: Row) -> None:
    for name in UsageSums.__struct_fields__:
        if name != "cost_usd":
            block[name] += hour[name]
    # Dollars are floats: added as whole nano-dollars, the sum does not depend on the way.
    block["cost_usd"] = (_nanos(block["cost_usd"]) + _nanos(hour["cost_usd"])) / NANOS_PER_DOLLAR
    block["models"] += [model for model in hour["models"] if model not in block["models"]]


def _nanos(dollars: float) -> int:
    return round(dollars * NANOS_PER_DOLLAR)


def report_filter(since: str | None, until: str | None, zone: tzinfo) -> UsageFilter:
    """As the API reads them; but a bare day is one of the zone, and --until takes all of it."""
    since_day, until_day = _day(since), _day(until)
    since_ms = moment_of("since", since) if since_day is None else _midnight_ms("since", since_day, zone)
    if until_day is None:
        return UsageFilter(since_ms=since_ms, until_ms=until_of(until))
    return UsageFilter(since_ms=since_ms, until_ms=_midnight_ms("until", until_day, zone, days=1) - 1)


def _day(text: str | None) -> date | None:
    written = (text or "").strip()
    if len(written) not in (COMPACT_DAY_CHARACTERS, DAY_CHARACTERS):
        return None
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def _midnight_ms(name: str, day: date, zone: tzinfo, days: int = 0) -> int:
    try:
        moment = datetime.combine(day + timedelta(days=days), time(), zone).astimezone(UTC)
    except OverflowError:
        raise FilterFault(f"{name}: must be a date or an ISO 8601 time") from None
    return from_datetime(moment)

"""What has to be added to a price file for it to say what the source says from now on. Pure.

What was billed stays: a row is only ever added, at the end, and the one before it ends that day.
"""

import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any, Final, NamedTuple

from pricing.datafile import rates_of_row
from pricing.rows import PriceRow

ROW_PRICES: Final = (
    "inputCostPerMTok",
    "outputCostPerMTok",
    "cacheReadCostPerMTok",
    "cacheWriteCostPerMTok",
    "cacheWrite1hCostPerMTok",
)
# Ours have a row that the source lacks, on purpose (docs/prices.md).
KEPT: Final = frozenset({"claude-sonnet-4"})
# Not compared: what a search costs hardly changes. Variants are left out: they follow no rule, and are flagged.
KEPT_FIELDS: Final = ("webSearchCostPerThousand",)
LONGEST_LINE: Final = 100


class SourceRow(NamedTuple):
    """What the source says from a day on; `prices` in the form of a row of a price file."""

    from_day: date | None
    prices: dict[str, Any]


class SourceModel(NamedTuple):
    title: str
    rows: tuple[SourceRow, ...]  # oldest first


class Difference(NamedTuple):
    """`before` and `after` are prices as in a row; `is_added` is false for the past, which stays as it is."""

    model: str
    from_day: date
    before: dict[str, Any]
    after: dict[str, Any]
    is_added: bool


def differences(
    content: dict[str, Any], find: Callable[[str], SourceModel | None], today: date
) -> Iterator[tuple[Difference, str]]:
    """Each difference of a price file's content from the source, with the source's title, in the order of days."""
    for model, entry in content["models"].items():
        source = find(model)
        if source is not None and model not in KEPT:
            for difference in _of_model(model, entry["prices"][-1], content, source, today):
                yield difference, source.title


def _of_model(
    model: str, newest: dict[str, Any], content: dict[str, Any], source: SourceModel, today: date
) -> Iterator[Difference]:
    if newest.get("until") is not None:
        return
    began = None if newest.get("from") is None else date.fromisoformat(newest["from"])
    known = _prices(newest)
    today = max(today, began or today)
    for row, day in _days_to_compare(source, began, today):
        if _rates(row.prices, content) == _rates(known, content):
            continue
        is_added = day >= today and (began is None or day > began)
        yield Difference(model, day, known, row.prices, is_added)
        if is_added:
            known = row.prices


def _days_to_compare(source: SourceModel, began: date | None, today: date) -> Iterator[tuple[SourceRow, date]]:
    """The source's changes since our newest row began, and what it says today."""
    in_force = [row for row in source.rows if row.from_day is None or row.from_day <= today][-1]
    for row in source.rows:
        if row.from_day is not None and (began is None or row.from_day > began) and row.from_day < today:
            yield row, row.from_day
        if row is in_force:
            yield row, today
        if row.from_day is not None and row.from_day > today:
            yield row, row.from_day


def _prices(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in (*ROW_PRICES, "tiers") if name in row}


def _rates(prices: dict[str, Any], content: dict[str, Any]) -> PriceRow:
    """What the prices come to, cache prices that they leave out included."""
    return rates_of_row(prices, content.get("cachePercentOfInput", {}))


def add_row(content: dict[str, Any], difference: Difference, source: str, today: date) -> None:
    """Put a difference into the file's content, as one more row of the model."""
    rows = content["models"][difference.model]["prices"]
    day = difference.from_day.isoformat()
    rows[-1]["until"] = day
    kept = {name: rows[-1][name] for name in KEPT_FIELDS if name in rows[-1]}
    dated = {"source": source, "date": today.isoformat()}
    rows.append({"from": day, "until": None, **difference.after, **kept, **dated})
    content["lastUpdated"] = today.isoformat()


def written(content: dict[str, Any]) -> str:
    """A price file's text: as JSON with short lists of aliases on one line."""
    text = json.dumps(content, indent=2, ensure_ascii=False)
    return re.sub(r'( *"aliases": )\[\n(.*?)\n\s*\]', _on_one_line, text, flags=re.DOTALL) + "\n"


def _on_one_line(match: re.Match[str]) -> str:
    names = re.sub(r",\s+", ", ", match[2].strip())
    line = f"{match[1]}[{names}]"
    return line if len(line) < LONGEST_LINE else match[0]

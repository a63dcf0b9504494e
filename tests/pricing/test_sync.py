"""Prices brought from the source: what is to come is added, what was billed stays."""

import json
from copy import deepcopy
from datetime import date
from typing import Any

import pytest

from pricing.registry import DATA
from pricing.source import find_source_model
from pricing.sync import Difference, SourceModel, SourceRow, add_row, differences, written

TODAY = date(2026, 11, 24)
OLD = {"inputCostPerMTok": 3, "outputCostPerMTok": 15}
NEW = {"inputCostPerMTok": 2, "outputCostPerMTok": 10, "cacheReadCostPerMTok": 0.1}


def content(**row: Any) -> dict[str, Any]:
    return {
        "provider": "acme",
        "lastUpdated": "2026-01-01",
        "models": {
            "anvil": {
                "aliases": ["an"],
                "prices": [{"from": None, "until": None, **OLD, "source": "s", "date": "2026-01-01"} | row],
            }
        },
    }


def found(ours: dict[str, Any], *rows: tuple[date | None, dict[str, Any]]) -> list[Difference]:
    source = SourceModel("source", tuple(SourceRow(*row) for row in rows))
    return [difference for difference, _ in differences(ours, lambda model: source, TODAY)]


def test_equal_prices_are_no_difference_also_where_they_are_implied() -> None:
    assert found(content(), (None, OLD | {"cacheReadCostPerMTok": 3.0})) == []
    ours = content() | {"cachePercentOfInput": {"read": 10}}
    assert found(ours, (None, OLD | {"cacheReadCostPerMTok": 0.3})) == []


def test_another_price_holds_from_today() -> None:
    assert found(content(), (None, NEW)) == [Difference("anvil", TODAY, OLD, NEW, is_added=True)]


def test_what_the_source_changed_before_today_is_told_and_not_taken_into_the_past() -> None:
    began = date(2026, 11, 1)
    assert found(content(), (None, OLD), (began, NEW)) == [
        Difference("anvil", began, OLD, NEW, is_added=False),
        Difference("anvil", TODAY, OLD, NEW, is_added=True),
    ]


def test_a_price_that_is_to_come_is_a_row_from_its_day() -> None:
    day = date(2026, 12, 1)
    assert found(content(), (None, OLD), (day, NEW)) == [Difference("anvil", day, OLD, NEW, is_added=True)]


def test_a_row_of_today_and_a_model_that_ended_are_left_alone() -> None:
    assert [each.is_added for each in found(content(**{"from": "2026-11-24"}), (None, NEW))] == [False]
    assert found(content(until="2026-11-01"), (None, NEW)) == []


def test_an_added_row_ends_the_one_before_and_changes_nothing_else_of_it() -> None:
    ours = content()
    before = deepcopy(ours)
    (difference,) = found(ours, (None, NEW))
    add_row(ours, difference, "source 2", TODAY)

    first, added = ours["models"]["anvil"]["prices"]
    assert first == before["models"]["anvil"]["prices"][0] | {"until": "2026-11-24"}
    assert added == {"from": "2026-11-24", "until": None, **NEW, "source": "source 2", "date": "2026-11-24"}
    assert found(ours, (None, NEW)) == []


@pytest.mark.parametrize("path", sorted(DATA.glob("*.json")), ids=lambda path: path.name)
def test_the_shipped_files_are_written_as_they_stand_and_agree_with_the_source(path: Any) -> None:
    ours = json.loads(path.read_text())
    assert written(ours) == path.read_text()
    assert list(differences(ours, lambda model: find_source_model(path.name, model), TODAY)) == []

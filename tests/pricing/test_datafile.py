"""Price files: what they may hold, and the one error that names what is wrong with them."""

import json
from pathlib import Path
from typing import Any

import pytest

from pricing.datafile import PriceDataError, read_price_file
from pricing.registry import PricingRegistry
from pricing.usage import Usage

ROW = {"inputCostPerMTok": 3, "outputCostPerMTok": 15, "source": "price list", "date": "2026-11-24"}
TIER = {"inputCostPerMTok": 6, "outputCostPerMTok": 30}


def price_file(directory: Path, *rows: dict[str, Any], name: str = "acme.json", **top: Any) -> Path:
    content = {"provider": "acme", "lastUpdated": "2026-11-24", "models": {"m": {"prices": rows}}, **top}
    path = directory / name
    path.write_text(json.dumps(content))
    return path


def message(path: Path) -> str:
    with pytest.raises(PriceDataError) as caught:
        read_price_file(path)
    return str(caught.value)


def test_a_directory_of_files_is_one_registry(tmp_path: Path) -> None:
    price_file(tmp_path, ROW)
    price_file(tmp_path, name="b.json", models={"n": {"aliases": ["n-one"], "prices": [ROW]}})
    registry = PricingRegistry.load(tmp_path)
    assert registry.lookup("m", None) is not None
    assert registry.lookup("n-one", 0) is registry.lookup("n", 0)


def test_decimal_prices_are_read_exactly(tmp_path: Path) -> None:
    path = tmp_path / "acme.json"
    text = json.dumps({"provider": "acme", "lastUpdated": "2026-11-24", "models": {"m": {"prices": [ROW]}}})
    path.write_text(text.replace(": 3,", ": 0.123456789,").replace(": 15,", ": 8.1,"))
    [model] = read_price_file(path)
    assert model.rows[0].rates.uncached_input_nanos == 123_456_789
    assert model.rows[0].rates.output_nanos == 8_100_000_000


def test_cache_classes_without_a_price_cost_as_much_as_input(tmp_path: Path) -> None:
    [model] = read_price_file(price_file(tmp_path, ROW))
    assert model.rows[0].rates[:4] == (3_000_000_000,) * 4


def test_one_hour_writes_without_a_price_cost_as_much_as_five_minute_writes(tmp_path: Path) -> None:
    [model] = read_price_file(price_file(tmp_path, {**ROW, "cacheWriteCostPerMTok": 4}))
    assert model.rows[0].rates.cache_write_1h_nanos == 4_000_000_000


def test_a_file_may_give_cache_prices_in_percent_of_input(tmp_path: Path) -> None:
    path = price_file(
        tmp_path,
        {**ROW, "cacheReadCostPerMTok": 1, "tiers": [{**TIER, "abovePromptTokens": 9}]},
        cachePercentOfInput={"read": 10, "write": 125, "write1h": 200},
    )
    [model] = read_price_file(path)
    assert model.rows[0].rates[1:4] == (1_000_000_000, 3_750_000_000, 6_000_000_000)
    assert model.rows[0].tiers[0].rates[1:4] == (600_000_000, 7_500_000_000, 12_000_000_000)


def test_tiers_are_written_upwards(tmp_path: Path) -> None:
    tiers = [{**TIER, "abovePromptTokens": 100}, {**TIER, "abovePromptTokens": 200}]
    [model] = read_price_file(price_file(tmp_path, {**ROW, "tiers": tiers}))
    assert model.rows[0].price(Usage(201)).tier_above_tokens == 200
    assert model.rows[0].price(Usage(200)).tier_above_tokens == 100


def test_rows_are_dated_and_a_gap_between_them_has_no_price(tmp_path: Path) -> None:
    price_file(
        tmp_path,
        {**ROW, "from": "1970-01-02", "until": "1970-01-03"},
        {**ROW, "from": "1970-01-04", "inputCostPerMTok": 4},
    )
    registry = PricingRegistry.load(tmp_path)
    day_ms = 86_400_000
    found = [registry.lookup("m", day * day_ms) for day in range(5)]
    assert [row and row.price_id for row in found] == [
        None,
        "m@1970-01-02",
        None,
        "m@1970-01-04",
        "m@1970-01-04",
    ]
    assert registry.lookup("m", 2 * day_ms - 1) == found[1]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"inputCostPerMTok": None}, "prices[0].inputCostPerMTok"),
        ({"inputCostPerMTok": "cheap"}, "prices[0].inputCostPerMTok"),
        ({"inputCostPerMTok": "NaN"}, "prices[0].inputCostPerMTok"),
        ({"inputCostPerMTok": "Infinity"}, "prices[0].inputCostPerMTok"),
        ({"outputCostPerMTok": -1}, "prices[0].outputCostPerMTok"),
        ({"outputCostPerMTok": 15_000_000}, "prices[0].outputCostPerMTok"),
        ({"cacheReadCostPerMTok": 0.0000000001}, "prices[0].cacheReadCostPerMTok"),
        ({"cacheWriteCostPerMTok": True}, "prices[0].cacheWriteCostPerMTok"),
        ({"cacheWrite1hCostPerMTok": []}, "prices[0].cacheWrite1hCostPerMTok"),
        ({"cacheReadsCostPerMTok": 1}, "prices[0].cacheReadsCostPerMTok"),
        ({"source": ""}, "prices[0].source"),
        ({"date": "yesterday"}, "prices[0].date"),
        ({"from": "2026-02-30"}, "prices[0].from"),
        ({"from": "2026-03-01", "until": "2026-03-01"}, "prices[0].until"),
        ({"tiers": [{**TIER, "abovePromptTokens": 0}]}, "prices[0].tiers[0].abovePromptTokens"),
        (
            {"tiers": [{"abovePromptTokens": 1, "outputCostPerMTok": 2}]},
            "prices[0].tiers[0].inputCostPerMTok",
        ),
        (
            {"tiers": [{**TIER, "abovePromptTokens": 1, "cacheReadCostPerMTok": -1}]},
            "prices[0].tiers[0].cacheReadCostPerMTok",
        ),
        ({"tiers": [{**TIER, "abovePromptTokens": 5}, {**TIER, "abovePromptTokens": 5}]}, "prices[0].tiers"),
    ],
)
def test_a_wrong_row_is_named_with_file_model_and_field(tmp_path: Path, row: dict[str, Any], field: str) -> None:
    assert message(price_file(tmp_path, {**ROW, **row})).startswith(f"acme.json: m: {field}: ")


@pytest.mark.parametrize("field", ["inputCostPerMTok", "outputCostPerMTok", "source", "date"])
def test_a_missing_field_is_named(tmp_path: Path, field: str) -> None:
    row = {name: value for name, value in ROW.items() if name != field}
    assert message(price_file(tmp_path, row)).startswith(f"acme.json: m: prices[0].{field}: ")


@pytest.mark.parametrize(
    "rows",
    [
        [{}, {"from": "2026-01-01"}],
        [{"until": "2026-01-01"}, {}],
        [{"until": "2026-01-02"}, {"from": "2026-01-01"}],
        [{"from": "2026-01-02"}, {"from": "2025-01-01", "until": "2026-01-02"}],
    ],
)
def test_rows_that_overlap_or_stand_in_the_wrong_order_are_refused(
    tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    path = price_file(tmp_path, *({**ROW, **row} for row in rows))
    assert message(path).startswith("acme.json: m: prices[0].until: ")


@pytest.mark.parametrize(
    ("top", "place"),
    [
        ({"provider": ""}, "provider"),
        ({"lastUpdated": None}, "lastUpdated"),
        ({"models": []}, "models"),
        ({"models": {"m": {"prices": []}}}, "m: prices"),
        ({"models": {"m": {"prices": [ROW], "alias": "n"}}}, "m: alias"),
        ({"models": {"m": {"prices": [ROW], "aliases": [1]}}}, "m: aliases[0]"),
        ({"cachePercentOfInput": {"read": 0.1}}, "cachePercentOfInput.read"),
        ({"currency": "EUR"}, "currency"),
    ],
)
def test_a_wrong_head_or_model_is_named(tmp_path: Path, top: dict[str, Any], place: str) -> None:
    assert message(price_file(tmp_path, ROW, **top)).startswith(f"acme.json: {place}: ")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "Expecting value"),
        (b"[]", "Expected `object`"),
        (b'{"models": {}, "models": {}}', "'models' stands twice"),
        (b'{"lastUpdated": NaN}', "NaN is no price"),
        (b'{"provider": "\xff"}', "utf-8"),
    ],
)
def test_a_file_that_cannot_be_read_as_prices_is_named(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "acme.json"
    path.write_bytes(content)
    text = message(path)
    assert text.startswith("acme.json: ")
    assert problem in text


@pytest.mark.parametrize("aliases", [["m"], ["o", "o"]])
def test_a_name_with_two_owners_is_refused(tmp_path: Path, aliases: list[str]) -> None:
    price_file(tmp_path, ROW, name="a.json")
    price_file(tmp_path, name="b.json", models={"n": {"aliases": aliases, "prices": [ROW]}})
    with pytest.raises(PriceDataError, match=r"^b\.json: n: aliases: "):
        PricingRegistry.load(tmp_path)


def test_a_directory_without_prices_is_an_error_not_a_registry_that_knows_nothing(tmp_path: Path) -> None:
    with pytest.raises(PriceDataError, match="no price file"):
        PricingRegistry.load(tmp_path)

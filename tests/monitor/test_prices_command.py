"""`manage.py prices`: what it shows, what it stores, and what it leaves as it is."""

import io
import json
import shutil
import sqlite3
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from ingest.store import Batch, write_group
from monitor.management.commands import prices as module
from monitor.models import PriceOverride
from pricing.registry import DATA
from pricing.source import SourceMissing
from pricing.sync import written
from tests.storing import START_MS, django_on, new_event, rules

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    printed = io.StringIO()
    call_command("prices", *arguments, stdout=printed)
    return printed.getvalue()


def test_a_list_has_every_model_with_its_price() -> None:
    lines = run("list", "--at", "2026-11-24").splitlines()
    (line,) = [line for line in lines if line.startswith("claude-sonnet-4-5 ")]
    assert line.split() == [
        *("claude-sonnet-4-5", "3", "0.3", "3.75", "6", "15"),
        *("claude-sonnet-4-5@start", "(tiers)"),
    ]


def test_what_is_shown_holds_on_that_day() -> None:
    assert "o3@start" in run("show", "o3", "--at", "2025-06-09")
    shown = json.loads(run("show", "openai/o3", "--at", "2025-06-10", "--json"))
    assert (shown["price_id"], shown["input_usd"], shown["from"]) == ("o3@2025-06-10", 2, "2025-06-10")


def test_a_price_of_ones_own_is_shown_from_then_on() -> None:
    said = run("set", "anvil-9", "--input", "1.5", "--output", "6", "--cache-read", "0.15", "--note", "contract")
    assert "$1.5" in said
    shown = json.loads(run("show", "anvil-9", "--json"))
    assert (shown["input_usd"], shown["cache_read_usd"], shown["cache_write_5m_usd"]) == (1.5, 0.15, 1.5)
    assert PriceOverride.objects.get().note == "contract"
    assert any(row["name"] == "anvil-9" for row in json.loads(run("list", "--json")))


def test_a_discount_has_its_time() -> None:
    run("set", "o3", "--discount", "50", "--from", "2026-01-01", "--until", "2026-02-01")
    costs = [
        json.loads(run("show", "o3", "--json", "--at", day))["input_usd"] for day in ("2026-01-31", "2026-02-01")
    ]
    assert costs == [1, 2]


def test_a_mapped_name_is_shown_as_what_it_stands_for() -> None:
    run("map", "my-proxy", "o3")
    assert json.loads(run("show", "my-proxy", "--json"))["model"] == "o3"


@pytest.fixture
def stored(transactional_db: None) -> sqlite3.Connection:
    """A call of a model that nobody knows, and one of a known model, of a million tokens of input each."""
    connection.ensure_connection()
    raw: sqlite3.Connection = connection.connection
    sent = [new_event(event_type="llm_response", model=name, tokens_in=1_000_000) for name in ("my-proxy", "o3")]
    write_group(raw, [Batch(sent)], START_MS, rules(Path("/nonexistent")))
    return raw


def costs(raw: sqlite3.Connection) -> list[int | None]:
    calls = raw.execute("SELECT cost_nanos FROM calls ORDER BY id").fetchall()
    (total,) = raw.execute("SELECT sum(cost_nanos) FROM usage_hours").fetchone()
    assert total == sum(cost or 0 for (cost,) in calls)
    assert calls == raw.execute("SELECT cost_nanos FROM events ORDER BY id").fetchall()
    return [cost for (cost,) in calls]


def test_what_is_said_prices_the_stored_calls_and_taken_back_prices_them_back(stored: sqlite3.Connection) -> None:
    assert costs(stored) == [None, 2_000_000_000]

    mapped = run("map", "my-proxy", "o3")
    assert mapped.splitlines()[-3:] == [
        "Calls priced anew  1",
        "Total before       $0.000000000",
        "Total after        $2.000000000",
    ]
    discount = run("set", "o3", "--discount", "50")
    assert "Calls priced anew  2" in discount
    assert costs(stored) == [1_000_000_000, 1_000_000_000]

    number = PriceOverride.objects.get(model="o3").pk
    assert f"Stored as number {number}." in discount
    removed = run("remove", str(number))
    assert removed.startswith(f"Taken back: number {number}, o3 50.00 % off.")
    assert "Total after        $4.000000000" in removed
    assert costs(stored) == [2_000_000_000, 2_000_000_000]

    assert "  without a price  1\n" in run("remove", str(PriceOverride.objects.get().pk))
    assert costs(stored) == [None, 2_000_000_000]
    assert not PriceOverride.objects.exists()


def test_pricing_that_was_cut_short_is_told_and_made_good_when_it_is_said_again(
    stored: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: object) -> None:
        raise sqlite3.OperationalError("database is locked")

    with monkeypatch.context() as patched, pytest.raises(CommandError, match="recalculate_costs"):
        patched.setattr(module, "reprice_changed", busy)
        run("map", "my-proxy", "o3")
    assert PriceOverride.objects.count() == 1

    run("map", "my-proxy", "o3")
    assert costs(stored)[0] == 2_000_000_000


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("show", "nobody-sells-this"), "has no price"),
        (("map", "a", "nobody-sells-this"), "has no price"),
        (("set", "a"), "Give one of"),
        (("set", "a", "--input", "1"), "needs uncached input and output"),
        (("set", "a", "--input", "x"), "--input"),
        (("show", "o3", "--at", "yesterday"), "--at"),
        (("remove", "7"), "no price of your own with number 7"),
    ],
)
def test_what_can_not_be_done_is_said_in_one_line(arguments: tuple[str, ...], fault: str) -> None:
    with pytest.raises(CommandError, match=fault):
        run(*arguments)
    assert not PriceOverride.objects.exists()


def test_a_database_without_tables_is_said_in_one_line(tmp_path: Path) -> None:
    with django_on(tmp_path / "empty.db"), pytest.raises(CommandError, match="is the database migrated"):
        run("list")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The price files, with one price that the source does not say."""
    directory = tmp_path / "data"
    shutil.copytree(DATA, directory)
    content = json.loads((directory / "claude.json").read_text())
    content["models"]["claude-3-haiku"]["prices"][0]["inputCostPerMTok"] = 9
    (directory / "claude.json").write_text(written(content))
    monkeypatch.setattr(module, "DATA", directory)
    return directory


def test_sync_adds_a_row_and_says_so(files: Path) -> None:
    before = {path.name: path.read_text() for path in files.iterdir()}

    said = run("sync", "--dry-run")
    assert "inputCostPerMTok: 9 → 0.25" in said
    assert {path.name: path.read_text() for path in files.iterdir()} == before

    assert run("sync").splitlines() == said.splitlines()[:-1]
    first, second = json.loads((files / "claude.json").read_text())["models"]["claude-3-haiku"]["prices"]
    assert (first["inputCostPerMTok"], second["inputCostPerMTok"]) == (9, 0.25)
    assert first["until"] == second["from"]
    assert run("sync") == "No price is to be added.\n"


def test_sync_needs_its_source(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(file: str, model: str) -> None:
        raise SourceMissing

    monkeypatch.setattr(module, "find_source_model", missing)
    with pytest.raises(CommandError, match="genai-prices is not installed"):
        run("sync")

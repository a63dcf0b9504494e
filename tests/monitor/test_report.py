"""manage.py report: the same numbers as /api/usage, as table, JSON and CSV."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from ingest.store import Batch, write_group
from monitor.report import BLOCK_MS, GROUPS, KINDS, blocks
from monitor.report_text import BAR_CELLS, bar, printable
from monitor.times import HOUR_MS, iso_text
from tests.storing import START_MS, new_event, rules

ANSI = re.compile(r"\x1b\[[0-9;]*m")
SUMS = ("calls", "input_tokens", "cache_read_tokens", "output_tokens", "cost_usd", "unpriced_calls")


@pytest.fixture(scope="module", autouse=True)
def ledger(django_database: Path) -> Iterator[None]:
    """Calls of three sessions, two models, several days and a month's end. START_MS is 2027-01-15 08:00."""

    def call(hours: float, session_id: str, **fields: Any) -> Any:
        at_ms = START_MS + round(hours * HOUR_MS)
        return new_event(session_id, "llm_response", client_at_ms=at_ms, tokens_in=1000, **fields)

    events = [
        call(0.5, "s-1", model="o3", project="shop"),
        call(4.9, "s-1", model="gpt-5", tokens_out=7, cache_read_tokens=3),
        call(5, "s-2", model="o3", project="depot"),
        call(14.5, "s-2", model="o3"),
        call(15.6, "s-2", model="no-such-model"),
        call(500, "s-3\x1b[31m", model="o3", project="[red]=x"),
    ]
    connection.ensure_connection()
    write_group(connection.connection, [Batch(events)], START_MS, rules(django_database.parent))
    yield


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def report(kind: str, *options: str) -> dict[str, Any]:
    return dict(json.loads(output(kind, "--json", *options)))


def output(kind: str, *options: str) -> str:
    written = io.StringIO()
    call_command("report", kind, *options, stdout=written)
    return written.getvalue()


def of_api(group_by: str, **parameters: str) -> dict[str, Any]:
    answer = Client().get("/api/usage", {"group_by": group_by, **parameters})
    assert answer.status_code == 200
    return dict(answer.json())


class TestNumbers:
    @pytest.mark.parametrize("kind", GROUPS)
    @pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Pacific/Auckland"])
    def test_rows_and_totals_are_those_of_the_api(self, kind: str, zone: str) -> None:
        told, api = report(kind, "--tz", zone), of_api(",".join(GROUPS[kind]), tz=zone)

        assert [{name: value for name, value in row.items() if name != "models"} for row in told["rows"]] == api[
            "rows"
        ]
        assert told["totals"] == api["totals"]
        assert len(told["rows"]) > 1

    def test_blocks_have_the_totals_of_the_api(self) -> None:
        told = report("blocks")

        assert told["totals"] == of_api("hour")["totals"]
        for name in SUMS:
            assert sum(row[name] for row in told["rows"]) == pytest.approx(told["totals"][name])

    def test_a_bare_day_is_one_of_the_zone_and_whole(self) -> None:
        told = report("daily", "--since", "2027-01-16", "--until", "20270116", "--tz", "Europe/Berlin")

        bounds = {"since": "2027-01-15T23:00:00Z", "until": "2027-01-16T22:59:59.999Z"}
        assert told["totals"] == of_api("day", tz="Europe/Berlin", **bounds)["totals"]
        assert [(row["day"], row["calls"]) for row in told["rows"]] == [("2027-01-16", 1)]

    def test_times_are_read_as_the_api_reads_them(self) -> None:
        bounds = {"since": "2027-01-15T10:00:00+01:00", "until": "2027-01-15 13:00:00"}

        told = report("model", "--since", bounds["since"], "--until", bounds["until"])

        assert told["totals"] == of_api("model", **bounds)["totals"]
        assert told["totals"]["calls"] == 2

    def test_each_row_names_its_models(self) -> None:
        rows = report("daily")["rows"]

        assert [sorted(row["models"]) for row in rows] == [["gpt-5", "no-such-model", "o3"], ["o3"]]


class TestBlocks:
    def test_a_block_begins_with_the_hour_of_its_first_call_and_lasts_five(self) -> None:
        assert [(row["start"], row["end"], row["calls"]) for row in report("blocks")["rows"]] == [
            ("2027-01-15T08:00:00Z", "2027-01-15T13:00:00Z", 2),
            ("2027-01-15T13:00:00Z", "2027-01-15T18:00:00Z", 1),
            ("2027-01-15T22:00:00Z", "2027-01-16T03:00:00Z", 2),
            ("2027-02-05T04:00:00Z", "2027-02-05T09:00:00Z", 1),
        ]

    @pytest.mark.parametrize(
        ("passed_ms", "active"), [(-1, False), (0, True), (BLOCK_MS - 1, True), (BLOCK_MS, False)]
    )
    def test_only_the_block_that_holds_the_present_is_active(self, passed_ms: int, active: bool) -> None:
        hour = {"hour": iso_text(START_MS), "models": [], **dict.fromkeys(SUMS, 0)}
        hour |= {"cache_write_5m_tokens": 0, "cache_write_1h_tokens": 0, "reasoning_tokens": 0}

        (block,) = blocks([hour], START_MS + passed_ms)

        assert block["active"] is active


class TestShown:
    @pytest.mark.parametrize("kind", KINDS)
    def test_the_table_has_rows_and_totals(self, kind: str) -> None:
        table = output(kind)

        assert "Total" in table
        assert "6,000" in table
        assert "█" in table

    @pytest.mark.parametrize("kind", KINDS)
    def test_models_are_named_once_in_a_row(self, kind: str) -> None:
        assert ("Models" in output(kind)) is (kind != "model")

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_narrow_terminal_shows_every_column_whole(self, kind: str) -> None:
        terminal = Terminal()

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COLUMNS", "80")
            call_command("report", kind, stdout=terminal)

        assert "6.0k" in terminal.getvalue()
        assert "…" not in terminal.getvalue().replace("s-3", "")
        assert max(len(ANSI.sub("", line)) for line in terminal.getvalue().splitlines()) <= 80

    def test_calls_without_a_price_are_not_taken_for_free(self) -> None:
        lines = output("model").splitlines()

        assert "unpriced" in next(line for line in lines if "no-such-model" in line)
        assert "≥ $" in next(line for line in lines if "Total" in line)

    def test_foreign_text_commands_neither_terminal_nor_markup(self) -> None:
        assert "\x1b" not in output("session")
        assert "[red]=x" in output("project")
        assert printable("a\x1b]b\u202e") == "a�]b�"

    def test_csv_has_a_line_for_each_row(self) -> None:
        rows = list(csv.DictReader(io.StringIO(output("session", "--csv"))))

        told = report("session")["rows"]
        assert [row["session_id"] for row in rows] == [row["session_id"] for row in told]
        assert [float(row["cost_usd"]) for row in rows] == [row["cost_usd"] for row in told]

    def test_no_calls_are_said_in_words_and_as_empty_rows(self) -> None:
        assert "No calls" in output("daily", "--until", "2001-01-01")
        assert report("daily", "--until", "2001-01-01")["rows"] == []

    def test_bars_are_in_proportion_and_never_vanish(self) -> None:
        assert len(bar(4, 4)) == BAR_CELLS
        assert len(bar(2, 4)) == BAR_CELLS // 2
        assert bar(0.000001, 4) == "▏"
        assert bar(0, 4) == bar(0, 0) == ""


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--since", "soon"], "--since"),
        (["--until", "9999-12-31", "--since", "2027-99-99"], "--since"),
        (["--until", "9999-12-31"], "--until"),
        (["--tz", "Nowhere"], "--tz"),
        (["--json", "--csv"], "not both"),
    ],
)
def test_what_cannot_be_read_is_named(options: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("report", "daily", *options)

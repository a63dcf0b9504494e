"""GET /api/calls/{id}/receipt and its page: every amount of a call, and who told of it."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client, override_settings

from ingest.contract import NewCall
from ingest.ledger import OTLP, TRANSCRIPT
from ingest.store import Batch, write_group
from monitor.models import Call
from pricing.usage import Usage
from tests.storing import START_MS, new_event, rules

USED = {"uncached_input_tokens": 1_000, "cache_read_tokens": 7, "cache_write_5m_tokens": 20}


def told(key: str, source: str, authority: int, output: int, **fields: Any) -> Any:
    """An event with its call."""
    ref = fields.pop("ref", None)
    usage = Usage(**{**USED, "output_tokens": output, **fields.pop("usage", {})})
    call = NewCall(
        key=key,
        usage=usage,
        model=fields.get("model"),
        called_at_ms=START_MS,
        authority=authority,
        cost_nanos=fields.pop("stated", None),
        ref=ref,
    )
    return new_event(
        "s",
        "llm_response",
        agent_type="claude_code",
        source=source,
        tokens_in=usage.uncached_input_tokens,
        tokens_out=output,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_5m_tokens,
        call=call,
        **fields,
    )


@pytest.fixture(scope="module")
def ledger(django_database: Path) -> Iterator[dict[str, int]]:
    """The ids of calls by their key."""
    sonnet = "claude-sonnet-4-5-20250929"
    events = [
        told("two", "otel", OTLP, 5, model=sonnet, event_id="otel-1", ref="otel-1"),
        told("two", "import", TRANSCRIPT, 9, model=sonnet, event_id="i-1", ref="/h/a:b.jsonl:12"),
        told("long", "import", TRANSCRIPT, 1, model=sonnet, usage={"uncached_input_tokens": 200_000}),
        told("searched", "import", TRANSCRIPT, 1, model=sonnet, usage={"web_searches": 2, "service_tier": "odd"}),
        told("unknown", "import", TRANSCRIPT, 1, model="no-such-model"),
        told("nameless", "import", TRANSCRIPT, 1),
        told("split", "otel", OTLP, 1, model=sonnet, usage={"cache_write_1h_tokens": 5}),
        told("stated", "api", OTLP, 1, model=sonnet, stated=123),
        told("lost", "import", TRANSCRIPT, 1, model=sonnet),
        told("changed", "import", TRANSCRIPT, 1, model=sonnet),
        new_event("s", "llm_response", model="o3", tokens_in=3),
    ]
    connection.ensure_connection()
    write_group(connection.connection, [Batch(events)], START_MS, rules(django_database.parent))
    ids = dict(Call.objects.values_list("call_key", "id"))
    Call.objects.filter(id=ids["lost"]).update(price="gone@start")
    Call.objects.filter(id=ids["changed"]).update(cost_nanos=1)
    yield {"event": ids[next(key for key in ids if key.startswith("row:"))], **ids}


def receipt(call_id: int) -> dict[str, Any]:
    answer = Client().get(f"/api/calls/{call_id}/receipt")
    assert answer.status_code == 200
    return dict(answer.json())


class TestAmounts:
    def test_each_kind_times_its_price_is_its_amount(self, ledger: dict[str, int]) -> None:
        lines = receipt(ledger["two"])["lines"]

        assert [
            (line["kind"], line["tokens"], line["price_usd_per_mtok"], line["amount_usd"]) for line in lines
        ] == [
            ("uncached_input", 1_000, "3", "0.003"),
            ("cache_read", 7, "0.3", "0.0000021"),
            ("cache_write_5m", 20, "3.75", "0.000075"),
            ("cache_write_1h", 0, "6", "0"),
            ("output", 9, "15", "0.000135"),
        ]

    @pytest.mark.parametrize("key", ["two", "long", "event", "changed", "searched"])
    def test_lines_and_rounding_sum_to_the_cost(self, ledger: dict[str, int], key: str) -> None:
        told = receipt(ledger[key])

        amounts = [Decimal(line["amount_nanos"]) for line in told["lines"]]
        assert sum(amounts) + Decimal(told["rounding_nanos"]) == told["cost_nanos"]
        assert Decimal(told["cost_usd"]) * 10**9 == told["cost_nanos"]
        assert [Decimal(line["amount_usd"]) * 10**9 for line in told["lines"]] == amounts

    def test_a_long_prompt_is_billed_by_its_tier_and_says_so(self, ledger: dict[str, int]) -> None:
        told = receipt(ledger["long"])

        assert told["tier_above_tokens"] == 200_000
        assert told["prompt_tokens"] == 200_027
        assert "200,027 tokens is longer than 200,000" in told["tier"]
        assert told["lines"][0]["price_usd_per_mtok"] == "6"

    def test_a_short_prompt_says_why_no_tier_holds(self, ledger: dict[str, int]) -> None:
        told = receipt(ledger["two"])

        assert told["tier_above_tokens"] is None
        assert "not longer than 200,000" in told["tier"]

    def test_the_price_row_has_source_and_date(self, ledger: dict[str, int]) -> None:
        price = receipt(ledger["two"])["price"]

        assert price["id"] == "claude-sonnet-4-5@start"
        assert price["source"]
        assert len(price["checked_on"]) == len("2026-11-24")

    def test_what_is_billed_beside_tokens_has_its_line(self, ledger: dict[str, int]) -> None:
        told = receipt(ledger["searched"])

        line = told["lines"][-1]
        assert (line["kind"], line["tokens"], line["amount_usd"]) == ("web_searches", 2, "0.02")
        assert (told["web_searches"], told["service_tier"], told["speed"]) == (2, "odd", None)

    def test_terms_that_the_row_has_no_price_for_are_named(self, ledger: dict[str, int]) -> None:
        assert ["service_tier=odd" in note for note in receipt(ledger["searched"])["notes"]] == [True]
        assert not any("no price for" in note for note in receipt(ledger["two"])["notes"])

    def test_a_split_that_follows_from_the_stated_cost_is_told(self, ledger: dict[str, int]) -> None:
        assert any("of one hour" in note for note in receipt(ledger["split"])["notes"])
        assert not any("of one hour" in note for note in receipt(ledger["two"])["notes"])

    @pytest.mark.parametrize(("key", "why"), [("unknown", "no-such-model"), ("nameless", "no model was named")])
    def test_an_unpriced_call_says_so(self, ledger: dict[str, int], key: str, why: str) -> None:
        told = receipt(ledger[key])

        assert (told["basis"], told["cost_nanos"], told["cost_usd"], told["price"]) == (
            "unpriced",
            None,
            None,
            None,
        )
        assert {line["amount_nanos"] for line in told["lines"]} == {None}
        assert told["lines"][0]["tokens"] == 1_000
        assert why in told["notes"][0]

    def test_a_stated_cost_stands_beside_that_of_the_book(self, ledger: dict[str, int]) -> None:
        told = receipt(ledger["stated"])

        assert (told["basis"], told["cost_nanos"], told["price"]) == ("client", 123, None)
        # 3 + 0.0000021 + … as above, with one token of output.
        assert any("claude-sonnet-4-5@start" in note and "$0.0030921" in note for note in told["notes"])

    @pytest.mark.parametrize(
        ("key", "words"), [("lost", "no longer in the book"), ("changed", "has changed since")]
    )
    def test_a_price_that_no_longer_holds_is_told(self, ledger: dict[str, int], key: str, words: str) -> None:
        assert any(words in note for note in receipt(ledger[key])["notes"])


class TestWitnesses:
    def test_of_two_the_loser_is_shown_with_what_it_said(self, ledger: dict[str, int]) -> None:
        told = receipt(ledger["two"])

        telemetry, transcript = told["witnesses"]
        assert (telemetry["source"], telemetry["ref"], telemetry["agrees"]) == ("otel", "otel-1", False)
        assert telemetry["said"]["output_tokens"] == 5
        assert telemetry["event_id"] is not None
        assert (transcript["file"], transcript["line"], transcript["said"]) == ("/h/a:b.jsonl", 12, None)
        assert told["decided_by"] == "a transcript"
        assert "2 witnesses told of this call; it is counted once." in told["notes"]

    def test_an_event_without_an_id_of_its_own_is_found_by_its_row(self, ledger: dict[str, int]) -> None:
        (witness,) = receipt(ledger["event"])["witnesses"]

        assert witness["ref"] == f"event {witness['event_id']}"
        assert witness["agrees"] is True
        assert witness["at"] == "2027-01-15T08:00:00.000Z"


class TestMissing:
    @pytest.mark.parametrize("call_id", ["999999", "0", "9" * 30, "x", "-1", "٣", "1.5"])
    def test_an_unknown_call_is_404_in_json(self, ledger: dict[str, int], call_id: str) -> None:
        answer = Client().get(f"/api/calls/{call_id}/receipt")

        assert (answer.status_code, answer.json()) == (404, {"error": "Call not found"})

    @pytest.mark.parametrize("call_id", ["999999", "9" * 30])
    def test_its_page_is_404_in_html(self, ledger: dict[str, int], call_id: str) -> None:
        answer = Client().get(f"/calls/{call_id}/")

        assert answer.status_code == 404
        assert "There is no call" in answer.content.decode()


class TestPage:
    def test_it_has_no_inline_script_or_style(self, ledger: dict[str, int]) -> None:
        answer = Client().get(f"/calls/{ledger['two']}/")

        shell = answer.content.decode()
        assert answer.status_code == 200
        assert "<style" not in shell
        assert " style=" not in shell
        assert shell.count("<script") == shell.count("<script src=") + shell.count('<script type="module" src=')

    def test_with_a_token_the_shell_tells_nothing_of_the_ledger(self, ledger: dict[str, int]) -> None:
        with override_settings(ENVIRONMENT=replace(settings.ENVIRONMENT, token="t" * 40)):
            there, missing = (Client().get(f"/calls/{call_id}/") for call_id in (ledger["two"], 999999))

        assert there.status_code == missing.status_code == 200
        assert "claude-sonnet" not in there.content.decode()

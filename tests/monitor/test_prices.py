"""Overrides in the database: the next call that is stored is priced by them, whoever wrote them."""

import sqlite3
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import connection

from ingest.store import Batch, write_group
from monitor.models import PriceOverride
from monitor.prices import overrides_in, registry_in_force, save_override
from monitor.prices_inbox import is_unknown, reprice_changed
from pricing.overrides import Override
from pricing.rows import Rates
from tests.storing import START_MS, new_event, rules

DAY_MS = 86_400_000


@pytest.fixture
def raw(transactional_db: None) -> sqlite3.Connection:
    connection.ensure_connection()
    return connection.connection  # type: ignore[no-any-return]


def override(**fields: Any) -> PriceOverride:
    return save_override(PriceOverride(**fields))


def stored_cost(raw: sqlite3.Connection, model: str) -> tuple[Any, ...]:
    sent = new_event(event_type="llm_response", model=model, tokens_in=1_000_000)
    write_group(raw, [Batch([sent])], START_MS, rules(Path("/nonexistent")))
    row: tuple[Any, ...] = raw.execute(
        "SELECT c.cost_nanos, c.price, e.cost_nanos FROM calls c, events e ORDER BY c.id DESC, e.id DESC LIMIT 1"
    ).fetchone()
    return row


def test_the_next_call_is_priced_by_what_was_just_said(raw: sqlite3.Connection) -> None:
    assert stored_cost(raw, "anvil-9") == (None, None, None)
    own = override(model="anvil-9", input_dollars=Decimal("1.5"), output_dollars=3)
    assert stored_cost(raw, "anvil-9") == (1_500_000_000, f"anvil-9@own-{own.pk}", 1_500_000_000)
    PriceOverride.objects.filter(pk=own.pk).update(input_dollars=Decimal(2))
    assert stored_cost(raw, "anvil-9")[0] == 2 * 10**9
    own.delete()
    assert stored_cost(raw, "anvil-9") == (None, None, None)


def test_every_kind_comes_back_exactly(raw: sqlite3.Connection) -> None:
    day = date(2026, 11, 24)
    override(model="a", input_dollars="0.000000001", output_dollars=1_000_000, valid_from=day)
    override(model="o3", discount_percent=Decimal("12.34"), valid_until=day)
    override(model="b", same_as="o3")
    override(model="c", input_dollars=1, output_dollars=2, cache_read_dollars=0, cache_write_5m_dollars=3)

    first = PriceOverride.objects.order_by("pk")[0].pk
    day_ms = 1_795_478_400_000
    assert overrides_in(raw) == (
        Override(first, "a", day_ms, None, rates=Rates(1, 1, 1, 1, 10**15)),
        Override(first + 1, "o3", None, day_ms, discount_basis_points=1234),
        Override(first + 2, "b", same_as="o3"),
        Override(first + 3, "c", rates=Rates(10**9, 0, 3 * 10**9, 3 * 10**9, 2 * 10**9)),
    )
    assert PriceOverride.objects.get(pk=first).input_dollars == Decimal("1E-9")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"input_dollars": 1},
        {"input_dollars": 1, "output_dollars": -1},
        {"input_dollars": 1, "output_dollars": "1E-10"},
        {"input_dollars": 1, "output_dollars": "NaN"},
        {"input_dollars": 1, "output_dollars": 1, "same_as": "o3"},
        {"cache_read_dollars": 1},
        {"discount_percent": Decimal(101)},
        {"discount_percent": Decimal(0)},
        {"discount_percent": 5, "valid_from": date(2026, 1, 2), "valid_until": date(2026, 1, 2)},
        {"same_as": "nobody-sells-this"},
        {"same_as": "m"},
        {"same_as": "o3", "valid_from": date(2026, 1, 2)},
        {"model": "o3", "same_as": "openai/o3-2025-04-16"},
        {"model": "", "discount_percent": 5},
    ],
)
def test_what_makes_no_price_is_refused(raw: sqlite3.Connection, fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        override(**({"model": "m"} | fields))
    assert overrides_in(raw) == ()


def test_without_overrides_the_files_are_in_force(raw: sqlite3.Connection) -> None:
    assert registry_in_force().overrides == ()
    override(model="o3", discount_percent=50)
    assert len(registry_in_force().overrides) == 1


def test_calls_that_a_cut_short_attempt_left_are_priced_when_it_is_said_again(raw: sqlite3.Connection) -> None:
    stored_cost(raw, "mine")
    override(model="mine", same_as="o3")
    before = registry_in_force()
    override(model="mine", same_as="o3")
    assert reprice_changed(before).found == 0
    assert reprice_changed(before, "mine").updated == 1
    assert not is_unknown("mine")

"""A person's own prices in the admin: they can be said, changed and taken back."""

import re
import sqlite3
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from ingest.store import Batch, write_group
from monitor.models import Call, PriceOverride
from monitor.prices import overrides_in
from pricing.rows import Rates
from tests.storing import START_MS, new_event, rules

LIST = "/admin/monitor/priceoverride/"
PRICES = {"model": "anvil-9", "input_dollars": "1.25", "output_dollars": "0.000000001", "valid_from": "2026-11-24"}


@pytest.fixture
def client(transactional_db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("admin"))
    return client


def raw() -> sqlite3.Connection:
    return connection.connection  # type: ignore[no-any-return]


def faults(client: Client, form: dict[str, str]) -> list[str]:
    page = client.post(LIST + "add/", form).content.decode()
    return re.findall(r"<li>([^<]+)</li>", "".join(re.findall(r'<ul class="errorlist.*?</ul>', page, re.DOTALL)))


def test_a_price_is_said_changed_and_taken_back(client: Client) -> None:
    assert client.post(LIST + "add/", PRICES).status_code == 302
    own = PriceOverride.objects.get()
    assert overrides_in(raw())[0].rates == Rates(1_250_000_000, 1_250_000_000, 1_250_000_000, 1_250_000_000, 1)
    assert "$1.25 in" in client.get(LIST).content.decode()
    assert 'value="1.25' in client.get(f"{LIST}{own.pk}/change/").content.decode()

    assert client.post(f"{LIST}{own.pk}/change/", PRICES | {"input_dollars": "2"}).status_code == 302
    assert PriceOverride.objects.get().input_dollars == 2

    assert client.post(f"{LIST}{own.pk}/delete/", {"post": "yes"}).status_code == 302
    assert overrides_in(raw()) == ()


@pytest.mark.parametrize(
    ("form", "fault"),
    [
        ({"model": "m"}, "Give one of: the same as another model, a discount, or prices."),
        ({"model": "m", "same_as": "nobody"}, "nobody has no price"),
        ({"model": "o3", "same_as": "o3"}, "o3 is the model itself"),
    ],
)
def test_what_makes_no_price_is_said_on_the_form(client: Client, form: dict[str, str], fault: str) -> None:
    assert faults(client, form) == [fault]
    assert PriceOverride.objects.count() == 0


def test_a_name_can_stand_for_a_known_model(client: Client) -> None:
    assert client.post(LIST + "add/", {"model": "mine", "same_as": "o3"}).status_code == 302
    assert overrides_in(raw())[0].same_as == "o3"


def test_calls_that_a_price_changes_are_priced_anew_and_back(client: Client) -> None:
    sent = new_event(event_type="llm_response", model="anvil-9", tokens_in=1_000_000)
    write_group(raw(), [Batch([sent])], START_MS, rules(Path("/nonexistent")))
    page = client.get(LIST).content.decode()
    assert f'href="{LIST}add/?model=anvil-9"' in page
    assert 'value="anvil-9"' in client.get(f"{LIST}add/?model=anvil-9").content.decode()

    page = client.post(LIST + "add/", PRICES, follow=True).content.decode()
    assert "Priced anew: 1 stored calls." in page
    assert "add/?model=anvil-9" not in page
    assert Call.objects.get().cost_nanos == 1_250_000_000

    client.post(f"{LIST}{PriceOverride.objects.get().pk}/delete/", {"post": "yes"})
    assert Call.objects.get().cost_nanos is None

"""The API of the price book: its rows, and a person's own prices over them."""

import sqlite3

import msgspec
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from ninja import Router

from monitor.api import json_response
from monitor.models import PriceOverride
from monitor.openapi import described
from monitor.prices import registry_in_force
from monitor.prices_book import BookRow, OwnPrice, book_rows, own_price
from monitor.prices_inbox import reprice_changed
from monitor.rows import dollars

router = Router(tags=["prices"])
LARGEST_ID = 2**63 - 1


class PriceBook(msgspec.Struct):
    rows: list[BookRow]


class OwnPrices(msgspec.Struct):
    overrides: list[OwnPrice]


class Removed(msgspec.Struct):
    """What the removal did to the stored calls. Dollars."""

    override_id: int
    calls: int
    before_usd: float
    after_usd: float


@router.get("/pricing/rows", openapi_extra=described(PriceBook))
def list_rows(request: HttpRequest) -> HttpResponse:
    """Every row of the price book with one's own over it; of a model's rows for one day the first counts."""
    return json_response(PriceBook(book_rows(registry_in_force())))


@router.get("/pricing/overrides", openapi_extra=described(OwnPrices))
def list_overrides(request: HttpRequest) -> HttpResponse:
    """One's own prices, the latest first."""
    return json_response(OwnPrices([own_price(each) for each in PriceOverride.objects.order_by("-id")]))


@router.delete("/pricing/overrides/{override_id}", openapi_extra=described(Removed, also=(404, 503)))
def remove_override(request: HttpRequest, override_id: str) -> HttpResponse:
    """Take back a price of one's own, and price the calls anew that had it."""
    is_number = override_id.isdecimal() and override_id.isascii() and int(override_id) <= LARGEST_ID
    override = PriceOverride.objects.filter(pk=int(override_id)).first() if is_number else None
    if override is None:
        return json_response({"error": "There is no such price of your own"}, 404)
    before = registry_in_force()
    try:
        override.delete()
        figures = reprice_changed(before)
    except (OperationalError, sqlite3.OperationalError):
        return json_response({"error": "The database can't be written now; say it again"}, 503)
    before_usd, after_usd = dollars(figures.before_nanos) or 0, dollars(figures.after_nanos) or 0
    return json_response(Removed(int(override_id), figures.found, before_usd, after_usd))

"""The receipt of a call in the JSON API."""

from django.http import HttpRequest, HttpResponse
from ninja import Router

from monitor.api import json_response
from monitor.openapi import described
from monitor.prices import registry_in_force
from monitor.receipts import Receipt, receipt_of

router = Router(tags=["read"])


@router.get("/calls/{call_id}/receipt", openapi_extra=described(Receipt, also=(404,)))
def receipt(request: HttpRequest, call_id: str) -> HttpResponse:
    """Who told of a call, and how its cost comes about, exactly."""
    found = receipt_of(int(call_id), registry_in_force()) if call_id.isdecimal() and call_id.isascii() else None
    if found is None:
        return json_response({"error": "Call not found"}, 404)
    return json_response(found)

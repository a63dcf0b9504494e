"""The API of prices: models without one, and what calls would have cost on another model."""

import sqlite3
from datetime import date

import msgspec
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.errors import HttpError

from monitor.api import Text, json_response, usage_filter
from monitor.filters import FilterFault
from monitor.models import PriceOverride
from monitor.openapi import described
from monitor.prices import registry_in_force, save_override
from monitor.prices_inbox import UnknownModel, is_unknown, reprice_changed, unknown_models
from monitor.prices_what_if import WhatIf, what_if
from monitor.rows import dollars

router = Router(tags=["prices"])
LARGEST_BODY_BYTES = 16_384


class UnknownModels(msgspec.Struct):
    models: list[UnknownModel]


class PriceSaid(msgspec.Struct, forbid_unknown_fields=True):
    """`same_as` a known model, a `discount_percent`, or prices in dollars per million tokens; days are UTC."""

    same_as: str | None = None
    discount_percent: float | None = None
    input_usd: float | None = None
    output_usd: float | None = None
    cache_read_usd: float | None = None
    cache_write_5m_usd: float | None = None
    cache_write_1h_usd: float | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    note: str = ""


class Repriced(msgspec.Struct):
    """The override, and the calls whose prices it changed. Dollars."""

    override_id: int
    calls: int
    before_usd: float
    after_usd: float
    still_unknown: bool


@router.get("/pricing/unknown", openapi_extra=described(UnknownModels))
def list_unknown(request: HttpRequest) -> HttpResponse:
    """Models whose calls have no price, most calls first."""
    return json_response(UnknownModels(unknown_models()))


@router.post(
    "/pricing/unknown/{any:model}", openapi_extra=described(Repriced, request=PriceSaid, also=(400, 404, 503))
)
def price_unknown(request: HttpRequest, model: str) -> HttpResponse:
    """Say what an unknown model costs, or which one it is; then price its calls anew."""
    said = _said(request)
    if not is_unknown(model):
        return json_response({"error": "No call of this model lacks a price"}, 404)
    before = registry_in_force()
    try:
        override = save_override(_override(model, said))
        figures = reprice_changed(before, model)
    except ValidationError as fault:
        return json_response({"error": " ".join(fault.messages)}, 400)
    except (OperationalError, sqlite3.OperationalError):
        return json_response({"error": "The database can't be written now; say it again"}, 503)
    return json_response(
        Repriced(
            override_id=override.pk,
            calls=figures.found,
            before_usd=dollars(figures.before_nanos) or 0,
            after_usd=dollars(figures.after_nanos) or 0,
            still_unknown=is_unknown(model),
        )
    )


@router.get("/pricing/what-if", openapi_extra=described(WhatIf, also=(400,)))
def priced_on_another_model(
    request: HttpRequest,
    model: Text = None,
    session_id: Text = None,
    agent_type: Text = None,
    called_model: Text = None,
    project: Text = None,
    branch: Text = None,
    since: Text = None,
    until: Text = None,
    received_since: Text = None,
    unnamed: Text = None,
    unpriced: Text = None,
    subagent_id: Text = None,
) -> HttpResponse:
    """What the same calls would have cost on `model`, with and without cache; `called_model` filters by theirs."""
    registry = registry_in_force()
    if not model or not registry.rows(model):
        raise FilterFault("model: must be a model with a price")
    wanted = usage_filter(
        session_id,
        agent_type,
        called_model,
        project,
        branch,
        since,
        until,
        received_since,
        unnamed,
        unpriced,
        subagent_id,
    )
    return json_response(what_if(wanted, model, registry))


def _said(request: HttpRequest) -> PriceSaid:
    if len(request.body) > LARGEST_BODY_BYTES:
        raise HttpError(413, "The body is larger than the limit")
    try:
        return msgspec.json.decode(request.body, type=PriceSaid)
    except msgspec.ValidationError as fault:
        raise HttpError(400, str(fault)) from None
    except msgspec.DecodeError:
        raise HttpError(400, "Invalid JSON payload") from None


def _override(model: str, said: PriceSaid) -> PriceOverride:
    return PriceOverride(
        model=model,
        same_as=said.same_as,
        discount_percent=None if said.discount_percent is None else str(said.discount_percent),
        input_dollars=said.input_usd,
        output_dollars=said.output_usd,
        cache_read_dollars=said.cache_read_usd,
        cache_write_5m_dollars=said.cache_write_5m_usd,
        cache_write_1h_dollars=said.cache_write_1h_usd,
        valid_from=said.valid_from,
        valid_until=said.valid_until,
        note=said.note,
    )

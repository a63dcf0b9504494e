"""The JSON API as one OpenAPI description, and every error of it in one shape."""

import logging
from collections.abc import Callable
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from ingest.api import router
from monitor.api import json_response
from monitor.api_attention import router as attention_router
from monitor.api_entries import router as entries_router
from monitor.api_price_book import router as price_book_router
from monitor.api_prices import router as prices_router
from monitor.api_receipts import router as receipts_router
from monitor.filters import FilterFault
from monitor.openapi import components
from monitor.status import VERSION

log = logging.getLogger("agentmonitor.api")
JSON = "application/json"
# Exporters of OTLP are answered in their own encoding, errors too.
OWN_FORMS = (JSON, "application/x-protobuf")


class Api(NinjaAPI):
    """Adds the msgspec types to the description."""

    def get_openapi_schema(self, **options: Any) -> Any:
        schema = super().get_openapi_schema(**options)
        schema.setdefault("components", {}).setdefault("schemas", {}).update(components)
        return schema


api = Api(title="AgentMonitor", version=VERSION, docs_url="/docs", openapi_url="/openapi.json")
# First: its paths below a session end in a name, and a session's own may be any.
api.add_router("", entries_router)
api.add_router("", router)
api.add_router("", receipts_router)
api.add_router("", attention_router)
api.add_router("", prices_router)
api.add_router("", price_book_router)


@api.exception_handler(FilterFault)
def on_filter_fault(request: HttpRequest, fault: FilterFault) -> HttpResponse:
    return json_response({"error": str(fault)}, 400)


@api.exception_handler(ValidationError)
def on_validation_error(request: HttpRequest, fault: ValidationError) -> HttpResponse:
    details = [{"field": str(item["loc"][-1]), "message": str(item["msg"])} for item in fault.errors]
    return json_response({"error": "Invalid parameters", "details": details}, 400)


@api.exception_handler(HttpError)
def on_http_error(request: HttpRequest, fault: HttpError) -> HttpResponse:
    return json_response({"error": str(fault)}, fault.status_code)


class JsonErrors:
    """Middleware: an error under /api that has no form yet (404, 405, 500) becomes the one error shape."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        is_api = request.path.startswith("/api/")
        if (
            not is_api
            or response.status_code < 400
            or response.headers.get("Content-Type", "").startswith(OWN_FORMS)
        ):
            return response
        fresh = HttpResponse(
            msgspec.json.encode({"error": response.reason_phrase}),
            status=response.status_code,
            content_type=f"{JSON}; charset=utf-8",
        )
        if "Allow" in response.headers:
            fresh["Allow"] = response.headers["Allow"]
        return fresh

"""The django-ninja door of the ingest paths: the same functions as the ASGI door, for OpenAPI and for callers
inside Django.

On the router of the reading side: a path has one router, and `/api/events` is both written and read.
"""

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja.errors import HttpError

from ingest import gateway, runtime
from ingest.body import EVENT_BODY_BYTES, BodyTooLarge, BodyUnreadable, unpack
from ingest.contract import BatchBody, BodyFault, EventBody, SessionFacts, decode_json
from ingest.fastlane import LANES, TOO_LARGE, UNREADABLE, is_taken
from ingest.gateway import Answer, Work, json_answer
from ingest.store import Batch
from monitor.api import json_response, router
from monitor.openapi import described
from monitor.queries_attention import agent_type_of
from monitor.quotas import Quota, QuotaFault, UnknownProvider, from_post, from_statusline
from monitor.saved_quotas import told_limits
from monitor.times import now_ms

__all__ = ["router"]


class Received(msgspec.Struct):
    """Ids of the stored events in order; how many were known already."""

    received: int
    ids: list[int]
    duplicates: int


class Rejected(msgspec.Struct):
    index: int
    errors: list[str]


class BatchReceived(Received):
    rejected: list[Rejected]


@router.post(
    "/events", tags=["ingest"], openapi_extra=described(Received, request=EventBody, also=(400, 413, 503))
)
def post_event(request: HttpRequest) -> HttpResponse:
    """Store one event. 201 when it is new, 200 when its `event_id` is known."""
    return _through("/api/events", request)


@router.post(
    "/events/batch",
    tags=["ingest"],
    openapi_extra=described(BatchReceived, request=BatchBody, also=(400, 413, 503)),
)
def post_batch(request: HttpRequest) -> HttpResponse:
    """Store many events, each alone: what is wrong with one costs no other."""
    return _through("/api/events/batch", request)


@router.post(
    "/hooks/claude-code",
    tags=["ingest"],
    openapi_extra=described(dict[str, Any], request=dict, also=(400, 413, 503)),
)
def post_claude_hook(request: HttpRequest) -> HttpResponse:
    """A hook body of Claude Code, as the client sends it; answers its decision, or `{}`."""
    return _through("/api/hooks/claude-code", request)


@router.post(
    "/hooks/codex",
    tags=["ingest"],
    openapi_extra=described(dict[str, Any], request=dict, also=(400, 413, 503)),
)
def post_codex_hook(request: HttpRequest) -> HttpResponse:
    """A hook body of Codex, or the argument of its `notify` program; answers `{}`."""
    return _through("/api/hooks/codex", request)


@router.post(
    "/hooks/gemini",
    tags=["ingest"],
    openapi_extra=described(dict[str, Any], request=dict, also=(400, 413, 503)),
)
def post_gemini_hook(request: HttpRequest) -> HttpResponse:
    """A hook body of Gemini CLI; answers `{}`."""
    return _through("/api/hooks/gemini", request)


@router.post(
    "/otel/v1/{signal}", tags=["ingest"], openapi_extra=described(dict, request=dict, also=(400, 413, 503))
)
def post_otlp(request: HttpRequest, signal: str) -> HttpResponse:
    """OTLP/HTTP logs, metrics and traces, as JSON or protobuf; also at /v1/{signal}."""
    if f"/api/otel/v1/{signal}" not in LANES:
        return json_response({"error": "Not Found"}, 404)
    return _through(f"/api/otel/v1/{signal}", request)


@router.post("/otel", tags=["ingest"], openapi_extra=described(dict, request=dict, also=(400, 413, 503)))
def post_unnamed_otlp(request: HttpRequest) -> HttpResponse:
    """OTLP/HTTP as JSON, whatever the signal: exporters that add no path to their endpoint."""
    return _through("/api/otel", request)


@router.post("/attention/{any:session_id}/seen", tags=["ingest"], openapi_extra=described(dict, also=(404, 503)))
def post_seen(request: HttpRequest, session_id: str) -> HttpResponse:
    """A human has looked at what this session did: its finished turn, or its death, waits for nobody any more."""
    agent_type = agent_type_of(session_id)
    if agent_type is None:
        return json_response({"error": "Session not found"}, 404)
    facts = SessionFacts(session_id=session_id, agent_type=agent_type, sign_of_life=False, seen_at_ms=now_ms())
    work = Work(Batch(facts=[facts]), lambda _: json_answer(200, {"seen": True}))
    return _response(gateway.perform_blocking(work, runtime.writer(), 0))


@router.get("/provider-quotas", openapi_extra=described(list[dict[str, Any]]))
def provider_quotas(request: HttpRequest) -> HttpResponse:
    """The providers' own limits, as they were last told."""
    return json_response(told_limits(now_ms()))


@router.post("/provider-quotas/claude/statusline", openapi_extra=described(dict, request=dict, also=(400, 503)))
def post_statusline(request: HttpRequest) -> HttpResponse:
    """The JSON that Claude Code pipes to its status line."""
    quota = from_statusline(_json_body(request), now_ms())
    if quota is None:
        return json_response({"accepted": False, "reason": "missing rate_limits payload"}, 202)
    return _store_quota(quota)


@router.post("/provider-quotas/{provider}", openapi_extra=described(dict, request=dict, also=(400, 404, 503)))
def post_quota(request: HttpRequest, provider: str) -> HttpResponse:
    """A provider's limits, as a client read them."""
    try:
        return _store_quota(from_post(provider, _json_body(request), now_ms()))
    except (UnknownProvider, QuotaFault) as fault:
        return json_response({"error": str(fault)}, 404 if isinstance(fault, UnknownProvider) else 400)


def _store_quota(quota: Quota) -> HttpResponse:
    work = Work(Batch(quotas=[quota]), lambda _: json_answer(202, {"accepted": True}))
    return _response(gateway.perform_blocking(work, runtime.writer(), 0))


def _json_body(request: HttpRequest) -> Any:
    try:
        return decode_json(_body(request, EVENT_BODY_BYTES))
    except (BodyFault, BodyUnreadable):
        raise HttpError(400, "Invalid JSON payload") from None
    except BodyTooLarge:
        raise HttpError(413, TOO_LARGE) from None


def _through(path: str, request: HttpRequest) -> HttpResponse:
    lane, content_type = LANES[path], request.headers.get("Content-Type") or None
    if lane.wrong_type is not None and not is_taken(content_type):
        return _response(lane.wrong_type)
    try:
        body = _body(request, lane.limit_bytes)
    except BodyTooLarge:
        return _response(lane.fail(413, TOO_LARGE, content_type))
    except BodyUnreadable:
        return _response(lane.fail(400, UNREADABLE, content_type))
    work = lane.work(body, content_type)
    return _response(gateway.perform_blocking(work, runtime.writer(), len(body)))


def _body(request: HttpRequest, limit_bytes: int) -> bytes:
    encoding = request.headers.get("Content-Encoding", "").strip().lower().encode()
    if len(request.body) > limit_bytes:
        raise BodyTooLarge
    return unpack(request.body, encoding, limit_bytes) if encoding else request.body


def _response(answer: Answer) -> HttpResponse:
    response = HttpResponse(answer.body, status=answer.status, content_type=answer.content_type.decode())
    for name, value in answer.headers:
        response[name.decode()] = value.decode()
    return response

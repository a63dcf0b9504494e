"""The django-ninja door of the ingest paths: the same functions as the ASGI door, for OpenAPI and for callers
inside Django.

On the router of the reading side: a path has one router, and `/api/events` is both written and read.
"""

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse

from ingest import gateway, runtime
from ingest.body import BodyTooLarge, BodyUnreadable, unpack
from ingest.contract import BatchBody, EventBody
from ingest.fastlane import LANES, TOO_LARGE, UNREADABLE, is_taken
from ingest.gateway import Answer
from monitor.api import router
from monitor.openapi import described


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


def _through(path: str, request: HttpRequest) -> HttpResponse:
    lane = LANES[path]
    headers = [(b"content-type", request.headers.get("Content-Type", "").encode("latin-1", "replace"))]
    if lane.wrong_type is not None and not is_taken(headers):
        return _response(lane.wrong_type)
    try:
        body = _body(request, lane.limit_bytes)
    except BodyTooLarge:
        return _response(TOO_LARGE)
    except BodyUnreadable:
        return _response(UNREADABLE)
    return _response(gateway.perform_blocking(lane.work(body), runtime.writer(), len(body)))


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

"""What waits for the human."""

from django.http import HttpRequest, HttpResponse
from ninja import Router

from monitor.api import json_response
from monitor.openapi import described
from monitor.queries_attention import AttentionBody, attention
from monitor.times import now_ms

router = Router(tags=["read"])


@router.get("/attention", openapi_extra=described(AttentionBody))
def get_attention(request: HttpRequest) -> HttpResponse:
    """What each running agent does now and since when; who waits for the human stands first."""
    return json_response(attention(now_ms()))

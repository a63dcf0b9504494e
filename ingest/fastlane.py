"""The ASGI door of the hot paths: what agents send, answered without going through Django."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from time import perf_counter_ns
from typing import Any, Final

from channels.db import database_sync_to_async

from ingest import gateway, otlp_gateway
from ingest.body import (
    EVENT_BODY_BYTES,
    OTLP_BODY_BYTES,
    BodyTooLarge,
    BodyUnreadable,
    ClientGone,
    Receive,
    read_body,
)
from ingest.contract import NOT_AN_OBJECT
from ingest.gateway import Answer, Work, error_answer
from ingest.writer import Writer
from monitor.hook_weight import hook_weight

Send = Callable[[dict[str, Any]], Awaitable[None]]
Scope = dict[str, Any]

# A body that names no hook, or that nothing was made of.
REFUSED: Final = "no hook"
TAKEN_TYPES: Final = ("application/json", "text/plain")
PREFERS_MINIMAL: Final = (b"prefer", b"return=minimal")
NO_CONTENT: Final = Answer(204, b"")
TOO_LARGE: Final = "The body is larger than the limit"
UNREADABLE: Final = "The body can't be unpacked as its Content-Encoding says"


Fail = Callable[[int, str, str | None], Answer]


def _fail_in_json(status: int, error: str, content_type: str | None) -> Answer:
    return error_answer(status, error)


@dataclass(frozen=True, slots=True)
class Lane:
    """One hot path: its parser, its body limit, and its form of errors.

    `wrong_type` is what a body of another kind than JSON gets; None leaves the kind to the parser. `threaded`
    parsers may take long or read the database, so they run beside the event loop. `minimal` answers nothing
    instead of `{}` to a client that prefers it (RFC 7240): Claude Code writes every body into its transcript.
    """

    work: Callable[[bytes, str | None], Work | Answer]
    limit_bytes: int = EVENT_BODY_BYTES
    wrong_type: Answer | None = None
    fail: Fail = _fail_in_json
    threaded: bool = False
    minimal: bool = False
    # Whose hooks these are: their weight is measured.
    client: str | None = None


LANES: Final = (
    {
        "/api/events": Lane(gateway.event_work, wrong_type=gateway.invalid_event(NOT_AN_OBJECT)),
        "/api/events/batch": Lane(gateway.batch_work, wrong_type=error_answer(400, "Expected { events: [...] }")),
    }
    | {
        path: Lane(work, wrong_type=error_answer(415, "Expected a JSON body"), minimal=True, client=client)
        for path, work, client in (
            ("/api/hooks/claude-code", gateway.claude_hook_work, "claude_code"),
            ("/api/hooks/codex", gateway.codex_hook_work, "codex"),
            ("/api/hooks/gemini", gateway.gemini_hook_work, "gemini_cli"),
        )
    }
    | {
        # Exporters look at the root by default.
        f"{prefix}/v1/{signal}": Lane(work, OTLP_BODY_BYTES, fail=otlp_gateway.failure, threaded=True)
        for prefix in ("/api/otel", "")
        for signal, work in otlp_gateway.WORKS.items()
    }
    | {
        path: Lane(otlp_gateway.unnamed_work, OTLP_BODY_BYTES, fail=otlp_gateway.failure, threaded=True)
        for path in ("/api/otel", "/api/otel/")
    }
)


async def serve(lane: Lane, writer: Writer, scope: Scope, receive: Receive, send: Send) -> None:
    """Read, store, answer."""
    content_type, started_ns = content_type_of(scope["headers"]), perf_counter_ns()
    hook, body = REFUSED, b""
    try:
        if lane.wrong_type is not None and not is_taken(content_type):
            answer = lane.wrong_type
        else:
            body = await read_body(receive, scope["headers"], lane.limit_bytes)
            if lane.threaded:
                work = await database_sync_to_async(lane.work)(body, content_type)
            else:
                work = lane.work(body, content_type)
            if isinstance(work, Work):
                hook = work.hook or hook
            answer = await gateway.perform(work, writer, len(body))
            if lane.minimal and answer.body == b"{}" and PREFERS_MINIMAL in scope["headers"]:
                answer = NO_CONTENT
    except BodyTooLarge:
        answer = lane.fail(413, TOO_LARGE, content_type)
    except BodyUnreadable:
        answer = lane.fail(400, UNREADABLE, content_type)
    except ClientGone:
        return
    await send_answer(send, answer)
    if lane.client is not None:
        took_us = (perf_counter_ns() - started_ns) / 1000
        failed = answer.status >= 400
        hook_weight.note(lane.client, hook, took_us, body_bytes=len(body), failed=failed)


def content_type_of(headers: list[tuple[bytes, bytes]]) -> str | None:
    for name, value in headers:
        if name == b"content-type":
            return value.decode("latin-1")
    return None


def is_taken(content_type: str | None) -> bool:
    """JSON, whatever it calls itself, and the text/plain of browsers' beacons."""
    if not content_type or content_type == "application/json":
        return True
    kind = content_type.split(";", 1)[0].strip().lower()
    return kind in TAKEN_TYPES or kind.endswith("+json")


async def send_answer(send: Send, answer: Answer) -> None:
    headers = [
        (b"content-type", answer.content_type),
        (b"content-length", b"%d" % len(answer.body)),
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})

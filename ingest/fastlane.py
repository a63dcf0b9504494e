"""The ASGI door of the hot paths: what agents send, answered without going through Django."""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from ingest import gateway
from ingest.body import (
    EVENT_BODY_BYTES,
    BodyTooLarge,
    BodyUnreadable,
    ClientGone,
    Receive,
    read_body,
)
from ingest.gateway import Answer, Work, error_answer
from ingest.writer import Writer

Send = Callable[[dict[str, Any]], Awaitable[None]]
Scope = dict[str, Any]

TAKEN_TYPES: Final = (b"application/json", b"text/plain")


class Lane:
    """One hot path: its parser, its body limit, and how it refuses a body of the wrong kind."""

    __slots__ = ("limit_bytes", "work", "wrong_type")

    def __init__(
        self,
        work: Callable[[bytes], Work | Answer],
        limit_bytes: int = EVENT_BODY_BYTES,
        wrong_type: Answer | None = None,
    ) -> None:
        self.work, self.limit_bytes, self.wrong_type = work, limit_bytes, wrong_type


LANES: Final = {
    "/api/events": Lane(gateway.event_work, wrong_type=gateway.event_work(b"null")),  # type: ignore[arg-type]
    "/api/events/batch": Lane(gateway.batch_work, wrong_type=error_answer(400, "Expected { events: [...] }")),
    "/api/hooks/claude-code": Lane(gateway.claude_hook_work, wrong_type=error_answer(415, "Expected a JSON body")),
}
TOO_LARGE: Final = error_answer(413, "The body is larger than the limit")
UNREADABLE: Final = error_answer(400, "The body can't be unpacked as its Content-Encoding says")


async def serve(lane: Lane, writer: Writer, scope: Scope, receive: Receive, send: Send) -> None:
    """Read, store, answer."""
    headers = scope["headers"]
    try:
        if lane.wrong_type is not None and not is_taken(headers):
            answer = lane.wrong_type
        else:
            body = await read_body(receive, headers, lane.limit_bytes)
            answer = await gateway.perform(lane.work(body), writer, len(body))
    except BodyTooLarge:
        answer = TOO_LARGE
    except BodyUnreadable:
        answer = UNREADABLE
    except ClientGone:
        return
    await send_answer(send, answer)


def is_taken(headers: list[tuple[bytes, bytes]]) -> bool:
    for name, value in headers:
        if name == b"content-type":
            kind = value.split(b";", 1)[0].strip().lower()
            return not kind or kind in TAKEN_TYPES or kind.endswith(b"+json")
    return True


async def send_answer(send: Send, answer: Answer) -> None:
    headers = [
        (b"content-type", answer.content_type),
        (b"content-length", b"%d" % len(answer.body)),
        *answer.headers,
    ]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})

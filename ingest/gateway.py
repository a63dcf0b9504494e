"""One behaviour behind two doors: body in, answer out, for the ASGI door and for django-ninja.

Every function that stores is written once, as a pair of parse and answer around the writer; `store` is the
only step that waits, so each door brings its own way of waiting.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

import msgspec
from django.conf import settings

from ingest.call_store import Stored
from ingest.contract import BodyFault, Fault, NewEvent, Parsed, parse_batch, parse_event
from ingest.hooks import claude_code, codex, gemini
from ingest.hooks.claude_body import HookFault
from ingest.hooks.outcome import HookOutcome
from ingest.store import Batch
from ingest.writer import Overloaded, Stopped, Unavailable, Writer

JSON_TYPE: Final = b"application/json; charset=utf-8"
RETRY_AFTER_SECONDS: Final = 1
_encode = msgspec.json.encode


class Answer(NamedTuple):
    """An HTTP answer: status, JSON bytes, and further headers."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()
    content_type: bytes = JSON_TYPE


class Work(NamedTuple):
    """A batch to store, what to answer once it is stored, how to say that it can't be; of which hook it is."""

    batch: Batch
    answer: Callable[[Stored], Answer]
    fail: Callable[[int, str], Answer] | None = None
    hook: str | None = None


def json_answer(status: int, content: object) -> Answer:
    return Answer(status, _encode(content))


def error_answer(status: int, error: str) -> Answer:
    return json_answer(status, {"error": error})


def payload_limit_bytes() -> int:
    return int(settings.ENVIRONMENT.max_payload_kb) * 1024


def event_work(body: bytes, content_type: str | None = None) -> Work | Answer:
    """POST /api/events."""
    parsed = parse_event(body, payload_limit_bytes())
    if isinstance(parsed, NewEvent):
        return Work(Batch([parsed]), _event_answer)
    return invalid_event(parsed)


def invalid_event(faults: list[Fault]) -> Answer:
    details = [{"field": fault.field, "message": fault.message} for fault in faults]
    return json_answer(400, {"error": "Invalid event payload", "details": details})


def _event_answer(stored: Stored) -> Answer:
    status = 201 if stored.ids else 200
    return json_answer(status, {"received": len(stored.ids), "ids": stored.ids, "duplicates": stored.duplicates})


def batch_work(body: bytes, content_type: str | None = None) -> Work | Answer:
    """POST /api/events/batch."""
    try:
        parsed = parse_batch(body, payload_limit_bytes())
    except BodyFault:
        return error_answer(400, "Expected { events: [...] }")
    return Work(Batch(parsed.events), lambda stored: _batch_answer(parsed, stored))


def _batch_answer(parsed: Parsed, stored: Stored) -> Answer:
    rejected = [
        {"index": index, "errors": [f"{fault.field}: {fault.message}" for fault in faults]}
        for index, faults in parsed.rejected
    ]
    content = {
        "received": len(stored.ids),
        "ids": stored.ids,
        "duplicates": stored.duplicates,
        "rejected": rejected,
    }
    return json_answer(201, content)


def claude_hook_work(body: bytes, content_type: str | None = None) -> Work | Answer:
    """POST /api/hooks/claude-code: the client's own hook body; answers its own decision form."""
    safety = settings.ENVIRONMENT.safety
    return _hook_work(
        lambda: claude_code.read_body(body, payload_limit_bytes=payload_limit_bytes(), safety=safety)
    )


def codex_hook_work(body: bytes, content_type: str | None = None) -> Work | Answer:
    """POST /api/hooks/codex: a hook body, or the argument of `notify`."""
    return _hook_work(lambda: codex.read_body(body, payload_limit_bytes=payload_limit_bytes()))


def gemini_hook_work(body: bytes, content_type: str | None = None) -> Work | Answer:
    """POST /api/hooks/gemini: a hook body."""
    return _hook_work(lambda: gemini.read_body(body, payload_limit_bytes=payload_limit_bytes()))


def _hook_work(read: Callable[[], HookOutcome]) -> Work | Answer:
    try:
        outcome = read()
    except HookFault as fault:
        return invalid_event(fault.faults)
    answer = json_answer(200, outcome.answer)
    if not outcome.events and not outcome.facts:
        return answer
    return Work(Batch(outcome.events, outcome.facts), lambda _: answer, hook=outcome.hook)


async def perform(work: Work | Answer, writer: Writer, body_bytes: int) -> Answer:
    """Store and answer, from an event loop."""
    if isinstance(work, Answer):
        return work
    try:
        return work.answer(await writer.store(work.batch, body_bytes))
    except (Overloaded, Unavailable, Stopped) as fault:
        return _unavailable(work, fault)


def perform_blocking(work: Work | Answer, writer: Writer, body_bytes: int) -> Answer:
    """Store and answer, from a thread."""
    if isinstance(work, Answer):
        return work
    try:
        return work.answer(writer.store_blocking(work.batch, body_bytes))
    except (Overloaded, Unavailable, Stopped) as fault:
        return _unavailable(work, fault)


def _unavailable(work: Work, fault: Exception) -> Answer:
    reason = {
        Overloaded: "Too many events are waiting to be stored",
        Stopped: "The server is stopping",
    }.get(type(fault), "The database can't be written now")
    answer = (work.fail or error_answer)(503, reason)
    return answer._replace(headers=((b"retry-after", b"%d" % RETRY_AFTER_SECONDS),))

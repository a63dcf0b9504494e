"""The event schema: what a source may send, what is wrong with it, and what the writer gets.

Pure: JSON bytes and values in, values out. Two ways lead to the same `NewEvent`: a typed decode that
accepts nearly every event in about a microsecond, and, when it refuses, the full check, which names every
wrong field at once. The full check is the authority: what it accepts is stored.
"""

import json
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, NamedTuple, get_args

import msgspec

from ingest.dates import parse_date
from ingest.metadata import CappedMetadata, cap_metadata
from monitor.quotas import Quota
from pricing.usage import Usage

EventType = Literal[
    "tool_use",
    "session_start",
    "session_end",
    "error",
    "llm_request",
    "llm_response",
    "response",
    "file_change",
    "git_commit",
    "plan_step",
    "user_prompt",
    "instruction_load",
]
Status = Literal["success", "error", "timeout"]
EVENT_TYPES: Final[tuple[str, ...]] = get_args(EventType)
STATUSES: Final[tuple[str, ...]] = get_args(Status)
# Far above anything real, and low enough that sums of many stay exact in 64 bits.
MOST_TOKENS: Final = 10**10
LONGEST_MS: Final = 10**12
MOST_DOLLARS: Final = 10**6
LONGEST_TEXT: Final = 4096
NANOS_PER_DOLLAR: Final = 1_000_000_000

TEXT_FIELDS: Final = ("event_id", "tool_name", "branch", "project", "model")
COUNT_LIMITS: Final = {
    "duration_ms": LONGEST_MS,
    "tokens_in": MOST_TOKENS,
    "tokens_out": MOST_TOKENS,
    "cache_read_tokens": MOST_TOKENS,
    "cache_write_tokens": MOST_TOKENS,
}


class NewCall(msgspec.Struct, kw_only=True, gc=False):
    """One witness of one billed call: what it saw of the usage, and where it stands.

    `key` is what all witnesses of the call share. `authority` orders witnesses: see ingest/ledger.py.
    `cost_nanos` is set only when the client stated the cost and it is to be kept.
    """

    key: str
    usage: Usage
    model: str | None = None
    called_at_ms: int | None = None
    authority: int = 0
    cost_nanos: int | None = None
    ref: str | None = None
    # The sub-agent that made it; None for the main conversation, or when the source can't tell.
    subagent_id: str | None = None
    # What a sub-agent's copy of the same answer would have too (ingest/otlp/keys.py).
    answer_mark: int | None = None


class Telling(msgspec.Struct, frozen=True, gc=False):
    """What joins an event with those that other sources tell of the same, where no id does (ingest/telling.py).

    `key` is what all of them know, `at_ms` when it happened, `content` stands for the text where it is known.
    """

    key: str
    at_ms: int
    content: str | None = None


class NewEvent(msgspec.Struct, kw_only=True, gc=False):
    """One normalised event, ready for the writer. Texts are trimmed, not empty; `metadata` is JSON text."""

    session_id: str
    agent_type: str
    event_type: str
    event_id: str | None = None
    tool_name: str | None = None
    status: str = "success"
    tokens_in: int = 0
    tokens_out: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    branch: str | None = None
    project: str | None = None
    model: str | None = None
    duration_ms: int | None = None
    cost_nanos: int | None = None
    client_at_ms: int | None = None
    source: str = "api"
    metadata: str = "{}"
    payload_truncated: bool = False
    edited_path: str | None = None
    lines_added: int = 0
    lines_removed: int = 0
    # Sources that know how a call is keyed say so; other events with usage get a key of their own.
    call: NewCall | None = None
    # Its usage is part of a metric's sums, which the ledger takes apart from it (ingest/metric_ledger.py).
    is_sum: bool = False
    telling: Telling | None = None


class SubagentFacts(msgspec.Struct, kw_only=True):
    """What a source knows of one sub-agent of a session; None means "says nothing about it".

    `now` is what happens to it at this moment, from a source that has no clock of its own, such as a hook.
    """

    subagent_id: str
    parent_subagent_id: str | None = None
    kind: str | None = None
    description: str | None = None
    started_at_ms: int | None = None
    last_at_ms: int | None = None
    ended_at_ms: int | None = None
    now: Literal["starts", "works", "ends"] | None = None


class CompactionFacts(msgspec.Struct, kw_only=True):
    """One compaction of a conversation; `line_id` names the line that tells of it, in whatever file."""

    line_id: str
    at_ms: int
    subagent_id: str | None = None
    trigger: str | None = None
    pre_tokens: int | None = None


class SessionFacts(msgspec.Struct, kw_only=True):
    """What a source knows of a session beside events. None means "says nothing about it".

    `state` is one of working, tool, permission, question, turn_ended (monitor/lifecycle.py), of the sub-agent
    `agent_id` or else of the main agent, since `state_at_ms` or else now; `new_turn`: a human began it.
    `ends` is true when the client itself said that the session is over, `dies` when its process is gone without
    that; `alive_at_ms` is when that process was seen, `seen_at_ms` when a human looked at what was done.
    `sign_of_life` is false for what is read from old files, which must not make a session active again.
    """

    session_id: str
    agent_type: str
    project: str | None = None
    branch: str | None = None
    cwd: str | None = None
    title: str | None = None
    model: str | None = None
    client_version: str | None = None
    permission_mode: str | None = None
    transcript_path: str | None = None
    parent_id: str | None = None
    state: str | None = None
    state_detail: str | None = None
    state_at_ms: int | None = None
    agent_id: str | None = None
    new_turn: bool = False
    ends: bool = False
    dies: bool = False
    alive_at_ms: int | None = None
    seen_at_ms: int | None = None
    # What the provider told this client of its limits.
    quota: Quota | None = None
    sign_of_life: bool = True
    started_at_ms: int | None = None
    last_at_ms: int | None = None
    subagents: Sequence[SubagentFacts] = ()
    compactions: Sequence[CompactionFacts] = ()


class Fault(NamedTuple):
    """One wrong field, in the contract's words."""

    field: str
    message: str


class BodyFault(Exception):
    """The body as a whole can't be used; the text is the contract's `error`."""


Count = Annotated[int, msgspec.Meta(ge=0, le=MOST_TOKENS)]
Duration = Annotated[int, msgspec.Meta(ge=0, le=LONGEST_MS)]
Amount = Annotated[float, msgspec.Meta(ge=0, le=MOST_DOLLARS)]
Text = Annotated[str, msgspec.Meta(max_length=LONGEST_TEXT)]


class EventBody(msgspec.Struct, gc=False):
    """The wire form, typed, for the fast way in."""

    session_id: Text
    agent_type: Text
    event_type: EventType
    event_id: Text | None = None
    tool_name: Text | None = None
    status: Status | None = None
    tokens_in: Count | None = None
    tokens_out: Count | None = None
    cache_read_tokens: Count | None = None
    cache_write_tokens: Count | None = None
    branch: Text | None = None
    project: Text | None = None
    model: Text | None = None
    duration_ms: Duration | None = None
    cost_usd: Amount | None = None
    client_timestamp: str | None = None
    source: Text | None = None
    metadata: Any = None


class BatchBody(msgspec.Struct):
    events: list[EventBody]


_decode_event = msgspec.json.Decoder(EventBody).decode
_decode_batch = msgspec.json.Decoder(BatchBody).decode
_decode_any = msgspec.json.Decoder().decode


class Parsed(NamedTuple):
    """Events to store, and for the others their place in the batch with what is wrong."""

    events: list[NewEvent]
    rejected: list[tuple[int, list[Fault]]]


# The one form in which JSON can hold the character that ends a text for half the readers of a database.
NUL: Final = b"\\u0000"
NO_METADATA: Final = CappedMetadata("{}", False)
NOT_AN_OBJECT: Final = [Fault("body", "must be a JSON object")]


def parse_event(body: bytes, payload_limit_bytes: int) -> NewEvent | list[Fault]:
    """One event from the body of POST /api/events; or everything that is wrong with it."""
    try:
        event = None if NUL in body else _from_body(_decode_event(body), payload_limit_bytes)
        if event is not None:
            return event
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return check_event(decode_json(body), payload_limit_bytes)
    except BodyFault:
        return NOT_AN_OBJECT


def parse_batch(body: bytes, payload_limit_bytes: int) -> Parsed:
    """The events of POST /api/events/batch. Raises BodyFault when there is no list of events."""
    try:
        bodies = [] if NUL in body else _decode_batch(body).events
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        bodies = []
    events = [_from_body(item, payload_limit_bytes) for item in bodies]
    if not events or None in events:
        return check_batch(decode_json(body), payload_limit_bytes)
    return Parsed(events, [])  # type: ignore[arg-type]


def check_batch(value: object, payload_limit_bytes: int) -> Parsed:
    """As `parse_batch`, from a decoded value, each item alone."""
    items = value.get("events") if isinstance(value, dict) else None
    if not isinstance(items, list):
        raise BodyFault("Expected { events: [...] }")
    events: list[NewEvent] = []
    rejected: list[tuple[int, list[Fault]]] = []
    for index, item in enumerate(items):
        outcome = check_event(item, payload_limit_bytes)
        if isinstance(outcome, NewEvent):
            events.append(outcome)
        else:
            rejected.append((index, outcome))
    return Parsed(events, rejected)


def decode_json(body: bytes) -> Any:
    """JSON from bytes; a JSON text that was encoded twice is unpacked. Raises BodyFault.

    The standard library's decoder stands behind msgspec for bodies with a lone surrogate somewhere: one bad
    character must not cost a batch its good events.
    """
    try:
        value = _decode(body)
        if isinstance(value, str):
            value = _decode(value.encode())
    except (ValueError, RecursionError):
        raise BodyFault("Invalid JSON payload") from None
    return value


def _decode(body: bytes) -> Any:
    try:
        return _decode_any(body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return json.loads(body.decode(), parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _from_body(body: EventBody, payload_limit_bytes: int) -> NewEvent | None:
    """The fast way: None when anything at all needs the full check."""
    session_id, agent_type = body.session_id.strip(), body.agent_type.strip()
    if not session_id or not agent_type:
        return None
    client_at_ms = None
    if body.client_timestamp:
        client_at_ms = parse_date(body.client_timestamp)
        if client_at_ms is None:
            return None
    tool_name, cost_usd = _trimmed(body.tool_name), body.cost_usd
    capped = NO_METADATA
    if body.metadata is not None:
        capped = cap_metadata(body.metadata, payload_limit_bytes, tool_name)
    return NewEvent(
        session_id=session_id,
        agent_type=agent_type,
        event_type=body.event_type,
        event_id=_trimmed(body.event_id),
        tool_name=tool_name,
        status=body.status or ("error" if body.event_type == "error" else "success"),
        tokens_in=body.tokens_in or 0,
        tokens_out=body.tokens_out or 0,
        cache_read_tokens=body.cache_read_tokens or 0,
        cache_write_tokens=body.cache_write_tokens or 0,
        branch=_trimmed(body.branch),
        project=_trimmed(body.project),
        model=_trimmed(body.model),
        duration_ms=body.duration_ms,
        cost_nanos=None if cost_usd is None else _nanos(cost_usd),
        client_at_ms=client_at_ms,
        source=_trimmed(body.source) or "api",
        metadata=capped.text,
        payload_truncated=capped.truncated,
        edited_path=capped.edited_path,
        lines_added=capped.lines_added,
        lines_removed=capped.lines_removed,
    )


def check_event(value: object, payload_limit_bytes: int) -> NewEvent | list[Fault]:
    """The full check: every wrong field, in the order of the contract; or the event."""
    if not isinstance(value, dict):
        return NOT_AN_OBJECT
    faults = [
        *_required_faults(value),
        *_status_faults(value.get("status")),
        *(fault for name in TEXT_FIELDS for fault in _text_faults(name, value.get(name))),
        *(f for name, most in COUNT_LIMITS.items() for f in _count_faults(name, value.get(name), most)),
        *_cost_faults(value.get("cost_usd")),
        *_timestamp_faults(value.get("client_timestamp")),
        *_text_faults("source", value.get("source")),
    ]
    return faults or _checked_event(value, payload_limit_bytes)


def _checked_event(value: dict[str, Any], payload_limit_bytes: int) -> NewEvent:
    event_type = value["event_type"].strip()
    tool_name, cost, when = (
        _trimmed(value.get("tool_name")),
        value.get("cost_usd"),
        value.get("client_timestamp"),
    )
    capped = _capped(tool_name, value.get("metadata"), payload_limit_bytes)
    duration_ms = value.get("duration_ms")
    return NewEvent(
        session_id=value["session_id"].strip(),
        agent_type=value["agent_type"].strip(),
        event_type=event_type,
        event_id=_trimmed(value.get("event_id")),
        tool_name=tool_name,
        status=value.get("status") or ("error" if event_type == "error" else "success"),
        tokens_in=int(value.get("tokens_in") or 0),
        tokens_out=int(value.get("tokens_out") or 0),
        cache_read_tokens=int(value.get("cache_read_tokens") or 0),
        cache_write_tokens=int(value.get("cache_write_tokens") or 0),
        branch=_trimmed(value.get("branch")),
        project=_trimmed(value.get("project")),
        model=_trimmed(value.get("model")),
        duration_ms=None if duration_ms is None else int(duration_ms),
        cost_nanos=None if cost is None else _nanos(cost),
        client_at_ms=parse_date(when) if when and when.strip() else None,
        source=_trimmed(value.get("source")) or "api",
        metadata=capped.text,
        payload_truncated=capped.truncated,
        edited_path=capped.edited_path,
        lines_added=capped.lines_added,
        lines_removed=capped.lines_removed,
    )


def _capped(tool_name: str | None, metadata: Any, limit_bytes: int) -> CappedMetadata:
    return cap_metadata({} if metadata is None else metadata, limit_bytes, tool_name)


def _required_faults(value: dict[str, Any]) -> list[Fault]:
    faults = [
        fault for name in ("session_id", "agent_type") for fault in _required_text_faults(name, value.get(name))
    ]
    event_type = value.get("event_type")
    if not isinstance(event_type, str):
        faults.append(Fault("event_type", "must be a string"))
    if not isinstance(event_type, str) or event_type.strip() not in EVENT_TYPES:
        faults.append(Fault("event_type", f"must be one of: {', '.join(EVENT_TYPES)}"))
    return faults


def _required_text_faults(name: str, value: object) -> list[Fault]:
    if not isinstance(value, str):
        return [Fault(name, "must be a string")]
    if not value.strip():
        return [Fault(name, "must be a non-empty string")]
    return _character_faults(name, value)


def _text_faults(name: str, value: object) -> list[Fault]:
    if value is None:
        return []
    if not isinstance(value, str):
        return [Fault(name, "must be a string when provided")]
    return _character_faults(name, value)


def _character_faults(name: str, value: str) -> list[Fault]:
    if len(value) > LONGEST_TEXT:
        return [Fault(name, f"must be at most {LONGEST_TEXT} characters")]
    if _unsafe(value):
        return [Fault(name, "must not hold NUL characters or lone surrogates")]
    return []


def _status_faults(value: object) -> list[Fault]:
    if value is None or value in STATUSES:
        return []
    if not isinstance(value, str):
        return [Fault("status", "must be a string when provided")]
    return [Fault("status", f"must be one of: {', '.join(STATUSES)}")]


def _count_faults(name: str, value: object, most: int) -> list[Fault]:
    if value is None:
        return []
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole or not 0 <= value <= most:  # type: ignore[operator]
        return [Fault(name, "must be a non-negative integer when provided")]
    return []


def _cost_faults(value: object) -> list[Fault]:
    if value is None:
        return []
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not number or not 0 <= value <= MOST_DOLLARS:  # type: ignore[operator]
        return [Fault("cost_usd", "must be a non-negative number when provided")]
    return []


def _timestamp_faults(value: object) -> list[Fault]:
    if value is None or (isinstance(value, str) and not value.strip()):
        return []
    if not isinstance(value, str):
        return [Fault("client_timestamp", "must be an ISO timestamp string when provided")]
    return [] if parse_date(value) is not None else [Fault("client_timestamp", "must be a valid timestamp")]


def _nanos(cost_usd: float) -> int:
    """Dollars as a client stated them, in nano-dollars."""
    return round(cost_usd * NANOS_PER_DOLLAR)


def _trimmed(value: str | None) -> str | None:
    return (value.strip() or None) if value else None


def _unsafe(*values: str | None) -> bool:
    """NUL ends a text for half the readers of a database, and a lone surrogate is no UTF-8."""
    return any(
        value is not None and ("\0" in value or len(value) > LONGEST_TEXT or not _encodable(value))
        for value in values
    )


def _encodable(value: str) -> bool:
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True

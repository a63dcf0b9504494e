"""One thing that happened is one event, and each further witness completes it. Pure.

Hooks, telemetry and transcripts name what happened by the client's own ids (ingest/otlp/keys.py), so that the
second to tell of it comes to the row of the first. What both say is joined so that any order and any repetition
give the same row: of two values the one that says more, chosen by the values alone and never by who came first.
Only what nobody can tell twice stays with who told first: the row's id and time, its source, and its place,
which the session fills in where the event says nothing. (Joined metadata above the limit is cut as any other,
and what was cut can't come back: there the order may show.)
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from ingest.contract import NewEvent
from ingest.metadata import EDIT_TOOLS, MARKS, PRIORITY_KEYS, CappedMetadata, cap_outcome, encode_json
from ingest.otlp.keys import SHARED_ID_STARTS

T = TypeVar("T")
WITNESSES: Final = frozenset({"hook", "otel", "import"})
STATUS_RANKS: Final = {"success": 0, "timeout": 1, "error": 2}
LEFT_BY_THE_CAP: Final = frozenset({*MARKS, *PRIORITY_KEYS})


class EventRecord(NamedTuple):
    """The columns of an event, as they are stored. Times in ms, cost in nano-dollars."""

    id: int
    event_id: str | None
    session_id: str
    agent_type: str
    event_type: str
    tool_name: str | None
    status: str
    tokens_in: int
    tokens_out: int
    branch: str | None
    project: str | None
    duration_ms: int | None
    created_at: int
    client_timestamp: int | None
    metadata: str
    payload_truncated: int
    model: str | None
    cost_nanos: int | None
    cache_read_tokens: int
    cache_write_tokens: int
    source: str
    edited_path: str | None
    lines_added: int
    lines_removed: int

    @property
    def figures(self) -> tuple[int, ...]:
        """What the event used; the largest output is the last word of a stream, as in the ledger."""
        used = (self.tokens_in, self.cache_read_tokens, self.cache_write_tokens)
        return (self.tokens_out, sum(used), *used)


# Who told first keeps the place; the cost belongs to the figures. Where an event says nothing new is seen
# without these.
FIRST_TELLER: Final = frozenset({"id", "event_id", "agent_type", "event_type", "created_at", "source"})
COMPARED: Final = tuple(
    index for index, name in enumerate(EventRecord._fields) if name not in {*FIRST_TELLER, "cost_nanos"}
)


def is_witness(event: NewEvent) -> bool:
    """Whether an event of a known id completes it. A repeated POST of a client of the API changes nothing."""
    return event.source in WITNESSES and (event.event_id or "").startswith(SHARED_ID_STARTS)


def as_told(record: EventRecord, event: NewEvent, *, is_known: bool) -> EventRecord:
    """What a witness adds to a row. What was used counts only with its call, which a known session keeps."""
    if is_known and event.call is not None:
        return record
    return record._replace(
        session_id=record.session_id if is_known else "",
        tokens_in=0,
        tokens_out=0,
        cache_read_tokens=0,
        cache_write_tokens=0,
        cost_nanos=None,
    )


def says_nothing_new(known: EventRecord, told: EventRecord) -> bool:
    """The quick look: each thing told is what is known, or nothing. Most repetitions are."""
    return all(told[index] == known[index] or told[index] is None or told[index] == "" for index in COMPARED)


def joined(known: EventRecord, told: EventRecord, limit_bytes: int) -> EventRecord:
    """What is known after one more witness. A session of "" in `told` says nothing of the session."""
    if known.event_type == "session_end" and known.client_timestamp != told.client_timestamp:
        return _latest(known, told)
    status = max(known.status, told.status, key=STATUS_RANKS.__getitem__)
    tool_name = _chosen(known.tool_name, told.tool_name, _tool_rank)
    used, other = (told, known) if _is_more(told, known) else (known, told)
    cost_nanos = used.cost_nanos
    if cost_nanos is None and used.model is None and used.figures == other.figures:
        cost_nanos = other.cost_nanos
    changed = known._replace(
        session_id=_session_id(known, told),
        tool_name=tool_name,
        status=status,
        tokens_in=used.tokens_in,
        tokens_out=used.tokens_out,
        cache_read_tokens=used.cache_read_tokens,
        cache_write_tokens=used.cache_write_tokens,
        cost_nanos=cost_nanos,
        branch=known.branch or told.branch,
        project=known.project or told.project,
        duration_ms=_chosen(known.duration_ms, told.duration_ms, _duration_rank),
        client_timestamp=_chosen(known.client_timestamp, told.client_timestamp, _earlier),
        model=_chosen(known.model, told.model, _length_rank),
    )
    return _with_metadata(changed, told, limit_bytes)


def _is_more(told: EventRecord, known: EventRecord) -> bool:
    """Whose figures count: as the ledger ranks the calls of both."""
    return (told.figures, told.model or "") > (known.figures, known.model or "")


def _latest(known: EventRecord, told: EventRecord) -> EventRecord:
    """An end may be told again and again while a session goes on: the last one is the end."""
    if (told.client_timestamp or 0) <= (known.client_timestamp or 0):
        return known
    return told._replace(
        id=known.id,
        session_id=told.session_id or known.session_id,
        branch=known.branch or told.branch,
        project=known.project or told.project,
        created_at=known.created_at,
        source=known.source,
    )


def _session_id(known: EventRecord, told: EventRecord) -> str:
    """Where it happened first: what a fork copied belongs to the session that it was copied from."""

    def rank(record: EventRecord) -> tuple[bool, int, str]:
        at_ms = record.client_timestamp
        return (at_ms is None, at_ms or 0, record.session_id)

    return told.session_id if told.session_id and rank(told) < rank(known) else known.session_id


def _chosen(known: T | None, told: T | None, rank: Callable[[T], Any]) -> T | None:
    """The one there is, or of two the one of the higher rank."""
    if known is None or told is None:
        return told if known is None else known
    return max(known, told, key=rank)


def _length_rank(text: str) -> tuple[int, str]:
    """The longer text says more: a whole command over its beginning, a model's full name over its family's."""
    return len(text), text


def _value_rank(value: Any) -> tuple[bool, int, str]:
    """Of a text and something else the text: it is what paths and commands are."""
    return isinstance(value, str), *_length_rank(encode_json(value).decode())


def _tool_rank(tool_name: str) -> tuple[bool, int, str]:
    """Who knows that a file was edited knows more than who saw a shell."""
    return tool_name in EDIT_TOOLS, *_length_rank(tool_name)


def _duration_rank(duration_ms: int) -> tuple[bool, int]:
    """The shorter one: a longer one holds waits around the tool. 0 is what a coarse clock says."""
    return duration_ms > 0, -duration_ms


def _earlier(at_ms: int) -> int:
    """When it began: telemetry dates a tool by its end."""
    return -at_ms


def _with_metadata(changed: EventRecord, told: EventRecord, limit_bytes: int) -> EventRecord:
    """`changed` with the metadata of both, and what follows from it. A failed edit changed no file."""
    failed = changed.status == "error"
    capped = _joined_metadata(changed, told, limit_bytes, failed=failed)
    paths = (changed.edited_path, told.edited_path, capped.edited_path)
    return changed._replace(
        metadata=capped.text,
        payload_truncated=int(capped.truncated),
        edited_path=None if failed else max(filter(None, paths), key=_length_rank, default=None),
        lines_added=0 if failed else max(changed.lines_added, told.lines_added, capped.lines_added),
        lines_removed=0 if failed else max(changed.lines_removed, told.lines_removed, capped.lines_removed),
    )


def _joined_metadata(known: EventRecord, told: EventRecord, limit_bytes: int, *, failed: bool) -> CappedMetadata:
    truncated = bool(known.payload_truncated or told.payload_truncated)
    values = msgspec.json.decode(known.metadata), msgspec.json.decode(told.metadata)
    if not all(isinstance(value, dict) for value in values):
        return CappedMetadata(max(known.metadata, told.metadata, key=_length_rank), truncated)
    if truncated:
        values = _summaries(known, told, *values)
    union = values[0] | {key: _chosen(values[0].get(key), value, _value_rank) for key, value in values[1].items()}
    capped = cap_outcome(union, limit_bytes, known.tool_name, failed=failed)
    return capped._replace(truncated=capped.truncated or truncated)


def _summaries(
    known: EventRecord, told: EventRecord, *values: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Both as the cap leaves them: priority keys, or nothing once one of them had no room for these."""
    for record, value in zip((known, told), values, strict=True):
        if record.payload_truncated and not value.keys() & set(PRIORITY_KEYS):
            return value, value
    known_kept, told_kept = ({key: value[key] for key in value if key in LEFT_BY_THE_CAP} for value in values)
    return known_kept, told_kept

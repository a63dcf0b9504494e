"""An event in the making: the contract's fields of a log record, which a client's mapping then completes. Pure."""

from dataclasses import dataclass, field
from typing import Any, Final

from ingest.contract import LONGEST_MS, MOST_DOLLARS, MOST_TOKENS, NANOS_PER_DOLLAR, NewCall, NewEvent, Telling
from ingest.ledger import OTLP
from ingest.metadata import cap_outcome
from ingest.otlp.keys import record_call_key
from ingest.otlp.reading import Names, Reading, text
from ingest.otlp.records import RecordFault
from pricing.usage import Usage

TOOL_NAME: Final = Names(("gen_ai.tool.name", "tool_name", "tool.name"), ("tool_name",))
MODEL: Final = Names(("gen_ai.request.model", "model", "gen_ai.response.model"), ("model",))
INPUT: Final = Names(
    ("gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens", "input_token_count"),
    ("input_tokens", "input_token_count"),
)
OUTPUT: Final = Names(
    ("gen_ai.usage.output_tokens", "gen_ai.usage.completion_tokens", "output_token_count"),
    ("output_tokens", "output_token_count"),
)
CACHE_READ: Final = Names(
    ("gen_ai.usage.cache_read_input_tokens", "gen_ai.usage.cache_read.input_tokens", "cached_token_count"),
    ("cache_read_tokens", "cached_token_count"),
)
CACHE_WRITE: Final = Names(
    (
        "gen_ai.usage.cache_creation_input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_write.input_tokens",
        "cache_write_token_count",
    ),
    ("cache_write_tokens",),
)
REASONING: Final = Names(
    ("reasoning_token_count", "gen_ai.usage.reasoning.output_tokens"), ("reasoning_token_count",)
)
# Under these names the input that stands beside them includes the cached part.
WITHIN_INPUT: Final = frozenset(
    {
        "gen_ai.usage.cache_read.input_tokens",
        "gen_ai.usage.cache_creation.input_tokens",
        "gen_ai.usage.cache_write.input_tokens",
        "cached_token_count",
        "cache_write_token_count",
        "cached_content_token_count",
    }
)
COST: Final = Names(("gen_ai.usage.cost",), ("cost_usd",))
DURATION: Final = Names(("gen_ai.latency", "duration_ms"), ("duration_ms",))
# Keys of a JSON body that are columns, and so no metadata.
COLUMN_KEYS: Final = frozenset(
    {"session_id", "duration_ms", "project", "branch"}
    | {key for names in (TOOL_NAME, MODEL, INPUT, OUTPUT, CACHE_READ, CACHE_WRITE, COST) for key in names.body}
)
SOURCE: Final = "otel"


@dataclass(slots=True)
class Draft:
    """What is known of an event so far. `cost_is_estimate`: the client reckoned it, nobody billed it."""

    session_id: str
    event_type: str
    event_id: str | None
    status: str
    tool_name: str | None
    model: str | None
    usage: Usage
    cost_nanos: int | None
    duration_ms: int | None
    project: str | None
    branch: str | None
    metadata: dict[str, Any] = field(default_factory=dict)
    cost_is_estimate: bool = False
    call_key: str | None = None
    priced_model: str | None = None
    telling: Telling | None = None

    def note(self, **details: object) -> None:
        """Add to the metadata what is known and not there yet."""
        for key, value in details.items():
            if value is not None and value != "":
                self.metadata.setdefault(key, value)


def begin(reading: Reading, session_id: str, event_type: str, event_id: str | None) -> Draft:
    """The contract's fields. Raises RecordFault for amounts that can't be true."""
    failed = event_type == "error" or reading.flag("success") is False
    return Draft(
        session_id=session_id,
        event_type=event_type,
        event_id=event_id,
        status="error" if failed else "success",
        tool_name=reading.text(TOOL_NAME),
        model=reading.text(MODEL),
        usage=usage_of(reading),
        cost_nanos=cost_nanos_of(reading, COST),
        duration_ms=_duration_ms(reading),
        project=_place(reading, "project"),
        branch=_place(reading, "branch"),
        metadata=_metadata(reading),
    )


def usage_of(
    reading: Reading,
    input_names: Names = INPUT,
    output_names: Names = OUTPUT,
    cache_read_names: Names = CACHE_READ,
    cache_write_names: Names = CACHE_WRITE,
) -> Usage:
    """Tokens, each counted once: input that includes its cached part is taken net of it. Raises RecordFault."""
    total = reading.count(input_names, MOST_TOKENS)
    cached = reading.count(cache_read_names, MOST_TOKENS)
    written = reading.count(cache_write_names, MOST_TOKENS)
    within = sum(
        count
        for names, count in ((cache_read_names, cached), (cache_write_names, written))
        if _name(reading, names) in WITHIN_INPUT
    )
    return Usage(
        # An exporter that reports more cache than input does not include the one in the other.
        uncached_input_tokens=total - within if within <= total else total,
        cache_read_tokens=cached,
        cache_write_5m_tokens=written,
        output_tokens=reading.count(output_names, MOST_TOKENS),
        reasoning_tokens=reading.count(REASONING, MOST_TOKENS),
    )


def _name(reading: Reading, names: Names) -> str | None:
    found = reading.number_as(names)
    return found[0] if found else None


def cost_nanos_of(reading: Reading, names: Names) -> int | None:
    """Dollars as the record states them, in nano-dollars. Raises RecordFault."""
    dollars = reading.number(names)
    if dollars is None:
        return None
    if not 0 <= dollars <= MOST_DOLLARS:
        raise RecordFault(f"a cost must be from 0 to {MOST_DOLLARS} dollars")
    return round(dollars * NANOS_PER_DOLLAR)


def _duration_ms(reading: Reading) -> int | None:
    duration = reading.number(DURATION)
    return int(duration) if duration is not None and 0 <= duration <= LONGEST_MS else None


def _place(reading: Reading, name: str) -> str | None:
    holders = (reading.attributes, reading.record.resource, reading.body)
    return next((found for holder in holders if (found := text(holder.get(name)))), None)


def _metadata(reading: Reading) -> dict[str, Any]:
    metadata = {key: value for key, value in reading.body.items() if key not in COLUMN_KEYS}
    if reading.message and not _is_name(reading.message, reading.name):
        metadata["message"] = reading.message
    if reading.name:
        metadata.setdefault("otel_event_name", reading.name)
    return metadata


def _is_name(message: str, name: str | None) -> bool:
    """Claude Code's bodies hold nothing but the event's name, with the prefix that the attribute lacks."""
    return name is not None and (message == name or message.endswith(f".{name}"))


def finish(draft: Draft, agent_type: str, called_at_ms: int | None, payload_limit_bytes: int) -> NewEvent:
    failed = draft.status == "error"
    capped = cap_outcome(draft.metadata, payload_limit_bytes, draft.tool_name, failed=failed)
    usage = draft.usage
    return NewEvent(
        session_id=draft.session_id,
        agent_type=agent_type,
        event_type=draft.event_type,
        event_id=draft.event_id,
        tool_name=draft.tool_name,
        status=draft.status,
        tokens_in=usage.uncached_input_tokens,
        tokens_out=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_5m_tokens + usage.cache_write_1h_tokens,
        branch=draft.branch,
        project=draft.project,
        model=draft.model,
        duration_ms=draft.duration_ms,
        cost_nanos=draft.cost_nanos,
        client_at_ms=called_at_ms,
        source=SOURCE,
        metadata=capped.text,
        payload_truncated=capped.truncated,
        edited_path=capped.edited_path,
        lines_added=capped.lines_added,
        lines_removed=capped.lines_removed,
        call=_call(draft, called_at_ms),
        telling=None if draft.event_id is None else draft.telling,
    )


def _call(draft: Draft, called_at_ms: int | None) -> NewCall | None:
    """The billed call; None when there is none, or nothing to know it by again."""
    key = draft.call_key or (record_call_key(draft.event_id) if draft.event_id else None)
    billed_nanos = None if draft.cost_is_estimate else draft.cost_nanos
    if key is None or (draft.usage == Usage() and not billed_nanos):
        return None
    return NewCall(
        key=key,
        usage=draft.usage,
        model=draft.priced_model or draft.model,
        called_at_ms=called_at_ms,
        authority=OTLP,
        cost_nanos=billed_nanos,
        ref=draft.event_id,
    )

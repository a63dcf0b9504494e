"""The rows of the contract: what a stored event looks like in JSON, in lists and in the live stream."""

from typing import Any

import msgspec

from monitor.times import iso_text, row_text

NANOS_PER_DOLLAR = 1_000_000_000


class EventRow(msgspec.Struct):
    """An event as clients see it. `metadata` is JSON text; times are the contract's two forms."""

    id: int
    event_id: str | None
    schema_version: int
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
    created_at: str
    client_timestamp: str | None
    metadata: str
    payload_truncated: int
    model: str | None
    cost_usd: float | None
    cache_read_tokens: int
    cache_write_tokens: int
    source: str


# The order of columns in every statement that reads or writes whole events.
EVENT_COLUMNS = (
    "id",
    "event_id",
    "session_id",
    "agent_type",
    "event_type",
    "tool_name",
    "status",
    "tokens_in",
    "tokens_out",
    "branch",
    "project",
    "duration_ms",
    "created_at",
    "client_timestamp",
    "metadata",
    "payload_truncated",
    "model",
    "cost_nanos",
    "cache_read_tokens",
    "cache_write_tokens",
    "source",
)
EVENT_COLUMNS_SQL = ", ".join(EVENT_COLUMNS)


def event_row(values: tuple[Any, ...]) -> EventRow:
    """From the values of EVENT_COLUMNS; times in ms, cost in nano-dollars, as they are stored."""
    client_timestamp = None if values[13] is None else iso_text(values[13])
    return EventRow(
        *(*values[:2], 1, *values[2:12], row_text(values[12]), client_timestamp, values[14], int(values[15])),
        *(values[16], dollars(values[17]), *values[18:21]),
    )


def dollars(nanos: int | None) -> float | None:
    """Nano-dollars as JSON shows them. Division by a power of ten is the nearest float, so it is exact to read."""
    return None if nanos is None else nanos / NANOS_PER_DOLLAR

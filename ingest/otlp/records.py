"""OTLP without its encodings: what the decoders give and the mappings read. Pure."""

import math
from typing import Any, Final, NamedTuple

import msgspec

# Enumeration AggregationTemporality of OTLP.
UNSPECIFIED, DELTA, CUMULATIVE = 0, 1, 2
NANOS_PER_MS: Final = 1_000_000
# The years 2015 and 2100: a clock that is not between them is out of order.
EARLIEST_NS: Final = 1_420_070_400 * 1_000_000_000
LATEST_NS: Final = 4_102_444_800 * 1_000_000_000
# Nothing that an agent tells of itself is nested deeper; what is deeper is left out.
DEEPEST: Final = 32
# Far more than 5 MB of real records hold; a flood of empty ones must not hold up the server.
MOST_ITEMS: Final = 50_000
LONGEST_NUMBER: Final = 24
LONGEST_ID: Final = 64
# Enumeration Status.StatusCode of OTLP.
STATUS_ERROR: Final = 2
# What a span must hold somewhere to be read; all others are counted.
GEN_AI: Final = b"gen_ai."


class OtlpFault(Exception):
    """The body as a whole can't be read."""


class RecordFault(Exception):
    """One record or data point can't be used; the text says why."""


class Rejected(NamedTuple):
    """In the place of a record or data point that can't be used."""

    reason: str


class Skipped(NamedTuple):
    """In the place of what is left out on purpose: its name."""

    name: str


class LogRecord(msgspec.Struct, kw_only=True):
    """One log record. Attribute values and the body are plain Python values; times in ns since 1970, or None."""

    resource: dict[str, Any]
    attributes: dict[str, Any]
    scope: str | None = None
    body: Any = None
    severity: str | None = None
    event_name: str | None = None
    time_ns: int | None = None
    trace_id: str | None = None
    span_id: str | None = None

    @property
    def time_ms(self) -> int | None:
        return None if self.time_ns is None else self.time_ns // NANOS_PER_MS


class Span(msgspec.Struct, kw_only=True):
    """One span that names something of the GenAI conventions. Ids in hexadecimal; times in ns since 1970."""

    resource: dict[str, Any]
    attributes: dict[str, Any]
    name: str
    trace_id: str | None
    span_id: str | None
    parent_id: str | None = None
    scope: str | None = None
    start_ns: int | None = None
    end_ns: int | None = None
    is_error: bool = False
    error_message: str | None = None

    @property
    def duration_ms(self) -> int | None:
        if self.start_ns is None or self.end_ns is None or self.end_ns < self.start_ns:
            return None
        return (self.end_ns - self.start_ns) // NANOS_PER_MS

    def as_record(self) -> LogRecord:
        """What a log record at the span's end would say."""
        return LogRecord(
            resource=self.resource,
            attributes=self.attributes,
            scope=self.scope,
            time_ns=self.end_ns or self.start_ns,
            trace_id=self.trace_id,
            span_id=self.span_id,
        )


class Traces(msgspec.Struct):
    """The spans of a body that are worth reading, what was wrong with some, and the number of the others."""

    spans: list[Span] = msgspec.field(default_factory=list)
    rejected: list[Rejected] = msgspec.field(default_factory=list)
    others: int = 0


class DataPoint(msgspec.Struct, kw_only=True):
    """One number of a metric; `kind` is sum or gauge."""

    resource: dict[str, Any]
    attributes: dict[str, Any]
    name: str
    kind: str
    value: float
    temporality: int = UNSPECIFIED
    is_monotonic: bool = False
    start_ns: int | None = None
    time_ns: int | None = None

    @property
    def time_ms(self) -> int | None:
        return None if self.time_ns is None else self.time_ns // NANOS_PER_MS


class ItemLimit:
    """Counts the items of one body. Raises OtlpFault beyond the limit."""

    def __init__(self) -> None:
        self.count = 0

    def add(self, count: int = 1) -> None:
        self.count += count
        if self.count > MOST_ITEMS:
            raise OtlpFault(f"more than {MOST_ITEMS} records in one body")


def id_of(value: object) -> str | None:
    """A trace's or span's id in lower-case hexadecimal, from bytes or text; None for the empty one."""
    found = value.hex() if isinstance(value, bytes) else value.strip().lower() if isinstance(value, str) else ""
    return found[:LONGEST_ID] if found.strip("0") else None


def moment_ns(*values: object) -> int | None:
    """The first of the values that is a believable time."""
    for value in values:
        number = whole_number(value)
        if number is not None and EARLIEST_NS <= number <= LATEST_NS:
            return number
    return None


def whole_number(value: object) -> int | None:
    """An integer from a number or from text that holds one."""
    number = real_number(value)
    return None if number is None or number != int(number) else int(number)


def real_number(value: object) -> int | float | None:
    """A finite number from a number or from text that holds one; integers stay exact."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, str):
        value = _number_in(value.strip())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, int) else None


def _number_in(text: str) -> int | float | None:
    if not text or len(text) > LONGEST_NUMBER or not text.isascii() or "_" in text:
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return None

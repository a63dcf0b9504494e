"""OTLP without its encodings: what the decoders give and the mappings read. Pure."""

import math
from typing import Any, Final, NamedTuple

import msgspec

# Enumeration AggregationTemporality of OTLP.
UNSPECIFIED, DELTA, CUMULATIVE = 0, 1, 2
NANOS_PER_MS: Final = 1_000_000
# The year 2200: a clock that is further on is out of order.
LATEST_NS: Final = 7_258_118_400 * 1_000_000_000
# Nothing that an agent tells of itself is nested deeper; what is deeper is left out.
DEEPEST: Final = 32
# Far more than 5 MB of real records hold; a flood of empty ones must not hold up the server.
MOST_ITEMS: Final = 50_000
LONGEST_NUMBER: Final = 24


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

    @property
    def time_ms(self) -> int | None:
        return None if self.time_ns is None else self.time_ns // NANOS_PER_MS


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


def moment_ns(*values: object) -> int | None:
    """The first of the values that is a believable time."""
    for value in values:
        number = whole_number(value)
        if number is not None and NANOS_PER_MS <= number <= LATEST_NS:
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

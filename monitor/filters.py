"""Query parameters: read leniently where the contract is lenient, refused with a name where it matters. Pure."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitor.times import EARLIEST_MS, LATEST_MS, from_datetime

DEFAULT_LIMIT: Final = 50
MOST_ROWS: Final = 1000
LARGEST_OFFSET: Final = 2**53


class FilterFault(Exception):
    """A parameter that can't be used; the text is the contract's `error` and names it."""


class EventFilter(NamedTuple):
    """What `GET /api/events` and the counts filter by; times in ms. None takes everything."""

    agent_type: str | None = None
    event_type: str | None = None
    tool_name: str | None = None
    session_id: str | None = None
    branch: str | None = None
    model: str | None = None
    source: str | None = None
    project: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None


def limit_of(text: str | None, default: int = DEFAULT_LIMIT, most: int = MOST_ROWS) -> int:
    """As JavaScript's parseInt reads it; missing, 0, negative and what is no number give the default."""
    number = leading_integer(text)
    return default if number is None or number <= 0 else min(number, most)


def offset_of(text: str | None) -> int:
    return min(max(leading_integer(text) or 0, 0), LARGEST_OFFSET)


def leading_integer(text: str | None) -> int | None:
    """The whole number that a text begins with, or None."""
    text = (text or "").strip()
    sign, digits = (-1, text[1:]) if text[:1] == "-" else (1, text.removeprefix("+"))
    length = 0
    while length < len(digits) and digits[length] in "0123456789":
        length += 1
    return sign * int(digits[:length]) if 0 < length < 20 else None


def names_of(name: str, text: str, known: Sequence[str]) -> list[str]:
    """A comma-separated list of known names, each once, in the order given."""
    names = list(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names or not set(names) <= set(known):
        raise FilterFault(f"{name}: must be one or more of: {', '.join(known)}")
    return names


def flag_of(name: str, text: str | None) -> bool:
    """`1` or `true`; missing, `0` and `false` are no."""
    if text not in (None, "", "0", "1", "false", "true"):
        raise FilterFault(f"{name}: must be 1 or 0")
    return text in ("1", "true")


def zone_of(text: str | None) -> tzinfo:
    """A time zone by its IANA name; UTC when none is named."""
    if not text or not text.strip():
        return UTC
    try:
        return ZoneInfo(text.strip())
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise FilterFault("tz: must be the name of a time zone, such as Europe/Berlin") from None


def until_of(text: str | None) -> int | None:
    """As `moment_of`; a time given to the second takes all of that second, as rows show no more."""
    at_ms = moment_of("until", text)
    return at_ms + 999 if at_ms is not None and at_ms % 1000 == 0 else at_ms


def moment_of(name: str, text: str | None) -> int | None:
    """A date, `YYYY-MM-DD hh:mm:ss`, or ISO 8601 with any offset, in ms; UTC where no zone is named."""
    if not text or not text.strip():
        return None
    # A plus sign that nobody percent-encoded arrives as a space before the offset.
    candidate = text.strip()
    if len(candidate) > 16 and candidate[-6] == " " and candidate[-3] == ":":
        candidate = f"{candidate[:-6]}+{candidate[-5:]}"
    try:
        at_ms = from_datetime(datetime.fromisoformat(candidate))
    except (ValueError, OverflowError):
        raise FilterFault(f"{name}: must be a date or an ISO 8601 time") from None
    if not EARLIEST_MS <= at_ms <= LATEST_MS:
        raise FilterFault(f"{name}: must be a date or an ISO 8601 time")
    return at_ms

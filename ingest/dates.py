"""Dates as clients write them: what JavaScript's `Date` reads, to milliseconds. Pure."""

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final
from uuid import UUID

from monitor.times import EARLIEST_MS, LATEST_MS, from_datetime

# Forms that JavaScript engines read beside ISO 8601 and RFC 2822.
OTHER_FORMS: Final = (
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M:%S",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M:%S",
    "%b %d, %Y",
    "%b %d, %Y %H:%M:%S",
    "%B %d, %Y",
    "%B %d, %Y %H:%M:%S",
    "%d %b %Y",
    "%d %B %Y",
    "%Y-%m",
    "%a %b %d %Y %H:%M:%S",
    "%a %b %d %Y %H:%M:%S GMT%z",
)

UUID_VERSION_WITH_TIME: Final = 7
ISO_START: Final = re.compile(r"\d{4}-\d").match


def parse_date(text: str) -> int | None:
    """Milliseconds since 1970 UTC, cut; None for what is no date. Without a zone it is taken as UTC."""
    text = text.strip()
    moment = _iso(text) or _rfc(text) or _other(text)
    if moment is None:
        return None
    try:
        at_ms = from_datetime(moment)
    except OverflowError:
        return None
    return at_ms if EARLIEST_MS <= at_ms <= LATEST_MS else None


def _iso(text: str) -> datetime | None:
    try:
        # Python also reads week dates and forms without dashes, which JavaScript refuses.
        return datetime.fromisoformat(text) if ISO_START(text) else None
    except ValueError:
        return None


def _rfc(text: str) -> datetime | None:
    if "GMT+" in text or "GMT-" in text:  # JavaScript's own form; this reader would pass over the offset
        return None
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _other(text: str) -> datetime | None:
    text = text.split(" (")[0]
    for form in OTHER_FORMS:
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    return None


def uuid_time_ms(value: str | None) -> int | None:
    """The time inside a UUID of version 7; None for any other text."""
    try:
        uuid = UUID(value or "")
    except ValueError:
        return None
    return uuid.int >> 80 if uuid.version == UUID_VERSION_WITH_TIME else None

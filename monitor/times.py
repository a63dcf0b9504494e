"""Times: integer milliseconds since 1970 UTC inside, the contract's two text forms at the edge."""

from datetime import UTC, datetime
from time import time_ns

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR_MS = 3_600_000
# The years 1 to 9999, which every reader of a time can show.
EARLIEST_MS, LATEST_MS = -62_135_596_800_000, 253_402_300_799_999


def now_ms() -> int:
    return time_ns() // 1_000_000


def to_datetime(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms // 1000, UTC).replace(microsecond=at_ms % 1000 * 1000)


def from_datetime(moment: datetime) -> int:
    """Milliseconds, cut and not rounded. A moment without zone is taken as UTC."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def row_text(at_ms: int) -> str:
    """`YYYY-MM-DD hh:mm:ss`, UTC: the form of `created_at` and other row times."""
    return to_datetime(at_ms).isoformat(" ", "seconds")[:19]


def iso_text(at_ms: int) -> str:
    """`YYYY-MM-DDThh:mm:ss.sssZ`: the form of `client_timestamp`."""
    return to_datetime(at_ms).isoformat("T", "milliseconds")[:23] + "Z"


def from_iso(text: str) -> int:
    """The reverse of `iso_text`; any ISO 8601 time will do."""
    return from_datetime(datetime.fromisoformat(text))


def hour_of(at_ms: int) -> int:
    """The start of the UTC hour that holds the moment, in ms."""
    return at_ms - at_ms % HOUR_MS

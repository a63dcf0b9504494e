"""Growing totals → what was added since the last one. Pure, but for the memory that it is."""

import threading
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

# Each session has a dozen series; beyond this the ones that were silent longest are forgotten.
MOST_SERIES: Final = 5_000


class Seen(NamedTuple):
    """The last total of a series, and the time it was of (ms, or None)."""

    total: float
    at_ms: int | None


class Taken(NamedTuple):
    """What was taken out of a series; to be given back when it could not be stored."""

    series: str
    amount: float


_decode = msgspec.json.Decoder(dict[str, Seen]).decode


class CumulativeState:
    """The last total of each series. Safe to share among threads; `dump` and `load` carry it over a restart."""

    def __init__(self, seen: dict[str, Seen] | None = None) -> None:
        self._seen = seen or {}
        self._lock = threading.Lock()

    def take(self, series: str, total: float, at_ms: int | None) -> float:
        """What the total adds; 0 when it is known. A smaller total is that of a restarted counter: all is new.

        Bodies are sent again, and overtake each other: a total that is older than the last one adds nothing.
        """
        with self._lock:
            last = self._seen.pop(series, None)
            if last is None:
                added = total
            elif last.at_ms is not None and at_ms is not None and at_ms <= last.at_ms:
                added = max(0, total - last.total) if at_ms == last.at_ms else 0
                total, at_ms = last.total + added, last.at_ms
            else:
                added = total - last.total if total >= last.total else total
            self._seen[series] = Seen(total, at_ms)
            if len(self._seen) > MOST_SERIES:
                del self._seen[next(iter(self._seen))]
        return max(0, added)

    def give_back(self, taken: Iterable[Taken]) -> None:
        """Undo, for amounts that could not be stored: whatever total comes next will hold them again."""
        with self._lock:
            for series, amount in taken:
                last = self._seen.get(series)
                if last is not None:
                    self._seen[series] = Seen(last.total - amount, last.at_ms)

    def dump(self) -> bytes:
        with self._lock:
            return msgspec.json.encode(self._seen)

    @classmethod
    def load(cls, content: bytes) -> "CumulativeState":
        """From what `dump` gave. Raises msgspec.MsgspecError for anything else."""
        return cls(_decode(content))

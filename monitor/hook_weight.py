"""What our hooks cost the agents: their times as this server sees them, and as a client reports them.

Counts since the start of the process, in memory: a few numbers for each kind of hook, in buckets of fixed bounds.
"""

import threading
from bisect import bisect_left
from typing import Any, Final

# Microseconds: 50 µs to some 30 s, each bound a quarter above the one before.
BOUNDS_US: Final = tuple(round(50 * 1.25**step) for step in range(60))
# Names come from outside; of more kinds than these the rest is counted together.
MOST_KINDS: Final = 200
LONGEST_NAME: Final = 40
OTHERS: Final = "others"
SERVER, CLIENT = "server", "client"


class Histogram:
    """Durations by bucket. A quantile is exact to the width of its bucket, a quarter."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_US) + 1)
        self.calls = 0

    def add(self, took_us: float) -> None:
        self.counts[bisect_left(BOUNDS_US, took_us)] += 1
        self.calls += 1

    def quantile_ms(self, share: float) -> float | None:
        """The upper bound of the bucket that holds this share of all; None without any."""
        wanted, seen = share * self.calls, 0
        for count, bound_us in zip(self.counts, (*BOUNDS_US, BOUNDS_US[-1]), strict=True):
            seen += count
            if count and seen >= wanted:
                return bound_us / 1000
        return None


class _Kind:
    def __init__(self) -> None:
        self.times = Histogram()
        self.failures = self.body_bytes = 0


class HookWeight:
    """Takes note of each hook; any thread may."""

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str, str], _Kind] = {}
        self._lock = threading.Lock()

    def note(self, client: str, hook: str, took_us: float, *, body_bytes: int = 0, failed: bool = False) -> None:
        """One request, from its first byte to its answer."""
        self._note((SERVER, client, hook[:LONGEST_NAME]), took_us, body_bytes, failed)

    def note_reported(self, client: str, hook: str, took_us: float, *, failed: bool = False) -> None:
        """What a client says that its hooks of one moment took, ours and all others."""
        self._note((CLIENT, client, hook[:LONGEST_NAME]), took_us, 0, failed)

    def _note(self, key: tuple[str, str, str], took_us: float, body_bytes: int, failed: bool) -> None:
        with self._lock:
            if key not in self._kinds and len(self._kinds) >= MOST_KINDS:
                key = (*key[:2], OTHERS)
            kind = self._kinds.setdefault(key, _Kind())
            kind.times.add(took_us)
            kind.body_bytes += body_bytes
            kind.failures += failed

    def rows(self) -> list[dict[str, Any]]:
        """For the status: one row for each kind of hook and who measured it, most calls first."""
        with self._lock:
            rows = [
                {
                    "client": client,
                    "hook": hook,
                    "measured_by": measured_by,
                    "calls": kind.times.calls,
                    "median_ms": kind.times.quantile_ms(0.5),
                    "p99_ms": kind.times.quantile_ms(0.99),
                    "failures": kind.failures,
                    "bytes": kind.body_bytes,
                }
                for (measured_by, client, hook), kind in self._kinds.items()
            ]
        return sorted(rows, key=lambda row: (-row["calls"], row["client"], row["hook"], row["measured_by"]))


hook_weight: Final = HookWeight()

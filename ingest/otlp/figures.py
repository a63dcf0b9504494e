"""Counts of what came over OTLP since the start, for the status page: also of what was left out, and why."""

import threading
from collections import Counter
from typing import Any, Final

from ingest.otlp.service import MOST_NAMES, OTHER_NAMES, OtlpOutcome


class OtlpFigures:
    """Bodies, bytes and events of each signal; what was rejected, and by name what was left out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._signals: dict[str, Counter[str]] = {}
        self._left_out: Counter[str] = Counter()

    def count(self, signal: str, body_bytes: int, outcome: OtlpOutcome) -> None:
        with self._lock:
            self._signals.setdefault(signal, Counter()).update(
                bodies=1,
                bytes=body_bytes,
                unreadable=int(outcome.answer.status != 200),
                events=len(outcome.events),
                readings=len(outcome.readings),
                rejected=outcome.rejected,
            )
            for name, count in outcome.dropped.items():
                known = name in self._left_out or len(self._left_out) < MOST_NAMES
                self._left_out[name if known else OTHER_NAMES] += count

    def as_json(self) -> dict[str, Any]:
        with self._lock:
            return {
                "signals": {name: dict(counts) for name, counts in self._signals.items()},
                "left_out": dict(self._left_out.most_common()),
            }


figures: Final = OtlpFigures()

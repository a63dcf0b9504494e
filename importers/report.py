"""What an import did: by file, and summed up. Pure."""

from collections import Counter
from typing import Any, Final

import msgspec

from importers.fields import TOKEN_KINDS, tokens_of
from importers.files import Unreadable
from importers.reader import TimeRange
from ingest.call_store import Stored
from ingest.contract import NewCall, NewEvent
from pricing.registry import PricingRegistry

# More broken lines of one import are counted, not listed.
MOST_LISTED: Final = 20

SKIPPED, EMPTY, DONE, FOUND, FAILED, STOPPED = "SKIP", "EMPTY", "DONE", "FOUND", "FAIL", "STOP"


class BadLineNote(msgspec.Struct, frozen=True):
    """`line` counts from 1, as editors do."""

    path: str
    line: int
    reason: str


class FileReport(msgspec.Struct):
    """One file. `events` were found in it; of these `imported` were new. `calls` are the last word of each key."""

    source: str
    path: str
    outcome: str = EMPTY
    lines: int = 0
    bad: list[BadLineNote] = []
    bad_lines: int = 0
    events: int = 0
    imported: int = 0
    duplicates: int = 0
    calls_new: int = 0
    calls_confirmed: int = 0
    calls_replaced: int = 0
    error: str | None = None
    sessions: set[str] = set()
    calls: dict[str, NewCall] = {}
    unknown: dict[str, int] = {}

    def note_bad(self, number: int, reason: str) -> None:
        self.bad_lines += 1
        if len(self.bad) < MOST_LISTED:
            self.bad.append(BadLineNote(self.path, number + 1, reason))

    def note_event(self, event: NewEvent) -> None:
        self.events += 1
        self.sessions.add(event.session_id)
        if event.call is not None:
            _keep_best(self.calls, event.call)

    def note_stored(self, stored: Stored) -> None:
        self.imported += len(stored.ids)
        self.duplicates += stored.duplicates
        self.calls_new += stored.calls_new
        self.calls_confirmed += stored.calls_confirmed
        self.calls_replaced += stored.calls_replaced


class Summary:
    """The sums of an import, over all its files; a call in several files counts once."""

    def __init__(self, wanted: TimeRange, *, dry_run: bool) -> None:
        self.wanted, self.dry_run = wanted, dry_run
        self.outcomes: Counter[str] = Counter()
        self.lines = self.bad_lines = self.events = self.imported = self.duplicates = 0
        self.calls_new = self.calls_confirmed = self.calls_replaced = 0
        self.bad: list[BadLineNote] = []
        self.failed: list[Unreadable] = []
        self.loops = 0
        self.sessions: set[str] = set()
        self.calls: dict[str, NewCall] = {}
        self.unknown: Counter[str] = Counter()

    def add(self, report: FileReport) -> None:
        self.outcomes[report.outcome] += 1
        for name in ("lines", "bad_lines", "events", "imported", "duplicates"):
            setattr(self, name, getattr(self, name) + getattr(report, name))
        for name in ("calls_new", "calls_confirmed", "calls_replaced"):
            setattr(self, name, getattr(self, name) + getattr(report, name))
        self.bad = (self.bad + report.bad)[:MOST_LISTED]
        self.sessions |= report.sessions
        self.unknown.update(report.unknown)
        for call in report.calls.values():
            _keep_best(self.calls, call)

    @property
    def files_seen(self) -> int:
        return self.outcomes.total()

    @property
    def files_read(self) -> int:
        return self.outcomes[DONE] + self.outcomes[FOUND] + self.outcomes[EMPTY]

    def as_dict(self, registry: PricingRegistry, seconds: float) -> dict[str, Any]:
        """For --json: counts, tokens by kind, cost in dollars, and the models without a price."""
        cost_nanos, unpriced = self.cost(registry)
        return {
            "files": {"seen": self.files_seen, "read": self.files_read, "skipped": self.outcomes[SKIPPED]},
            "unreadable": [{"path": str(path), "reason": reason} for path, reason in self.failed],
            "links_back": self.loops,
            "lines": self.lines,
            "bad_lines": self.bad_lines,
            "bad": msgspec.to_builtins(self.bad),
            "events": {"found": self.events, "imported": self.imported, "duplicates": self.duplicates},
            "sessions": len(self.sessions),
            "calls": {
                "found": len(self.calls),
                "new": self.calls_new,
                "confirmed": self.calls_confirmed,
                "replaced": self.calls_replaced,
            },
            "tokens": self.tokens(),
            "cost_usd": cost_nanos / 1e9,
            "unpriced_models": unpriced,
            "not_understood": dict(self.unknown),
            "dry_run": self.dry_run,
            "seconds": round(seconds, 3),
        }

    def tokens(self) -> dict[str, int]:
        """By kind; reasoning is a part of output."""
        sums: Counter[str] = Counter()
        for call in self.calls.values():
            sums.update(dict(zip(TOKEN_KINDS, tokens_of(call.usage), strict=True)))
        return {name: sums[name] for name in TOKEN_KINDS}

    def cost(self, registry: PricingRegistry) -> tuple[int, list[str]]:
        """What the calls cost in nano-dollars, and the models that have no price."""
        total, unpriced = 0, set()
        for call in self.calls.values():
            priced = registry.price(call.model, call.usage, call.called_at_ms) if call.model else None
            if call.cost_nanos is not None:
                total += call.cost_nanos
            elif priced is not None:
                total += priced.cost_nanos
            else:
                unpriced.add(call.model or "(no model named)")
        return total, sorted(unpriced)


def _keep_best(calls: dict[str, NewCall], call: NewCall) -> None:
    known = calls.get(call.key)
    if known is None or _weight(call) > _weight(known):
        calls[call.key] = call


def _weight(call: NewCall) -> tuple[int, int]:
    return call.authority, call.usage.output_tokens

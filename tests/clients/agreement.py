"""The ledger held against what the fake model server billed, scenario by scenario. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import msgspec

from .model_server import BilledCall

# A call that nothing but the sums of metrics told of.
METRIC = 0


class Figures(NamedTuple):
    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int

    def unsplit(self) -> Figures:
        """Where nobody told how cache writes were split."""
        written = self.cache_write_5m_tokens + self.cache_write_1h_tokens
        return self._replace(cache_write_5m_tokens=written, cache_write_1h_tokens=0)

    def unwritten(self) -> Figures:
        """As versions tell it that know no cache writes."""
        written = self.cache_write_5m_tokens + self.cache_write_1h_tokens
        return self._replace(
            input_tokens=self.input_tokens + written, cache_write_5m_tokens=0, cache_write_1h_tokens=0
        )


class Booked(msgspec.Struct, frozen=True):
    """A row of the ledger. `is_written`: a transcript told of it."""

    session_id: str
    subagent_id: str | None
    model: str
    figures: Figures
    authority: int
    is_written: bool


def figures_of(call: BilledCall) -> Figures:
    """Claude Code tells nothing of how much was thinking."""
    reasoning = 0 if call.client == "claude_code" else call.reasoning_tokens
    return Figures(
        call.input_tokens,
        call.cache_read_tokens,
        call.cache_write_5m_tokens,
        call.cache_write_1h_tokens,
        call.output_tokens,
        reasoning,
    )


def faults(billed: Iterable[tuple[str, BilledCall]], ledger: Sequence[Booked]) -> dict[str, list[str]]:
    """By scenario what the ledger has wrong; "" for rows that nothing was billed for.

    An answer that was not delivered may be in the ledger as far as the client saw it, or not at all. Small checks
    may be missing: some versions don't wait for them, and end before they could tell of them.
    """
    left = [row for row in ledger if row.authority != METRIC]
    found: dict[str, list[str]] = defaultdict(list)
    broken = []
    for scenario, call in billed:
        if not call.delivered:
            broken.append(call)
            continue
        row = next((row for row in left if _is_same(row, call)), None)
        if row is None and call.kind == "check":
            continue
        if row is None:
            found[scenario].append(f"{call.kind} is missing: {call.model} {tuple(figures_of(call))}")
            continue
        left.remove(row)
        if not _is_in_its_session(row, call):
            found[scenario].append(f"{call.kind} is in {row.session_id}, not in {call.session_hint}")
    found[""] += [
        f"not billed: {row.model} {tuple(row.figures)}"
        for row in left
        if not any(_began_as(row, call) for call in broken)
    ]
    return {scenario: words for scenario, words in found.items() if words}


def _is_same(row: Booked, call: BilledCall) -> bool:
    told = figures_of(call)
    if row.model != call.model:
        return False
    if call.client == "codex":
        return row.figures in (told, told.unwritten())
    return row.figures == told or (not row.is_written and row.figures == told.unsplit())


def _is_in_its_session(row: Booked, call: BilledCall) -> bool:
    """Of small checks some versions say a session that they throw away; sub-agents of others are their own."""
    return call.kind == "check" or call.session_hint in (None, row.session_id, row.subagent_id)


def _began_as(row: Booked, call: BilledCall) -> bool:
    told = figures_of(call)
    return row.figures.unsplit()[:4] == told.unsplit()[:4] and row.figures.output_tokens <= told.output_tokens

"""Calls that two sources tell of without an id in common: the same call by its figures and its time. Pure.

Codex's telemetry names no response, its session files do; Gemini's likewise. Both state the very same figures of
the same answer, within moments. One record joins at most one call: as many equal calls as there were stay.

A sub-agent of Claude Code may begin with copies of its parent's answers, under other requests: they are the
parent's calls, and not kept.
"""

from collections.abc import Iterable
from typing import Final

from ingest.ledger import OTLP, TRANSCRIPT, LedgerRow

JOINED_AGENTS: Final = frozenset({"codex", "gemini_cli"})
# Between a client's record of an answer and its line in the session file.
APART_MS: Final = 10_000
OTEL: Final = "otel"


def other_authority(row: LedgerRow) -> int | None:
    """Which witnesses a row may have to be joined with; None when its key says it all."""
    if row.agent_type not in JOINED_AGENTS:
        return None
    return {OTLP: TRANSCRIPT, TRANSCRIPT: OTLP}.get(row.authority)


def partner(row: LedgerRow, candidates: Iterable[LedgerRow]) -> LedgerRow | None:
    """The call among the candidates that a row tells of: the nearest in time that no other record told of."""
    fitting = [known for known in candidates if _fits(row, known)]
    return min(fitting, key=lambda known: (abs(known.called_at - row.called_at), known.call_key), default=None)


def repeats(rows: Iterable[LedgerRow]) -> list[LedgerRow]:
    """Those that are a sub-agent's copies: of the main conversation's answers, or of another sub-agent's.

    Of sub-agents among themselves it is sure only where the answer came to the same length, and the earliest made
    it. What telemetry told of is no copy: it tells only of requests that were made.
    """
    marked = [row for row in rows if row.answer_mark is not None]
    originals = {row.answer_mark for row in marked if row.answer_mark is not None and row.answer_mark > 0}
    earliest: dict[tuple[int | None, int], LedgerRow] = {}
    for row in marked:
        answer = row.answer_mark, row.usage.output_tokens
        earliest[answer] = min(earliest.get(answer, row), row, key=_age)
    return [
        row
        for row in marked
        if row.answer_mark is not None
        and row.answer_mark < 0
        and _told_by(row) is None
        and (-row.answer_mark in originals or earliest[row.answer_mark, row.usage.output_tokens] is not row)
    ]


def _age(row: LedgerRow) -> tuple[bool, int, str, str, str]:
    return _told_by(row) is None, row.called_at, row.session_id, row.subagent_id or "", row.call_key


def _fits(row: LedgerRow, known: LedgerRow) -> bool:
    return (
        known.authority == other_authority(row)
        and known.agent_type == row.agent_type
        and known.usage == row.usage
        and abs(known.called_at - row.called_at) <= APART_MS
        and (row.authority == TRANSCRIPT or _told_by(known) in (None, row.witnesses[0].ref))
    )


def _told_by(known: LedgerRow) -> str | None:
    """The telemetry record that joined a call before."""
    return next((witness.ref for witness in known.witnesses if witness.source == OTEL), None)

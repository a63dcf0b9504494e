"""Calls that two sources tell of without an id in common: the same call by its figures and its time. Pure.

Codex's telemetry names no response, its session files do; Gemini's likewise. Both state the very same figures of
the same answer, within moments. One record joins at most one call: as many equal calls as there were stay.
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

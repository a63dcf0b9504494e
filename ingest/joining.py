"""Calls that two sources tell of without an id in common: the same call by its figures and its time. Pure.

Codex's telemetry names no response, its session files do; Gemini's likewise. Both state the very same figures of
the same answer, within moments. One record joins at most one call: as many equal calls as there were stay.

Claude Code's telemetry names requests as its transcripts do, but not in older versions (seen up to 2.1.100): then
figures and time have to do too, also for an answer whose end the transcript does not have.

A sub-agent of Claude Code may begin with copies of its parent's answers, under other requests: they are the
parent's calls, and not kept. Forks of older versions (1.0) copy answers without their requests, at another time.
"""

from collections.abc import Container, Iterable
from typing import Final

from ingest.ledger import IMPORT, OTLP, STATED, TRANSCRIPT, LedgerRow
from ingest.otlp.keys import RECORD_KEY, REQUEST_KEY

JOINED_AGENTS: Final = frozenset({"codex", "gemini_cli"})
# Between a client's record of an answer and its line in the session file.
APART_MS: Final = 10_000
CLAUDE: Final = "claude_code"
# Claude Code writes an answer's first line when it begins, and reports the request when it has ended.
CLAUDE_APART_MS: Final = 300_000
OTEL: Final = "otel"


def other_authority(row: LedgerRow) -> int | None:
    """Which witnesses a row may have to be joined with; None when its key says it all."""
    if row.agent_type not in JOINED_AGENTS:
        return None
    return {OTLP: TRANSCRIPT, TRANSCRIPT: OTLP}.get(row.authority)


def is_nameless(row: LedgerRow) -> bool:
    """A call that nothing but one record of telemetry stands for."""
    return row.call_key.startswith(RECORD_KEY)


def is_written(row: LedgerRow) -> bool:
    return any(witness.source == IMPORT for witness in row.witnesses)


def is_told(row: LedgerRow) -> bool:
    """Telemetry told of it."""
    return _told_by(row) is not None


def partner(row: LedgerRow, candidates: Iterable[LedgerRow]) -> LedgerRow | None:
    """The call among the candidates that a row tells of: the nearest in time that no other record told of."""
    fitting = [known for known in candidates if _fits(row, known)]
    return min(fitting, key=lambda known: _distance(row, known), default=None)


def _distance(row: LedgerRow, known: LedgerRow) -> tuple[bool, int, str]:
    has_other_end = known.usage.output_tokens != row.usage.output_tokens
    return has_other_end, abs(known.called_at - row.called_at), known.call_key


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
    named, firsts = _named(marked), _firsts(marked)
    return [
        row
        for row in marked
        if is_fork_copy(row, named)
        or _is_later_copy(row, firsts)
        or (
            row.answer_mark is not None
            and row.answer_mark < 0
            and _told_by(row) is None
            and (-row.answer_mark in originals or earliest[row.answer_mark, row.usage.output_tokens] is not row)
        )
    ]


def original_of(copy: LedgerRow, rows: Iterable[LedgerRow]) -> LedgerRow | None:
    """The call whose answer a fork copied, None for any other row."""
    same = [row for row in rows if row.answer_mark == copy.answer_mark]
    named, firsts = _named(same), _firsts(same)
    if is_fork_copy(copy, named):
        return named[copy.answer_mark]
    return firsts[copy.answer_mark] if _is_later_copy(copy, firsts) else None


def _firsts(rows: Iterable[LedgerRow]) -> dict[int | None, LedgerRow]:
    """By their marks the earliest of the main conversations' answers whose request nobody knows (1.0.0)."""
    firsts: dict[int | None, LedgerRow] = {}
    for row in rows:
        if row.answer_mark is not None and row.answer_mark > 0 and not row.call_key.startswith(REQUEST_KEY):
            known = firsts.get(row.answer_mark, row)
            firsts[row.answer_mark] = min(
                known, row, key=lambda row: (row.called_at, row.session_id, row.call_key)
            )
    return firsts


def _is_later_copy(row: LedgerRow, firsts: dict[int | None, LedgerRow]) -> bool:
    """Whether another session had the very answer before: it came to the same length, or its end was not written.

    Within a session the reader knows, which sees what came between.
    """
    first = firsts.get(row.answer_mark)
    if first is None or row.call_key.startswith(REQUEST_KEY) or first.session_id == row.session_id:
        return False
    lacks_end = row.authority == STATED and _told_by(first) is not None
    told, known = row.usage.output_tokens, first.usage.output_tokens
    return told == known or (lacks_end and told < known)


def _named(rows: Iterable[LedgerRow]) -> dict[int | None, LedgerRow]:
    """By their marks those whose request is known."""
    return {row.answer_mark: row for row in rows if row.call_key.startswith(REQUEST_KEY)}


def is_fork_copy(row: LedgerRow, named: Container[int | None]) -> bool:
    """Whether a row without a request is the copy of an answer whose request is known."""
    return row.answer_mark in named and not row.call_key.startswith(REQUEST_KEY)


def _age(row: LedgerRow) -> tuple[bool, int, str, str, str]:
    return _told_by(row) is None, row.called_at, row.session_id, row.subagent_id or "", row.call_key


def _fits(row: LedgerRow, known: LedgerRow) -> bool:
    if row.agent_type == CLAUDE:
        return _fits_nameless(*((row, known) if is_nameless(row) else (known, row)))
    return (
        known.authority == other_authority(row)
        and known.agent_type == row.agent_type
        and known.usage == row.usage
        and abs(known.called_at - row.called_at) <= APART_MS
        and (row.authority == TRANSCRIPT or _told_by(known) in (None, row.witnesses[0].ref))
    )


def _fits_nameless(record: LedgerRow, line: LedgerRow) -> bool:
    """Whether a record tells of the call of a transcript, which may lack the end of the answer."""
    told, written = record.usage, line.usage
    return (
        is_nameless(record)
        and is_written(line)
        and (told.uncached_input_tokens, told.cache_read_tokens, record.written_tokens)
        == (written.uncached_input_tokens, written.cache_read_tokens, line.written_tokens)
        and (
            told.output_tokens == written.output_tokens
            or (line.authority == STATED and written.output_tokens < told.output_tokens)
        )
        and abs(record.called_at - line.called_at) <= CLAUDE_APART_MS
        and _told_by(line) in (None, record.witnesses[0].ref)
    )


def _told_by(known: LedgerRow) -> str | None:
    """The telemetry record that joined a call before."""
    return next((witness.ref for witness in known.witnesses if witness.source == OTEL), None)

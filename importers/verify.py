"""The ledger held against the transcripts on disk (importers.reread) and the price book.

What telemetry told of is held against its events; what only a deleted file told of is priced anew, and no more.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, Final

import msgspec

from importers.findings import (
    CONFLICT,
    DIFFERS,
    DOUBLE,
    KINDS,
    MISSING,
    PRICE,
    CallCost,
    Finding,
    SessionCost,
    Verification,
)
from importers.reread import Key, Transcripts
from ingest.joining import is_fork_copy
from ingest.ledger import IMPORT, MOST_WITNESSES, OTLP, TRANSCRIPT, LedgerRow, Witness, set_cost
from monitor.models import Call, Event
from monitor.receipts import events_of, file_and_line, usage_of_call
from monitor.times import from_datetime
from pricing.registry import PricingRegistry
from pricing.rows import CLIENT_PRICE
from pricing.usage import Usage

TELEMETRY: Final = "otel"
IN_CONFLICT: Final = "telemetry of the same call told otherwise; the transcript's word is kept"
PAGE_CALLS: Final = 500
# A client writes an answer's first line when it begins, and reports the request when it has ended.
TWINS_APART_MS: Final = 300_000
# Clients state dollars as floats: below a millionth of a dollar for each call there is nothing to tell.
TOLERANCE_NANOS: Final = 1_000


def verify(transcripts: Transcripts, registry: PricingRegistry) -> Verification:
    """Compare every call of the ledger with the transcripts and the price book."""
    check = _Check(transcripts, registry)
    for page in _pages():
        check.take_page(page)
    return check.finish()


def _pages() -> Iterator[list[Call]]:
    """The ledger in short, closed queries."""
    after = 0
    while page := list(Call.objects.filter(id__gt=after).order_by("id")[:PAGE_CALLS]):
        yield page
        after = page[-1].id


def stored_row(call: Call) -> LedgerRow:
    return LedgerRow(
        agent_type=call.agent_type,
        call_key=call.call_key,
        session_id=call.session_id,
        model=call.model,
        called_at=from_datetime(call.called_at),
        received_at=from_datetime(call.received_at),
        usage=usage_of_call(call),
        authority=call.authority,
        given_cost_nanos=call.cost_nanos if call.price == CLIENT_PRICE else None,
        witnesses=msgspec.json.decode(call.witnesses, type=list[Witness]),
        id=call.id,
        cost_nanos=call.cost_nanos,
        price=call.price,
        subagent_id=call.subagent_id,
        answer_mark=call.answer_mark,
    )


class _Check:
    """One comparison. Calls of the transcripts that the ledger has are ticked off; what is left is missing."""

    def __init__(self, transcripts: Transcripts, registry: PricingRegistry) -> None:
        self._transcripts, self._registry = transcripts, registry
        self._result = Verification(files=len(transcripts.files), bad_lines=transcripts.bad_lines)
        self._result.calls_on_disk = len(transcripts.calls)
        self._seen: set[Key] = set()
        self._marks: set[int | None] = set()
        # Calls that a transcript alone, or telemetry alone, told of: two of them may be one.
        self._untold: dict[tuple[object, ...], list[LedgerRow]] = defaultdict(list)
        self._alone: list[LedgerRow] = []
        self._stated: Counter[str] = Counter()
        self._ours: Counter[str] = Counter()
        self._calls_with_stated: Counter[str] = Counter()
        self._apart: dict[str, list[CallCost]] = defaultdict(list)

    def take_page(self, page: Sequence[Call]) -> None:
        rows = [stored_row(call) for call in page]
        refs = [witness.ref for row in rows for witness in row.witnesses if witness.source != IMPORT]
        events = events_of([ref for ref in refs if ref])
        for row in rows:
            self._take(row)
            self._check_told(row, [events[ref] for ref in (w.ref for w in row.witnesses) if ref in events])
            costs = (events[witness.ref].cost_nanos for witness in row.witnesses if witness.ref in events)
            self._note_stated(row, next((cost for cost in costs if cost is not None), None))

    def _take(self, row: LedgerRow) -> None:
        self._result.calls_in_ledger += 1
        self._marks.add(row.answer_mark)
        self._check_price(row)
        key = (row.agent_type, row.call_key)
        expected = self._transcripts.calls.get(key)
        if expected is not None:
            self._seen.add(key)
            self._compare(row, expected)
        elif self._is_on_disk(row):
            self._find(DOUBLE, row, right_nanos=0, note="the transcripts that tell of it hold no such call")
        else:
            self._result.elsewhere += 1
            if row.authority == OTLP:
                self._alone.append(row)

    def _check_told(self, row: LedgerRow, events: Sequence[Event]) -> None:
        """The event that told of the call has its figures: where telemetry decided, and where a transcript did."""
        told = [event for event in events if event.source == TELEMETRY]
        events = told if row.authority == TRANSCRIPT else events if row.authority == OTLP else []
        wrong = [_wrong_figures(row, event) for event in events]
        if not wrong or not all(wrong):
            return
        right = msgspec.structs.replace(row, usage=_usage_told(row, events[0]))
        set_cost(right, self._registry)
        kind, note = (DIFFERS, "telemetry told otherwise") if row.authority == OTLP else (CONFLICT, IN_CONFLICT)
        self._find(kind, row, right_nanos=right.cost_nanos, differences=wrong[0], note=note)

    def _is_on_disk(self, row: LedgerRow) -> bool:
        """Whether all that told of a call was read: files, and every one of them."""
        files = [file_and_line(witness.ref)[0] for witness in row.witnesses]
        only_files = all(witness.source == IMPORT for witness in row.witnesses)
        return bool(files) and only_files and all(file in self._transcripts.files for file in files)

    def _compare(self, row: LedgerRow, expected: LedgerRow) -> None:
        if all(witness.source == IMPORT for witness in row.witnesses):
            self._untold[_twin_key(row)].append(row)
        differences = {name: pair for name, pair in _pairs(row, expected).items() if pair[0] != pair[1]}
        if not differences or self._knows_better(row, expected):
            self._result.confirmed += 1
            return
        set_cost(expected, self._registry)
        self._find(DIFFERS, row, right_nanos=expected.cost_nanos, where=_where(expected), differences=differences)

    def _knows_better(self, row: LedgerRow, expected: LedgerRow) -> bool:
        """A better witness than the files on disk decided: telemetry, or a copy that is gone."""
        if row.authority != expected.authority:
            return row.authority > expected.authority
        return self._has_lost_copies(row) and (row.rank, row.split_rank) >= (expected.rank, expected.split_rank)

    def _has_lost_copies(self, row: LedgerRow) -> bool:
        """Whether a file that told of the call was not read, or more of them did than a row keeps."""
        files = [file_and_line(witness.ref)[0] for witness in row.witnesses if witness.source == IMPORT]
        return len(row.witnesses) >= MOST_WITNESSES or any(file not in self._transcripts.files for file in files)

    def _check_price(self, row: LedgerRow) -> None:
        if row.price == CLIENT_PRICE:
            return
        right = msgspec.structs.replace(row)
        set_cost(right, self._registry)
        if right.cost_nanos != row.cost_nanos:
            self._find(PRICE, row, right_nanos=right.cost_nanos, differences={"price": (row.price, right.price)})

    def _note_stated(self, row: LedgerRow, stated: int | None) -> None:
        ours = row.cost_nanos
        if row.price == CLIENT_PRICE:
            stated, ours = row.cost_nanos, self._book_nanos(row)
        if stated is None or ours is None:
            return
        self._stated[row.session_id] += stated
        self._ours[row.session_id] += ours
        self._calls_with_stated[row.session_id] += 1
        if abs(stated - ours) > TOLERANCE_NANOS:
            self._apart[row.session_id].append(CallCost(row.id, row.call_key, stated, ours))

    def _book_nanos(self, row: LedgerRow) -> int | None:
        priced = self._registry.price(row.model, row.usage, row.called_at) if row.model else None
        return None if priced is None else priced.cost_nanos

    def _find(self, kind: str, row: LedgerRow, *, right_nanos: int | None, **fields: Any) -> None:
        finding = Finding(
            kind=kind,
            agent_type=row.agent_type,
            session_id=row.session_id,
            call_key=row.call_key,
            call_id=row.id,
            where=fields.pop("where", None) or _where(row),
            ledger_nanos=row.cost_nanos,
            right_nanos=right_nanos,
            **fields,
        )
        self._result.findings.append(finding)

    def finish(self) -> Verification:
        result = self._result
        for key, expected in self._transcripts.calls.items():
            if key not in self._seen and not self._is_repeat(expected):
                set_cost(expected, self._registry)
                right_nanos, expected.cost_nanos = expected.cost_nanos, 0
                self._find(MISSING, expected, right_nanos=right_nanos)
        for row in self._alone:
            self._find_twin(row)
        result.findings.sort(key=lambda found: (KINDS.index(found.kind), found.session_id, found.call_key))
        result.sessions = list(self._disagreeing())
        result.unreadable = [
            {"path": str(path), "reason": reason} for path, reason in self._transcripts.unreadable
        ]
        result.agrees = not (result.findings or result.sessions or result.unreadable)
        return result

    def _is_repeat(self, expected: LedgerRow) -> bool:
        """A copy of an answer, of which the ledger knows the original from a file that is gone."""
        mark = expected.answer_mark
        return mark is not None and ((mark < 0 and -mark in self._marks) or is_fork_copy(expected, self._marks))

    def _find_twin(self, row: LedgerRow) -> None:
        """Telemetry's record of a call that a transcript told of under another key: counted twice."""
        candidates = self._untold.get(_twin_key(row), [])
        near = [known for known in candidates if abs(known.called_at - row.called_at) <= TWINS_APART_MS]
        if not near:
            return
        twin = min(near, key=lambda known: abs(known.called_at - row.called_at))
        candidates.remove(twin)
        self._find(DOUBLE, row, right_nanos=0, note=f"telemetry of the same call as {twin.call_key}")

    def _disagreeing(self) -> Iterator[SessionCost]:
        """A session disagrees when one of its calls does, though the differences cancel out."""
        for session_id, apart in sorted(self._apart.items()):
            stated, ours = self._stated[session_id], self._ours[session_id]
            calls = self._calls_with_stated[session_id]
            yield SessionCost(session_id, calls, stated, ours, stated - ours, apart)


def _wrong_figures(row: LedgerRow, event: Event) -> dict[str, tuple[Any, Any]]:
    """The tokens of a row beside those that an event told; empty where they are the same."""
    usage = row.usage
    pairs = {
        "uncached_input_tokens": (usage.uncached_input_tokens, event.tokens_in),
        "cache_read_tokens": (usage.cache_read_tokens, event.cache_read_tokens),
        "cache_write_tokens": (row.written_tokens, event.cache_write_tokens),
        "output_tokens": (usage.output_tokens, event.tokens_out),
    }
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}


def _usage_told(row: LedgerRow, event: Event) -> Usage:
    """An event names the sum of cache writes only: where it is that of the row, so is their split."""
    written = event.cache_write_tokens
    written_1h = row.usage.cache_write_1h_tokens if row.written_tokens == written else 0
    return msgspec.structs.replace(
        row.usage,
        uncached_input_tokens=event.tokens_in,
        cache_read_tokens=event.cache_read_tokens,
        cache_write_5m_tokens=written - written_1h,
        cache_write_1h_tokens=written_1h,
        output_tokens=event.tokens_out,
    )


def _where(row: LedgerRow) -> str | None:
    return next((witness.ref for witness in row.witnesses if witness.source == IMPORT), None)


def _pairs(row: LedgerRow, expected: LedgerRow) -> dict[str, tuple[Any, Any]]:
    """What the ledger has beside what it should have."""
    ours, theirs = msgspec.structs.asdict(row.usage), msgspec.structs.asdict(expected.usage)
    pairs: dict[str, tuple[Any, Any]] = {name: (ours[name], theirs[name]) for name in ours}
    return {**pairs, "model": (row.model, expected.model), "session_id": (row.session_id, expected.session_id)}


def _twin_key(row: LedgerRow) -> tuple[object, ...]:
    """What two records of one call have in common; telemetry doesn't split cache writes by their life."""
    usage = row.usage
    written = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
    figures = (usage.uncached_input_tokens, usage.cache_read_tokens, written, usage.output_tokens)
    return row.agent_type, row.session_id, *figures

"""The SQL of the ledger: the calls that one group tells of become rows of `calls`, within its transaction."""

from collections.abc import Iterable, Sequence
from sqlite3 import Connection
from typing import Any, Final

import msgspec

from ingest import joining
from ingest.ledger import OTLP, LedgerRow, Witness, merge, set_cost
from ingest.otlp.keys import RECORD_KEY
from monitor.rollups import Tally
from monitor.sql import insert, replaced, update
from pricing.registry import PricingRegistry
from pricing.rows import CLIENT_PRICE
from pricing.usage import Usage

CALL_COLUMNS: Final = (
    "agent_type",
    "call_key",
    "session_id",
    "model",
    "called_at",
    "received_at",
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
    "web_searches",
    "service_tier",
    "speed",
    "cost_nanos",
    "price",
    "unpriced_terms",
    "authority",
    "witnesses",
    "subagent_id",
    "answer_mark",
)
SELECT_CALLS: Final = (
    f"SELECT {', '.join(CALL_COLUMNS)}, id FROM calls WHERE agent_type = ? "
    "AND call_key IN (SELECT value FROM json_each(?))"
)
SELECT_CALLS_NEAR: Final = (
    f"SELECT {', '.join(CALL_COLUMNS)}, id FROM calls WHERE called_at BETWEEN ? AND ? AND agent_type = ? "
    "AND authority = ? AND uncached_input_tokens = ? AND output_tokens = ? ORDER BY id LIMIT 50"
)
SELECT_CLAUDE_CALLS_NEAR: Final = (
    f"SELECT {', '.join(CALL_COLUMNS)}, id FROM calls WHERE called_at BETWEEN ? AND ? "
    f"AND agent_type = '{joining.CLAUDE}' AND uncached_input_tokens = ? AND cache_read_tokens = ?"
)
# The bounds of the index calls_nameless, which has to be named in its words.
NAMELESS: Final = f"agent_type = '{joining.CLAUDE}' AND call_key >= '{RECORD_KEY}' AND call_key < 'otlp;'"
SELECT_ANY_NAMELESS: Final = f"SELECT 1 FROM calls INDEXED BY calls_nameless WHERE {NAMELESS} LIMIT 1"
SELECT_NAMELESS_NEAR: Final = (
    f"SELECT {', '.join(CALL_COLUMNS)}, id FROM calls INDEXED BY calls_nameless WHERE called_at BETWEEN ? AND ? "
    f"AND {NAMELESS} AND uncached_input_tokens = ? AND cache_read_tokens = ?"
)
SELECT_CALLS_MARKED: Final = (
    f"SELECT {', '.join(CALL_COLUMNS)}, id FROM calls WHERE answer_mark IN (SELECT value FROM json_each(?))"
)
INSERT_CALLS: Final = insert("calls", CALL_COLUMNS)
UPDATE_CALLS: Final = update("calls", "id", replaced(*CALL_COLUMNS))
DELETE_CALLS: Final = "DELETE FROM calls WHERE id IN (SELECT value FROM json_each(?))"


class Stored(msgspec.Struct):
    """The answer to a batch: ids of the new events in order, and how many were known already."""

    ids: list[int]
    duplicates: int
    calls_new: int = 0
    calls_confirmed: int = 0
    calls_replaced: int = 0


class CallStore:
    """Merges what was told into what is known, prices what changed, and tallies the difference."""

    def __init__(self, connection: Connection, registry: PricingRegistry, tally: Tally) -> None:
        self.connection, self.registry, self.tally = connection, registry, tally
        # The sessions whose calls changed.
        self.touched: set[str] = set()
        self._stored_nameless: bool | None = None

    def write(self, told: Sequence[tuple[LedgerRow, Stored]]) -> None:
        """Store the calls, and count in each answer what became of its own."""
        before = self._known_calls(row for row, _ in told)
        after: dict[tuple[str, str], LedgerRow] = dict(before)
        for row, stored in told:
            self._join_call(before, after, row)
            self._merge_call(after, row, stored)
        self._drop_repeats(before, after, told)
        self._write_changes(before, after)

    def replace(self, known: Iterable[LedgerRow], wanted: Iterable[LedgerRow]) -> None:
        """In the place of stored rows others, by their keys; rows that nobody wants any more go."""
        before = {(row.agent_type, row.call_key): row for row in known}
        after = {(row.agent_type, row.call_key): row for row in wanted}
        for key, row in after.items():
            if key in before:
                row.id = before[key].id
                set_cost(row, self.registry)
        self._write_changes(before, after)

    def _write_changes(
        self, before: dict[tuple[str, str], LedgerRow], after: dict[tuple[str, str], LedgerRow]
    ) -> None:
        gone = [row for key, row in before.items() if key not in after]
        for row in gone:
            self._tally_call(row, -1)
            self.touched.add(row.session_id)
        if gone:
            self.connection.execute(DELETE_CALLS, (json_text([row.id for row in gone]),))
        fresh, changed = [], []
        for key, row in after.items():
            old = before.get(key)
            if old == row:
                continue
            set_cost(row, self.registry)
            if old is None:
                fresh.append(_call_values(row))
            else:
                changed.append((row.id, *_call_values(row)))
                self._tally_call(old, -1)
                self.touched.add(old.session_id)
            self._tally_call(row, 1)
            self.touched.add(row.session_id)
        INSERT_CALLS.run(self.connection, fresh)
        UPDATE_CALLS.run(self.connection, changed)

    def _join_call(
        self,
        before: dict[tuple[str, str], LedgerRow],
        after: dict[tuple[str, str], LedgerRow],
        row: LedgerRow,
    ) -> None:
        """A call that another source told of under another key: both go under the transcript's."""
        if (row.agent_type, row.call_key) in after:
            return
        near = self._calls_near(row, after)
        if near is None:
            return
        # This group may have joined a stored call already; then its new form counts, not the stored one.
        in_hand = {known.id for known in after.values()}
        stored = [known for known in near if known.id not in in_hand]
        known = joining.partner(row, [*stored, *after.values()])
        if known is None:
            return
        old_key = (known.agent_type, known.call_key)
        if known.id is not None and old_key not in before:
            before[old_key] = after[old_key] = known
        if row.authority == OTLP:
            row.call_key = known.call_key
            return
        new_key = (row.agent_type, row.call_key)
        after[new_key] = msgspec.structs.replace(after.pop(old_key), call_key=row.call_key)
        if old_key in before:
            before[new_key] = before.pop(old_key)

    def _drop_repeats(
        self,
        before: dict[tuple[str, str], LedgerRow],
        after: dict[tuple[str, str], LedgerRow],
        told: Sequence[tuple[LedgerRow, Stored]],
    ) -> None:
        """Copies of answers go, whether they or the originals came first."""
        marks = {row.answer_mark for row in after.values() if row.answer_mark is not None}
        if not marks:
            return
        # A copy asks for its original and for other copies, the main conversation's answers for copies.
        wanted = sorted(marks | {-mark for mark in marks})
        found = self.connection.execute(SELECT_CALLS_MARKED, (json_text(wanted),))
        stored = {(row.agent_type, row.call_key): row for row in map(ledger_row, found.fetchall())}
        known_rows = stored | after
        for row in joining.repeats(known_rows.values()):
            key = (row.agent_type, row.call_key)
            self._give_back(row, before, after, known_rows)
            after.pop(key, None)
            if row.id is not None:
                before.setdefault(key, row)
                continue
            answer = next(answer for known, answer in told if (known.agent_type, known.call_key) == key)
            answer.calls_new -= 1
            answer.calls_confirmed += 1

    def _give_back(
        self,
        copy: LedgerRow,
        before: dict[tuple[str, str], LedgerRow],
        after: dict[tuple[str, str], LedgerRow],
        known: dict[tuple[str, str], LedgerRow],
    ) -> None:
        """What telemetry said of an answer while only a fork's copy of it was known."""
        original = joining.original_of(copy, known.values()) if joining.is_told(copy) else None
        if original is None:
            return
        key = (original.agent_type, original.call_key)
        if original.id is not None:
            before.setdefault(key, original)
        told = msgspec.structs.replace(copy, call_key=original.call_key)
        after[key] = known[key] = merge(original, told)

    def _calls_near(self, row: LedgerRow, after: dict[tuple[str, str], LedgerRow]) -> list[LedgerRow] | None:
        """Stored calls that a row may tell of under another key; None when its own key says it all."""
        usage = row.usage
        authority = joining.other_authority(row)
        if authority is not None:
            told = (row.agent_type, authority, usage.uncached_input_tokens, usage.output_tokens)
            return self._between(SELECT_CALLS_NEAR, row, joining.APART_MS, told)
        if row.agent_type != joining.CLAUDE:
            return None
        figures = (usage.uncached_input_tokens, usage.cache_read_tokens)
        if joining.is_nameless(row):
            return self._between(SELECT_CLAUDE_CALLS_NEAR, row, joining.CLAUDE_APART_MS, figures)
        if joining.is_written(row) and self._has_nameless(after):
            return self._between(SELECT_NAMELESS_NEAR, row, joining.CLAUDE_APART_MS, figures)
        return None

    def _between(self, sql: str, row: LedgerRow, apart_ms: int, figures: tuple[Any, ...]) -> list[LedgerRow]:
        span = row.called_at - apart_ms, row.called_at + apart_ms
        return [ledger_row(values) for values in self.connection.execute(sql, (*span, *figures)).fetchall()]

    def _has_nameless(self, after: dict[tuple[str, str], LedgerRow]) -> bool:
        """Newer versions of Claude Code leave none, so that their transcripts need not look for any."""
        if self._stored_nameless is None:
            self._stored_nameless = self.connection.execute(SELECT_ANY_NAMELESS).fetchone() is not None
        return self._stored_nameless or any(joining.is_nameless(row) for row in after.values())

    def _merge_call(self, after: dict[tuple[str, str], LedgerRow], row: LedgerRow, stored: Stored) -> None:
        key = (row.agent_type, row.call_key)
        known = after.get(key)
        merged = after[key] = merge(known, row)
        if known is None:
            stored.calls_new += 1
        elif merged.usage == known.usage:
            stored.calls_confirmed += 1
        else:
            stored.calls_replaced += 1

    def _known_calls(self, rows: Iterable[LedgerRow]) -> dict[tuple[str, str], LedgerRow]:
        keys: dict[str, list[str]] = {}
        for row in rows:
            keys.setdefault(row.agent_type, []).append(row.call_key)
        known = {}
        for agent_type, call_keys in keys.items():
            found = self.connection.execute(SELECT_CALLS, (agent_type, json_text(call_keys)))
            for values in found.fetchall():
                known[values[0], values[1]] = ledger_row(values)
        return known

    def _tally_call(self, row: LedgerRow, sign: int) -> None:
        self.tally.add_call(
            session_id=row.session_id,
            agent_type=row.agent_type,
            model=row.model,
            called_at=row.called_at,
            received_at=row.received_at,
            usage=row.usage,
            cost_nanos=row.cost_nanos,
            sign=sign,
        )


def json_text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _call_values(row: LedgerRow) -> tuple[Any, ...]:
    usage = row.usage
    return (
        row.agent_type,
        row.call_key,
        row.session_id,
        row.model,
        row.called_at,
        row.received_at,
        usage.uncached_input_tokens,
        usage.cache_read_tokens,
        usage.cache_write_5m_tokens,
        usage.cache_write_1h_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
        usage.web_searches,
        usage.service_tier,
        usage.speed,
        row.cost_nanos,
        row.price,
        row.unpriced_terms,
        row.authority,
        json_text(row.witnesses),
        row.subagent_id,
        row.answer_mark,
    )


def ledger_row(values: tuple[Any, ...]) -> LedgerRow:
    """A row of the ledger from its CALL_COLUMNS and its id."""
    cost_nanos, price, unpriced_terms, authority, witnesses, subagent_id, answer_mark, row_id = values[15:]
    return LedgerRow(
        agent_type=values[0],
        call_key=values[1],
        session_id=values[2],
        model=values[3],
        called_at=values[4],
        received_at=values[5],
        usage=Usage(*values[6:15]),
        authority=authority,
        given_cost_nanos=cost_nanos if price == CLIENT_PRICE else None,
        witnesses=msgspec.json.decode(witnesses, type=list[Witness]),
        id=row_id,
        cost_nanos=cost_nanos,
        price=price,
        unpriced_terms=unpriced_terms,
        subagent_id=subagent_id,
        answer_mark=answer_mark,
    )

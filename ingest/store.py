"""The SQL of writing: one group of submissions becomes rows, in one transaction.

Runs on the writer's own connection, in autocommit, so that no transaction starts behind its back. Inside
`BEGIN IMMEDIATE` nobody else writes: what is read here (known event ids, session rows, the next id) stays
true until the commit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import count
from operator import itemgetter
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Final

import msgspec

from ingest.adoption_store import adopt, events_at_home, facts_at_home, roots_of
from ingest.call_store import CallStore, Stored, json_text
from ingest.completing import EventRecord, as_told, is_witness
from ingest.completion_store import INSERT_EVENTS, complete_events, tally_event
from ingest.contract import NewCall, NewEvent, SessionFacts
from ingest.entries import NewEntry
from ingest.entry_store import write_entries
from ingest.git import BranchLookup
from ingest.ledger import LedgerRow, call_of, row_of, usage_of
from ingest.metadata import DEFAULT_LIMIT_BYTES, title_of
from ingest.metric_ledger import Reading
from ingest.metric_store import MetricStore
from ingest.quota_store import write_quotas
from ingest.subagent_store import write_subagents
from ingest.telling_store import TellingStore
from monitor import lifecycle
from monitor.doing import Doing, is_news, note_own, note_sub_agent
from monitor.lifecycle import SessionState
from monitor.prices import registry_in
from monitor.quotas import Quota
from monitor.rollups import SESSION_SUMS, Tally
from monitor.rows import EVENT_COLUMNS
from monitor.sql import added, insert, replaced, update
from monitor.times import HOUR_MS
from pricing.registry import PricingRegistry


class FileProgress(msgspec.Struct):
    """How far an import read a file, stored with what it read; see monitor.models.ImportState."""

    path: str
    digest: str
    size_bytes: int
    source: str
    events: int
    identity: str = ""
    modified_ns: int = 0
    offset_bytes: int = 0
    prefix_check: str = ""
    reader_state: bytes | None = None


class Batch(msgspec.Struct):
    """What one request, hook or slice of a file wants stored; all of it or, on failure, nothing of it."""

    events: Sequence[NewEvent] = ()
    facts: Sequence[SessionFacts] = ()
    files: Sequence[FileProgress] = ()
    entries: Sequence[NewEntry] = ()
    # Points of metrics, which become events as far as they add something.
    readings: Sequence[Reading] = ()
    # Facts that stand before the events: what an import knows of their sessions.
    opening: Sequence[SessionFacts] = ()
    quotas: Sequence[Quota] = ()


class StatusChange(msgspec.Struct):
    session_id: str
    agent_type: str
    status: str
    state: str | None = None
    state_detail: str | None = None
    # Milliseconds.
    state_at: int | None = None
    seen_at: int | None = None


@dataclass(slots=True)
class GroupOutcome:
    """What a committed group did. `rows` are new, `completed` were known before: EVENT_COLUMNS, in id order."""

    stored: list[Stored] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    completed: list[tuple[Any, ...]] = field(default_factory=list)
    changes: list[StatusChange] = field(default_factory=list)
    # A session turned out to be another's sub-agent, and is gone.
    has_moved: bool = False
    # How often known events have changed in this database, when these have done so once more.
    completions: int | None = None


STATE_COLUMNS: Final = tuple(SessionState.__struct_fields__)
UPSERT_AGENTS: Final = insert(
    "agents",
    ("id", "agent_type", "registered_at", "last_seen_at"),
    "ON CONFLICT (id) DO UPDATE SET last_seen_at = max(agents.last_seen_at, excluded.last_seen_at)",
)
SELECT_SESSIONS: Final = (
    f"SELECT {', '.join(STATE_COLUMNS)} FROM sessions WHERE id IN (SELECT value FROM json_each(?))"
)
INSERT_SESSIONS: Final = insert("sessions", (*STATE_COLUMNS, "metadata", *SESSION_SUMS))
NO_SUMS: Final = (0,) * len(SESSION_SUMS)
UPDATE_SESSIONS: Final = update("sessions", "id", replaced(*STATE_COLUMNS[1:]) + added("sessions", *SESSION_SUMS))
FILE_COLUMNS: Final = (
    "file_path",
    "file_hash",
    "file_size",
    "source",
    "events_imported",
    "identity",
    "modified_ns",
    "offset_bytes",
    "prefix_check",
    "reader_state",
    "imported_at",
)
UPSERT_FILES: Final = insert(
    "import_state",
    FILE_COLUMNS,
    f"ON CONFLICT (file_path) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in FILE_COLUMNS[1:])}",
)


# An older event that is completed is on hardly any screen: an import that reads all anew tells of none.
RECENT_EVENTS: Final = 2000
SELECT_COMPLETIONS: Final = (
    "SELECT coalesce(max(CAST(value AS INTEGER)), 0) FROM markers WHERE key = 'completions'"
)
COUNT_COMPLETION: Final = (
    "INSERT INTO markers (key, value) VALUES ('completions', '1') "
    "ON CONFLICT (key) DO UPDATE SET value = CAST(CAST(markers.value AS INTEGER) + 1 AS TEXT) RETURNING value"
)


@dataclass(frozen=True, slots=True)
class StoreRules:
    """What storing depends on beside the rows: price files, branches, how old an import may be and still live."""

    registry: PricingRegistry
    branches: BranchLookup
    import_recent_ms: int
    payload_limit_bytes: int = DEFAULT_LIMIT_BYTES


def write_group(connection: Connection, batches: Sequence[Batch], now_ms: int, rules: StoreRules) -> GroupOutcome:
    """Store the batches in order, in one transaction. Raises what the database raises, with nothing stored."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        group = _Group(connection, now_ms, rules)
        outcome = group.run(batches)
        connection.execute("COMMIT")
    except BaseException:
        _rollback(connection)
        raise
    return outcome


def _rollback(connection: Connection) -> None:
    # A full disk ends the transaction by itself; then there is nothing left to roll back.
    if connection.in_transaction:
        connection.execute("ROLLBACK")


class _Group:
    """One group while it is being stored."""

    def __init__(self, connection: Connection, now_ms: int, rules: StoreRules) -> None:
        self.connection, self.now_ms, self.rules = connection, now_ms, rules
        self.outcome = GroupOutcome()
        self.tally = Tally()
        self.sessions: dict[str, SessionState] = {}
        self.new_sessions: set[str] = set()
        self.statuses: dict[str, str | None] = {}
        self.state_changed: set[str] = set()
        self.event_values: list[tuple[Any, ...]] = []
        self.told_again: list[NewEvent] = []
        self.call_rows: list[tuple[LedgerRow, Stored]] = []
        self.tellings = TellingStore(connection, self.tally, rules.payload_limit_bytes)

    @cached_property
    def registry(self) -> PricingRegistry:
        """The prices in force, as this transaction sees them."""
        return registry_in(self.connection, self.rules.registry)

    def run(self, batches: Sequence[Batch]) -> GroupOutcome:
        batches = self._at_home([self._with_metric_events(batch) for batch in batches])
        self._load_sessions(batches)
        known = self._known_event_ids(batches)
        ids = count(self._next_event_id())
        agents: set[str] = set()
        for batch in batches:
            stored = Stored([], 0)
            for facts in batch.opening:
                agents.add(facts.agent_type)
                self._take_facts(facts)
            for event in batch.events:
                if event.telling is not None:
                    agents.add(event.agent_type)
                    self._take_telling(event, ids, stored)
                    continue
                if event.event_id is not None:
                    if event.event_id in known:
                        stored.duplicates += 1
                        self._confirm(event, stored)
                        continue
                    known.add(event.event_id)
                agents.add(event.agent_type)
                self._take_event(event, next(ids), stored)
            for facts in batch.facts:
                agents.add(facts.agent_type)
                self._take_facts(facts)
            for session_id, agent_type in {(entry.session_id, entry.agent_type) for entry in batch.entries}:
                agents.add(agent_type)
                self._session(session_id, agent_type)
            self.outcome.stored.append(stored)
        self._write(batches, agents)
        return self.outcome

    def _with_metric_events(self, batch: Batch) -> Batch:
        if not batch.readings:
            return batch
        events = MetricStore(self.connection, self.now_ms).take(batch.readings)
        return msgspec.structs.replace(batch, events=[*batch.events, *events])

    def _at_home(self, batches: list[Batch]) -> list[Batch]:
        """Sub-agents in the sessions of their roots, and what is stored of them too."""
        events = [event for batch in batches for event in batch.events]
        facts = [facts for batch in batches for facts in (*batch.opening, *batch.facts)]
        roots = roots_of(self.connection, events, facts)
        if not roots:
            return batches
        self.outcome.has_moved = adopt(self.connection, roots, self.tally, self.registry)
        return [
            msgspec.structs.replace(
                batch,
                events=events_at_home(batch.events, roots),
                facts=facts_at_home(batch.facts, roots),
                opening=facts_at_home(batch.opening, roots),
            )
            for batch in batches
        ]

    def _load_sessions(self, batches: Sequence[Batch]) -> None:
        wanted = {event.session_id for batch in batches for event in batch.events}
        wanted |= {facts.session_id for batch in batches for facts in (*batch.opening, *batch.facts)}
        wanted |= {entry.session_id for batch in batches for entry in batch.entries}
        for values in self.connection.execute(SELECT_SESSIONS, (json_text(list(wanted)),)).fetchall():
            session = SessionState(*values)
            self.sessions[session.id] = session
            self.statuses[session.id] = session.status

    def _known_event_ids(self, batches: Sequence[Batch]) -> set[str]:
        sent = [event.event_id for batch in batches for event in batch.events if event.event_id is not None]
        if not sent:
            return set()
        rows = self.connection.execute(
            "SELECT event_id FROM events WHERE event_id IN (SELECT value FROM json_each(?))",
            (json_text(sent),),
        )
        return {event_id for (event_id,) in rows.fetchall()}

    def _next_event_id(self) -> int:
        found = self.connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
        return int(found[0]) + 1 if found else 1

    def _session(self, session_id: str, agent_type: str) -> SessionState:
        session = self.sessions.get(session_id)
        if session is None:
            session = lifecycle.begin(session_id, agent_type, self.now_ms)
            self.sessions[session_id] = session
            self.new_sessions.add(session_id)
            self.statuses[session_id] = None
        return session

    def _take_event(self, event: NewEvent, event_id: int, stored: Stored) -> None:
        is_new = event.session_id not in self.sessions
        session = self._session(event.session_id, event.agent_type)
        self._fill_place(event, session)
        self._note_event(event, session, is_new=is_new)
        values = self._values(event, event_id, self._take_call(event, event_id, stored))
        self.event_values.append(values)
        tally_event(self.tally, values)
        stored.ids.append(event_id)

    def _take_telling(self, event: NewEvent, ids: Iterator[int], stored: Stored) -> None:
        """An event that others may tell of without an id in common: a row of its own, or one that is known."""
        assert event.telling is not None
        is_new = event.session_id not in self.sessions
        session = self._session(event.session_id, event.agent_type)
        self._fill_place(event, session)
        fresh = self.tellings.take(event.telling, EventRecord._make(self._values(event, 0, None)), ids)
        stored.ids += fresh
        if fresh:
            self._note_event(event, session, is_new=is_new)
        else:
            stored.duplicates += 1

    def _note_event(self, event: NewEvent, session: SessionState, *, is_new: bool) -> None:
        """What a new event says of its session."""
        if event.source == "import":
            lifecycle.on_imported_event(
                session, event.client_at_ms, self.now_ms, self.rules.import_recent_ms, is_new=is_new
            )
        else:
            told_at_ms = event.client_at_ms if event.source == "otel" else None
            lifecycle.on_live_event(session, event.event_type, event.agent_type, self.now_ms, told_at_ms)
        if event.event_type == "user_prompt" and session.title is None:
            session.title = title_of(event.metadata)
        if event.model and event.event_type != "llm_request":
            session.model = event.model

    def _fill_place(self, event: NewEvent, session: SessionState) -> None:
        """Project and branch: the event's own, else the session's, else what git says."""
        project = event.project = event.project or session.project
        branch = event.branch or session.branch
        if branch is None and project is not None:
            branch = self.rules.branches.branch(project)
        event.branch = branch
        session.project, session.branch = project, branch

    def _take_call(self, event: NewEvent, event_id: int, stored: Stored) -> int | None:
        """Put the event's call aside for the ledger; the cost of the event's own figures."""
        call = call_of(event, event_id)
        if call is not None:
            self.call_rows.append((row_of(call, event, self.now_ms), stored))
        return self._cost_nanos(event, call)

    def _cost_nanos(self, event: NewEvent, call: NewCall | None) -> int | None:
        if event.cost_nanos is not None:
            return event.cost_nanos
        if event.model is None or (call is None and not event.is_sum):
            return None
        usage = call.usage if call is not None else usage_of(event)
        happened_at = self.now_ms if event.client_at_ms is None else event.client_at_ms
        priced = self.registry.price(event.model, usage, happened_at)
        return None if priced is None else priced.cost_nanos

    def _confirm(self, event: NewEvent, stored: Stored) -> None:
        """A known event is no sign of life, but one more witness: of its call, and of what happened."""
        if event.call is not None and event.session_id in self.sessions:
            self.call_rows.append((row_of(event.call, event, self.now_ms), stored))
        if is_witness(event):
            self.told_again.append(event)

    def _values(self, event: NewEvent, event_id: int, cost_nanos: int | None) -> tuple[Any, ...]:
        """As the columns of EventRecord; a plain tuple, since every event is one."""
        return (
            event_id,
            event.event_id,
            event.session_id,
            event.agent_type,
            event.event_type,
            event.tool_name,
            event.status,
            event.tokens_in,
            event.tokens_out,
            event.branch,
            event.project,
            event.duration_ms,
            self.now_ms,
            event.client_at_ms,
            event.metadata,
            int(event.payload_truncated),
            event.model,
            cost_nanos,
            event.cache_read_tokens,
            event.cache_write_tokens,
            event.source,
            event.edited_path,
            event.lines_added,
            event.lines_removed,
        )

    def _complete(self) -> None:
        told = []
        for event in self.told_again:
            values = self._values(event, 0, self._cost_nanos(event, call_of(event, 0)))
            told.append(as_told(EventRecord._make(values), event, is_known=event.session_id in self.sessions))
        limit_bytes = self.rules.payload_limit_bytes
        changed = complete_events(self.connection, told, self.event_values, self.tally, limit_bytes)
        self.outcome.completed += [record[: len(EVENT_COLUMNS)] for record in changed]

    def _take_facts(self, facts: SessionFacts) -> None:
        is_new = facts.session_id not in self.sessions
        session = self._session(facts.session_id, facts.agent_type)
        for name in (
            "project",
            "branch",
            "cwd",
            "title",
            "model",
            "client_version",
            "permission_mode",
            "transcript_path",
            "parent_id",
        ):
            value = getattr(facts, name)
            if value is not None:
                setattr(session, name, value)
        if session.branch is None and session.cwd is not None:
            session.branch = self.rules.branches.branch_at(Path(session.cwd))
        if facts.sign_of_life:
            self._take_sign_of_life(session, facts)
        else:
            self._take_old_times(session, facts, is_new=is_new)
        if facts.ends:
            lifecycle.say_goodbye(session, self.now_ms if facts.sign_of_life else session.last_event_at)
        elif facts.dies and lifecycle.die(session, self.now_ms):
            self.state_changed.add(session.id)

    def _take_sign_of_life(self, session: SessionState, facts: SessionFacts) -> None:
        session.last_event_at = self.now_ms
        if session.status == lifecycle.ENDED or facts.state in (lifecycle.WORKING, lifecycle.TOOL):
            lifecycle.revive(session)
        elif facts.state == lifecycle.TURN_ENDED and session.status == lifecycle.ACTIVE:
            session.status = lifecycle.IDLE
        self._take_state(session, facts, self.now_ms)

    def _take_state(self, session: SessionState, facts: SessionFacts, at_ms: int) -> None:
        told = None if facts.state is None else Doing(facts.state, facts.state_detail, at_ms)
        changed = False
        if facts.agent_id is not None:
            changed = note_sub_agent(session, facts.agent_id, told)
        elif told is not None:
            changed = note_own(session, told, new_turn=facts.new_turn)
        if changed:
            self.state_changed.add(session.id)

    def _take_old_times(self, session: SessionState, facts: SessionFacts, *, is_new: bool) -> None:
        if facts.started_at_ms is not None:
            session.started_at = min(session.started_at, facts.started_at_ms)
        if is_new:
            lifecycle.on_imported_event(
                session, facts.last_at_ms, self.now_ms, self.rules.import_recent_ms, is_new=True
            )
        if facts.alive_at_ms is not None:
            session.alive_at = facts.alive_at_ms
        if facts.seen_at_ms is not None:
            session.seen_at = facts.seen_at_ms
            self.state_changed.add(session.id)
        if is_news(session, facts.state_at_ms):
            self._take_state(session, facts, min(facts.state_at_ms or 0, self.now_ms))

    def _write(self, batches: Sequence[Batch], agents: set[str]) -> None:
        now_ms, connection = self.now_ms, self.connection
        UPSERT_AGENTS.run(connection, [(f"{name}-default", name, now_ms, now_ms) for name in agents])
        if self.told_again:
            self._complete()
        told = {reading.session_id for batch in batches for reading in batch.readings}
        calls = CallStore(connection, self.registry, self.tally) if self.call_rows or told else None
        if calls is not None:
            calls.write(self.call_rows)
        self.tally.count_files(connection)
        self._write_sessions()
        write_subagents(connection, (facts for batch in batches for facts in batch.facts), now_ms)
        if calls is not None:
            MetricStore(connection, now_ms).settle(told | calls.touched, calls)
        INSERT_EVENTS.run(connection, self.event_values)
        write_entries(connection, (entry for batch in batches for entry in batch.entries))
        self.tally.apply(connection)
        files = [file for batch in batches for file in batch.files]
        UPSERT_FILES.run(connection, [(*msgspec.structs.astuple(file), now_ms) for file in files])
        quotas = [quota for batch in batches for quota in batch.quotas]
        quotas += [facts.quota for batch in batches for facts in batch.facts if facts.quota is not None]
        write_quotas(connection, quotas)
        self.outcome.rows = [values[: len(EVENT_COLUMNS)] for values in self.event_values]
        self._tell_of_tellings()
        self._count_completions()

    def _count_completions(self) -> None:
        """So that a server learns of what a command beside it completed: no new id tells of that."""
        outcome = self.outcome
        newest = self._next_event_id() - 1
        if outcome.has_moved or any(row[0] > newest - RECENT_EVENTS for row in outcome.completed):
            (told,) = self.connection.execute(COUNT_COMPLETION).fetchone()
            outcome.completions = int(told)

    def _tell_of_tellings(self) -> None:
        fresh, changed = self.tellings.fresh, self.tellings.changed - self.tellings.fresh
        if fresh:
            told = [record[: len(EVENT_COLUMNS)] for record in self.tellings.rows(fresh)]
            self.outcome.rows = sorted([*self.outcome.rows, *told], key=itemgetter(0))
        if changed:
            told = [record[: len(EVENT_COLUMNS)] for record in self.tellings.rows(changed)]
            self.outcome.completed = sorted([*self.outcome.completed, *told], key=itemgetter(0))

    def _write_sessions(self) -> None:
        fresh, known = [], []
        for session in self.sessions.values():
            values = msgspec.structs.astuple(session)
            sums = self.tally.take_session(session.id) or NO_SUMS
            if session.id in self.new_sessions:
                fresh.append((*values, "{}", *sums))
            else:
                known.append((*values, *sums))
            if self.statuses[session.id] != session.status or session.id in self.state_changed:
                self.outcome.changes.append(_change_of(session))
        INSERT_SESSIONS.run(self.connection, fresh)
        UPDATE_SESSIONS.run(self.connection, known)


def _change_of(session: SessionState) -> StatusChange:
    return StatusChange(
        session.id,
        session.agent_type,
        session.status,
        session.state,
        session.state_detail,
        session.state_at,
        session.seen_at,
    )


ADVANCE_TO_IDLE: Final = (
    "UPDATE sessions SET status = 'idle' WHERE status = 'active' AND last_event_at < :idle_before "
    "RETURNING id, agent_type, status, state, state_detail, state_at, seen_at"
)
# Who sits before his terminal, or waits there for a human, has not ended; without a process to look at, a wait is
# believed for half a day.
IS_OVER: Final = (
    "status = 'idle' AND last_event_at < :ended_before AND coalesce(alive_at, 0) < :ended_before "
    "AND (state IS NULL OR state NOT IN ('permission', 'question') OR last_event_at < :asked_before)"
)
LONGEST_QUESTION_MS: Final = 12 * HOUR_MS
ADVANCE_TO_ENDED: Final = (
    "UPDATE sessions SET status = 'ended', ended_at = :now, state = NULL, state_detail = NULL, state_at = NULL, "
    f"waits = NULL WHERE {IS_OVER} RETURNING id, agent_type, status, NULL, NULL, NULL, seen_at"
)
# A clock that was set back leaves last events in the future; their time-out counts from now.
LAST_EVENT_TO_NOW: Final = (
    "UPDATE sessions SET last_event_at = :now WHERE status <> 'ended' AND last_event_at > :now"
)
ANY_DUE: Final = (
    "SELECT EXISTS (SELECT 1 FROM sessions WHERE status = 'active' AND last_event_at < :idle_before) "
    f"OR EXISTS (SELECT 1 FROM sessions WHERE {IS_OVER}) "
    "OR EXISTS (SELECT 1 FROM sessions WHERE status IN ('active', 'idle') AND last_event_at > :now)"
)


def advance(connection: Connection, now_ms: int, timeout_ms: int) -> tuple[list[StatusChange], int]:
    """Let time pass: active → idle after the time-out, idle → ended after twice that.

    Returns the changes in order, and how many became idle. Looks before it writes, so that a quiet server
    takes no write lock.
    """
    times = {
        "now": now_ms,
        "idle_before": now_ms - timeout_ms,
        "ended_before": now_ms - 2 * timeout_ms,
        "asked_before": now_ms - max(2 * timeout_ms, LONGEST_QUESTION_MS),
    }
    due = connection.execute(ANY_DUE, times).fetchone()
    if not due[0]:
        return [], 0
    connection.execute("BEGIN IMMEDIATE")
    try:
        connection.execute(LAST_EVENT_TO_NOW, times)
        idled = connection.execute(ADVANCE_TO_IDLE, times).fetchall()
        ended = connection.execute(ADVANCE_TO_ENDED, times).fetchall()
        connection.execute("COMMIT")
    except BaseException:
        _rollback(connection)
        raise
    return [StatusChange(*values) for values in (*idled, *ended)], len(idled)

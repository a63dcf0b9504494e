"""The SQL that puts Codex's sub-agents into the session of their root: telemetry knows each by its thread alone.

A rollout or a hook tells whose sub-agent a thread is. From then on what telemetry says of the thread is of the
root's session, and what was stored as a session of its own moves there: as if it had been known from the start.
The prompts of such a thread are its parent's words, and its beginning is no session's: neither is an event.
"""

from collections.abc import Iterable, Mapping, Sequence
from sqlite3 import Connection
from typing import Any, Final

import msgspec

from ingest.call_store import CALL_COLUMNS, CallStore, json_text, ledger_row
from ingest.completing import WITNESSES, EventRecord
from ingest.completion_store import move_event, tally_event
from ingest.contract import NewEvent, SessionFacts
from ingest.metadata import encode_json
from ingest.telling import prompt_key
from monitor.rollups import Tally
from pricing.registry import PricingRegistry

AGENT_TYPE: Final = "codex"
OF_SESSIONS_ONLY: Final = frozenset({"session_start", "user_prompt"})
SELECT_ROOTS: Final = (
    "SELECT a.subagent_id, a.session_id FROM subagents a JOIN sessions s ON s.id = a.session_id "
    f"WHERE s.agent_type = '{AGENT_TYPE}' AND a.subagent_id <> a.session_id "
    "AND a.subagent_id IN (SELECT value FROM json_each(?))"
)
SELECT_ORPHANS: Final = (
    f"SELECT id FROM sessions WHERE agent_type = '{AGENT_TYPE}' "
    "AND id IN (SELECT value FROM json_each(?)) ORDER BY id"
)
SELECT_EVENTS: Final = f"SELECT {', '.join(EventRecord._fields)} FROM events WHERE session_id = ? ORDER BY id"
SELECT_CALLS: Final = f"SELECT {', '.join(CALL_COLUMNS)}, id FROM calls WHERE session_id = ? ORDER BY id"
DROP_SESSION: Final = (
    "DELETE FROM sessions WHERE id = :id AND NOT EXISTS (SELECT 1 FROM entries WHERE session_id = :id) "
    "AND NOT EXISTS (SELECT 1 FROM subagents WHERE session_id = :id) "
    "AND NOT EXISTS (SELECT 1 FROM compactions WHERE session_id = :id)"
)


def roots_of(connection: Connection, events: Sequence[NewEvent], facts: Sequence[SessionFacts]) -> dict[str, str]:
    """The root's session of each sub-agent's thread that is spoken of."""
    told = {
        agent.subagent_id: known.session_id
        for known in facts
        if known.agent_type == AGENT_TYPE
        for agent in known.subagents
        if agent.subagent_id != known.session_id
    }
    spoken = {event.session_id for event in events if event.agent_type == AGENT_TYPE}
    spoken |= {known.session_id for known in facts if known.agent_type == AGENT_TYPE}
    if not spoken:
        return {}
    stored = connection.execute(SELECT_ROOTS, (json_text(sorted(spoken)),)).fetchall()
    return dict(stored) | told


def events_at_home(events: Iterable[NewEvent], roots: Mapping[str, str]) -> list[NewEvent]:
    """Events with those of sub-agents in the session of their root."""
    return [moved for event in events if (moved := _event_at_home(event, roots)) is not None]


def facts_at_home(facts: Iterable[SessionFacts], roots: Mapping[str, str]) -> list[SessionFacts]:
    """What a thread's own telemetry knows of its session is nothing that the root's session should know."""
    return [known for known in facts if known.agent_type != AGENT_TYPE or known.session_id not in roots]


def _event_at_home(event: NewEvent, roots: Mapping[str, str]) -> NewEvent | None:
    if event.agent_type != AGENT_TYPE or event.session_id not in roots:
        return event
    if event.source in WITNESSES and event.event_type in OF_SESSIONS_ONLY:
        return None
    thread_id, call = event.session_id, event.call
    if call is not None and call.subagent_id is None:
        call = msgspec.structs.replace(call, subagent_id=thread_id)
    metadata = _of_agent(event.metadata, thread_id)
    return msgspec.structs.replace(event, session_id=roots[thread_id], call=call, metadata=metadata)


def _of_agent(metadata: str, thread_id: str) -> str:
    value = msgspec.json.decode(metadata)
    return encode_json({**value, "agent_id": thread_id}).decode() if isinstance(value, dict) else metadata


def adopt(connection: Connection, roots: Mapping[str, str], tally: Tally, registry: PricingRegistry) -> bool:
    """Move what is stored of sub-agents as sessions to their roots; whether there was any."""
    orphans = [
        thread_id for (thread_id,) in connection.execute(SELECT_ORPHANS, (json_text(list(roots)),)).fetchall()
    ]
    for thread_id in orphans:
        _move_events(connection, thread_id, roots[thread_id], tally)
        _move_calls(connection, thread_id, roots[thread_id], tally, registry)
        connection.execute("DELETE FROM tellings WHERE match_key = ?", (prompt_key(thread_id),))
        connection.execute("UPDATE sessions SET parent_id = ? WHERE id = ?", (roots[thread_id], thread_id))
        connection.execute(DROP_SESSION, {"id": thread_id})
    return bool(orphans)


def _move_events(connection: Connection, thread_id: str, root_id: str, tally: Tally) -> None:
    gone: list[int] = []
    moved: list[tuple[Any, ...]] = []
    for event in map(EventRecord._make, connection.execute(SELECT_EVENTS, (thread_id,)).fetchall()):
        if event.source in WITNESSES and event.event_type in OF_SESSIONS_ONLY:
            gone.append(event.id)
            tally_event(tally, event, -1)
            continue
        home = event._replace(session_id=root_id, metadata=_of_agent(event.metadata, thread_id))
        moved.append((home.session_id, home.metadata, home.id))
        move_event(tally, event, home)
    connection.executemany("UPDATE events SET session_id = ?, metadata = ? WHERE id = ?", moved)
    connection.execute("DELETE FROM events WHERE id IN (SELECT value FROM json_each(?))", (json_text(gone),))


def _move_calls(
    connection: Connection, thread_id: str, root_id: str, tally: Tally, registry: PricingRegistry
) -> None:
    known = list(map(ledger_row, connection.execute(SELECT_CALLS, (thread_id,)).fetchall()))
    home = [
        msgspec.structs.replace(row, session_id=root_id, subagent_id=row.subagent_id or thread_id) for row in known
    ]
    CallStore(connection, registry, tally).replace(known, home)

"""The life of a session: active → idle → ended, and what its agent does now. Pure.

What changes a session is an event, a fact from a source, or time passing; each is one function here. Time
passing is applied to all sessions at once in SQL (ingest/store.py, `advance`).
"""

from typing import Final

import msgspec

ACTIVE, IDLE, ENDED = "active", "idle", "ended"

# What an agent does. The last three wait for a human.
WORKING, TOOL, PERMISSION, QUESTION, TURN_ENDED = "working", "tool", "permission", "question", "turn_ended"
# How an ended session ended, when that is known: its client said goodbye (ENDED), or was found dead.
DIED: Final = "died"

MINUTE_MS: Final = 60_000


class SessionState(msgspec.Struct):
    """The columns of a session that events change. Times in ms."""

    id: str
    agent_id: str
    agent_type: str
    project: str | None
    branch: str | None
    status: str
    started_at: int
    ended_at: int | None
    last_event_at: int
    cwd: str | None = None
    title: str | None = None
    model: str | None = None
    client_version: str | None = None
    permission_mode: str | None = None
    transcript_path: str | None = None
    parent_id: str | None = None
    state: str | None = None
    state_detail: str | None = None
    state_at: int | None = None
    # JSON of monitor.doing.Threads while a sub-agent waits; when its process was last seen; when a human looked.
    waits: str | None = None
    alive_at: int | None = None
    seen_at: int | None = None


def begin(session_id: str, agent_type: str, now_ms: int) -> SessionState:
    return SessionState(
        id=session_id,
        agent_id=f"{agent_type}-default",
        agent_type=agent_type,
        project=None,
        branch=None,
        status=ACTIVE,
        started_at=now_ms,
        ended_at=None,
        last_event_at=now_ms,
    )


def on_live_event(
    session: SessionState, event_type: str, agent_type: str, now_ms: int, happened_at_ms: int | None = None
) -> None:
    """A live event revives; a session_end ends, save for Claude Code, whose hook fires at each turn's end.

    What comes after the goodbye and happened before it, as telemetry in its batches does, revives nobody.
    """
    if _is_before_goodbye(session, happened_at_ms):
        return
    session.last_event_at = now_ms
    revive(session)
    if event_type != "session_end":
        return
    if agent_type == "claude_code":
        session.status = IDLE
    else:
        end(session, now_ms)


def _is_before_goodbye(session: SessionState, happened_at_ms: int | None) -> bool:
    has_ended = session.status == ENDED and session.state in (ENDED, DIED) and session.ended_at is not None
    return has_ended and happened_at_ms is not None and happened_at_ms <= (session.ended_at or 0)


def revive(session: SessionState) -> None:
    session.status, session.ended_at = ACTIVE, None
    if session.state in (ENDED, DIED):
        session.state = session.state_detail = session.state_at = None


def on_imported_event(
    session: SessionState, happened_at_ms: int | None, now_ms: int, recent_ms: int, *, is_new: bool
) -> None:
    """An event from a file. What is recent makes a session live; what is old only dates it."""
    at_ms = min(happened_at_ms or now_ms, now_ms)
    session.started_at = min(session.started_at, at_ms)
    if is_new:
        session.last_event_at = at_ms
    session.last_event_at = max(session.last_event_at, at_ms)
    if _is_before_goodbye(session, happened_at_ms):
        return
    if happened_at_ms is not None and now_ms - at_ms <= recent_ms:
        revive(session)
    elif is_new:
        end(session, at_ms)
    elif session.status == ENDED:
        session.ended_at = session.last_event_at


def end(session: SessionState, at_ms: int) -> None:
    session.status, session.ended_at = ENDED, at_ms
    session.state = session.state_detail = session.state_at = session.waits = None


def say_goodbye(session: SessionState, at_ms: int) -> None:
    """The client itself says that the session is over."""
    end(session, at_ms)
    session.state, session.state_at = ENDED, at_ms


def die(session: SessionState, at_ms: int) -> bool:
    """Its process is gone without a goodbye; what it did last is kept. True when that is news."""
    if session.status == ENDED:
        return False
    last = session.state_detail if session.state == TOOL else None
    end(session, at_ms)
    session.state, session.state_detail, session.state_at = DIED, last, at_ms
    return True


def recent_ms(auto_import_minutes: int) -> int:
    """How old an imported event may be and still speak of a running agent."""
    return max(30, 3 * auto_import_minutes) * MINUTE_MS

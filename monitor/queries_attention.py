"""`GET /api/attention`: every agent that runs, and those that were found dead, most pressing first."""

from typing import Any, Final, NamedTuple

import msgspec

from monitor.attention import ORDER, WAITING, attention_of
from monitor.lifecycle import DIED
from monitor.queries import fetch
from monitor.times import iso_text, row_text

MOST_AGENTS: Final = 500
# Whoever died longer ago than this is history.
DEATHS_SHOWN_MS: Final = 24 * 3_600_000
COLUMNS: Final = (
    "id, agent_type, project, branch, cwd, title, status, state, state_detail, state_at, seen_at, last_event_at"
)
SQL: Final = (
    f"SELECT {COLUMNS} FROM sessions WHERE status IN ('active', 'idle') UNION ALL "
    f"SELECT {COLUMNS} FROM sessions WHERE status = 'ended' AND last_event_at > %s AND state = %s "
    "ORDER BY last_event_at DESC LIMIT %s"
)


class AgentNow(msgspec.Struct):
    """One agent: `attention` is what it asks of its human (monitor/attention.py), `since` ISO text in UTC."""

    session_id: str
    agent_type: str
    project: str | None
    branch: str | None
    cwd: str | None
    title: str | None
    attention: str
    waits: bool
    detail: str | None
    since: str
    status: str
    last_event_at: str


class AttentionBody(msgspec.Struct):
    """`waiting` counts those that wait for the human."""

    waiting: int
    agents: list[AgentNow]


def attention(now_ms: int) -> AttentionBody:
    """What each agent does now; among equals the longest wait first."""
    rows = fetch(SQL, [now_ms - DEATHS_SHOWN_MS, DIED, MOST_AGENTS])
    told = [(_since_ms(row), agent) for row in rows if (agent := _agent(row)).attention != "ended"]
    told.sort(key=lambda pair: (ORDER.index(pair[1].attention), pair[0]))
    agents = [agent for _, agent in told]
    return AttentionBody(sum(agent.waits for agent in agents), agents)


class OpenSession(NamedTuple):
    """What is known of a session that has not ended; times in ms."""

    state: str | None
    state_at_ms: int | None
    alive_at_ms: int | None


def open_sessions(agent_type: str) -> dict[str, OpenSession]:
    """By id."""
    rows = fetch(
        "SELECT id, state, state_at, alive_at FROM sessions "
        "WHERE status IN ('active', 'idle') AND agent_type = %s",
        [agent_type],
    )
    return {session_id: OpenSession(*known) for session_id, *known in rows}


def agent_type_of(session_id: str) -> str | None:
    """None for a session that is not known."""
    rows = fetch("SELECT agent_type FROM sessions WHERE id = %s", [session_id])
    return str(rows[0][0]) if rows else None


def _since_ms(row: tuple[Any, ...]) -> int:
    return int(row[9] or row[11])


def _agent(row: tuple[Any, ...]) -> AgentNow:
    place, (status, state, detail, state_at_ms, seen_at_ms, last_event_at_ms) = row[:6], row[6:]
    word = attention_of(status, state, state_at_ms, seen_at_ms)
    now = (word, word in WAITING, detail, iso_text(_since_ms(row)), status, row_text(last_event_at_ms))
    return AgentNow(*(*place, *now))

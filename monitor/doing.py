"""What a session's agents do now, and who of them waits for the human. Pure.

A session shows what its main agent does, unless one of its sub-agents waits for the human: then that, the longest
wait first, until that sub-agent is heard of again. Beneath, what the main agent does is remembered.
"""

from typing import Final

import msgspec

from monitor.lifecycle import ENDED, PERMISSION, QUESTION, SessionState

ASKING: Final = (PERMISSION, QUESTION)


class Doing(msgspec.Struct, array_like=True, frozen=True):
    """A state, what of, and since when (ms)."""

    state: str
    detail: str | None
    at_ms: int


class Threads(msgspec.Struct):
    """The main agent, and those of its sub-agents that wait, by their id."""

    own: Doing | None = None
    waits: dict[str, Doing] = msgspec.field(default_factory=dict)


_decoder = msgspec.json.Decoder(Threads)


def note_own(session: SessionState, told: Doing, *, new_turn: bool = False) -> bool:
    """The main agent does this now; True when what the session shows changed.

    A human who begins a new turn has no dialog before him: nobody waits any more. Claude Code sends a bare "needs
    your permission" seconds after the request that says for what: the poorer word does not replace the richer.
    """
    if told.state == PERMISSION and told.detail is None and session.state in ASKING:
        return False
    threads = _threads(session)
    if threads.own is None or (threads.own.state, threads.own.detail) != (told.state, told.detail):
        threads.own = told
    if new_turn:
        threads.waits.clear()
    return _show(session, threads)


def note_sub_agent(session: SessionState, agent_id: str, told: Doing | None) -> bool:
    """A sub-agent was heard of: it waits for the human, or it goes on."""
    threads = _threads(session)
    if told is not None and told.state in ASKING:
        threads.waits.setdefault(agent_id, told)
    elif threads.waits.pop(agent_id, None) is None:
        return False
    return _show(session, threads)


def is_news(session: SessionState, at_ms: int | None) -> bool:
    """Whether a state told late, from a file, is younger than what is known of a session that lives."""
    return at_ms is not None and session.status != ENDED and at_ms > (session.state_at or 0)


def _threads(session: SessionState) -> Threads:
    if session.waits is not None:
        return _decoder.decode(session.waits)
    if session.state is None or session.state_at is None:
        return Threads()
    return Threads(Doing(session.state, session.state_detail, session.state_at))


def _show(session: SessionState, threads: Threads) -> bool:
    before = (session.state, session.state_detail, session.state_at)
    longest = min(threads.waits.values(), key=lambda doing: doing.at_ms, default=None)
    own_first = threads.own is not None and threads.own.state in ASKING
    shown = threads.own if longest is None or own_first else longest
    session.waits = msgspec.json.encode(threads).decode() if threads.waits else None
    if shown is None:
        session.state = session.state_detail = session.state_at = None
    else:
        session.state, session.state_detail, session.state_at = shown.state, shown.detail, shown.at_ms
    return before != (session.state, session.state_detail, session.state_at)

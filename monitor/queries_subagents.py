"""The sub-agents of one session as a tree, each with what its own calls came to; and its compactions."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from monitor.queries import fetch
from monitor.queries_stats import USAGE_TOKENS
from monitor.queries_usage import UsageSums, usage_sums
from monitor.times import iso_text

NO_CALLS = (0,) * (len(USAGE_TOKENS) + 3)
SUBAGENTS_SQL = (
    "SELECT subagent_id, parent_subagent_id, kind, description, started_at, last_at, ended_at "
    "FROM subagents WHERE session_id = %s"
)
TOKEN_SUMS = ", ".join(f"sum({name})" for name in USAGE_TOKENS)
SUMS_SQL = (
    f"SELECT subagent_id, count(*), count(*) - count(cost_nanos), {TOKEN_SUMS}, coalesce(sum(cost_nanos), 0) "
    "FROM calls WHERE session_id = %s AND subagent_id IS NOT NULL GROUP BY subagent_id"
)
COMPACTIONS_SQL = (
    "SELECT at, trigger, pre_tokens, subagent_id FROM compactions WHERE session_id = %s ORDER BY at, line_id"
)


class SubagentRow(UsageSums, kw_only=True):
    """One sub-agent with the sums of its own calls. `depth` counts from 0; `ended_at` is None while it goes on."""

    subagent_id: str
    parent_subagent_id: str | None
    depth: int
    kind: str | None
    description: str | None
    started_at: str | None
    ended_at: str | None


class CompactionRow(msgspec.Struct):
    """One compaction; `subagent_id` is None for the main conversation's."""

    at: str
    trigger: str | None
    pre_tokens: int | None
    subagent_id: str | None


class _Known(msgspec.Struct):
    """A row of `subagents`; times in ms."""

    subagent_id: str
    parent_subagent_id: str | None = None
    kind: str | None = None
    description: str | None = None
    started_at: int | None = None
    last_at: int | None = None
    ended_at: int | None = None


def list_subagents(session_id: str) -> list[SubagentRow]:
    """Parents before their children, each generation in the order of its beginning."""
    sums = {values[0]: values[1:] for values in fetch(SUMS_SQL, [session_id])}
    known = {values[0]: _Known(*values) for values in fetch(SUBAGENTS_SQL, [session_id])}
    # Whoever made a call is listed, even if nothing else was told of it.
    known |= {subagent_id: _Known(subagent_id) for subagent_id in sums.keys() - known.keys()}
    return [_row(agent, depth, sums.get(agent.subagent_id, NO_CALLS)) for agent, depth in _in_order(known)]


def list_compactions(session_id: str) -> list[CompactionRow]:
    return [CompactionRow(iso_text(at), *told) for at, *told in fetch(COMPACTIONS_SQL, [session_id])]


def _in_order(known: dict[str, _Known]) -> Iterator[tuple[_Known, int]]:
    """Each agent once, with its depth. A parent that nobody knows, or a circle of them, hides no one."""
    children: dict[str | None, list[_Known]] = {}
    for agent in sorted(known.values(), key=_beginning):
        parent = agent.parent_subagent_id if agent.parent_subagent_id in known else None
        children.setdefault(parent, []).append(agent)
    seen: set[str] = set()
    yield from _below(children.get(None, ()), children, 0, seen)
    for agent in sorted(known.values(), key=_beginning):
        yield from _below([agent], children, 0, seen)


def _below(
    agents: Iterable[_Known], children: dict[str | None, list[_Known]], depth: int, seen: set[str]
) -> Iterator[tuple[_Known, int]]:
    waiting = [(agent, depth) for agent in agents][::-1]
    while waiting:
        agent, depth = waiting.pop()
        if agent.subagent_id not in seen:
            seen.add(agent.subagent_id)
            yield agent, depth
            waiting += [(child, depth + 1) for child in reversed(children.get(agent.subagent_id, ()))]


def _beginning(agent: _Known) -> tuple[bool, int, str]:
    return agent.started_at is None, agent.started_at or 0, agent.subagent_id


def _row(agent: _Known, depth: int, sums: tuple[Any, ...]) -> SubagentRow:
    # What was at work after its end was sent out again.
    has_ended = agent.ended_at is not None and (agent.last_at is None or agent.last_at <= agent.ended_at)
    return SubagentRow(
        **msgspec.structs.asdict(usage_sums(sums)),
        subagent_id=agent.subagent_id,
        parent_subagent_id=agent.parent_subagent_id,
        depth=depth,
        kind=agent.kind,
        description=agent.description,
        started_at=_text(agent.started_at),
        ended_at=_text(agent.ended_at) if has_ended else None,
    )


def _text(at_ms: int | None) -> str | None:
    return None if at_ms is None else iso_text(at_ms)

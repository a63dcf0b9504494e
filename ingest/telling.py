"""Events that sources tell of without an id in common: which of them are one. Pure.

Gemini CLI's hooks name neither prompts nor tool uses, Codex's telemetry no prompts. What they share is the
session, the text of a prompt or the tool with its arguments, and the time. Which tellings belong together is a
function of all tellings alone, so that the order in which they come makes no difference: the closest two of
different sources first, and of each source at most one.
"""

from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Final, NamedTuple

from ingest.completing import EventRecord, joined
from ingest.contract import Telling
from ingest.otlp.keys import SHARED_ID_STARTS, digest

# Tools that run side by side are told of by their hooks as each ends, by telemetry and chats when all have ended.
APART_MS: Final = 600_000
# Of a prompt whose text is not told by both, or by one with what a file adds to it.
OTHER_TEXT_APART_MS: Final = 2_000
TEXT_CHARACTERS: Final = 400
SOURCE_RANKS: Final = {"import": 0, "hook": 1, "otel": 2}


class Told(NamedTuple):
    """One telling, as it is stored: `ref` is the event's id by its source, `record` its columns."""

    source: str
    ref: str
    at_ms: int
    content: str | None
    record: EventRecord

    @property
    def is_named(self) -> bool:
        """The client's own id, which other sources may know."""
        return self.ref.startswith(SHARED_ID_STARTS)


def of_prompt(session_id: str, at_ms: int | None, text: str | None) -> Telling | None:
    """A prompt in its session. Nothing joins what has no time."""
    if at_ms is None:
        return None
    words = " ".join((text or "")[: 2 * TEXT_CHARACTERS].split())[:TEXT_CHARACTERS]
    return Telling(prompt_key(session_id), at_ms, digest(words) if words else None)


def prompt_key(session_id: str) -> str:
    return f"{session_id}:prompt"


def of_tool(session_id: str, at_ms: int | None, tool_name: str | None, arguments: object) -> Telling | None:
    """A tool with its arguments; sources that don't tell these (no prompts in telemetry) can't be joined."""
    if at_ms is None or tool_name is None or not isinstance(arguments, dict):
        return None
    return Telling(f"{session_id}:tool:{digest(tool_name, arguments)}", at_ms)


def together(told: Iterable[Told]) -> list[list[Told]]:
    """The tellings that are of one event each, in a settled order."""
    known = sorted(told, key=lambda one: (one.at_ms, one.source, one.ref))
    cluster = {id(one): [one] for one in known}
    fitting = [pair for pair in combinations(known, 2) if _fits(*pair)]
    for one, other in sorted(fitting, key=_distance):
        ours, theirs = cluster[id(one)], cluster[id(other)]
        if ours is not theirs and _may_join(ours, theirs):
            ours += theirs
            cluster |= {id(moved): ours for moved in theirs}
    found = {id(group): group for group in cluster.values()}
    return [sorted(group, key=lambda one: (one.at_ms, one.source, one.ref)) for group in found.values()]


def _fits(one: Told, other: Told) -> bool:
    if one.source == other.source:
        return False
    if one.is_named and other.is_named:
        return one.ref == other.ref
    differs = None not in (one.content, other.content) and one.content != other.content
    return abs(one.at_ms - other.at_ms) <= (OTHER_TEXT_APART_MS if differs else APART_MS)


def _distance(pair: tuple[Told, Told]) -> tuple[bool, bool, int]:
    one, other = pair
    return one.ref != other.ref, one.content != other.content, abs(one.at_ms - other.at_ms)


def _may_join(ours: Sequence[Told], theirs: Sequence[Told]) -> bool:
    names = {one.ref for one in (*ours, *theirs) if one.is_named}
    sources = [one.source for one in (*ours, *theirs)]
    return len(names) <= 1 and len(set(sources)) == len(sources)


def event_id_of(group: Iterable[Told]) -> str:
    """Of the ids that sources give one event that which most of them may know."""
    return min(group, key=lambda one: (not one.is_named, SOURCE_RANKS.get(one.source, 3), one.ref)).ref


def event_of(group: Sequence[Told], limit_bytes: int) -> EventRecord:
    """The event that all of them tell of."""
    event = group[0].record
    for one in group[1:]:
        event = joined(event, one.record, limit_bytes)
    return event._replace(event_id=event_id_of(group))

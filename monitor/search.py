"""Full-text search over transcript entries: what a person typed becomes a query that can't go wrong, and its SQL.

A search looks at the latest `MOST_MATCHES` entries that hold the words (by id, which is the order of storing),
keeps those that the filters take, and shows them by time, newest first. So its cost does not grow with the
history; an answer says when there were more. In one session the index is asked for that session's ids only.
"""

import json
import secrets
from typing import Any, Final, NamedTuple
from unicodedata import category

import msgspec

from monitor.filters import FilterFault
from monitor.queries import fetch
from monitor.queries_entries import Position
from monitor.times import iso_text

LONGEST_QUERY_CHARACTERS: Final = 500
MOST_WORDS: Final = 20
# Words that begin with one letter are a good part of the index.
SHORTEST_PREFIX: Final = 2
MOST_MATCHES: Final = 5_000
SNIPPET_TOKENS: Final = 24
DEFAULT_RESULTS: Final = 25
MOST_RESULTS: Final = 100


class Words(NamedTuple):
    """What is looked for. Each item is a phrase (one word is a short one); `prefixes` end open."""

    wanted: list[str]
    prefixes: list[str]
    unwanted: list[str]


class SearchFilter(NamedTuple):
    """Which matches are taken; times in ms. None takes everything."""

    session_id: str | None = None
    agent_type: str | None = None
    project: str | None = None
    kinds: list[str] | None = None
    tool_name: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None


class Part(msgspec.Struct):
    """A piece of a snippet: text, and whether it is what was looked for."""

    text: str
    is_match: bool


class Result(msgspec.Struct):
    entry_id: int
    session_id: str
    session_title: str | None
    project: str | None
    agent_type: str
    subagent_id: str | None
    kind: str
    at: str | None
    tool_name: str | None
    is_error: bool
    snippet: list[Part]


class Results(msgspec.Struct):
    """Newest first. `total` counts what was found among the latest matches; `is_complete`: there are no others."""

    results: list[Result]
    total: int
    is_complete: bool
    next: str | None


def words_of(text: str | None) -> Words:
    """Words and "phrases", each of which must stand in an entry; -word must not; word* is a beginning.

    Raises FilterFault where nothing is left to look for.
    """
    written = (text or "").encode("utf-8", "replace").decode().replace("\0", " ")
    if len(written) > LONGEST_QUERY_CHARACTERS:
        raise FilterFault(f"q: must be no longer than {LONGEST_QUERY_CHARACTERS} characters")
    words = Words([], [], [])
    for word, is_unwanted, is_prefix in _split(written):
        if has_token(word):
            (words.unwanted if is_unwanted else words.prefixes if is_prefix else words.wanted).append(word)
    if not words.wanted and not words.prefixes:
        raise FilterFault("q: must hold a word to look for")
    if sum(map(len, words)) > MOST_WORDS:
        raise FilterFault(f"q: must hold no more than {MOST_WORDS} words")
    return words


def match_of(words: Words) -> str:
    """The query of FTS5. Everything that was typed stands between quotes, where FTS5 knows no operators."""
    wanted = [*map(_quoted, words.wanted), *(f"{_quoted(word)} *" for word in words.prefixes)]
    return f"({' '.join(wanted)})" + "".join(f" NOT {_quoted(word)}" for word in words.unwanted)


def has_token(word: str) -> bool:
    """Whether the index's tokenizer finds a word in it: letters, digits, private use."""
    return any(category(character)[0] in "LN" or category(character) == "Co" for character in word)


def search(words: Words, wanted: SearchFilter, limit: int, after: Position | None = None) -> Results:
    match = match_of(words)
    ids, is_complete = _matches(match, wanted.session_id)
    found = _filtered(ids, wanted)
    first = 0 if after is None else sum(place >= after for place in found)
    page = [place.entry_id for place in found[first : first + limit]]
    has_more = first + limit < len(found)
    following = str(found[first + limit - 1]) if has_more else None
    return Results(_results(match, page), len(found), is_complete, following)


def latest_matches(words: Words, most: int) -> list[int]:
    """Ids of the entries that hold the words, the latest stored first."""
    return _matches(match_of(words), None)[0][:most]


def _split(text: str) -> list[tuple[str, bool, bool]]:
    """Pieces of a query: the word or phrase, whether it is unwanted, whether it is a beginning."""
    pieces = []
    rest = text.strip()
    while rest:
        is_unwanted = rest.startswith("-") and len(rest) > 1
        rest = rest[1:] if is_unwanted else rest
        if rest.startswith('"'):
            piece, _, rest = rest[1:].partition('"')
            pieces.append((piece, is_unwanted, False))
        else:
            piece, *others = rest.split(maxsplit=1)
            rest = others[0] if others else ""
            is_prefix = piece.endswith("*") and len(piece.rstrip("*")) >= SHORTEST_PREFIX and not is_unwanted
            pieces.append((piece, is_unwanted, is_prefix))
        rest = rest.lstrip()
    return pieces


def _quoted(phrase: str) -> str:
    doubled = phrase.replace('"', '""')
    return f'"{doubled}"'


def _matches(match: str, session_id: str | None) -> tuple[list[int], bool]:
    """The latest entries with the words, by id; whether these are all."""
    condition, bounds = "", []
    if session_id is not None:
        ((first, last),) = fetch("SELECT min(id), max(id) FROM entries WHERE session_id = %s", [session_id])
        condition, bounds = "AND rowid BETWEEN %s AND %s ", [first or 0, last or 0]
    rows = fetch(
        f"SELECT rowid FROM entry_search WHERE entry_search MATCH %s {condition}ORDER BY rowid DESC LIMIT %s",
        [match, *bounds, MOST_MATCHES + 1],
    )
    return [row[0] for row in rows[:MOST_MATCHES]], len(rows) <= MOST_MATCHES


def _filtered(ids: list[int], wanted: SearchFilter) -> list[Position]:
    """Of these entries those that the filters take, newest first."""
    conditions, parameters = ["e.id IN (SELECT value FROM json_each(%s))"], [json.dumps(ids)]
    chosen: list[Any] = parameters
    for column in ("session_id", "agent_type", "tool_name"):
        value = getattr(wanted, column)
        if value is not None:
            # The ids lead to the rows; no index of these columns should be thought better.
            conditions.append(f"+e.{column} = %s")
            chosen.append(value)
    if wanted.project is not None:
        conditions.append("(SELECT s.project FROM sessions s WHERE s.id = e.session_id) = %s")
        chosen.append(wanted.project)
    if wanted.kinds is not None:
        conditions.append(f"e.kind IN ({', '.join(['%s'] * len(wanted.kinds))})")
        chosen += wanted.kinds
    for bound, value in ((">=", wanted.since_ms), ("<=", wanted.until_ms)):
        if value is not None:
            conditions.append(f"+e.at {bound} %s")
            chosen.append(value)
    rows = fetch(f"SELECT e.at, e.id FROM entries e WHERE {' AND '.join(conditions)}", chosen)
    return sorted((Position(*row) for row in rows), reverse=True)


def _results(match: str, ids: list[int]) -> list[Result]:
    """The entries in the order of their ids given, each with the part of its text that matches."""
    if not ids:
        return []
    # One walk over what matches between them: to begin anew for each would gather the words of a prefix each time.
    # No stored text can hold marks that nobody knew before.
    opening, closing = f"[{secrets.token_hex(8)}[", f"]{secrets.token_hex(8)}]"
    columns = "e.id, e.session_id, s.title, s.project, e.agent_type, e.subagent_id, e.kind, e.at, e.tool_name"
    rows = fetch(
        f"SELECT {columns}, e.is_error, snippet(entry_search, 0, %s, %s, '…', %s) "
        "FROM entry_search f CROSS JOIN entries e ON e.id = f.rowid CROSS JOIN sessions s ON s.id = e.session_id "
        "WHERE entry_search MATCH %s AND f.rowid BETWEEN %s AND %s "
        "AND +f.rowid IN (SELECT value FROM json_each(%s))",
        [opening, closing, SNIPPET_TOKENS, match, min(ids), max(ids), json.dumps(ids)],
    )
    found = {row[0]: _result(row, opening, closing) for row in rows}
    return [found[entry_id] for entry_id in ids if entry_id in found]


def _result(row: tuple[Any, ...], opening: str, closing: str) -> Result:
    entry_id, session_id, title, project, agent_type, subagent_id, kind, at_ms, tool_name, is_error, snippet = row
    return Result(
        entry_id=entry_id,
        session_id=session_id,
        session_title=title,
        project=project,
        agent_type=agent_type,
        subagent_id=subagent_id,
        kind=kind,
        at=iso_text(at_ms) if at_ms else None,
        tool_name=tool_name,
        is_error=bool(is_error),
        snippet=parts_of(snippet, opening, closing),
    )


def parts_of(snippet: str, opening: str, closing: str) -> list[Part]:
    """A snippet between marks as its parts."""
    before, *marked = snippet.split(opening)
    parts = [Part(before, is_match=False)]
    for piece in marked:
        match, _, after = piece.partition(closing)
        parts += (Part(match, is_match=True), Part(after, is_match=False))
    return [part for part in parts if part.text]

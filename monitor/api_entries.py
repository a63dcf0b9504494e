"""Transcript entries in the JSON API: a session's, one by its id, and the search over all."""

from collections.abc import Sequence
from typing import Final

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router

from monitor.api import Text, json_response
from monitor.filters import limit_of, moment_of, names_of, until_of
from monitor.models.entry import Kind
from monitor.openapi import described
from monitor.queries import SessionRow, get_session
from monitor.queries_entries import (
    DEFAULT_ENTRIES,
    MOST_ENTRIES,
    EntryFilter,
    EntryPage,
    EntryRow,
    get_entry,
    list_entries,
    position_of,
)
from monitor.search import DEFAULT_RESULTS, MOST_RESULTS, Results, SearchFilter, search, words_of

router = Router(tags=["read"])
KINDS: Final[Sequence[str]] = Kind.values
LONGEST_ID_DIGITS: Final = 18


class EntryDetail(msgspec.Struct):
    entry: EntryRow
    session: SessionRow


@router.get("/sessions/{any:session_id}/entries", openapi_extra=described(EntryPage, also=(400, 404)))
def session_entries(
    request: HttpRequest,
    session_id: str,
    after: Text = None,
    before: Text = None,
    limit: Text = None,
    subagent_id: Text = None,
    kind: Text = None,
) -> HttpResponse:
    """What a session's transcript says, oldest first; `after` or `before` a place go on from a page."""
    wanted = EntryFilter(
        session_id=session_id,
        kinds=names_of("kind", kind, KINDS) if kind else None,
        subagent_id=subagent_id or None,
        after=position_of("after", after),
        before=position_of("before", before),
    )
    page = list_entries(wanted, limit_of(limit, DEFAULT_ENTRIES, MOST_ENTRIES))
    if not page.entries and get_session(session_id) is None:
        return json_response({"error": "Session not found"}, 404)
    return json_response(page)


@router.get("/entries/{entry_id}", openapi_extra=described(EntryDetail, also=(404,)))
def one_entry(request: HttpRequest, entry_id: str) -> HttpResponse:
    """One entry, and the session that it stands in."""
    is_number = entry_id.isascii() and entry_id.isdecimal() and len(entry_id) <= LONGEST_ID_DIGITS
    entry = get_entry(int(entry_id)) if is_number else None
    session = get_session(entry.session_id) if entry is not None else None
    if entry is None or session is None:
        return json_response({"error": "Entry not found"}, 404)
    return json_response(EntryDetail(entry, session))


@router.get("/search", openapi_extra=described(Results, also=(400,)))
def search_entries(
    request: HttpRequest,
    q: Text = None,
    session_id: Text = None,
    agent_type: Text = None,
    project: Text = None,
    kind: Text = None,
    tool_name: Text = None,
    since: Text = None,
    until: Text = None,
    limit: Text = None,
    cursor: Text = None,
) -> HttpResponse:
    """Entries that hold all words, newest first: "a phrase", -without, begin*."""
    words = words_of(q)
    wanted = SearchFilter(
        session_id=session_id or None,
        agent_type=agent_type or None,
        project=project or None,
        kinds=names_of("kind", kind, KINDS) if kind else None,
        tool_name=tool_name or None,
        since_ms=moment_of("since", since),
        until_ms=until_of(until),
    )
    most = limit_of(limit, DEFAULT_RESULTS, MOST_RESULTS)
    return json_response(search(words, wanted, most, position_of("cursor", cursor)))

"""The read side of the JSON API, for django-ninja. Answers are encoded by msgspec from typed rows."""

from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.urls.converters import StringConverter, register_converter
from ninja import Router

from monitor import queries, queries_stats, queries_usage, status
from monitor.filters import (
    EventFilter,
    flag_of,
    leading_integer,
    limit_of,
    moment_of,
    names_of,
    offset_of,
    until_of,
    zone_of,
)
from monitor.openapi import described
from monitor.queries import SessionFilter, SessionRow
from monitor.queries_subagents import CompactionRow, SubagentRow, list_compactions, list_subagents
from monitor.queries_usage import GROUPS, PERIODS, UNNAMED, CallRow, UsageFilter, UsageSums
from monitor.rows import EventRow
from monitor.transcript import transcript_entry
from monitor.usage_monitor import stats_and_limits, usage_monitor


class AnyConverter(StringConverter):
    """Part of a path that may hold any character: as `path`, and line ends too."""

    regex = "(?s:.+)"


register_converter(AnyConverter, "any")
router = Router(tags=["read"])
Text = str | None
MOST_SESSIONS = 5000


class EventPage(msgspec.Struct):
    events: list[EventRow]
    total: int


class SessionPage(msgspec.Struct):
    sessions: list[SessionRow]
    total: int


class SessionDetail(msgspec.Struct):
    session: SessionRow
    events: list[EventRow]
    subagents: list[SubagentRow]
    compactions: list[CompactionRow]


class CallPage(msgspec.Struct):
    calls: list[CallRow]
    total: int


class Usage(msgspec.Struct):
    """Each row has the group's values by name, and the same sums as `totals`."""

    rows: list[dict[str, Any]]
    totals: UsageSums


def json_response(content: object, status_code: int = 200) -> HttpResponse:
    return HttpResponse(
        msgspec.json.encode(content), content_type="application/json; charset=utf-8", status=status_code
    )


def _given(text: Text) -> Text:
    """An empty parameter is the same as a missing one."""
    return text or None


@router.get("/health", openapi_extra=described(dict))
def health(request: HttpRequest) -> HttpResponse:
    return json_response(status.health())


@router.get("/status", openapi_extra=described(dict))
def server_status(request: HttpRequest) -> HttpResponse:
    return json_response(status.server_status())


@router.get("/events", openapi_extra=described(EventPage, also=(400,)))
def list_events(
    request: HttpRequest,
    limit: Text = None,
    offset: Text = None,
    agent_type: Text = None,
    event_type: Text = None,
    tool_name: Text = None,
    session_id: Text = None,
    branch: Text = None,
    model: Text = None,
    source: Text = None,
    project: Text = None,
    since: Text = None,
    until: Text = None,
) -> HttpResponse:
    """Events, newest first; `total` counts all matches."""
    wanted = EventFilter(
        agent_type=_given(agent_type),
        event_type=_given(event_type),
        tool_name=_given(tool_name),
        session_id=_given(session_id),
        branch=_given(branch),
        model=_given(model),
        source=_given(source),
        project=_given(project),
        since_ms=moment_of("since", since),
        until_ms=until_of(until),
    )
    events, total = queries.list_events(wanted, limit_of(limit), offset_of(offset))
    return json_response(EventPage(events, total))


@router.get("/stats", openapi_extra=described(dict, also=(400,)))
def stats(request: HttpRequest, agent_type: Text = None, since: Text = None) -> HttpResponse:
    return json_response(stats_and_limits(_given(agent_type), moment_of("since", since)))


@router.get("/stats/cost", openapi_extra=described(dict, also=(400,)))
def cost_stats(
    request: HttpRequest, agent_type: Text = None, since: Text = None, limit: Text = None
) -> HttpResponse:
    return json_response(
        queries_stats.cost_stats(_given(agent_type), moment_of("since", since), limit_of(limit, default=10))
    )


@router.get("/stats/tools", openapi_extra=described(dict, also=(400,)))
def tool_stats(request: HttpRequest, agent_type: Text = None, since: Text = None) -> HttpResponse:
    tools = queries_stats.tool_stats(_given(agent_type), moment_of("since", since))
    return json_response({"tools": tools})


@router.get("/stats/usage-monitor", openapi_extra=described(list[dict[str, Any]]))
def usage_limits(request: HttpRequest) -> HttpResponse:
    return json_response(usage_monitor())


@router.get("/sessions", openapi_extra=described(SessionPage, also=(400,)))
def list_sessions(
    request: HttpRequest,
    status: Text = None,
    exclude_status: Text = None,
    agent_type: Text = None,
    project: Text = None,
    since: Text = None,
    limit: Text = None,
) -> HttpResponse:
    """Active, idle, ended; in each the latest first. A limit of 0 or less takes all (up to 5000)."""
    wanted = SessionFilter(
        status=_given(status),
        exclude_status=_given(exclude_status),
        agent_type=_given(agent_type),
        project=_given(project),
        since_ms=moment_of("since", since),
    )
    number = leading_integer(limit)
    most = MOST_SESSIONS if number is not None and number <= 0 else limit_of(limit, most=MOST_SESSIONS)
    sessions = queries.list_sessions(wanted, most)
    return json_response(SessionPage(sessions, len(sessions)))


@router.get("/sessions/{any:session_id}/transcript", openapi_extra=described(dict, also=(404,)))
def session_transcript(request: HttpRequest, session_id: str) -> HttpResponse:
    entries = [transcript_entry(row) for row in queries.session_story(session_id)]
    if not entries:
        return json_response({"error": "No transcript data for this session"}, 404)
    return json_response({"session_id": session_id, "entries": entries})


@router.get("/sessions/{any:session_id}", openapi_extra=described(SessionDetail, also=(404,)))
def session_detail(
    request: HttpRequest, session_id: str, event_limit: Text = None, limit: Text = None
) -> HttpResponse:
    session = queries.get_session(session_id)
    if session is None:
        return json_response({"error": "Session not found"}, 404)
    chosen = event_limit or limit
    no_events = leading_integer(chosen) == 0
    events = [] if no_events else queries.session_events(session_id, limit_of(chosen, default=10))
    subagents, compactions = list_subagents(session_id), list_compactions(session_id)
    return json_response(SessionDetail(session, events, subagents, compactions))


@router.get("/agents", openapi_extra=described(dict))
def list_agents(request: HttpRequest) -> HttpResponse:
    return json_response({"agents": queries.list_agents()})


@router.get("/filter-options", openapi_extra=described(dict))
def filter_options(request: HttpRequest) -> HttpResponse:
    return json_response(queries.filter_options())


@router.get("/calls", openapi_extra=described(CallPage, also=(400,)))
def list_calls(
    request: HttpRequest,
    limit: Text = None,
    offset: Text = None,
    session_id: Text = None,
    agent_type: Text = None,
    model: Text = None,
    project: Text = None,
    branch: Text = None,
    since: Text = None,
    until: Text = None,
    received_since: Text = None,
    unnamed: Text = None,
    unpriced: Text = None,
    subagent_id: Text = None,
) -> HttpResponse:
    """The ledger: billed calls, newest first."""
    wanted = usage_filter(
        session_id,
        agent_type,
        model,
        project,
        branch,
        since,
        until,
        received_since,
        unnamed,
        unpriced,
        subagent_id,
    )
    calls, total = queries_usage.list_calls(wanted, limit_of(limit), offset_of(offset))
    return json_response(CallPage(calls, total))


@router.get("/usage", openapi_extra=described(Usage, also=(400,)))
def usage(
    request: HttpRequest,
    group_by: Text = None,
    session_id: Text = None,
    agent_type: Text = None,
    model: Text = None,
    project: Text = None,
    branch: Text = None,
    since: Text = None,
    until: Text = None,
    received_since: Text = None,
    unnamed: Text = None,
    unpriced: Text = None,
    subagent_id: Text = None,
    tz: Text = None,
) -> HttpResponse:
    """Calls, tokens and cost by hour, day, week, month, agent_type, model, project, branch, session_id."""
    groups = names_of("group_by", group_by or "day", (*PERIODS, *GROUPS))
    wanted = usage_filter(
        session_id,
        agent_type,
        model,
        project,
        branch,
        since,
        until,
        received_since,
        unnamed,
        unpriced,
        subagent_id,
    )
    return json_response(queries_usage.usage(wanted, groups, zone_of(tz)))


def usage_filter(
    session_id: Text,
    agent_type: Text,
    model: Text,
    project: Text,
    branch: Text,
    since: Text,
    until: Text,
    received_since: Text,
    unnamed: Text,
    unpriced: Text,
    subagent_id: Text,
) -> UsageFilter:
    """Which calls the parameters of a request mean. Raises FilterFault."""
    return UsageFilter(
        since_ms=moment_of("since", since),
        until_ms=until_of(until),
        agent_type=_given(agent_type),
        model=_given(model),
        project=_given(project),
        branch=_given(branch),
        session_id=_given(session_id),
        received_since_ms=moment_of("received_since", received_since),
        unnamed=tuple(names_of("unnamed", unnamed, UNNAMED)) if unnamed else (),
        unpriced=flag_of("unpriced", unpriced),
        subagent_id=_given(subagent_id),
    )

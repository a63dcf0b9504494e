"""Events and calls: the two large tables. Each list walks along an index, and rollups know its length."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import admin
from django.db.models import Max, QuerySet, Sum
from django.http import HttpRequest

from monitor.admin.filters import of_events, period_filter, since_of, value_filter
from monitor.admin.reading import Link, ReadOnlyAdmin
from monitor.admin.sessions import agent_types
from monitor.admin.shown import (
    NOTHING,
    Column,
    column,
    dollars,
    duration,
    exact_dollars,
    json_block,
    list_address,
    moment,
    number,
    session_link,
    summary,
    text,
    yes_no,
)
from monitor.filters import EventFilter
from monitor.models import Call, Event, Session, UsageHour
from monitor.queries import count_events
from pricing.usage import Usage

# How far back words are looked for in the metadata.
NEWEST_SEARCHED: Final = 20_000
SUBAGENT: Final = column("subagent_id", text, "sub-agent")
CALL_FILTERS: Final = {"agent_type": "agent_type", "model": "model", "session": "session_id"}
EVENT_FILTERS: Final = ("agent_type", "event_type", "tool_name", "model", "project")


def cost_of_event(show: Callable[[int | None], str]) -> Column:
    """Only what used tokens can lack a price."""

    @admin.display(description="cost")
    def cost(event: Event) -> str:
        used = event.tokens_in or event.tokens_out or event.cache_read_tokens or event.cache_write_tokens
        return show(event.cost_nanos) if used or event.cost_nanos is not None else NOTHING

    return cost


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        column("created_at", moment, "received"),
        "agent_type",
        session_link,
        "event_type",
        column("tool_name", text),
        column("metadata", summary, "about"),
        "status",
        column("duration_ms", duration, "duration"),
        column("model", text),
        cost_of_event(dollars),
    )
    sortable_by = ()
    list_filter = (
        period_filter("created_at"),
        *(value_filter(name, of_events(name)) for name in EVENT_FILTERS),
        value_filter("session", column="session_id"),
    )
    list_select_related = ("session",)
    # As each index of the feed ends: one walk and no sort, whatever is filtered by.
    ordering = ("-created_at", "-id")
    search_fields = ("event_id",)
    search_help_text = (
        "An event's id, the beginning of a session's id, or words in the metadata "
        f"of the newest {NEWEST_SEARCHED:,} events"
    )
    sections = (
        (None, ("id", "event_id", session_link, "agent_type", "event_type", column("tool_name", text), "status")),
        (
            "When",
            (
                column("created_at", moment, "received"),
                column("client_timestamp", moment, "happened"),
                column("duration_ms", duration, "duration"),
            ),
        ),
        ("Where", (column("project", text), column("branch", text), "source")),
        (
            "Usage",
            (
                column("model", text),
                column("tokens_in", number, "uncached input"),
                column("cache_read_tokens", number, "cache read"),
                column("cache_write_tokens", number, "cache write"),
                column("tokens_out", number, "output"),
                cost_of_event(exact_dollars),
            ),
        ),
        ("What", (column("metadata", json_block), column("payload_truncated", yes_no, "cut"))),
        ("Edit", (column("edited_path", text), column("lines_added", number), column("lines_removed", number))),
    )

    def known_count(self, request: HttpRequest) -> int:
        named: dict[str, Any] = {name: request.GET.get(name) or None for name in EVENT_FILTERS}
        session_id = request.GET.get("session") or None
        return count_events(
            EventFilter(**named, session_id=session_id, since_ms=since_of(request.GET.get("since")))
        )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Event], search_term: str
    ) -> tuple[QuerySet[Event], bool]:
        term = search_term.strip()
        return (find_events(queryset, term) if term else queryset), False

    def links(self, record: Event) -> list[Link]:
        return links_of_session(record.session_id)


@admin.register(Call)
class CallAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        column("called_at", moment, "called"),
        "agent_type",
        session_link,
        column("model", text),
        column("uncached_input_tokens", number, "input"),
        column("cache_read_tokens", number, "cache read"),
        column("output_tokens", number, "output"),
        column("cost_nanos", dollars, "cost"),
        column("price", text),
    )
    sortable_by = ()
    list_filter = (
        period_filter("called_at"),
        value_filter("agent_type", agent_types),
        value_filter("model", of_events("model")),
        value_filter("session", column="session_id"),
    )
    list_select_related = ("session",)
    ordering = ("-called_at", "-id")
    search_fields = ("call_key",)
    search_help_text = "A call's key, or the beginning of a session's id"
    sections = (
        (None, ("id", "agent_type", "call_key", session_link, SUBAGENT, column("model", text))),
        ("When", (column("called_at", moment, "called"), column("received_at", moment, "received"))),
        ("Tokens", tuple(column(name, number) for name in Usage.__struct_fields__ if name.endswith("_tokens"))),
        ("Terms", (column("web_searches", number), column("service_tier", text), column("speed", text))),
        (
            "Cost",
            (column("cost_nanos", exact_dollars, "cost"), column("price", text), column("unpriced_terms", text)),
        ),
        ("Who told us", ("authority", column("witnesses", json_block))),
    )

    def known_count(self, request: HttpRequest) -> int:
        hours = UsageHour.objects.all()
        since_ms = since_of(request.GET.get("since"))
        if since_ms is not None:
            hours = hours.filter(called_hour__gte=since_ms)
        for parameter, name in CALL_FILTERS.items():
            if request.GET.get(parameter):
                hours = hours.filter(**{name: request.GET[parameter]})
        return int(hours.aggregate(calls=Sum("calls"))["calls"] or 0)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Call], search_term: str
    ) -> tuple[QuerySet[Call], bool]:
        term = search_term.strip()
        return (find_calls(queryset, term) if term else queryset), False

    def links(self, record: Call) -> list[Link]:
        return links_of_session(record.session_id)


def links_of_session(session_id: str) -> list[Link]:
    return [
        Link("Events of the session", list_address(Event, {"session": session_id})),
        Link("Calls of the session", list_address(Call, {"session": session_id})),
    ]


def find_events(rows: QuerySet[Event], term: str) -> QuerySet[Event]:
    """By id, by session, or by words among the newest: the first of these that there is."""
    if Event.objects.filter(event_id=term).exists():
        return rows.filter(event_id=term)
    if term.isascii() and term.isdigit() and len(term) < 19:
        return rows.filter(pk=int(term))
    session_ids = sessions_beginning_with(term)
    if session_ids:
        return rows.filter(session_id__in=session_ids)
    newest_id = Event.objects.aggregate(newest=Max("pk"))["newest"] or 0
    rows = rows.filter(pk__gt=newest_id - NEWEST_SEARCHED).order_by("-pk")
    for word in term.split():
        rows = rows.filter(metadata__icontains=word)
    return rows


def find_calls(rows: QuerySet[Call], term: str) -> QuerySet[Call]:
    """By key, or by session."""
    by_key = rows.filter(call_key=term)
    return by_key if by_key.exists() else rows.filter(session_id__in=sessions_beginning_with(term))


def sessions_beginning_with(term: str) -> list[str]:
    """Ids of sessions by their first characters; a few, since one is meant."""
    found = Session.objects.filter(pk__gte=term, pk__lt=f"{term}\U0010ffff").order_by("pk")
    return list(found.values_list("pk", flat=True)[:20])

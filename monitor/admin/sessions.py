"""Agents, their sessions, and the files that those edited."""

from collections.abc import Iterable
from typing import Final

from django.contrib import admin

from monitor.admin.filters import period_filter, value_filter
from monitor.admin.reading import Link, ReadOnlyAdmin
from monitor.admin.shown import (
    column,
    dollars,
    exact_dollars,
    json_block,
    list_address,
    moment,
    number,
    session_link,
    text,
)
from monitor.models import Agent, Call, Compaction, Event, Session, SessionFile, Subagent, UsageHour
from monitor.models.session import Status
from monitor.rollups import SESSION_CALL_SUMS, SESSION_EVENT_SUMS

PLACE: Final = ("project", "branch", "cwd", "transcript_path", "client_version", "permission_mode")
SUMS: Final = SESSION_EVENT_SUMS + SESSION_CALL_SUMS[:-1]


def agent_types() -> Iterable[str]:
    return Agent.objects.order_by("agent_type").values_list("agent_type", flat=True)


def projects() -> Iterable[str]:
    found = Session.objects.filter(project__gt="").order_by("project").values_list("project", flat=True)
    return (project for project in found.distinct() if project)


@admin.register(Agent)
class AgentAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "agent_type",
        column("registered_at", moment, sortable=True),
        column("last_seen_at", moment, sortable=True),
    )
    ordering = ("-last_seen_at", "id")
    search_fields = ("id",)
    sections = (
        (
            None,
            (
                "id",
                "agent_type",
                column("name", text),
                column("registered_at", moment),
                column("last_seen_at", moment),
            ),
        ),
    )

    def links(self, record: Agent) -> list[Link]:
        of_agent = {"agent_type": record.agent_type}
        return [
            Link("Its sessions", list_address(Session, of_agent)),
            Link("Its events", list_address(Event, of_agent)),
        ]


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        column("title", text),
        "agent_type",
        column("project", text),
        column("branch", text),
        "status",
        column("state", text),
        column("last_event_at", moment, "last event", sortable=True),
        column("event_count", number, "events", sortable=True),
        column("call_count", number, "calls", sortable=True),
        column("cost_nanos", dollars, "cost", sortable=True),
    )
    list_filter = (
        value_filter("status", lambda: Status.values),
        period_filter("last_event_at"),
        value_filter("agent_type", agent_types),
        value_filter("project", projects),
        value_filter("parent", column="parent_id"),
    )
    ordering = ("-last_event_at", "-id")
    search_fields = ("id", "title", "project", "branch", "cwd")
    sections = (
        (None, ("id", column("title", text), "agent", "status", column("parent_id", text, "parent"))),
        (
            "When",
            (
                column("started_at", moment, "started"),
                column("last_event_at", moment, "last event"),
                column("ended_at", moment, "ended"),
            ),
        ),
        ("Where", tuple(column(name, text) for name in PLACE)),
        (
            "Now",
            (column("state", text), column("state_detail", text, "detail"), column("state_at", moment, "since")),
        ),
        (
            "Sums",
            (*(column(name, number) for name in SUMS), column("cost_nanos", exact_dollars, "cost")),
        ),
        ("More", (column("model", text, "last model"), column("metadata", json_block))),
    )

    def links(self, record: Session) -> list[Link]:
        mine = {"session": record.pk}
        links = [
            Link("Its events", list_address(Event, mine)),
            Link("Its calls", list_address(Call, mine)),
            Link("Its usage by hour", list_address(UsageHour, mine)),
            Link("Its files", list_address(SessionFile, mine)),
            Link("Its sub-agents", list_address(Subagent, mine)),
            Link("Its compactions", list_address(Compaction, mine)),
            Link("Sessions begun by it", list_address(Session, {"parent": record.pk})),
        ]
        if record.parent_id:
            links.append(Link("Its parent", list_address(Session, {"q": record.parent_id})))
        return links


@admin.register(SessionFile)
class SessionFileAdmin(ReadOnlyAdmin):
    list_display = ("path", session_link, column("edits", number, sortable=True))
    list_filter = (value_filter("session", column="session_id"),)
    list_select_related = ("session",)
    ordering = ("-id",)
    search_fields = ("path",)
    sections = ((None, ("path", session_link, column("edits", number))),)


@admin.register(Subagent)
class SubagentAdmin(ReadOnlyAdmin):
    list_display = (
        "subagent_id",
        session_link,
        column("kind", text),
        column("description", text),
        column("started_at", moment, "started"),
        column("ended_at", moment, "ended"),
    )
    list_filter = (value_filter("session", column="session_id"),)
    list_select_related = ("session",)
    ordering = ("-id",)
    search_fields = ("subagent_id",)
    sections = (
        (None, ("subagent_id", session_link, column("parent_subagent_id", text, "sent out by"))),
        ("What", (column("kind", text), column("description", text))),
        (
            "When",
            (
                column("started_at", moment, "started"),
                column("last_at", moment, "last sign of life"),
                column("ended_at", moment, "ended"),
            ),
        ),
    )


@admin.register(Compaction)
class CompactionAdmin(ReadOnlyAdmin):
    list_display = (
        column("at", moment),
        session_link,
        column("subagent_id", text, "sub-agent"),
        column("trigger", text),
        column("pre_tokens", number, "tokens before"),
    )
    list_filter = (value_filter("session", column="session_id"),)
    list_select_related = ("session",)
    ordering = ("-id",)
    search_fields = ("line_id",)
    sections = (
        (
            None,
            (
                column("at", moment),
                session_link,
                column("subagent_id", text, "sub-agent"),
                column("trigger", text),
                column("pre_tokens", number, "tokens before"),
                "line_id",
            ),
        ),
    )

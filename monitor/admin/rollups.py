"""The sums by hour, newest hours first."""

from django.contrib import admin

from monitor.admin.filters import value_filter
from monitor.admin.reading import ReadOnlyAdmin
from monitor.admin.sessions import agent_types
from monitor.admin.shown import column, dollars, duration, exact_dollars, hour, number, session_link, text
from monitor.models import EventHour, UsageHour
from monitor.rollups import EVENT_KEY, USAGE_SUMS


@admin.register(EventHour)
class EventHourAdmin(ReadOnlyAdmin):
    list_display = (
        column("received_hour", hour, "received"),
        column("happened_hour", hour, "happened"),
        *(column(name, text) for name in EVENT_KEY[2:]),
        column("events", number),
        column("errors", number),
        column("duration_total_ms", duration, "total duration"),
    )
    sortable_by = ()
    list_filter = (value_filter("agent_type", agent_types),)
    ordering = ("-received_hour", "-id")
    sections = (
        (
            None,
            (
                column("received_hour", hour, "received"),
                column("happened_hour", hour, "happened"),
                *(column(name, text) for name in EVENT_KEY[2:]),
                column("events", number),
                column("errors", number),
                column("timed_events", number),
                column("duration_total_ms", duration, "total duration"),
            ),
        ),
    )


@admin.register(UsageHour)
class UsageHourAdmin(ReadOnlyAdmin):
    list_display = (
        column("received_hour", hour, "received"),
        column("called_hour", hour, "called"),
        session_link,
        "agent_type",
        column("model", text),
        column("calls", number),
        column("uncached_input_tokens", number, "input"),
        column("cache_read_tokens", number, "cache read"),
        column("output_tokens", number, "output"),
        column("cost_nanos", dollars, "cost"),
    )
    sortable_by = ()
    list_filter = (value_filter("agent_type", agent_types), value_filter("session", column="session_id"))
    list_select_related = ("session",)
    ordering = ("-received_hour", "-id")
    sections = (
        (
            None,
            (
                column("received_hour", hour, "received"),
                column("called_hour", hour, "called"),
                session_link,
                "agent_type",
                column("model", text),
                *(column(name, number) for name in USAGE_SUMS[:-1]),
                column("cost_nanos", exact_dollars, "cost"),
            ),
        ),
    )

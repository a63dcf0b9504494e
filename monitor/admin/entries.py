"""Transcript entries: the list without their texts, found through the search index."""

from typing import Final

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from monitor.admin.facts import SUBAGENT, links_of_session
from monitor.admin.filters import value_filter
from monitor.admin.reading import Link, ReadOnlyAdmin
from monitor.admin.shown import column, json_block, list_address, moment, number, session_link, text, yes_no
from monitor.filters import FilterFault
from monitor.models import Entry
from monitor.search import latest_matches, words_of

# What a person leafs through; more is for the search page.
MOST_FOUND: Final = 1_000
TOOL: Final = column("tool_name", text, "tool")


@admin.register(Entry)
class EntryAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        column("at", moment, "when"),
        "agent_type",
        session_link,
        SUBAGENT,
        "kind",
        TOOL,
        column("is_error", yes_no, "error"),
        column("text_bytes", number, "bytes"),
    )
    sortable_by = ()
    list_filter = (value_filter("session", column="session_id"),)
    list_select_related = ("session",)
    ordering = ("-id",)
    search_fields = ("text",)
    search_help_text = (
        f"Words of the text, as on the search page: the latest {MOST_FOUND:,} entries that hold them"
    )
    sections = (
        (None, ("id", session_link, SUBAGENT, "agent_type", "kind", column("at", moment, "when"))),
        ("Tool", (TOOL, column("tool_id", text), column("is_error", yes_no, "error"))),
        ("Text", (column("text", json_block), column("text_bytes", number, "bytes before any cut"))),
        ("Key", (column("call_key", text, "call"), "entry_key")),
    )

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Entry], search_term: str
    ) -> tuple[QuerySet[Entry], bool]:
        listed = queryset.defer("text")
        if not search_term.strip():
            return listed, False
        try:
            found = latest_matches(words_of(search_term), MOST_FOUND)
        except FilterFault:
            return listed.none(), False
        return listed.filter(pk__in=found), False

    def links(self, record: Entry) -> list[Link]:
        entries = Link("Entries of the session", list_address(Entry, {"session": record.session_id}))
        return [entries, *links_of_session(record.session_id)]

"""What was imported how far, and facts about the database as a whole."""

from django.contrib import admin

from monitor.admin.filters import value_filter
from monitor.admin.reading import ReadOnlyAdmin
from monitor.admin.shown import column, moment, number
from monitor.models import ImportState, Marker


def sources() -> list[str]:
    return list(ImportState.objects.order_by("source").values_list("source", flat=True).distinct())


@admin.register(ImportState)
class ImportStateAdmin(ReadOnlyAdmin):
    list_display = (
        "file_path",
        "source",
        column("file_size", number, "bytes", sortable=True),
        column("events_imported", number, "events", sortable=True),
        column("imported_at", moment, "imported", sortable=True),
    )
    list_filter = (value_filter("source", sources),)
    ordering = ("-imported_at", "file_path")
    search_fields = ("file_path",)
    sections = (
        (
            None,
            (
                "file_path",
                "source",
                "file_hash",
                column("file_size", number, "bytes"),
                column("events_imported", number, "events"),
                column("imported_at", moment, "imported"),
            ),
        ),
    )


@admin.register(Marker)
class MarkerAdmin(ReadOnlyAdmin):
    list_display = ("key", "value")
    ordering = ("key",)
    sections = ((None, ("key", "value")),)

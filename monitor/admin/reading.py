"""What all lists have in common: read-only, counted within bounds, nothing but the filters offered."""

from typing import Any, ClassVar, Final, NamedTuple

from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property

# Counting stops there, where no rollup knows the number.
MOST_COUNTED: Final = 100_000
# An OFFSET walks over what it leaves out. Further back one goes by filters: a session, a time.
MOST_PAGES: Final = 1000


Sections = tuple[tuple[str | None, tuple[Any, ...]], ...]


class Link(NamedTuple):
    """A button above a record: to what belongs to it."""

    label: str
    address: str


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Takes the number of rows from who knows it, else counts up to a bound."""

    def __init__(self, rows: QuerySet[Model, Model], per_page: int, known_count: int | None = None) -> None:
        super().__init__(rows, per_page)
        self._rows, self._known_count = rows, known_count

    @cached_property
    def count(self) -> int:
        if self._known_count is not None:
            return self._known_count
        return self._rows.order_by()[:MOST_COUNTED].count()

    @cached_property
    def num_pages(self) -> int:
        return min(-(-self.count // self.per_page) or 1, MOST_PAGES)


class OwnOrder(ChangeList):
    """Sorts by what the list offers to sort by, also when the address asks for something else."""

    def get_ordering_field(self, field_name: Any) -> Any:
        offered = self.sortable_by is None or field_name in self.sortable_by
        return super().get_ordering_field(field_name) if offered else None


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Facts: shown, never added, changed or deleted here."""

    actions = None
    list_per_page = 100
    list_max_show_all = 0
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    empty_value_display = "–"
    view_on_site = False
    # The record's own page: headings, with the fields and columns under each.
    sections: ClassVar[Sections] = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Only the filters of the list: any other lookup in the address could scan the whole table."""
        return lookup in {getattr(item, "parameter_name", None) for item in self.get_list_filter(request)}

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return [(heading, {"fields": fields}) for heading, fields in self.sections]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> list[Any]:
        return flatten_fieldsets(self.get_fieldsets(request, obj))

    def get_changelist(self, request: HttpRequest, **options: Any) -> type[ChangeList]:
        return OwnOrder

    def known_count(self, request: HttpRequest) -> int | None:
        """How many rows the list has with the filters of the request; None where they must be counted."""
        return None

    def links(self, record: Any) -> list[Link]:
        return []

    def get_paginator(
        self,
        request: HttpRequest,
        queryset: Any,
        per_page: int,
        orphans: int = 0,
        allow_empty_first_page: bool = True,
    ) -> BoundedPaginator:
        searching = bool(request.GET.get("q"))
        return BoundedPaginator(queryset, per_page, None if searching else self.known_count(request))

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **options: Any) -> HttpResponse:
        record = context.get("original")
        context["links"] = self.links(record) if record is not None else []
        return super().render_change_form(request, context, *args, **options)

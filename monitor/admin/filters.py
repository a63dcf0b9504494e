"""Filters of the lists. Their values come from rollups and small tables, never from the large table itself."""

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Final

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from monitor.models import EventHour
from monitor.times import HOUR_MS, hour_of, now_ms, to_datetime

# More would be no help in a list to click on; the address takes any value.
MOST_VALUES: Final = 100
PERIODS: Final = {"hour": ("past hour", 1), "day": ("past 24 hours", 24), "week": ("past 7 days", 7 * 24)}
Rows = QuerySet[Model, Model]


class ValueFilter(admin.SimpleListFilter):
    """One column equals one value. What is chosen stays in the list, also where `values` doesn't know it."""

    column: str
    values: Callable[[], Iterable[str]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        known = list(islice(type(self).values(), MOST_VALUES))
        chosen = self.value()
        if chosen and chosen not in known:
            known.insert(0, chosen)
        return [(value, value) for value in known]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        chosen = self.value()
        return queryset.filter(**{self.column: chosen}) if chosen else queryset


def value_filter(
    parameter: str, values: Callable[[], Iterable[str]] = tuple, *, column: str | None = None
) -> type[ValueFilter]:
    """A filter by `?parameter=`; without values it shows itself only when a link has set it."""
    return type(
        f"{parameter.title()}Filter",
        (ValueFilter,),
        {
            "title": parameter.replace("_", " "),
            "parameter_name": parameter,
            "column": column or parameter,
            "values": staticmethod(values),
        },
    )


def of_events(column: str) -> Callable[[], Iterable[str]]:
    """The values that events have in a column, from their rollup."""

    def values() -> Iterable[str]:
        found = EventHour.objects.exclude(**{column: ""}).order_by(column)
        return found.values_list(column, flat=True).distinct()[:MOST_VALUES]

    return values


class PeriodFilter(admin.SimpleListFilter):
    """Since the start of an hour, so that the hourly rollups count exactly what the list shows."""

    title = "time"
    parameter_name = "since"
    column: str

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, _) in PERIODS.items()]

    def queryset(self, request: HttpRequest, queryset: Rows) -> Rows:
        since_ms = since_of(self.value())
        return queryset if since_ms is None else queryset.filter(**{f"{self.column}__gte": to_datetime(since_ms)})


def period_filter(column: str) -> type[PeriodFilter]:
    return type("PeriodFilter", (PeriodFilter,), {"column": column})


def since_of(period: str | None) -> int | None:
    """When a period of PERIODS began, in ms, at a full hour."""
    named = PERIODS.get(period or "")
    return None if named is None else hour_of(now_ms()) - named[1] * HOUR_MS

"""How values look to a human, and columns that show them so. Pure, but for the links' addresses."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from django.contrib import admin
from django.contrib.admin.utils import quote
from django.db import models
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from monitor.rows import NANOS_PER_DOLLAR
from monitor.times import from_datetime, row_text

NOTHING: Final = "–"
LONGEST_SUMMARY: Final = 100
# What says most of an event, the first that it has.
SUMMARY_KEYS: Final = ("command", "file_path", "message", "error", "query", "pattern", "path", "content_preview")
Column = Callable[[Any], Any]


def moment(at: datetime | None) -> str:
    """To the second, UTC, as everywhere."""
    return NOTHING if at is None else f"{row_text(from_datetime(at))} UTC"


def hour(at_ms: int) -> str:
    return f"{row_text(at_ms)[:16]} UTC"


def dollars(nanos: int | None) -> str:
    """To a hundredth of a cent; what costs less than that is not shown as nothing."""
    if nanos is None:
        return "no price"
    if 0 < nanos < NANOS_PER_DOLLAR // 10_000:
        return "< $0.0001"
    return f"${nanos / NANOS_PER_DOLLAR:,.4f}"


def exact_dollars(nanos: int | None) -> str:
    if nanos is None:
        return "no price"
    whole, rest = divmod(nanos, NANOS_PER_DOLLAR)
    return f"${whole:,}.{rest:09}"


def number(count: int) -> str:
    return f"{count:,}"


def duration(ms: int | None) -> str:
    if ms is None:
        return NOTHING
    if ms < 1000:
        return f"{ms} ms"
    if ms < 60_000:
        return f"{ms / 1000:.1f} s"
    minutes, seconds = divmod(ms // 1000, 60)
    return f"{minutes:,} min {seconds} s"


def text(value: str | None) -> str:
    return value or NOTHING


def yes_no(value: bool) -> str:
    return "yes" if value else "no"


def json_block(value: str) -> SafeString:
    """JSON text, indented; as it stands where it is none."""
    with suppress(msgspec.MsgspecError):
        value = msgspec.json.format(value, indent=2)
    return format_html('<pre class="json">{}</pre>', value)


def summary(metadata: str) -> str:
    """One line that says what an event was about."""
    try:
        value = msgspec.json.decode(metadata)
    except msgspec.MsgspecError:
        return NOTHING
    if not isinstance(value, dict):
        return NOTHING
    told = next((value[key] for key in SUMMARY_KEYS if isinstance(value.get(key), str) and value[key]), NOTHING)
    line = " ".join(told.split())
    return line if len(line) <= LONGEST_SUMMARY else f"{line[: LONGEST_SUMMARY - 1]}…"


def column(field: str, show: Callable[[Any], Any], title: str | None = None, *, sortable: bool = False) -> Column:
    """A column of the list, or a field of the detail page, that shows one field by `show`."""

    @admin.display(description=title or field.replace("_", " "), ordering=field if sortable else None)
    def shown(record: models.Model) -> Any:
        return show(getattr(record, field))

    shown.__name__ = field
    return shown


def record_link(model: type[models.Model], key: str, label: str) -> SafeString:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[quote(key)])
    return format_html('<a href="{}">{}</a>', address, label)


def list_address(model: type[models.Model], filters: Mapping[str, str]) -> str:
    address = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{address}?{urlencode(filters)}"


def session_link(record: Any) -> SafeString:
    """To the session of an event, a call or a rollup row; by its title where it has one."""
    session = record.session
    return record_link(type(session), session.pk, session.title or session.pk)


session_link.short_description = "session"  # type: ignore[attr-defined]

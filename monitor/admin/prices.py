"""The person's own prices: the one thing in the admin that may be changed, since no agent told it."""

import sqlite3
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse

from monitor.admin.shown import column, moment, text
from monitor.models import PriceOverride
from monitor.prices import check_target, registry_in_force
from monitor.prices_inbox import reprice_changed, unknown_models


class PriceOverrideForm(forms.ModelForm):  # type: ignore[type-arg]
    """As the model checks it, and that what a name stands for has a price."""

    class Meta:
        model = PriceOverride
        exclude = ("created_at",)
        widgets = {
            "model": forms.TextInput(attrs={"class": "vTextField"}),
            "same_as": forms.TextInput(attrs={"class": "vTextField"}),
        }

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if cleaned and cleaned.get("same_as"):
            check_target(cleaned.get("model") or "", cleaned["same_as"])
        return cleaned


@admin.register(PriceOverride)
class PriceOverrideAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    form = PriceOverrideForm
    actions = None
    list_display = (
        "model",
        "said",
        column("valid_from", lambda day: day.isoformat() if day else "always", "from"),
        column("valid_until", lambda day: day.isoformat() if day else "open", "until"),
        column("note", text),
        column("created_at", moment, "said"),
    )
    ordering = ("-id",)
    show_facets = admin.ShowFacets.NEVER
    view_on_site = False
    fieldsets = (
        (None, {"fields": ("model", "note")}),
        ("The same as", {"fields": ("same_as",)}),
        ("Discount", {"fields": ("discount_percent",)}),
        (
            "Prices",
            {
                "fields": (
                    "input_dollars",
                    "output_dollars",
                    "cache_read_dollars",
                    "cache_write_5m_dollars",
                    "cache_write_1h_dollars",
                )
            },
        ),
        ("When (UTC)", {"fields": ("valid_from", "valid_until")}),
    )

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {**(extra_context or {}), "unknown_models": unknown_models()})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        _reprice_after_commit(request)
        super().save_model(request, obj, form, change)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        _reprice_after_commit(request)
        super().delete_model(request, obj)


def _reprice_after_commit(request: HttpRequest) -> None:
    before = registry_in_force()

    def reprice() -> None:
        try:
            calls = reprice_changed(before).found
        except (DatabaseError, sqlite3.Error) as error:
            messages.error(request, f"The stored calls could not be priced anew ({error}): run recalculate_costs.")
        else:
            messages.info(request, f"Priced anew: {calls:,} stored calls.")

    transaction.on_commit(reprice)

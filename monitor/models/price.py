from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from monitor.models.fields import MillisField
from monitor.rows import NANOS_PER_DOLLAR
from monitor.times import now_ms, to_datetime
from pricing.datafile import MAX_DOLLARS_PER_MTOK

CENT_OF_PERCENT = Decimal("0.01")


class DollarsField(models.BigIntegerField):  # type: ignore[type-arg]
    """Dollars per million tokens: stored as integer nano-dollars, exact, and seen from Python as a decimal."""

    def from_db_value(self, value: int | None, *_: object) -> Decimal | None:
        return None if value is None else Decimal(value) / NANOS_PER_DOLLAR

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or value == "":
            return None
        try:
            dollars = Decimal(str(value))
            nanos = dollars * NANOS_PER_DOLLAR
            if nanos != int(nanos):
                raise ValidationError("Must not be finer than a nano-dollar.")
        except (ArithmeticError, ValueError):
            raise ValidationError("Must be a number of dollars.") from None
        return dollars

    def get_prep_value(self, value: Any) -> int | None:
        return None if value is None else int(Decimal(value) * NANOS_PER_DOLLAR)

    @property
    def validators(self) -> list[Any]:
        return [MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(MAX_DOLLARS_PER_MTOK))]

    def formfield(self, **_: Any) -> forms.Field:
        return forms.DecimalField(
            required=not self.blank,
            label=str(self.verbose_name).capitalize(),
            help_text=self.help_text,
            max_digits=16,
            decimal_places=9,
        )


def _dollars(name: str) -> DollarsField:
    return DollarsField(name, null=True, blank=True, help_text="Dollars per million tokens.")


def current_moment() -> Any:
    return to_datetime(now_ms())


class PriceOverride(models.Model):
    """A person's own word on a model's price; it wins over the price files (docs/prices.md).

    One of: the same as another model; a discount; prices of its own. Days are UTC, the last one is the first
    that it no longer holds.
    """

    id = models.BigAutoField(primary_key=True)
    model = models.TextField(help_text="As agents report it; every spelling of a known model.")
    same_as = models.TextField(null=True, blank=True, help_text="A known model that this name stands for.")
    discount_percent = models.DecimalField(
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(CENT_OF_PERCENT), MaxValueValidator(Decimal(100))],
        help_text="Off the price that would hold otherwise.",
    )
    input_dollars = _dollars("uncached input")
    output_dollars = _dollars("output")
    cache_read_dollars = _dollars("cache read")
    cache_write_5m_dollars = _dollars("5-minute cache write")
    cache_write_1h_dollars = _dollars("1-hour cache write")
    valid_from = models.DateField(null=True, blank=True)
    valid_until = models.DateField(null=True, blank=True)
    note = models.TextField(default="", blank=True)
    created_at = MillisField(default=current_moment, editable=False)

    class Meta:
        db_table = "price_overrides"

    def __str__(self) -> str:
        return f"{self.model} ({self.id})"

    @property
    @admin.display(description="price")
    def said(self) -> str:
        """In words."""
        if self.same_as:
            return f"is {self.same_as}"
        if self.discount_percent is not None:
            return f"{self.discount_percent} % off"
        return f"${self.input_dollars:f} in, ${self.output_dollars:f} out"

    def clean(self) -> None:
        prices = (self.input_dollars, self.output_dollars)
        caches = (self.cache_read_dollars, self.cache_write_5m_dollars, self.cache_write_1h_dollars)
        has_prices = any(price is not None for price in (*prices, *caches))
        said = [bool(self.same_as), self.discount_percent is not None, has_prices]
        if sum(said) != 1:
            raise ValidationError("Give one of: the same as another model, a discount, or prices.")
        if has_prices and None in prices:
            raise ValidationError("A price needs uncached input and output; caches cost as input otherwise.")
        if self.valid_from and self.valid_until and self.valid_from >= self.valid_until:
            raise ValidationError({"valid_until": "Must be after the first day."})
        if self.same_as and (self.valid_from or self.valid_until):
            raise ValidationError("What a name stands for has no time.")

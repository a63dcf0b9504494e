"""Column types of our own."""

from datetime import datetime
from typing import Any

from django.db import models

from monitor.times import from_datetime, to_datetime


class MillisField(models.BigIntegerField):  # type: ignore[type-arg]
    """A moment, stored as integer milliseconds since 1970 UTC and seen from Python as an aware datetime.

    Integers are smaller than text, exact, compared fast, and the same in SQLite and PostgreSQL.
    """

    def from_db_value(self, value: int | None, *_: object) -> datetime | None:
        return None if value is None else to_datetime(value)

    def to_python(self, value: Any) -> Any:
        return to_datetime(value) if isinstance(value, int) else value

    def get_prep_value(self, value: Any) -> Any:
        return from_datetime(value) if isinstance(value, datetime) else super().get_prep_value(value)

"""`manage.py rebuild_rollups`: the sums computed anew from events and calls."""

import sqlite3
from collections.abc import Iterator
from typing import Any

from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError, connection, transaction

from monitor.rollups_check import COLUMNS, Difference, rebuild_and_compare


class Command(BaseCommand):
    help = (
        "Compute the hourly sums and the sums of sessions anew, and show what was different (nothing should be)."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            # One transaction: readers see the old sums until the new ones are complete.
            with transaction.atomic():
                differences = rebuild_and_compare(connection.connection)
        except (DatabaseError, sqlite3.Error) as error:
            raise CommandError(f"The rollups are as they were: {error}") from None
        self.stdout.write(f"Rebuilt {', '.join(COLUMNS)}.")
        for difference in differences:
            for line in _lines(difference):
                self.stdout.write(line)
        self.stdout.write(f"{len(differences)} tables differed." if differences else "No differences.")


def _lines(difference: Difference) -> Iterator[str]:
    """In the manner of diff: `-` is what stood there, `+` what stands there now."""
    columns = COLUMNS[difference.table]
    yield f"{difference.table}: {difference.rows_before} rows before, {difference.rows_after} after"
    for sign, rows in (("-", difference.examples_before), ("+", difference.examples_after)):
        for row in rows:
            named = (f"{name}={value}" for name, value in zip(columns, row, strict=True))
            yield f"  {sign} {' '.join(named)}"

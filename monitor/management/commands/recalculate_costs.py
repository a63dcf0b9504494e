"""`manage.py recalculate_costs`: the ledger priced anew by the price book that is in force."""

import sqlite3
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any, Final

from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError
from rich.console import Console

from monitor.filters import FilterFault, moment_of
from monitor.prices import django_connection, registry_in_force
from monitor.prices_inbox import stored_spellings
from monitor.recalculate import Recalculation, Wanted, recalculate, total_lines

# Between two slices the server's writer gets its turn.
PAUSE_SECONDS: Final = 0.02


class Command(BaseCommand):
    help = "Price every call anew; costs that a client stated are kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--since", help="calls from that time on (UTC; a date or ISO 8601)")
        parser.add_argument("--model", help="calls of that model, in every spelling")
        parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        figures = Recalculation()
        since_ms = _since_ms(options["since"])
        try:
            raw, registry = django_connection(), registry_in_force()
            models = None if options["model"] is None else stored_spellings(raw, registry, options["model"])
            wanted = Wanted(since_ms, models)
            with Console(stderr=True).status("Pricing …") as shown:
                for figures in recalculate(raw, registry, dry_run=dry_run, wanted=wanted):
                    shown.update(f"Pricing … {figures.found} calls")
                    if not dry_run:
                        time.sleep(PAUSE_SECONDS)
        except (DatabaseError, sqlite3.Error) as error:
            raise CommandError(f"Stopped after {figures.found} calls; run it again: {error}") from None
        for line in _lines(figures):
            self.stdout.write(line)
        if dry_run:
            self.stdout.write("Dry run: nothing was changed.")


def _since_ms(text: str | None) -> int | None:
    try:
        return moment_of("--since", text)
    except FilterFault as fault:
        raise CommandError(str(fault)) from None


def _lines(figures: Recalculation) -> Iterator[str]:
    yield f"Calls found        {figures.found}"
    yield f"  updated          {figures.updated}"
    yield f"  unchanged        {figures.unchanged}"
    yield f"  client's price   {figures.kept} (kept)"
    yield f"  unknown model    {figures.unknown_models.total()}"
    for model, calls in figures.unknown_models.most_common():
        yield f"    {model or '(no model named)'}: {calls}"
    yield f"Events updated     {figures.events_updated}"
    yield from total_lines(figures)

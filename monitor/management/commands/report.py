"""`manage.py report`: the ledger summed, in a terminal."""

from argparse import ArgumentParser
from typing import IO, Any, cast

from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError

from monitor.filters import FilterFault, zone_of
from monitor.report import KINDS, Report, report_filter, usage_report
from monitor.report_text import as_csv, as_json, show_table
from monitor.times import now_ms


class Command(BaseCommand):
    help = "Calls, tokens and cost by day, week, month, session, model, project, or in windows of 5 hours."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("kind", choices=KINDS)
        parser.add_argument("--since", metavar="TIME", help="leave out earlier calls; a day is one of the zone")
        parser.add_argument("--until", metavar="TIME", help="leave out later calls; a day is whole")
        parser.add_argument("--tz", metavar="ZONE", help="whose days, weeks and months, as Europe/Berlin (UTC)")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument("--csv", action="store_true", help="print comma-separated lines")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["json"] and options["csv"]:
            raise CommandError("One of --json and --csv, not both.")
        report = _report(options)
        if options["json"]:
            self.stdout.write(as_json(report))
        elif options["csv"]:
            self.stdout.write(as_csv(report), ending="")
        else:
            show_table(report, cast(IO[str], self.stdout))


def _report(options: dict[str, Any]) -> Report:
    try:
        zone = zone_of(options["tz"])
        wanted = report_filter(options["since"], options["until"], zone)
        return usage_report(options["kind"], wanted, zone, now_ms())
    except FilterFault as fault:
        raise CommandError(f"--{fault}") from None
    except DatabaseError as error:
        raise CommandError(f"The database can't be read: {error}") from None

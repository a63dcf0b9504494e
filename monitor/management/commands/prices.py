"""`manage.py prices list|show|sync|set|map|remove`: the price book, and a person's own word in it."""

import json
import sqlite3
from argparse import ArgumentParser
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError
from rich.console import Console

from monitor.models import PriceOverride
from monitor.prices import registry_in_force, save_override
from monitor.prices_inbox import reprice_changed
from monitor.prices_shown import row_as_dict, row_lines, table_lines
from monitor.recalculate import total_lines
from monitor.times import from_datetime, now_ms, to_datetime
from pricing.registry import DATA, PricingRegistry
from pricing.source import SourceMissing, find_source_model
from pricing.sync import Difference, add_row, differences, written

PRICES: Final = ("input", "output", "cache-read", "cache-write-5m", "cache-write-1h")


class Command(BaseCommand):
    help = "Show the price book, bring it up to date, and say prices of one's own."

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        listed = actions.add_parser("list", help="every model with the price that holds")
        shown = actions.add_parser("show", help="what applies to a model")
        shown.add_argument("model")
        for action in (listed, shown):
            action.add_argument("--at", type=_day, help="on that day (UTC; default: now)")
            action.add_argument("--json", action="store_true", help="as JSON")
        sync = actions.add_parser("sync", help="add to the files what the installed genai-prices says from now on")
        sync.add_argument("--dry-run", action="store_true", help="print the difference, and change nothing")
        own = actions.add_parser("set", help="a price of one's own, or a discount")
        own.add_argument("model")
        for name in PRICES:
            own.add_argument(f"--{name}", type=_decimal, metavar="USD", help="dollars per million tokens")
        own.add_argument("--discount", type=_decimal, metavar="PERCENT", help="off the price that holds otherwise")
        own.add_argument("--from", dest="valid_from", type=_day, help="first day (UTC)")
        own.add_argument("--until", dest="valid_until", type=_day, help="first day that it no longer holds")
        mapped = actions.add_parser("map", help="say that an unknown name is a known model")
        mapped.add_argument("model", metavar="UNKNOWN")
        mapped.add_argument("same_as", metavar="KNOWN")
        for action in (own, mapped):
            action.add_argument("--note", default="", help="why")
        removed = actions.add_parser("remove", help="take back what was said with set or map")
        removed.add_argument(
            "number", type=int, help="what `set` or `map` answered; list shows it in the price's id"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        acts: dict[str, Callable[[dict[str, Any]], None]] = {
            "list": self._list,
            "show": self._show,
            "sync": self._sync,
            "set": self._set,
            "map": self._map,
            "remove": self._remove,
        }
        try:
            acts[options["action"]](options)
        except (DatabaseError, sqlite3.Error) as error:
            raise CommandError(f"{error} (is the database migrated?)") from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None

    def _list(self, options: dict[str, Any]) -> None:
        registry, at_ms = registry_in_force(), _at_ms(options["at"])
        names = {model.name for model in registry.models} | {each.model for each in registry.overrides}
        rows = [(name, registry.lookup(name, at_ms)) for name in sorted(names)]
        if options["json"]:
            self._json([row_as_dict(row) | {"name": name} for name, row in rows if row is not None])
            return
        self._lines(table_lines([(name, row) for name, row in rows if row is not None]))

    def _show(self, options: dict[str, Any]) -> None:
        at_ms = _at_ms(options["at"])
        row = registry_in_force().lookup(options["model"], at_ms)
        if row is None:
            day = to_datetime(at_ms).date()
            raise CommandError(f"{options['model']} has no price on {day}: see `prices set` and `prices map`.")
        if options["json"]:
            self._json(row_as_dict(row))
            return
        self._lines(row_lines(row))

    def _sync(self, options: dict[str, Any]) -> None:
        added = 0
        for path in sorted(DATA.glob("*.json")):
            try:
                added += self._sync_file(path, dry_run=options["dry_run"])
            except SourceMissing:
                raise CommandError("genai-prices is not installed: pip install genai-prices") from None
        if not added:
            self.stdout.write("No price is to be added.")
        elif options["dry_run"]:
            self.stdout.write("Dry run: nothing was changed.")

    def _sync_file(self, path: Path, *, dry_run: bool) -> int:
        content, today, added = json.loads(path.read_text()), datetime.now(UTC).date(), 0
        found = list(differences(content, lambda model: find_source_model(path.name, model), today))
        for difference, source in found:
            self._lines(_difference_lines(difference, source))
            if difference.is_added:
                add_row(content, difference, source, today)
                added += 1
        if added and not dry_run:
            path.write_text(written(content))
        return added

    def _set(self, options: dict[str, Any]) -> None:
        prices = {f"{name.replace('-', '_')}_dollars": options[name.replace("-", "_")] for name in PRICES}
        self._save(
            PriceOverride(
                model=options["model"],
                discount_percent=options["discount"],
                valid_from=options["valid_from"],
                valid_until=options["valid_until"],
                note=options["note"],
                **prices,
            )
        )

    def _map(self, options: dict[str, Any]) -> None:
        self._save(PriceOverride(model=options["model"], same_as=options["same_as"], note=options["note"]))

    def _save(self, override: PriceOverride) -> None:
        before = registry_in_force()
        save_override(override)
        self.stdout.write(f"Stored as number {override.pk}.")
        row = registry_in_force().lookup(override.model, now_ms())
        self._lines([] if row is None else row_lines(row))
        self._reprice(before, override.model)

    def _remove(self, options: dict[str, Any]) -> None:
        before = registry_in_force()
        override = PriceOverride.objects.filter(pk=options["number"]).first()
        if override is None:
            raise CommandError(f"There is no price of your own with number {options['number']}.")
        override.delete()
        self.stdout.write(f"Taken back: number {options['number']}, {override.model} {override.said}.")
        self._reprice(before, override.model)

    def _reprice(self, before: PricingRegistry, model: str) -> None:
        """Price the stored calls that it concerns, in slices beside a server, and say what came of it."""
        try:
            with Console(stderr=True).status("Pricing the stored calls anew …"):
                figures = reprice_changed(before, model)
        except (DatabaseError, sqlite3.Error) as error:
            raise CommandError(f"Not all stored calls are priced anew ({error}): run recalculate_costs.") from None
        self.stdout.write(f"Calls priced anew  {figures.found}")
        if figures.unknown_models:
            self.stdout.write(f"  without a price  {figures.unknown_models.total()}")
        self._lines(list(total_lines(figures)))

    def _json(self, value: object) -> None:
        self.stdout.write(json.dumps(value, indent=2))

    def _lines(self, lines: list[str]) -> None:
        for line in lines:
            self.stdout.write(line)


def _difference_lines(difference: Difference, source: str) -> list[str]:
    what = "is added" if difference.is_added else "is past: stays as it was"
    names = dict.fromkeys([*difference.before, *difference.after])
    changes = [
        f"    {name}: {difference.before.get(name, 'not given')} → {difference.after.get(name, 'not given')}"
        for name in names
        if difference.before.get(name) != difference.after.get(name)
    ]
    return [f"{difference.model} from {difference.from_day} ({source}): {what}", *changes]


def _at_ms(day: date | None) -> int:
    return now_ms() if day is None else from_datetime(datetime.combine(day, time(), UTC))


def _day(text: str) -> date:
    return date.fromisoformat(text)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        raise ValueError(text) from None

"""`manage.py show_config`: what is in force, and where each value came from."""

import os
from typing import Any

import msgspec
from django.conf import settings
from django.core.management import BaseCommand, CommandParser

from config.environment import unknown_names

HIDDEN = {"AGENTMONITOR_TOKEN"}


class Command(BaseCommand):
    help = "Print the settings in force and where each value came from."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = [
            {"variable": origin.variable, "value": _shown(origin.variable, origin.value), "source": origin.source}
            for origin in settings.ENVIRONMENT_ORIGINS
        ]
        unknown = unknown_names(os.environ)
        if options["json"]:
            self.stdout.write(msgspec.json.encode({"settings": rows, "unknown": unknown}).decode())
            return
        for row in rows:
            self.stdout.write(f"{row['variable']:<48} {row['value']:<40} {row['source']}")
        for name in unknown:
            self.stderr.write(f"{name} is set, but is no setting of AgentMonitor")


def _shown(name: str, value: object) -> str:
    if name in HIDDEN and value:
        return "(set)"
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value) or "-"
    return "-" if value is None else str(value)

"""`manage.py seed_demo`: invented sessions in a database of their own."""

import sqlite3
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError

from ingest.demo.database import DemoRefused, seed
from ingest.demo.story import DAYS, story
from monitor.lifecycle import MINUTE_MS
from monitor.times import now_ms


class Command(BaseCommand):
    help = f"Fill a database of its own with {DAYS} days of invented sessions, some of them running now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        path = settings.ENVIRONMENT.db_path.parent / "demo.db"
        parser.add_argument("--path", type=Path, default=path, help=f"the demo's database file (default {path})")
        parser.add_argument("--force", action="store_true", help="replace a demo that is there already")

    def handle(self, *args: Any, path: Path, force: bool, **options: Any) -> None:
        at_ms = now_ms()
        timeout_ms = settings.ENVIRONMENT.session_timeout_minutes * MINUTE_MS
        try:
            counts = seed(path, story(at_ms), session_timeout_ms=timeout_ms, now_ms=at_ms, anew=force)
        except DemoRefused as error:
            raise CommandError(str(error)) from None
        except (OSError, DatabaseError, sqlite3.Error) as error:
            raise CommandError(f"{path} can't be written: {error}") from None
        self.stdout.write(
            f"{path} holds {counts.sessions:,} sessions, {counts.events:,} events and {counts.calls:,} calls."
        )
        # A port of its own: else the reader's own agents would report to the demo.
        port = settings.ENVIRONMENT.port + 1
        self.stdout.write("Look at it while some of them still run:")
        self.stdout.write(f"  AGENTMONITOR_DB_PATH={path} AGENTMONITOR_PORT={port} make run")

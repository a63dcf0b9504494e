"""The demo's own database: which file may become one, and how the story gets into it."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple, cast
from urllib.parse import quote

from django.core.management import call_command
from django.db import DatabaseError, connections

from ingest.demo.story import Step
from ingest.git import BranchLookup
from ingest.store import StoreRules, advance, write_group
from monitor.models import Agent, Call, Event, EventHour, ImportState, Marker, Session, SessionFile, UsageHour
from monitor.status import DEMO_MARKER
from pricing.registry import default_registry

ALIAS: Final = "demo"
FACTS: Final = (Event, Call, Session, Agent, ImportState)
# Each after what refers to it.
CLEARED: Final = (SessionFile, UsageHour, EventHour, Call, Event, Session, Agent, ImportState)


class DemoRefused(Exception):
    """The file can't become a demo; the text says why, in one line."""


class DemoCounts(NamedTuple):
    sessions: int
    events: int
    calls: int


def seed(path: Path, steps: Sequence[Step], *, session_timeout_ms: int, now_ms: int, anew: bool) -> DemoCounts:
    """Make the demo in the file at `path`. Raises DemoRefused, with nothing changed."""
    _check(path, anew=anew)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _opened(str(path)) as raw:
        call_command("migrate", database=ALIAS, verbosity=0, interactive=False)
        # First of all, so that what is cut short is a demo too.
        Marker.objects.using(ALIAS).update_or_create(key=DEMO_MARKER, defaults={"value": "1"})
        for model in CLEARED:
            model.objects.using(ALIAS).all().delete()
        _tell(raw, steps, session_timeout_ms, now_ms)
        return DemoCounts(*(model.objects.using(ALIAS).count() for model in (Session, Event, Call)))


def _check(path: Path, *, anew: bool) -> None:
    """Looks only, so that a database that is no demo stays as it is to the last byte."""
    if not path.exists() or path.stat().st_size == 0:
        return
    try:
        with _opened(f"file:{quote(str(path.absolute()))}?mode=ro", init_command=""):
            tables = connections[ALIAS].introspection.table_names()
            ours = Marker._meta.db_table in tables
            is_demo = ours and Marker.objects.using(ALIAS).filter(key=DEMO_MARKER).exists()
            holds_data = any(model.objects.using(ALIAS).exists() for model in FACTS) if ours else bool(tables)
    except DatabaseError as error:
        raise DemoRefused(f"{path} can't be read: {error}") from None
    if holds_data and not is_demo:
        raise DemoRefused(f"{path} holds data that is no demo; choose another --path")
    if is_demo and holds_data and not anew:
        raise DemoRefused(f"{path} holds a demo already; --force makes it anew")


@contextmanager
def _opened(name: str, **options: str) -> Iterator[sqlite3.Connection]:
    """A connection beside Django's default one, with the same settings but for the file."""
    default = connections.settings["default"]
    connections.settings[ALIAS] = {**default, "NAME": name, "OPTIONS": {**default["OPTIONS"], **options}}
    try:
        connections[ALIAS].ensure_connection()
        yield cast(sqlite3.Connection, connections[ALIAS].connection)
    finally:
        connections[ALIAS].close()
        del connections[ALIAS]
        del connections.settings[ALIAS]


def _tell(raw: sqlite3.Connection, steps: Sequence[Step], session_timeout_ms: int, now_ms: int) -> None:
    """As the server would have stored it, each step at its own time, with time passing in between."""
    # The demo names its branches; a real directory of the same name is none of its business.
    rules = StoreRules(default_registry(), BranchLookup(Path("/nonexistent")), import_recent_ms=0)
    for clock_ms, step in _clock(steps, session_timeout_ms, now_ms):
        advance(raw, clock_ms, session_timeout_ms)
        if step is not None:
            write_group(raw, [step.batch], step.at_ms, rules)


def _clock(steps: Sequence[Step], tick_ms: int, now_ms: int) -> Iterator[tuple[int, Step | None]]:
    """Each step at its time, and ticks where nothing happens, up to now."""
    clock_ms = steps[0].at_ms if steps else now_ms
    for step in steps:
        for tick in range(clock_ms + tick_ms, step.at_ms, tick_ms):
            yield tick, None
        clock_ms = step.at_ms
        yield clock_ms, step
    yield now_ms, None

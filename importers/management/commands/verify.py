"""`manage.py verify`: the ledger held against the transcripts on disk."""

from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import DatabaseError
from rich.console import Console

from importers.command import add_directories, roots_wanted
from importers.files import SOURCES
from importers.findings import KINDS, Finding, SessionCost, Verification
from importers.reread import Transcripts
from importers.verify import verify
from monitor.prices import registry_in_force
from monitor.receipts import NANO_PLACES, decimal_text
from monitor.report_text import printable

# More findings of one kind are counted, not listed; --json has them all.
MOST_LISTED: Final = 100
MOST_LISTED_OF_SESSION: Final = 5
WORDS: Final = {
    "missing": "missing in the ledger",
    "double": "counted twice",
    "differs": "differing from their transcript",
    "conflict": "of which transcript and telemetry tell different tokens",
    "price": "priced otherwise than by the price book",
}


class Command(BaseCommand):
    help = "Read the transcripts on disk anew and name each call and session that the ledger has otherwise."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print everything as one JSON object")
        add_directories(parser, SOURCES)

    def handle(self, *args: Any, **options: Any) -> None:
        roots = {source.name: roots_wanted(source, options[source.name]) for source in SOURCES}
        with Console(stderr=True).status("Reading …") as shown:
            transcripts = Transcripts()
            for source in SOURCES:
                shown.update(f"Reading what {source.title} wrote …")
                transcripts.read(source, roots[source.name], settings.ENVIRONMENT.sync_exclude_patterns)
            shown.update("Comparing …")
            found = _compared(transcripts)
        if options["json"]:
            self.stdout.write(msgspec.json.encode(found).decode())
        else:
            for line in _lines(found):
                self.stdout.write(printable(line))
        if not found.agrees:
            raise CommandError("The ledger and its witnesses disagree.")


def _compared(transcripts: Transcripts) -> Verification:
    try:
        return verify(transcripts, registry_in_force())
    except DatabaseError as error:
        raise CommandError(f"The database can't be read: {error}") from None


def _lines(found: Verification) -> Iterator[str]:
    yield f"Files read         {found.files:,} ({found.bad_lines:,} bad lines)"
    yield f"Calls on disk      {found.calls_on_disk:,}"
    yield f"Calls in ledger    {found.calls_in_ledger:,}"
    yield f"  confirmed        {found.confirmed:,}"
    yield f"  told elsewhere   {found.elsewhere:,}"
    counts = Counter(finding.kind for finding in found.findings)
    for kind in KINDS:
        yield f"Calls {WORDS[kind]}: {counts[kind]:,}"
        listed = [finding for finding in found.findings if finding.kind == kind][:MOST_LISTED]
        yield from map(_finding_line, listed)
        if counts[kind] > len(listed):
            yield f"  and {counts[kind] - len(listed):,} more (--json lists all)"
    yield f"Sessions whose client states another cost: {len(found.sessions):,}"
    for session in found.sessions[:MOST_LISTED]:
        yield from _session_lines(session)
    for file in found.unreadable:
        yield f"Unreadable: {file['path']}: {file['reason']}"


def _finding_line(finding: Finding) -> str:
    call = f"call {finding.call_id}" if finding.call_id is not None else "call"
    parts = [f"  {call} {finding.call_key} of {finding.agent_type} {finding.session_id}"]
    parts += [f"{name} {ours} → {right}" for name, (ours, right) in finding.differences.items()]
    parts.append(f"cost {_usd(finding.ledger_nanos)} → {_usd(finding.right_nanos)}")
    parts += [part for part in (finding.note, finding.where) if part]
    return "; ".join(parts)


def _session_lines(session: SessionCost) -> Iterator[str]:
    costs = f"stated {_usd(session.stated_nanos)}, ours {_usd(session.our_nanos)}"
    yield f"  {session.session_id}: {costs}, {_usd(session.difference_nanos)} apart over {session.calls:,} calls"
    for call in session.apart[:MOST_LISTED_OF_SESSION]:
        stated, ours = _usd(call.stated_nanos), _usd(call.our_nanos)
        yield f"    call {call.call_id} {call.call_key}: stated {stated}, ours {ours}"


def _usd(nanos: int | None) -> str:
    return "unpriced" if nanos is None else f"${decimal_text(nanos, NANO_PLACES)}"

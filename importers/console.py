"""What an import command shows: a bar on a terminal, plain lines elsewhere, the sums at the end."""

from collections.abc import Iterator
from typing import IO, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from importers import report as outcome
from importers.report import MOST_LISTED, FileReport

NOTES = {outcome.SKIPPED: "unchanged", outcome.STOPPED: "stopped"}


def with_bar(reports: Iterator[FileReport], total: int, title: str, stream: IO[str]) -> Iterator[FileReport]:
    """Passes the reports on and shows how many of the files are done."""
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(file=stream), transient=True) as progress:
        task = progress.add_task("", total=total)
        events = 0
        for report in reports:
            events += report.events
            progress.update(task, advance=1, description=f"{events:,} events")
            yield report


def plain_line(report: FileReport) -> str:
    """One line for a file: what became of it, and how many events."""
    note = report.error or NOTES.get(report.outcome)
    if note is None and report.outcome != outcome.EMPTY:
        note = f"{report.events} events, {report.duplicates} duplicates"
    return f"{report.outcome:5} {report.path}" + (f"  ({note})" if note else "")


def show_summary(title: str, sums: dict[str, Any], stream: IO[str], *, is_terminal: bool) -> None:
    """The table at the end; plain `name: value` lines where nobody looks."""
    rows = list(_rows(sums))
    if not is_terminal:
        for name, value in rows:
            stream.write(f"{name}: {value}\n")
    else:
        table = Table(title=f"{title}{' (dry run: nothing stored)' if sums['dry_run'] else ''}", show_header=False)
        for name, value in rows:
            table.add_row(name, value)
        Console(file=stream).print(table)
    for line in _faults(sums):
        stream.write(line + "\n")


def _rows(sums: dict[str, Any]) -> Iterator[tuple[str, str]]:
    files, events, calls, tokens = sums["files"], sums["events"], sums["calls"], sums["tokens"]
    yield "Files scanned", f"{files['seen']:,}"
    yield "Files read", f"{files['read']:,}"
    yield "Files skipped", f"{files['skipped']:,}"
    yield "Lines", f"{sums['lines']:,}, {sums['bad_lines']:,} bad"
    yield "Sessions", f"{sums['sessions']:,}"
    yield "Events found", f"{events['found']:,}"
    yield "Events imported", f"{events['imported']:,}"
    yield "Duplicates", f"{events['duplicates']:,}"
    yield "Calls", f"{calls['found']:,}"
    yield "Calls stored", f"{calls['new']:,} new, {calls['confirmed']:,} confirmed, {calls['replaced']:,} replaced"
    for name, count in tokens.items():
        yield name.replace("_", " ").capitalize(), f"{count:,}"
    yield "Cost", f"${sums['cost_usd']:,.6f}"
    yield "Models without a price", ", ".join(sums["unpriced_models"]) or "none"
    if sums["not_understood"]:
        kinds = ", ".join(f"{kind} ({count:,})" for kind, count in sums["not_understood"].items())
        yield "Not understood", kinds
    yield "Seconds", f"{sums['seconds']:.1f}"


def _faults(sums: dict[str, Any]) -> Iterator[str]:
    for bad in sums["bad"]:
        yield f"bad line: {bad['path']}:{bad['line']}: {bad['reason']}"
    if sums["bad_lines"] > len(sums["bad"]):
        yield f"(the first {MOST_LISTED} of {sums['bad_lines']} bad lines)"
    for file in sums["unreadable"]:
        yield f"unreadable: {file['path']}: {file['reason']}"

"""A report as people and programs read it: a table with bars, JSON, CSV."""

import csv
import io
from typing import IO, Final

import msgspec
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from monitor.queries_usage import UsageSums
from monitor.report import Report, Row

SUMS: Final = UsageSums.__struct_fields__
WIDE_TOKENS: Final = {
    "Input": ("input_tokens",),
    "Write 5m": ("cache_write_5m_tokens",),
    "Write 1h": ("cache_write_1h_tokens",),
    "Cache read": ("cache_read_tokens",),
    "Output": ("output_tokens",),
}
NARROW_TOKENS: Final = {
    "In": ("input_tokens",),
    "Write": ("cache_write_5m_tokens", "cache_write_1h_tokens"),
    "Read": ("cache_read_tokens",),
    "Out": ("output_tokens",),
}
NAME_CELLS: Final = 40
MINUTE_CHARACTERS: Final = len("2026-01-31T08:00")
# In narrower terminals only the first name stands, tokens are rounded, and models are left out.
WIDE_COLUMNS: Final = 140
BAR_CELLS: Final = 16
EIGHTHS: Final = " ▏▎▍▌▋▊▉"
# Where nobody looks, a line has room for all of it.
PLAIN_WIDTH: Final = 200
NOTHING: Final = "–"


def as_json(report: Report) -> str:
    return msgspec.json.encode(report).decode()


def as_csv(report: Report) -> str:
    """One line for each row, without the totals; models are joined by spaces."""
    written = io.StringIO()
    columns = (*report.columns, "models", *SUMS)
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(columns)
    for row in report.rows:
        joined = {**row, "models": " ".join(row["models"])}
        writer.writerow(["" if joined[name] is None else joined[name] for name in columns])
    return written.getvalue()


def show_table(report: Report, stream: IO[str]) -> None:
    """The rows, their sums and a bar for each one's share of the dearest."""
    console = Console(file=stream) if stream.isatty() else Console(file=stream, width=PLAIN_WIDTH)
    if report.rows:
        console.print(_table(report, is_wide=console.width >= WIDE_COLUMNS))
    else:
        console.print("No calls in this time.")


def _table(report: Report, *, is_wide: bool) -> Table:
    table = Table(show_footer=True, box=SIMPLE_HEAD, padding=(0, 1 if is_wide else 0), pad_edge=False)
    names = report.columns if is_wide else report.columns[:1]
    longest = NAME_CELLS if is_wide else NAME_CELLS // 2
    for index, name in enumerate(names):
        footer = "" if index else "Total"
        table.add_column(_title(name), footer=footer, no_wrap=not is_wide, max_width=longest)
    # Grouped by model, the row's name says it.
    has_models = is_wide and "model" not in names
    if has_models:
        table.add_column("Models")
    for title, footer in _figures(msgspec.structs.asdict(report.totals), is_wide=is_wide).items():
        table.add_column(title, footer=footer, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    dearest = max(row["cost_usd"] for row in report.rows)
    for row in report.rows:
        shown = [_shown(name, row[name]) for name in names]
        models = [printable(", ".join(row["models"]))] if has_models else []
        figures = _figures(row, is_wide=is_wide).values()
        cells = BAR_CELLS if is_wide else BAR_CELLS // 2
        # As Text: a name may hold what rich would take for markup.
        table.add_row(*map(Text, (*shown, *models, *figures)), bar(row["cost_usd"], dearest, cells))
    return table


def _title(name: str) -> str:
    return name.removesuffix("_id").replace("_", " ").capitalize()


def _figures(sums: Row, *, is_wide: bool) -> dict[str, str]:
    """Each figure under its title."""
    tokens = {
        title: sum(sums[name] for name in names)
        for title, names in (WIDE_TOKENS if is_wide else NARROW_TOKENS).items()
    }
    shown = {title: f"{number:,}" if is_wide else compact(number) for title, number in tokens.items()}
    return {"Calls": f"{sums['calls']:,}", **shown, "Cost": _cost(sums)}


def compact(number: int) -> str:
    """`950`, `12.3k`, `4.1M`."""
    for size, unit in ((10**9, "G"), (10**6, "M"), (10**3, "k")):
        if number >= size:
            return f"{number / size:.1f}{unit}"
    return str(number)


def _shown(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "now" if value else ""
    if name in ("start", "end"):
        return str(value)[:MINUTE_CHARACTERS].replace("T", " ")
    return NOTHING if value is None else printable(str(value))


def printable(text: str) -> str:
    """Foreign text without what a terminal would obey."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def _cost(sums: Row) -> str:
    """Calls without a price are never taken for $0."""
    if sums["unpriced_calls"] and sums["unpriced_calls"] == sums["calls"]:
        return "unpriced"
    return f"{'≥ ' if sums['unpriced_calls'] else ''}${sums['cost_usd']:,.4f}"


def bar(amount: float, most: float, cells: int = BAR_CELLS) -> str:
    """`amount` as a bar, to an eighth of a cell; what is not nothing shows."""
    if amount <= 0 or most <= 0:
        return ""
    eighths = max(1, round(amount / most * cells * 8))
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()

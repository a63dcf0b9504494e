"""Transcripts are other programs' files: whatever stands in a field is read, and what comes of it is stored."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importers.files import CLAUDE, CODEX, Source
from tests.importers.importing import RECORDED, Line, home_in, write_lines

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(["\0", "\ud800", "x" * 10_000, "9999-12-31T23:59:59Z", "-1"]),
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
hostile = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def recorded_lines(pattern: str) -> list[Line]:
    """One recorded line of each kind."""
    kinds: dict[str, Line] = {}
    for path in sorted(RECORDED.glob(pattern)):
        for line in map(json.loads, path.read_text().splitlines()):
            inner = line.get("payload") or line
            kinds.setdefault(f"{line['type']} {inner.get('type')} {inner.get('subtype')}", line)
    return list(kinds.values())


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every container with a key into it."""
    if isinstance(value, dict):
        return [(value, key) for key in value] + [place for item in value.values() for place in places(item)]
    if isinstance(value, list):
        return [(value, key) for key in range(len(value))] + [place for item in value for place in places(item)]
    return []


@st.composite
def broken(draw: Callable[..., Any], lines: list[Line]) -> list[Line]:
    """Recorded lines of which some fields hold something else."""
    chosen = copy.deepcopy(draw(st.lists(st.sampled_from(lines), min_size=1, max_size=8)))
    for _ in range(draw(st.integers(1, 6))):
        container, key = draw(st.sampled_from(places(chosen)))
        container[key] = draw(values)
    return [line for line in chosen if isinstance(line, dict)]


def check(source: Source, folder: str, lines: list[Line], template: Path) -> None:
    with TemporaryDirectory() as directory, home_in(Path(directory) / "home", template) as home:
        root = Path(directory) / "client"
        write_lines(root / folder / "s.jsonl", lines)
        (report,) = home.run(source, root)
        assert report.outcome in {"DONE", "EMPTY"}
        assert {bad.reason for bad in report.bad} <= {"not JSON"}
        assert [report.imported for report in home.run(source, root, force=True)] == [0]


@hostile
@given(data=st.data())
def test_claude_code(data: st.DataObject, migrated_database: Path) -> None:
    check(CLAUDE, "projects", data.draw(broken(recorded_lines("claude-*/projects/**/*.jsonl"))), migrated_database)


@hostile
@given(data=st.data())
def test_codex(data: st.DataObject, migrated_database: Path) -> None:
    check(CODEX, "sessions", data.draw(broken(recorded_lines("codex-*/sessions/**/*.jsonl"))), migrated_database)

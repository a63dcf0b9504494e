"""The recorded pairs of the contract: these lines give these rows.

Deliberate differences, each named here: Codex input is stored net of its cached part (and costs accordingly),
and a session that is imported from an old file ends when it ended, not when it was imported.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from importers.files import CLAUDE, CODEX
from monitor.rows import EVENT_COLUMNS, event_row
from tests.importers.importing import Home, write_lines

FIXTURE = json.loads((Path(__file__).parent.parent / "fixtures" / "contract" / "import.json").read_text())
EXPECTED: dict[str, dict[str, Any]] = {row["event_id"]: row for row in FIXTURE["rows"]}
NET_OF_CACHE = {
    "import-cdx-accaa404077df85adb7f94ccc156cb15": {"tokens_in": 600, "cost_usd": 0.00182},
    "import-cdx-e6128d0300f8120a834a08ff0985582c": {"tokens_in": 400, "cost_usd": 0.00238},
}
CLAUDE_FILE = "projects/-home-u-myapp/11111111-2222-3333-4444-555555555555.jsonl"
CODEX_FILE = "sessions/2026/02/18/rollout-2026-02-18T20-10-57-019c7373-39f7-7000-8000-000000000001.jsonl"


@pytest.fixture
def imported(home: Home, tmp_path: Path) -> Home:
    write_lines(tmp_path / ".claude" / CLAUDE_FILE, FIXTURE["claude_lines"])
    write_lines(tmp_path / ".codex" / CODEX_FILE, FIXTURE["codex_lines"])
    (tmp_path / ".codex" / "config.toml").write_text(FIXTURE["codex config.toml"])
    home.run(CLAUDE, tmp_path / ".claude")
    home.run(CODEX, tmp_path / ".codex")
    return home


def as_row(event: dict[str, Any]) -> dict[str, Any]:
    """An event as clients see it, without what is empty."""
    row = event_row(tuple(event[name] for name in EVENT_COLUMNS))
    return {name: getattr(row, name) for name in row.__struct_fields__ if getattr(row, name) not in (None, 0)}


def test_the_same_events_in_the_same_order(imported: Home) -> None:
    assert [event["event_id"] for event in imported.events()] == list(EXPECTED)


@pytest.mark.parametrize("event_id", EXPECTED)
def test_each_row_has_the_recorded_fields(imported: Home, event_id: str) -> None:
    (event,) = [event for event in imported.events() if event["event_id"] == event_id]
    row = as_row(event)
    for name in ("id", "schema_version", "created_at"):
        del row[name]
    expected = EXPECTED[event_id] | NET_OF_CACHE.get(event_id, {})
    assert row.pop("cost_usd", None) == pytest.approx(expected.pop("cost_usd", None), abs=1e-9)
    assert row == expected


def test_the_sessions_have_their_place_and_are_over(imported: Home) -> None:
    sessions = {row["id"]: row for row in imported.rows("SELECT * FROM sessions")}
    for expected in FIXTURE["sessions"]:
        session = sessions[expected["id"]]
        assert (session["project"], session["branch"]) == (expected["project"], expected["branch"])
        assert session["status"] == expected["status"]
        assert session["ended_at"] == session["last_event_at"]


def test_the_state_of_each_file_is_kept_with_the_digest_of_all_of_it(imported: Home) -> None:
    states = imported.rows("SELECT * FROM import_state ORDER BY source")
    for state, expected in zip(states, FIXTURE["import_state"], strict=True):
        assert state["file_path"].endswith(expected["file_path"].removeprefix("~/"))
        assert (state["file_hash"], state["file_size"]) == (expected["file_hash"], expected["file_size"])
        assert state["source"] == expected["source"]


def test_the_calls_are_the_three_that_were_billed(imported: Home) -> None:
    calls = imported.rows("SELECT agent_type, output_tokens FROM calls WHERE output_tokens > 0 ORDER BY called_at")
    assert [(call["agent_type"], call["output_tokens"]) for call in calls] == [
        ("claude_code", 20),
        ("codex", 50),
        ("codex", 100),
    ]

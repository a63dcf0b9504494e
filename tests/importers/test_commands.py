"""`manage.py import_claude` and `import_codex`, as processes of their own."""

import json
import os
import pty
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.importers.claude_writing import answer, prompt, usage
from tests.importers.codex_writing import meta, token_count, uuid7
from tests.importers.gemini_writing import answer as gemini_answer
from tests.importers.gemini_writing import header, tokens, typed
from tests.importers.importing import write_lines
from tests.serving import ROOT, Server, clean_environment, eventually

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def manage(tmp_path: Path, database: Path) -> Run:
    """Runs a command over the database `database`."""

    def run(*arguments: str | Path, **variables: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "manage.py", *map(str, arguments)],
            cwd=ROOT,
            env=clean_environment(tmp_path, **variables),
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


@pytest.fixture
def claude_dir(tmp_path: Path) -> Path:
    lines = [prompt("Go", 1, promptId="p-1"), "not json", answer(2, usage(40, model="x"))]
    write_lines(tmp_path / "claude" / "projects" / "a" / "s-1.jsonl", lines)
    return tmp_path / "claude"


def count(database: Path, table: str) -> int:
    with sqlite3.connect(database) as connection:
        (found,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    connection.close()
    return int(found)


def test_it_tells_of_each_file_and_sums_up(manage: Run, claude_dir: Path, database: Path) -> None:
    done = manage("import_claude", "--claude-dir", claude_dir)
    assert done.returncode == 0
    file = claude_dir / "projects" / "a" / "s-1.jsonl"
    assert f"DONE  {file}  (2 events, 0 duplicates)" in done.stdout
    assert "Events imported: 2\n" in done.stdout
    assert f"bad line: {file}:2: not JSON\n" in done.stdout
    assert (count(database, "events"), count(database, "calls")) == (2, 1)


def test_again_it_skips_and_forced_it_confirms(manage: Run, claude_dir: Path, database: Path) -> None:
    manage("import_claude", "--claude-dir", claude_dir)
    assert "SKIP" in manage("import_claude", "--claude-dir", claude_dir).stdout
    forced = manage("import_claude", "--claude-dir", claude_dir, "--force")
    assert "Calls stored: 0 new, 1 confirmed, 0 replaced" in forced.stdout
    assert count(database, "events") == 2


def test_a_dry_run_stores_nothing(manage: Run, claude_dir: Path, database: Path) -> None:
    done = manage("import_claude", "--claude-dir", claude_dir, "--dry-run")
    assert "FOUND" in done.stdout
    assert (count(database, "events"), count(database, "import_state")) == (0, 0)


def test_the_sums_as_json(manage: Run, claude_dir: Path) -> None:
    sums: dict[str, Any] = json.loads(manage("import_claude", "--claude-dir", claude_dir, "--json").stdout)
    assert sums["files"] == {"seen": 1, "read": 1, "skipped": 0}
    assert sums["calls"] == {"found": 1, "new": 1, "confirmed": 0, "replaced": 0}
    assert (sums["lines"], sums["bad_lines"], sums["sessions"]) == (3, 1, 1)
    assert (sums["tokens"]["uncached_input_tokens"], sums["tokens"]["output_tokens"]) == (10, 40)
    assert sums["cost_usd"] == pytest.approx(10 * 5e-6 + 40 * 25e-6)
    assert sums["unpriced_models"] == []


def test_the_directories_come_from_the_clients_own_variables(
    manage: Run, claude_dir: Path, tmp_path: Path
) -> None:
    write_lines(tmp_path / "codex" / "sessions" / "r.jsonl", [meta(uuid7(0)), token_count(1, (10, 0, 1))])
    assert "DONE" in manage("import_claude", CLAUDE_CONFIG_DIR=str(claude_dir)).stdout
    assert "DONE" in manage("import_codex", CODEX_HOME=str(tmp_path / "codex")).stdout


def test_all_clients_at_once(manage: Run, claude_dir: Path, tmp_path: Path, database: Path) -> None:
    write_lines(tmp_path / "codex" / "sessions" / "r.jsonl", [meta(uuid7(0)), token_count(1, (10, 0, 1))])
    write_lines(
        tmp_path / "home" / ".gemini" / "tmp" / "shop" / "chats" / "session-1.jsonl",
        [header(), typed("u", 1, "Go"), gemini_answer("m", 2, tokens(10, 0, 5))],
    )
    done = manage("import_history", "--claude-dir", claude_dir, "--codex-dir", tmp_path / "codex", "--json")
    assert json.loads(done.stdout)["files"] == {"seen": 3, "read": 3, "skipped": 0}
    assert count(database, "calls") == 3
    assert "Files skipped: 1\n" in manage("import_gemini").stdout


def test_several_directories(manage: Run, claude_dir: Path, tmp_path: Path) -> None:
    write_lines(tmp_path / "more" / "projects" / "a" / "s-2.jsonl", [prompt("Go", 1, session="s-2")])
    done = manage("import_claude", "--claude-dir", claude_dir, "--claude-dir", tmp_path / "more")
    assert "Files scanned: 2\n" in done.stdout


def test_excluded_files_are_left_out(manage: Run, claude_dir: Path) -> None:
    done = manage("import_claude", "--claude-dir", claude_dir, AGENTMONITOR_SYNC_EXCLUDE_PATTERNS="s-1.*")
    assert "Files scanned: 0\n" in done.stdout


def test_a_day_given_as_the_end_counts_whole(manage: Run, claude_dir: Path) -> None:
    # The lines are of 2026-09-21, 14:13 UTC.
    assert (
        "2 events" in manage("import_claude", "--claude-dir", claude_dir, "--to", "2026-09-21", "--dry-run").stdout
    )
    after = manage("import_claude", "--claude-dir", claude_dir, "--from", "2026-09-22", "--dry-run")
    assert "Events found: 0\n" in after.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--from", "yesterday"], "--from: not a date: 'yesterday'"),
        (["--from", "2026-02-01", "--to", "2026-01-01"], "--from is later than --to"),
        (["--claude-dir", "/nowhere/at/all"], "No such directory: /nowhere/at/all"),
        (["--what"], "unrecognized arguments: --what"),
        (["--from"], "expected one argument"),
    ],
)
def test_a_wrong_argument_is_one_line_and_status_1(manage: Run, arguments: list[str], said: str) -> None:
    done = manage("import_claude", *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_what_could_not_be_read_makes_the_status_1(manage: Run, claude_dir: Path, database: Path) -> None:
    (claude_dir / "projects" / "a" / "gone.jsonl").symlink_to(claude_dir / "gone")
    done = manage("import_claude", "--claude-dir", claude_dir)
    assert done.returncode == 1
    assert "unreadable: " in done.stdout
    assert count(database, "events") == 2


def test_without_tables_it_makes_them(manage: Run, claude_dir: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh.db"
    done = manage("import_claude", "--claude-dir", claude_dir, AGENTMONITOR_DB_PATH=str(fresh))
    assert done.returncode == 0
    assert count(fresh, "events") == 2


def test_on_a_terminal_the_sums_are_a_table(tmp_path: Path, claude_dir: Path, database: Path) -> None:
    terminal, other_end = pty.openpty()
    subprocess.run(
        [sys.executable, "manage.py", "import_claude", "--claude-dir", str(claude_dir)],
        cwd=ROOT,
        env=clean_environment(tmp_path, TERM="xterm", COLUMNS="100"),
        stdout=other_end,
        stderr=other_end,
        check=True,
        timeout=60,
    )
    shown = os.read(terminal, 100_000).decode()
    os.close(terminal)
    os.close(other_end)
    assert "Events imported" in shown
    assert "│" in shown
    assert "DONE" not in shown


def test_ctrl_c_stops_it_and_the_next_import_goes_on(
    tmp_path: Path, claude_dir: Path, database: Path, manage: Run
) -> None:
    lines = [prompt("Go", 1, promptId=f"q-{number}") for number in range(60_000)]
    write_lines(claude_dir / "projects" / "a" / "big.jsonl", lines)
    process = subprocess.Popen(
        [sys.executable, "manage.py", "import_claude", "--claude-dir", str(claude_dir)],
        cwd=ROOT,
        env=clean_environment(tmp_path),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    eventually(lambda: count(database, "events") > 500, what="a slice of the big file")
    process.send_signal(signal.SIGINT)
    said, complained = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "STOP" in said
    assert complained.splitlines() == ["CommandError: Stopped; the next import goes on from here."]
    assert count(database, "events") < 60_002
    assert manage("import_claude", "--claude-dir", claude_dir).returncode == 0
    assert count(database, "events") == 60_002


def test_beside_a_running_server_it_reaches_the_servers_readers(server: Server, tmp_path: Path) -> None:
    root = tmp_path / "claude"
    write_lines(root / "projects" / "a" / "beside.jsonl", [prompt("Go", 1, session="beside", promptId="beside-1")])
    subprocess.run(
        [sys.executable, "manage.py", "import_claude", "--claude-dir", str(root)],
        cwd=ROOT,
        env=server.environment,
        check=True,
        capture_output=True,
        timeout=60,
    )
    found = server.client.get("/api/events", params={"session_id": "beside"}).json()
    assert [event["source"] for event in found["events"]] == ["import"]

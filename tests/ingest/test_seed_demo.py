"""The demo: believable, the same each time, and never in a database that holds anything else."""

import hashlib
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pytest_django import DjangoDbBlocker

from ingest.demo.database import DemoRefused, seed
from ingest.demo.story import DAY_MS, DAYS, Step, story
from monitor.lifecycle import MINUTE_MS
from monitor.rollups import rebuild
from pricing.registry import default_registry
from tests.monitor.test_rollups import contents
from tests.serving import ROOT, clean_environment, running_server

NOW_MS = 1_764_064_800_000  # a Tuesday, 10:00 UTC


def as_json(steps: list[Step]) -> bytes:
    return msgspec.json.encode(steps)


def test_the_same_moment_gives_the_same_story() -> None:
    assert as_json(story(NOW_MS)) == as_json(story(NOW_MS))
    assert as_json(story(NOW_MS)) != as_json(story(NOW_MS, seed=1))


@pytest.mark.parametrize("now_ms", (NOW_MS, NOW_MS + 5 * DAY_MS, NOW_MS + 12 * 3_600_000 - 1))
def test_it_fills_the_last_days_and_ends_now(now_ms: int) -> None:
    moments = [step.at_ms for step in story(now_ms)]

    assert moments == sorted(moments)
    assert now_ms - (DAYS + 1) * DAY_MS < moments[0] < now_ms - (DAYS - 3) * DAY_MS
    assert now_ms - MINUTE_MS < moments[-1] <= now_ms
    events = [event.client_at_ms for step in story(now_ms) for event in step.batch.events]
    assert all(at is None or at <= now_ms for at in events)


def test_it_has_three_agents_several_projects_and_one_model_without_a_price() -> None:
    events = [event for step in story(NOW_MS) for event in step.batch.events]

    assert {event.agent_type for event in events} == {"claude_code", "codex", "gemini_cli"}
    assert len({event.project for event in events}) > 3
    models = {event.model for event in events if event.model}
    assert {model for model in models if default_registry().lookup(model, NOW_MS) is None} == {"qwen3-coder:30b"}
    assert {"user_prompt", "tool_use", "llm_response", "git_commit", "error"} <= {e.event_type for e in events}
    assert {"success", "error"} == {event.status for event in events if event.event_type == "tool_use"}


@pytest.fixture
def databases_open(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The demo's database is none of those that Django's tests know."""
    with django_db_blocker.unblock():
        yield


def seed_at(path: Path, *, anew: bool = False) -> None:
    seed(path, story(NOW_MS), session_timeout_ms=5 * MINUTE_MS, now_ms=NOW_MS, anew=anew)


@pytest.fixture(scope="module")
def demo(
    tmp_path_factory: pytest.TempPathFactory, django_db_setup: None, django_db_blocker: DjangoDbBlocker
) -> Path:
    path = tmp_path_factory.mktemp("demo") / "new" / "demo.db"
    with django_db_blocker.unblock():
        seed_at(path)
    return path


@pytest.fixture
def raw(demo: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(demo, isolation_level=None)) as connection:
        yield connection


def test_it_is_marked_as_a_demo(raw: sqlite3.Connection) -> None:
    assert raw.execute("SELECT key FROM markers").fetchall() == [("demo",)]


def test_some_work_now_and_some_wait_for_a_human(raw: sqlite3.Connection) -> None:
    live = raw.execute("SELECT status, state FROM sessions WHERE status <> 'ended' ORDER BY id").fetchall()

    assert live == [
        ("active", "tool"),
        ("active", "permission"),
        ("active", "working"),
        ("active", "question"),
        ("idle", "turn_ended"),
    ]


def test_the_others_ended_in_their_own_time(raw: sqlite3.Connection) -> None:
    ended = raw.execute(
        "SELECT started_at, last_event_at, ended_at FROM sessions WHERE status = 'ended'"
    ).fetchall()

    assert len(ended) > 20
    assert all(started < last <= end < last + 11 * MINUTE_MS for started, last, end in ended)


def test_calls_are_priced_by_the_book_and_the_sums_agree(raw: sqlite3.Connection) -> None:
    unpriced = raw.execute("SELECT DISTINCT model FROM calls WHERE cost_nanos IS NULL").fetchall()
    assert unpriced == [("qwen3-coder:30b",)]
    assert raw.execute("SELECT count(*) FROM calls WHERE cost_nanos <= 0 OR price = 'client'").fetchone() == (0,)

    kept = contents(raw)
    rebuild(raw)
    assert contents(raw) == kept


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def real(migrated_database: Path, tmp_path: Path) -> Path:
    """A database with one session of a real agent."""
    path = tmp_path / "agentmonitor.db"
    with closing(sqlite3.connect(migrated_database)) as source, closing(sqlite3.connect(path)) as copy:
        source.backup(copy)
        copy.execute("INSERT INTO agents VALUES ('codex-default', 'codex', NULL, 1, 1)")
        copy.commit()
    return path


@pytest.mark.parametrize("anew", (False, True))
@pytest.mark.usefixtures("databases_open")
def test_a_database_with_real_data_is_refused_and_left_as_it_is(real: Path, anew: bool) -> None:
    before = digest(real)

    with pytest.raises(DemoRefused, match="holds data that is no demo"):
        seed_at(real, anew=anew)

    assert digest(real) == before
    # A look at a database with a write-ahead log leaves an empty one behind.
    assert {path.name: path.stat().st_size for path in real.parent.glob("*-wal")} == {f"{real.name}-wal": 0}


@pytest.mark.usefixtures("databases_open")
def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as other:
        other.execute("CREATE TABLE bookmarks (url TEXT)")
    before = digest(path)

    with pytest.raises(DemoRefused, match="holds data that is no demo"):
        seed_at(path, anew=True)

    assert digest(path) == before


@pytest.mark.usefixtures("databases_open")
def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear reader, " * 100)

    with pytest.raises(DemoRefused, match="can't be read"):
        seed_at(path, anew=True)

    assert path.read_text().startswith("Dear reader")


@pytest.mark.usefixtures("databases_open")
def test_an_empty_database_may_become_one(migrated_database: Path, tmp_path: Path) -> None:
    path = tmp_path / "demo.db"
    path.write_bytes(migrated_database.read_bytes())

    seed_at(path)

    with closing(sqlite3.connect(path)) as made:
        assert made.execute("SELECT count(*) FROM markers").fetchone() == (1,)


@pytest.mark.usefixtures("databases_open")
def test_a_demo_is_made_anew_only_when_asked(demo: Path) -> None:
    with closing(sqlite3.connect(demo)) as made:
        before = contents(made)
        newest = made.execute("SELECT max(id) FROM events").fetchone()[0]

    with pytest.raises(DemoRefused, match="--force"):
        seed_at(demo)
    seed_at(demo, anew=True)

    with closing(sqlite3.connect(demo)) as made:
        assert contents(made) == before
        # Ids only grow, also for a server that has the demo open.
        assert made.execute("SELECT min(id) FROM events").fetchone()[0] > newest


def run_command(tmp_path: Path, *arguments: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "seed_demo", *map(str, arguments)],
        cwd=ROOT,
        env=clean_environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_command_makes_it_beside_the_real_database_and_says_how_to_look_at_it(tmp_path: Path) -> None:
    done = run_command(tmp_path)

    assert (done.returncode, done.stderr) == (0, "")
    assert f"AGENTMONITOR_DB_PATH={tmp_path / 'demo.db'} AGENTMONITOR_PORT=3142" in done.stdout
    assert done.stdout.rstrip().endswith("make run")
    assert (tmp_path / "demo.db").is_file()
    assert not (tmp_path / "agentmonitor.db").exists()


def test_the_command_refuses_in_one_line(tmp_path: Path, real: Path) -> None:
    done = run_command(tmp_path, "--path", real, "--force")

    assert done.returncode == 1
    assert done.stderr == f"CommandError: {real} holds data that is no demo; choose another --path\n"


def test_a_server_on_a_demo_imports_nothing_by_itself(tmp_path: Path, demo: Path, migrated_database: Path) -> None:
    for template, imports in ((demo, False), (migrated_database, True)):
        with running_server(tmp_path / template.stem, template, AGENTMONITOR_AUTO_IMPORT_MINUTES="10") as server:
            status = server.get("/api/status")

        assert status["is_demo"] is not imports
        assert (status["import"] is not None) is imports

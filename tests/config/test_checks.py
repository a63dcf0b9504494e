"""`manage.py check`: quiet in the default set-up, and clear about every other."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import CheckMessage, run_checks

from config import checks, environment
from tests.serving import ROOT, clean_environment

Chosen = Callable[..., None]


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Chosen:
    """Puts AGENTMONITOR_* variables in force."""

    def choose(**variables: str) -> None:
        variables.setdefault("DB_PATH", str(tmp_path / "agentmonitor.db"))
        named = {f"AGENTMONITOR_{name}": value for name, value in variables.items()}
        monkeypatch.setattr(settings, "ENVIRONMENT", environment.read(named)[0])
        monkeypatch.setitem(settings.DATABASES["default"], "NAME", settings.ENVIRONMENT.db_path)

    choose()
    return choose


def found() -> list[CheckMessage]:
    return run_checks(tags=["agentmonitor"])


def ids() -> list[str | None]:
    return [message.id for message in found()]


def test_the_default_set_up_is_fine(chosen: Chosen) -> None:
    assert ids() == []


def test_a_directory_that_is_still_to_be_made_is_fine(chosen: Chosen, tmp_path: Path) -> None:
    chosen(DB_PATH=str(tmp_path / "new" / "data" / "agentmonitor.db"))

    assert ids() == []


def test_a_database_path_that_is_a_directory(chosen: Chosen, tmp_path: Path) -> None:
    chosen(DB_PATH=str(tmp_path))

    assert ids() == ["agentmonitor.E001"]


def test_a_database_below_a_file(chosen: Chosen, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    chosen(DB_PATH=str(tmp_path / "file" / "agentmonitor.db"))

    assert ids() == ["agentmonitor.E003"]


def test_a_database_without_the_right_to_write(
    chosen: Chosen, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rights are asked for, not tried: the tests may run as one who has them all."""
    (tmp_path / "agentmonitor.db").write_text("")
    monkeypatch.setattr(checks.os, "access", lambda path, mode: False)

    assert ids() == ["agentmonitor.E002", "agentmonitor.E003"]


def test_an_old_sqlite_library(chosen: Chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks.sqlite3, "sqlite_version_info", (3, 34, 1))

    assert ids() == ["agentmonitor.E004"]


@pytest.mark.parametrize("host", ("0.0.0.0", "::", "192.168.1.5", "box.local"))
def test_an_open_address_needs_a_token(chosen: Chosen, host: str) -> None:
    chosen(HOST=host)
    assert ids() == ["agentmonitor.W001"]

    chosen(HOST=host, TOKEN="a-token-of-some-length")
    assert ids() == []


@pytest.mark.parametrize("host", ("127.0.0.1", "127.9.9.9", "localhost", "::1", "[::1]"))
def test_loopback_needs_none(chosen: Chosen, host: str) -> None:
    chosen(HOST=host)

    assert ids() == []


def test_allowed_hosts_need_a_token(chosen: Chosen) -> None:
    chosen(ALLOWED_HOSTS="box.local")
    assert ids() == ["agentmonitor.W002"]

    chosen(ALLOWED_HOSTS="box.local", TOKEN="a-token-of-some-length")
    assert ids() == []


def test_a_token_that_may_be_guessed(chosen: Chosen) -> None:
    chosen(TOKEN="short")

    assert ids() == ["agentmonitor.W003"]
    assert "short" not in found()[0].msg.split()


@pytest.mark.parametrize("mode", (0o640, 0o604, 0o660))
def test_a_secret_key_that_others_can_read(chosen: Chosen, tmp_path: Path, mode: int) -> None:
    key = tmp_path / "secret_key"
    key.write_text("x")
    key.chmod(0o600)
    assert ids() == []

    key.chmod(mode)
    assert ids() == ["agentmonitor.W004"]


def test_a_misspelt_variable(chosen: Chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGENTMONITOR_PROT", "3141")

    assert ids() == ["agentmonitor.W005"]


def test_each_check_says_what_to_do_and_is_documented(chosen: Chosen) -> None:
    source = Path(checks.__file__).read_text()
    numbered = re.findall(r'id="(agentmonitor\.[EW]\d+)"', source)

    assert len(numbered) == len(set(numbered)) == source.count("hint=")
    documented = re.findall(r"`(agentmonitor\.[EW]\d+)`", (ROOT / "docs" / "commands.md").read_text())
    assert sorted(documented) == sorted(numbered)


def run_check(tmp_path: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", *options],
        cwd=ROOT,
        env=clean_environment(tmp_path, **variables),
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_deployment_check_passes_in_the_default_set_up(tmp_path: Path) -> None:
    done = run_check(tmp_path, "--fail-level", "WARNING")

    assert done.returncode == 0, done.stderr


def test_no_check_is_silenced_that_would_be_silent_anyway(chosen: Chosen, monkeypatch: pytest.MonkeyPatch) -> None:
    silenced = settings.SILENCED_SYSTEM_CHECKS
    monkeypatch.setattr(settings, "SILENCED_SYSTEM_CHECKS", [])

    fired: list[Any] = [message.id for message in run_checks(include_deployment_checks=True)]

    assert sorted(fired) == sorted(silenced)

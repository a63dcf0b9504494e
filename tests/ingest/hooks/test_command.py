"""`manage.py hooks` as a person types it."""

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from ingest import runtime
from ingest.store import Batch
from tests.ingest.hooks.bodies import event_of


@pytest.fixture
def client_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings file of a client of our own; the project is the test's directory too."""
    folder = tmp_path / "client"
    monkeypatch.setattr(settings, "ENVIRONMENT", replace(settings.ENVIRONMENT, claude_config_dirs=(folder,)))
    monkeypatch.chdir(tmp_path)
    return folder / "settings.json"


def hooks(*arguments: str) -> str:
    """What the command prints, errors too."""
    out = io.StringIO()
    call_command("hooks", *arguments, stdout=out, stderr=out)
    return out.getvalue()


def test_install_shows_the_change_and_makes_it(client_settings: Path) -> None:
    shown = hooks("install", "claude-code")
    assert '+            "url": "http://127.0.0.1:3141/api/hooks/claude-code",' in shown
    content = json.loads(client_settings.read_text())
    assert content["hooks"]["Stop"][0]["hooks"][0]["type"] == "http"
    assert content["hooks"]["SessionStart"][0]["hooks"][0]["async"] is True


def test_a_dry_run_shows_the_change_and_makes_none(client_settings: Path) -> None:
    assert "SessionStart" in hooks("install", "claude-code", "--dry-run")
    assert not client_settings.exists()


def test_twice_changes_nothing(client_settings: Path) -> None:
    hooks("install", "claude-code")
    before = client_settings.read_bytes()
    assert "Nothing to change" in hooks("install", "claude-code")
    assert client_settings.read_bytes() == before
    assert [path.name for path in client_settings.parent.iterdir()] == ["settings.json"]


def test_the_project_has_settings_of_its_own(client_settings: Path, tmp_path: Path) -> None:
    hooks("install", "claude-code", "--scope", "project", "--url", "http://localhost:4000/")
    own = tmp_path / ".claude" / "settings.json"
    assert '"http://localhost:4000/api/hooks/claude-code"' in own.read_text()
    assert not client_settings.exists()
    hooks("uninstall", "claude-code", "--scope", "project")
    assert json.loads(own.read_text()) == {}


@pytest.mark.parametrize("mode", ["command", "python"])
def test_scripts_are_installed_from_where_they_are(mode: str, client_settings: Path) -> None:
    hooks("install", "claude-code", "--mode", mode)
    command = json.loads(client_settings.read_text())["hooks"]["Stop"][0]["hooks"][0]["command"]
    script = Path(command.split()[-1])
    assert script.is_file() and (script.suffix == ".py") == (mode == "python")


def test_uninstall_keeps_a_copy_of_what_was(client_settings: Path) -> None:
    client_settings.parent.mkdir()
    client_settings.write_text('{\n  "model": "opus"\n}\n')
    hooks("install", "claude-code")
    hooks("uninstall", "claude-code")
    assert client_settings.read_text() == '{\n  "model": "opus"\n}\n'
    assert len(list(client_settings.parent.glob("settings.json.bak.*"))) == 2


def test_settings_that_are_no_json_are_left_alone(client_settings: Path) -> None:
    client_settings.parent.mkdir()
    client_settings.write_text("{bad")
    for action in ("install", "uninstall"):
        with pytest.raises(CommandError, match="not valid JSON"):
            hooks(action, "claude-code")
    assert client_settings.read_text() == "{bad"
    assert [path.name for path in client_settings.parent.iterdir()] == ["settings.json"]


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:3141", "http://", "http://x:port", "http://x?y=1", ""])
def test_a_wrong_url_changes_nothing(url: str, client_settings: Path) -> None:
    with pytest.raises(CommandError, match="--url"):
        hooks("install", "claude-code", "--url", url)
    assert not client_settings.exists()


def test_an_address_that_the_client_refuses_is_named(client_settings: Path) -> None:
    assert "--mode command" in hooks("install", "claude-code", "--url", "http://192.168.1.5:3141", "--dry-run")
    assert "--mode command" not in hooks("install", "claude-code", "--dry-run")


def test_a_token_stays_out_of_the_settings(client_settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "ENVIRONMENT", replace(settings.ENVIRONMENT, token="s3cret"))
    assert "AGENTMONITOR_TOKEN" in hooks("install", "claude-code")
    assert "Bearer $AGENTMONITOR_TOKEN" in client_settings.read_text()
    assert "s3cret" not in client_settings.read_text()


@pytest.mark.django_db
def test_status_without_anything(client_settings: Path) -> None:
    shown = hooks("status")
    assert shown.count("not installed") == 2
    assert "Last hook received: none" in shown


@pytest.mark.django_db(transaction=True)
def test_status_tells_what_is_installed_and_what_arrived(client_settings: Path) -> None:
    hooks("install", "claude-code")
    try:
        runtime.writer().store_blocking(Batch([event_of("Stop")]), 0)
    finally:
        runtime.stop_writer()
    shown = hooks("status")
    assert "user: installed, mode http to http://127.0.0.1:3141/api/hooks/claude-code" in shown
    assert "project: not installed" in shown
    assert "session_end of session s-1" in shown


@pytest.mark.django_db
def test_status_goes_on_behind_a_broken_file(client_settings: Path) -> None:
    client_settings.parent.mkdir()
    client_settings.write_text("{bad")
    shown = hooks("status")
    assert "user: unknown" in shown and "project: not installed" in shown

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
    """The settings file of a client of our own, and homes of the others; the test's directory is the project."""
    folder = tmp_path / "client"
    environment = replace(
        settings.ENVIRONMENT,
        claude_config_dirs=(folder,),
        codex_home=tmp_path / "codex",
        gemini_cli_home=tmp_path / "home",
    )
    monkeypatch.setattr(settings, "ENVIRONMENT", environment)
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
    assert shown.count("not installed") == 5
    assert [shown.count(f"last {way}: none") for way in ("hook", "telemetry", "transcript")] == [3, 3, 3]


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
    assert "UTC, session_end of session s-1" in shown
    assert shown.count("last hook: none") == 2


@pytest.mark.django_db
def test_status_goes_on_behind_a_broken_file(client_settings: Path) -> None:
    client_settings.parent.mkdir()
    client_settings.write_text("{bad")
    shown = hooks("status")
    assert "user: unknown" in shown and "project: not installed" in shown


@pytest.mark.django_db
@pytest.mark.parametrize("client", ["codex", "gemini"])
def test_the_other_clients_are_connected_and_disconnected(
    client: str, client_settings: Path, tmp_path: Path
) -> None:
    folder = {"codex": tmp_path / "codex", "gemini": tmp_path / "home" / ".gemini"}[client]
    shown = hooks("install", client)
    assert f"/api/hooks/{client}" in shown
    assert ("trust" in shown) == (client == "codex")
    hooks("install", client, "--otel")
    assert "Nothing to change" in hooks("install", client)
    status = hooks("status")
    assert "installed, mode http, " in status and "telemetry to http://127.0.0.1:3141/api/otel" in status
    hooks("uninstall", client)
    assert hooks("status").count("not installed") == 5
    assert all("127.0.0.1" not in path.read_text() for path in folder.iterdir() if ".bak." not in path.name)


def test_telemetry_and_status_line_are_parts_of_their_own(client_settings: Path) -> None:
    hooks("install", "claude-code", "--otel", "--statusline")
    content = json.loads(client_settings.read_text())
    assert content["env"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://127.0.0.1:3141/api/otel"
    assert content.keys() == {"env", "statusLine"}
    hooks("install", "claude-code")
    hooks("uninstall", "claude-code", "--otel")
    assert json.loads(client_settings.read_text()).keys() == {"statusLine", "hooks"}
    hooks("uninstall", "claude-code")
    assert json.loads(client_settings.read_text()) == {}


def test_what_a_client_does_not_have_is_refused(client_settings: Path) -> None:
    for arguments in (("codex", "--statusline"), ("gemini", "--mode", "python"), ("codex", "--scope", "project")):
        with pytest.raises(CommandError):
            hooks("install", *arguments)


def test_of_two_files_none_is_written_when_one_is_broken(client_settings: Path, tmp_path: Path) -> None:
    home = tmp_path / "codex"
    home.mkdir()
    (home / "config.toml").write_text("not toml")
    with pytest.raises(CommandError, match="not valid TOML"):
        hooks("install", "codex")
    assert [path.name for path in home.iterdir()] == ["config.toml"]

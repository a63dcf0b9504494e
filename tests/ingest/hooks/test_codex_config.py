"""Codex's config.toml: what a person wrote stays, what we put in works and goes again."""

import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

from ingest.hooks.install.codex_config import is_notified, parsed, with_notify, with_telemetry
from ingest.hooks.install.settings_file import ClientFile, SettingsFault
from tests.hooks.conftest import Listener
from tests.serving import eventually

URL = "http://127.0.0.1:3141"
OWN = """\
# My settings, in my order.
model = "gpt-5.5"   # the good one
notify = [
  "notify-send",  # a bubble
  "Codex",
]

[tui]
theme = "x"

[projects."/home/u/app"]
trust_level = "trusted"
"""
WITHOUT_NOTIFY = '# top\nmodel = "x"\n\n[mcp_servers.docs]\ncommand = "d"\n'
WITH_OTEL = '[otel]\n# mine\nenvironment = "dev"\n\n[tui]\ntheme = "x"\n'
ONE_LINE = 'notify = ["a", "b"]\n'
TEXTS = [OWN, WITHOUT_NOTIFY, WITH_OTEL, ONE_LINE, "", "[a]\nb = 1\n", 'model = "x"']


def file(text: str | None) -> ClientFile:
    return ClientFile(Path("/home/u/.codex/config.toml"), text)


def notified(text: str, url: str | None = URL) -> str:
    return with_notify(file(text), url)


def exporting(text: str, url: str | None = URL) -> str:
    return with_telemetry(file(text), url)


def same_but_the_last_line_end(text: str, other: str) -> bool:
    return text.rstrip("\n") == other.rstrip("\n")


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("change", [notified, exporting])
def test_what_was_there_is_there_again(text: str, change: Any) -> None:
    once = change(text)
    assert tomllib.loads(once) != tomllib.loads(text)
    assert change(once) == once
    moved = change(once, "http://localhost:4000")
    assert "localhost:4000" in moved and "127.0.0.1:3141" not in moved
    assert same_but_the_last_line_end(change(once, None), text)
    assert same_but_the_last_line_end(change(moved, None), text)
    assert change(text, None) == text


@pytest.mark.parametrize("text", TEXTS)
def test_both_parts_stand_beside_each_other(text: str) -> None:
    both = exporting(notified(text))
    assert same_but_the_last_line_end(exporting(notified(both, None), None), text)
    before, after = tomllib.loads(text), tomllib.loads(both)
    assert {key: value for key, value in after.items() if key not in ("notify", "otel")} == {
        key: value for key, value in before.items() if key not in ("notify", "otel")
    }


def test_comments_and_order_stay() -> None:
    once = notified(OWN)
    for line in OWN.splitlines():
        assert line in once.splitlines()
    assert tomllib.loads(once)["notify"][3:] == ["agentmonitor", "notify-send", "Codex"]


def test_the_endpoints_are_whole_and_prompts_are_told() -> None:
    otel = tomllib.loads(exporting(WITHOUT_NOTIFY))["otel"]
    endpoint = f"{URL}/api/otel/v1/logs"
    assert otel["exporter"]["otlp-http"] == {"endpoint": endpoint, "protocol": "json", "headers": {}}
    assert otel["metrics_exporter"]["otlp-http"]["endpoint"] == f"{URL}/api/otel/v1/metrics"
    assert otel["log_user_prompt"] is True
    # Who has a table of his own has decided about prompts.
    assert "log_user_prompt" not in tomllib.loads(exporting(WITH_OTEL))["otel"]


@pytest.mark.parametrize(
    "text",
    [
        '[otel.exporter.otlp-http]\nendpoint = "https://collector.example/v1/logs"\nprotocol = "json"\n',
        '[otel]\nexporter = "none"\n',
        "otel = 5\n",
    ],
)
def test_another_exporter_is_never_replaced(text: str) -> None:
    with pytest.raises(SettingsFault, match="otel"):
        exporting(text)


@pytest.mark.parametrize("text", ["notify = 5\n", "notify = [1, 2]\n", "[notify]\na = 1\n"])
def test_a_notify_of_another_kind_is_left_alone(text: str) -> None:
    with pytest.raises(SettingsFault, match="notify"):
        notified(text)


def test_what_is_no_toml_is_refused() -> None:
    for text in ("a = ", "[a\n", 'a = "x"\na = "y"\n'):
        with pytest.raises(SettingsFault, match="not valid TOML"):
            notified(text)


@pytest.mark.parametrize("has_own", [False, True])
def test_a_notification_reaches_us_and_the_persons_own_program(
    has_own: bool, listener: Listener, tmp_path: Path
) -> None:
    out = tmp_path / "told"
    own = ["sh", "-c", 'printf "%s" "$2" > "$1"', "mine", str(out)] if has_own else []
    words = tomllib.loads(notified(f"notify = {own}\n" if own else "", listener.url))["notify"]
    told = '{"type": "agent-turn-complete", "last-assistant-message": "it\'s \\"done\\" — 100%"}'
    done = subprocess.run([*words, told], capture_output=True, text=True, timeout=30)
    assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
    eventually(lambda: listener.posted, what="the notification")
    assert listener.posted[0].path == "/api/hooks/codex"
    assert listener.events[0]["last-assistant-message"] == 'it\'s "done" — 100%'
    if has_own:
        assert out.read_text() == told


def test_ours_is_known_by_its_name() -> None:
    assert is_notified(parsed(file(notified(ONE_LINE))))
    assert not is_notified(parsed(file(ONE_LINE)))

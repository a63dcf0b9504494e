"""Claude Code's status line, wrapped and given back; run by a real shell."""

import json
import subprocess
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.hooks.install.settings_file import SettingsFault
from ingest.hooks.install.statusline import is_wrapped, with_statusline
from tests.hooks.conftest import Listener
from tests.serving import eventually

URL = "http://127.0.0.1:3141"
TOLD = {"session_id": "s", "rate_limits": {"five_hour": {"used_percentage": 12}}, "text": 'it\'s "50%"\n é'}


def wrapped(settings: dict[str, Any], url: str = URL) -> dict[str, Any]:
    return with_statusline(settings, url)


@pytest.mark.parametrize(
    "own",
    [
        {},
        {"model": "opus"},
        {"statusLine": {"type": "command", "command": "~/.claude/line.sh", "padding": 0}},
        {"statusLine": {"type": "command", "command": "jq -r '.model' | sed \"s/'/x/\"; echo $HOME"}},
    ],
)
def test_the_persons_own_line_comes_back(own: dict[str, Any]) -> None:
    once = wrapped(own)
    assert is_wrapped(once) and not is_wrapped(own)
    assert wrapped(once) == once
    assert with_statusline(once, None) == own
    assert with_statusline(wrapped(once, "http://localhost:4000"), None) == own
    assert with_statusline(own, None) == own


@given(command=st.text(min_size=1))
def test_any_command_comes_back(command: str) -> None:
    own = {"statusLine": {"type": "command", "command": command}}
    assert with_statusline(wrapped(wrapped(own)), None) == own


@pytest.mark.parametrize("line", [5, {"type": "static"}, {"command": 5}])
def test_a_line_of_another_kind_is_left_alone(line: object) -> None:
    with pytest.raises(SettingsFault):
        wrapped({"statusLine": line})


@pytest.mark.parametrize("shell", ["sh", "bash"])
def test_the_own_command_gets_what_it_got_and_we_get_a_copy(shell: str, listener: Listener) -> None:
    own = {"statusLine": {"type": "command", "command": "cat; printf '|%s' \"$0\""}}
    told = json.dumps(TOLD, ensure_ascii=False)
    command = wrapped(own, listener.url)["statusLine"]["command"]
    done = subprocess.run([shell, "-c", command], input=told, capture_output=True, text=True, timeout=30)
    assert (done.stdout, done.stderr, done.returncode) == (f"{told}|sh", "", 0)
    eventually(lambda: listener.posted, what="the copy")
    assert listener.posted[0].path == "/api/provider-quotas/claude/statusline"
    assert listener.events == [TOLD]


def test_without_a_server_the_line_is_as_ever() -> None:
    own = {"statusLine": {"type": "command", "command": "echo mine; exit 3"}}
    command = wrapped(own, "http://127.0.0.1:9")["statusLine"]["command"]
    done = subprocess.run(["sh", "-c", command], input="{}", capture_output=True, text=True, timeout=30)
    assert (done.stdout, done.stderr, done.returncode) == ("mine\n", "", 3)

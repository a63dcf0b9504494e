"""Our entries in a settings object, and the settings file."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.hooks.install.entries import COMMAND_ONLY_EVENTS, Entries, Mode, wanted_entries
from ingest.hooks.install.merge import installed, with_entries
from ingest.hooks.install.settings_file import SettingsFault, difference, read_settings, text_of, write_settings

URL = "http://127.0.0.1:3141"
HOOK_URL = f"{URL}/api/hooks/claude-code"
SCRIPTS = Path("/opt/monitor/hooks/claude-code")
FOREIGN: dict[str, Any] = {
    "model": "opus",
    "hooks": {
        "Stop": [{"hooks": [{"type": "command", "command": "say done"}]}],
        "PreToolUse": [
            {"matcher": "Bash", "hooks": [{"type": "http", "url": "http://127.0.0.1:9/api/hooks/other"}]},
            {"matcher": "Edit", "hooks": []},
        ],
        "FileChanged": [],
    },
    "unknown": {"é": [1, 2.5, None]},
}


def wanted(mode: Mode = Mode.HTTP, *, with_token: bool = False) -> Entries:
    return wanted_entries(mode, URL, SCRIPTS, with_token=with_token)


def hooks_of(entries: Entries) -> list[tuple[str, dict[str, Any]]]:
    return [(event, hook) for event, groups in entries.items() for group in groups for hook in group["hooks"]]


def test_over_http_only_what_never_comes_so_is_a_command_in_the_background() -> None:
    for event, hook in hooks_of(wanted()):
        if event in COMMAND_ONLY_EVENTS:
            assert (hook["type"], hook["async"]) == ("command", True)
            assert HOOK_URL in hook["command"]
        else:
            assert (hook["type"], hook["url"]) == ("http", HOOK_URL)


def test_an_answer_without_a_decision_is_asked_to_be_empty() -> None:
    # The client writes each body into the transcript, and takes that of PreCompact for instructions.
    headers = [hook["headers"] for _, hook in hooks_of(wanted()) if hook["type"] == "http"]
    assert all(header == {"Prefer": "return=minimal"} for header in headers)


@pytest.mark.parametrize("mode", list(Mode))
def test_every_hook_has_a_short_time_out(mode: Mode) -> None:
    assert all(0 < hook["timeout"] <= 10 for _, hook in hooks_of(wanted(mode)))


@pytest.mark.parametrize("mode", list(Mode))
def test_hooks_that_replace_what_the_client_does_are_left_out(mode: Mode) -> None:
    assert not {"WorktreeCreate", "WorktreeRemove", "MessageDisplay"} & wanted(mode).keys()


def test_a_token_is_named_and_never_written() -> None:
    for _, hook in hooks_of(wanted(with_token=True)):
        if hook["type"] == "http":
            assert hook["headers"]["Authorization"] == "Bearer $AGENTMONITOR_TOKEN"
            assert hook["allowedEnvVars"] == ["AGENTMONITOR_TOKEN"]
        else:
            assert '"Authorization: Bearer $AGENTMONITOR_TOKEN"' in hook["command"]


@pytest.mark.parametrize("mode", [Mode.COMMAND, Mode.PYTHON])
def test_of_the_scripts_only_the_check_of_commands_is_waited_for(mode: Mode) -> None:
    waited_for = [(event, hook) for event, hook in hooks_of(wanted(mode)) if not hook.get("async")]
    assert [event for event, _ in waited_for] == ["PreToolUse"]
    assert wanted(mode)["PreToolUse"][0]["matcher"] == "Bash"
    assert waited_for[0][1]["statusMessage"]


@pytest.mark.parametrize("mode", list(Mode))
def test_our_hooks_are_added_behind_foreign_ones(mode: Mode) -> None:
    merged = with_entries(FOREIGN, wanted(mode))
    assert list(merged) == list(FOREIGN)
    for event, groups in FOREIGN["hooks"].items():
        assert merged["hooks"][event] == groups + wanted(mode).get(event, [])


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("later", list(Mode))
def test_installing_again_replaces_what_was_installed(mode: Mode, later: Mode) -> None:
    once = with_entries(FOREIGN, wanted(mode))
    assert with_entries(once, wanted(later)) == with_entries(FOREIGN, wanted(later))
    assert with_entries(once, wanted(mode)) == once


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("settings", [FOREIGN, {}, {"env": {}}])
def test_uninstalling_restores_what_was_there(mode: Mode, settings: dict[str, Any]) -> None:
    assert with_entries(with_entries(settings, wanted(mode)), {}) == settings


def test_a_foreign_hook_beside_ours_in_one_group_stays() -> None:
    ours = {"type": "command", "command": "AGENTMONITOR_URL=x /a/hooks/claude-code/session_end.sh"}
    foreign = {"type": "command", "command": "say done"}
    settings = {"hooks": {"Stop": [{"matcher": "", "hooks": [ours, foreign]}]}}
    assert with_entries(settings, {}) == {"hooks": {"Stop": [{"matcher": "", "hooks": [foreign]}]}}


@pytest.mark.parametrize("mode", list(Mode))
def test_what_is_installed_is_found(mode: Mode) -> None:
    found = list(installed(with_entries(FOREIGN, wanted(mode))))
    assert {hook.mode for hook in found} == {mode}
    assert {hook.event for hook in found} == wanted(mode).keys()
    assert list(installed(FOREIGN)) == []


ODD = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5) | st.just("http://[/api/hooks/claude-code"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["hooks", "type", "url", "command", "matcher"]), inner, max_size=3)
    ),
)


@given(hooks=st.dictionaries(st.sampled_from(["Stop", "PreToolUse", "New"]), st.lists(ODD, max_size=3)))
def test_groups_of_any_shape_survive(hooks: dict[str, Any]) -> None:
    settings = {"hooks": hooks}
    list(installed(settings))
    merged = with_entries(settings, wanted())
    assert with_entries(merged, wanted()) == merged


def test_a_file_is_written_in_its_own_style(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(b'{\r\n\t"a": "\xc3\xa9",\r\n\t"b": []\r\n}')
    file = read_settings(path)
    assert text_of(file, file.content) == '{\r\n\t"a": "é",\r\n\t"b": []\r\n}'


def test_the_difference_shows_only_what_changes(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(FOREIGN, indent=2, ensure_ascii=False))
    file = read_settings(path)
    lines = difference(file, text_of(file, with_entries(file.content, wanted()))).splitlines()[2:]
    removed = [line[1:].strip() for line in lines if line.startswith("-")]
    # JSON puts a comma behind what is followed, and opens an empty list.
    assert all(line in ("]", "}", "],", "},") or line == '"FileChanged": []' for line in removed)


def test_a_file_is_replaced_as_a_whole_and_kept_as_a_copy(tmp_path: Path) -> None:
    own, path = tmp_path / "own.json", tmp_path / "settings.json"
    own.write_text('{"a": 1}')
    own.chmod(0o600)
    path.symlink_to(own)
    backup = write_settings(read_settings(path), '{"a": 2}', "20260101000000")
    again = write_settings(read_settings(path), '{"a": 3}', "20260101000000")
    assert path.is_symlink()
    assert (own.read_text(), own.stat().st_mode & 0o777) == ('{"a": 3}', 0o600)
    assert backup is not None and again is not None
    assert (backup.read_text(), again.read_text()) == ('{"a": 1}', '{"a": 2}')
    assert backup.stat().st_mode & 0o777 == 0o600
    assert len(list(tmp_path.iterdir())) == 4


def test_a_missing_or_empty_file_holds_nothing(tmp_path: Path) -> None:
    missing = read_settings(tmp_path / "x" / "settings.json")
    assert (missing.text, missing.content) == (None, {})
    assert write_settings(missing, "{}\n", "1") is None
    assert missing.path.read_text() == "{}\n"
    missing.path.write_text(" \n")
    assert read_settings(missing.path).content == {}


@pytest.mark.parametrize(
    "content",
    [
        b"{bad",
        b"[]",
        b"\xff",
        b"[" * 100_000,
        b"// comment\n{}",
        b'{"a": NaN}',
        b'{"a": 1, "a": 2}',
        b'{"hooks": []}',
        b'{"hooks": {"Stop": {}}}',
    ],
)
def test_what_is_no_settings_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    with pytest.raises(SettingsFault, match=r"settings\.json"):
        read_settings(path)
    assert path.read_bytes() == content


def test_a_place_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsFault, match="settings"):
        write_settings(read_settings(tmp_path / "settings.json"), '"\ud800"', "1")
    assert not (tmp_path / "settings.json").exists()

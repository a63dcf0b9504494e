import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ingest.hooks.install.entries import Mode, wanted_entries
from ingest.hooks.install.merge import with_entries
from tests.hooks.conftest import SCRIPTS

FOREIGN = {
    "model": "opus",
    "hooks": {
        "Stop": [{"hooks": [{"type": "command", "command": "say done"}]}],
        "PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "./check.sh"}]}],
        "Notification": [],
    },
    "unknown": {"é": [1, 2.5, None]},
}


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    return tmp_path / ".claude" / "settings.json"


def install(
    home: Path, *options: str, scripts: Path = SCRIPTS, **variables: str
) -> subprocess.CompletedProcess[str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
    environment = kept | {"HOME": str(home)} | variables
    command = [str(scripts / "install.sh"), *options]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=30)


def write(settings: Path, content: Any) -> None:
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(content if isinstance(content, str) else json.dumps(content))


def read(settings: Path) -> Any:
    return json.loads(settings.read_text())


@pytest.mark.parametrize(("options", "mode"), [((), Mode.COMMAND), (("--python",), Mode.PYTHON)])
def test_it_installs_what_the_command_installs(
    options: tuple[str, ...], mode: Mode, settings: Path, tmp_path: Path
) -> None:
    write(settings, FOREIGN)
    done = install(tmp_path, *options, "--url", "http://127.0.0.1:4000")
    assert (done.returncode, done.stderr) == (0, "")
    wanted = wanted_entries(mode, "http://127.0.0.1:4000", SCRIPTS, with_token=False)
    assert read(settings) == with_entries(FOREIGN, wanted)
    assert list(read(settings)) == list(FOREIGN)
    for groups in wanted.values():
        for hook in (hook for group in groups for hook in group["hooks"]):
            assert os.access(hook["command"].split()[-1], os.X_OK)


def test_settings_are_made_when_there_are_none(settings: Path, tmp_path: Path) -> None:
    done = install(tmp_path)
    assert done.returncode == 0
    assert "http://127.0.0.1:3141" in settings.read_text()
    assert list(settings.parent.iterdir()) == [settings]


def test_twice_changes_nothing(settings: Path, tmp_path: Path) -> None:
    install(tmp_path)
    before = settings.read_bytes()
    done = install(tmp_path)
    assert (done.returncode, settings.read_bytes()) == (0, before)
    assert list(settings.parent.iterdir()) == [settings]


def test_uninstall_takes_out_ours_and_nothing_else(settings: Path, tmp_path: Path) -> None:
    write(settings, FOREIGN)
    install(tmp_path)
    install(tmp_path, "--python")
    assert install(tmp_path, "--uninstall").returncode == 0
    assert read(settings) == FOREIGN
    backups = [path for path in settings.parent.iterdir() if ".bak." in path.name]
    assert len(backups) == 3
    assert FOREIGN in [read(path) for path in backups]


def test_a_link_and_the_permissions_stay(settings: Path, tmp_path: Path) -> None:
    own = tmp_path / "dotfiles" / "claude.json"
    write(own, FOREIGN)
    own.chmod(0o600)
    settings.parent.mkdir()
    settings.symlink_to("../dotfiles/claude.json")
    assert install(tmp_path).returncode == 0
    assert settings.is_symlink()
    assert own.stat().st_mode & 0o777 == 0o600
    assert "SessionStart" in read(own)["hooks"]


@pytest.mark.parametrize("content", ["{bad", "[]", '{"hooks": []}', '{"hooks": {"Stop": {}}}', "{} {}"])
def test_a_file_that_is_no_settings_is_left_alone(content: str, settings: Path, tmp_path: Path) -> None:
    write(settings, content)
    done = install(tmp_path)
    assert done.returncode == 1
    assert "nothing was changed" in done.stderr
    assert settings.read_text() == content
    assert list(settings.parent.iterdir()) == [settings]


def test_another_configuration_folder_is_followed(tmp_path: Path) -> None:
    folder = tmp_path / "my config"
    assert install(tmp_path, CLAUDE_CONFIG_DIR=str(folder)).returncode == 0
    assert (folder / "settings.json").exists()
    assert not (tmp_path / ".claude").exists()


def test_odd_places_and_urls_are_quoted(settings: Path, tmp_path: Path) -> None:
    scripts = tmp_path / "it's here" / "hooks" / "claude-code"
    shutil.copytree(SCRIPTS, scripts)
    url = "http://127.0.0.1:1/a;b"
    assert install(tmp_path, "--url", url, scripts=scripts).returncode == 0
    assert read(settings)["hooks"] == wanted_entries(Mode.COMMAND, url, scripts, with_token=False)


def test_a_folder_of_another_name_is_refused(tmp_path: Path) -> None:
    scripts = tmp_path / "elsewhere"
    shutil.copytree(SCRIPTS, scripts)
    done = install(tmp_path, scripts=scripts)
    assert (done.returncode, (tmp_path / ".claude").exists()) == (1, False)


@pytest.mark.parametrize("options", [["--unknown"], ["--url"], ["extra"]])
def test_a_wrong_option_changes_nothing(options: list[str], tmp_path: Path) -> None:
    assert install(tmp_path, *options).returncode == 1
    assert not (tmp_path / ".claude").exists()


def test_help_says_how(tmp_path: Path) -> None:
    done = install(tmp_path, "-h")
    assert done.returncode == 0
    assert all(option in done.stdout for option in ("--python", "--url", "--uninstall"))


def test_without_jq_it_says_so(tmp_path: Path) -> None:
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("bash", "dirname", "readlink", "cat"):
        found = shutil.which(name)
        assert found is not None
        (tools / name).symlink_to(found)
    done = install(tmp_path, PATH=str(tools))
    assert done.returncode == 1
    assert "jq is needed" in done.stderr

"""Start a real Claude Code, Codex or Gemini CLI once, without a human, in a home of its own."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

TIMEOUT_S = 120.0
ALLOWED_TOOLS = (
    "Bash",
    "Read",
    "Write",
    "Edit",
    "Agent",
    "Glob",
    "Grep",
    "TaskCreate",
    "EnterWorktree",
    "ExitWorktree",
)


class Place(msgspec.Struct, frozen=True):
    """Where an agent lives: `home` holds its configuration, `project` is the git work tree."""

    home: Path
    project: Path

    @property
    def claude(self) -> Path:
        return self.home / ".claude"

    @property
    def codex(self) -> Path:
        return self.home / ".codex"

    @property
    def gemini(self) -> Path:
        return self.home / ".gemini"


class Finished(msgspec.Struct, frozen=True):
    """How a run ended. `status` is the exit status, negative after a signal."""

    status: int
    stdout: str
    stderr: str


def make_place(root: Path) -> Place:
    """A fresh home and a small git project with one commit below `root`."""
    place = Place(root / "home", root / "shop-api")
    for folder in (place.home, place.project):
        folder.mkdir(parents=True)
    (place.project / "app.py").write_text('ROUTES = {"/orders": "list_orders"}\n')
    (place.project / "README.md").write_text("# Shop API\n\nOrders over HTTP.\n")
    (place.project / "CLAUDE.md").write_text("Keep modules small.\n")
    (place.project / ".claude/commands").mkdir(parents=True)
    (place.project / ".claude/commands/plan.md").write_text("Plan the next release of the shop API.\n")
    who = ["-c", "user.name=Demo", "-c", "user.email=demo@example.com"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], [*who, "commit", "-q", "-m", "First orders"]):
        subprocess.run(["git", *command], cwd=place.project, env=base_env(place), check=True, timeout=30)
    return place


def base_env(place: Place) -> dict[str, str]:
    """Nothing of the caller's environment except where programs are."""
    temporary = place.home / "tmp"
    temporary.mkdir(exist_ok=True)
    return {"HOME": str(place.home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8", "TERM": "xterm-256color",
            "USER": "dev", "SHELL": "/bin/bash", "TZ": "UTC", "TMPDIR": str(temporary)}  # fmt: skip


def claude_env(place: Place, server_url: str) -> dict[str, str]:
    return base_env(place) | {
        "CLAUDE_CONFIG_DIR": str(place.claude),
        "ANTHROPIC_BASE_URL": server_url,
        "ANTHROPIC_API_KEY": "sk-ant-fake",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        "IS_SANDBOX": "1",
    }


def run_claude(
    cli: Path,
    prompt: str,
    place: Place,
    server_url: str,
    *,
    settings: Mapping[str, Any] | None = None,
    extra_env: Mapping[str, str] | None = None,
    args: Sequence[str] = (),
    timeout_s: float = TIMEOUT_S,
) -> Finished:
    """`claude -p PROMPT`. `settings` replaces the user's settings file; None leaves it as it is."""
    if settings is not None:
        place.claude.mkdir(parents=True, exist_ok=True)
        (place.claude / "settings.json").write_text(json.dumps(settings, indent=2))
    allowed = ("--allowedTools", ",".join(ALLOWED_TOOLS))
    command: list[str | Path] = [cli, "-p", prompt, "--output-format", "json", *allowed, *args]
    return _run(command, place, claude_env(place, server_url) | dict(extra_env or {}), timeout_s)


def run_codex(
    cli: Path,
    prompt: str,
    place: Place,
    server_url: str,
    *,
    config: str = "",
    top_config: str = "",
    model: str = "gpt-5.5",
    extra_env: Mapping[str, str] | None = None,
    args: Sequence[str] = (),
    subcommand: Sequence[str] = (),
    timeout_s: float = TIMEOUT_S,
) -> Finished:
    """`codex exec [SUBCOMMAND] PROMPT`. `top_config` and `config` are TOML before and after our own tables."""
    place.codex.mkdir(parents=True, exist_ok=True)
    (place.codex / "config.toml").write_text(top_config + codex_config(server_url, model) + config)
    env = base_env(place) | {"CODEX_HOME": str(place.codex), "FAKE_KEY": "fake"} | dict(extra_env or {})
    command: list[str | Path] = [
        cli,
        "exec",
        "-s",
        "danger-full-access",
        "--json",
        *args,
        *subcommand,
        prompt,
    ]
    return _run(command, place, env, timeout_s)


def codex_config(server_url: str, model: str) -> str:
    return f"""\
model_provider = "fake"
model = "{model}"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.fake]
name = "fake"
base_url = "{server_url}/v1"
wire_api = "responses"
env_key = "FAKE_KEY"
"""


def run_gemini(
    cli: Path,
    prompt: str,
    place: Place,
    server_url: str,
    *,
    settings: Mapping[str, Any] | None = None,
    extra_env: Mapping[str, str] | None = None,
    args: Sequence[str] = (),
    timeout_s: float = TIMEOUT_S,
) -> Finished:
    """`gemini -p PROMPT`. `settings` replaces the user's settings file; None leaves it as it is."""
    if settings is not None:
        place.gemini.mkdir(parents=True, exist_ok=True)
        (place.gemini / "settings.json").write_text(json.dumps(settings, indent=2))
    env = base_env(place) | {"GEMINI_API_KEY": "fake", "GOOGLE_GEMINI_BASE_URL": server_url, "NO_COLOR": "1"}
    return _run([cli, "-p", prompt, "--yolo", *args], place, env | dict(extra_env or {}), timeout_s)


def _run(command: Sequence[str | Path], place: Place, env: Mapping[str, str], timeout_s: float) -> Finished:
    done = subprocess.run(command, cwd=place.project, env=env, stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=timeout_s, check=False)  # fmt: skip
    return Finished(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))

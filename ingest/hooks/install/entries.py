"""The hooks that we want in each client's settings, for each way of reporting. Pure."""

import shlex
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from ingest.hooks.install.posting import TOKEN_VARIABLE, posting_command

HOOK_PATH: Final = "/api/hooks/claude-code"
CODEX_HOOK_PATH: Final = "/api/hooks/codex"
GEMINI_HOOK_PATH: Final = "/api/hooks/gemini"
SCRIPTS_PATH: Final = "/hooks/claude-code/"
# The client waits for an http hook, for 600 s when nothing is said: a monitor that hangs must not hold it up.
HTTP_TIMEOUT_S: Final = 5
COMMAND_TIMEOUT_S: Final = 10

# Left out: WorktreeCreate and WorktreeRemove, since a hook takes over what the client does itself then;
# MessageDisplay, which would hold up each piece of an answer; PostToolBatch, which repeats PostToolUse;
# FileChanged, which needs names of files; and what clients before 2.1.251 do not know and warn about.
HTTP_EVENTS: Final = (
    "UserPromptSubmit",
    "UserPromptExpansion",
    "PreToolUse",
    "PermissionRequest",
    "PermissionDenied",
    "PostToolUse",
    "PostToolUseFailure",
    "Notification",
    "SubagentStart",
    "SubagentStop",
    "TeammateIdle",
    "TaskCreated",
    "TaskCompleted",
    "Elicitation",
    "ElicitationResult",
    "PreCompact",
    "PostCompact",
    "InstructionsLoaded",
    "ConfigChange",
    "CwdChanged",
    "Stop",
    "StopFailure",
    "SessionEnd",
)
# The client never sends these over http.
COMMAND_ONLY_EVENTS: Final = ("SessionStart", "Setup")
# Event → script of hooks/claude-code; the same as install.sh puts in.
SCRIPTS: Final = {
    "SessionStart": "session_start",
    "UserPromptSubmit": "user_prompt_submit",
    "PreToolUse": "pre_tool_use",
    "PostToolUse": "post_tool_use",
    "InstructionsLoaded": "instructions_loaded",
    "Stop": "session_end",
}
CODEX_EVENTS: Final = (
    "SessionStart",
    "SessionEnd",
    "UserPromptSubmit",
    "PreToolUse",
    "PostToolUse",
    "PermissionRequest",
    "PreCompact",
    "PostCompact",
    "SubagentStart",
    "SubagentStop",
    "Stop",
    "Interrupt",
)
# The client cuts the time-out of some events to this, and says so to the person when more is asked for.
CODEX_TIMEOUT_S: Final = 3
# Left out: BeforeModel, AfterModel and BeforeToolSelection, which hold up each piece of an answer; PreCompress,
# which comes with every turn.
GEMINI_EVENTS: Final = (
    "SessionStart",
    "SessionEnd",
    "BeforeAgent",
    "AfterAgent",
    "BeforeTool",
    "AfterTool",
    "Notification",
)
GEMINI_TIMEOUT_MS: Final = 3000
FILE_TOOLS: Final = "Read|Edit|MultiEdit|Write|NotebookEdit"

Entries = dict[str, list[dict[str, Any]]]


class Mode(StrEnum):
    """How the client reports: by itself over http, or through shell or Python scripts."""

    HTTP = "http"
    COMMAND = "command"
    PYTHON = "python"


def wanted_entries(mode: Mode, url: str, scripts: Path, *, with_token: bool) -> Entries:
    """Event → groups of hooks. `scripts` is the folder hooks/claude-code; a token stays in the environment."""
    if mode is Mode.HTTP:
        return _http_entries(url + HOOK_PATH, with_token=with_token)
    folder, ending = (scripts, "sh") if mode is Mode.COMMAND else (scripts / "python", "py")
    return {event: _script_groups(event, url, folder / f"{name}.{ending}") for event, name in SCRIPTS.items()}


def codex_entries(url: str, *, with_token: bool) -> Entries:
    """For Codex's hooks.json: it knows commands only, and waits for them."""
    hook = {"type": "command", "command": posting_command(url + CODEX_HOOK_PATH, with_token=with_token)}
    return {event: [{"hooks": [hook | {"timeout": CODEX_TIMEOUT_S}]}] for event in CODEX_EVENTS}


def gemini_entries(url: str, *, with_token: bool) -> Entries:
    """For Gemini CLI's settings.json: it knows commands only, and waits for them."""
    posting = posting_command(url + GEMINI_HOOK_PATH, with_token=with_token)
    hook = {"name": "agentmonitor", "type": "command", "command": posting, "timeout": GEMINI_TIMEOUT_MS}
    return {event: [{"hooks": [hook]}] for event in GEMINI_EVENTS}


def _http_entries(url: str, *, with_token: bool) -> Entries:
    hook: dict[str, Any] = {"type": "http", "url": url, "timeout": HTTP_TIMEOUT_S}
    # The client writes every body that it gets into the person's transcript, an empty object too, and takes
    # that of a PreCompact hook for the human's instructions.
    hook["headers"] = {"Prefer": "return=minimal"}
    if with_token:
        hook["headers"]["Authorization"] = f"Bearer ${TOKEN_VARIABLE}"
        hook["allowedEnvVars"] = [TOKEN_VARIABLE]
    posting = posting_command(url, with_token=with_token, connect_s=2, whole_s=5)
    command = _command_hook(posting) | {"async": True}
    by_command: Entries = {event: [{"hooks": [command]}] for event in COMMAND_ONLY_EVENTS}
    return by_command | {event: [{"hooks": [hook]}] for event in HTTP_EVENTS}


def _script_groups(event: str, url: str, script: Path) -> list[dict[str, Any]]:
    hook = _command_hook(f"AGENTMONITOR_URL={shlex.quote(url)} {shlex.quote(str(script))}")
    later: dict[str, Any] = {"hooks": [hook | {"async": True}]}
    if event != "PreToolUse":
        return [later]
    # Only a command can be denied, so only a command waits.
    checked = hook | {"statusMessage": "AgentMonitor: checking the command"}
    return [{"matcher": "Bash", "hooks": [checked]}, {"matcher": FILE_TOOLS} | later]


def _command_hook(command: str) -> dict[str, Any]:
    return {"type": "command", "command": command, "timeout": COMMAND_TIMEOUT_S}

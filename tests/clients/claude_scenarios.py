"""What the recorded Claude Code runs do: prompts, the model's turns, and how the client is started."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from .script import Call, Say, Think, Turn

# Every event this client knows; the first two are never sent by http hooks.
COMMAND_HOOK_EVENTS = ("SessionStart", "Setup")
HTTP_HOOK_EVENTS = (
    "PreToolUse",
    "PostToolUse",
    "PostToolUseFailure",
    "PostToolBatch",
    "Notification",
    "UserPromptSubmit",
    "UserPromptExpansion",
    "SessionEnd",
    "Stop",
    "StopFailure",
    "SubagentStart",
    "SubagentStop",
    "PreCompact",
    "PostCompact",
    "PermissionRequest",
    "PermissionDenied",
    "TeammateIdle",
    "TaskCreated",
    "TaskCompleted",
    "Elicitation",
    "ElicitationResult",
    "ConfigChange",
    "InstructionsLoaded",
    "CwdChanged",
    "FileChanged",
    "MessageDisplay",
)
# A hook for these replaces what the client does itself, so that recording them would change the run.
REPLACING_HOOK_EVENTS = ("WorktreeCreate", "WorktreeRemove")


class Scenario(msgspec.Struct, frozen=True):
    """One run of the client. `resumes` names the scenario whose session it goes on with."""

    name: str
    prompt: str
    args: tuple[str, ...] = ()
    resumes: str | None = None
    otlp_protocol: str = "http/json"


TOOLS = "Add a health endpoint to the shop API and run its tests."
AGENTS = "Review the shop API with two helpers and sum up what they found."
EXPLORE = "Find every route of the shop API and list its handlers."
REVIEW = "Check the README of the shop API for missing sections."
RESUMED = "Now mention the health endpoint in the README."
FORKED = "Instead, say in one sentence what the health endpoint returns."
RETRIED = "Which routes exist? Answer even if the line is busy."
PARALLEL = "Look at everything at once: the status, the log and both files."

SCENARIOS = (
    Scenario("tools", TOOLS),
    Scenario("agents", AGENTS, otlp_protocol="http/protobuf"),
    Scenario("resume", RESUMED, resumes="tools"),
    Scenario("fork", FORKED, args=("--fork-session",), resumes="tools", otlp_protocol="http/protobuf"),
    Scenario("retry", RETRIED),
    Scenario("parallel", PARALLEL),
)
AGENT_PROMPTS = (EXPLORE, REVIEW)


def threads(project: Path) -> Mapping[str, tuple[Turn, ...]]:
    """The model's turns for each prompt; tools that want absolute paths get those of `project`."""
    app, health, readme = (str(project / name) for name in ("app.py", "health.py", "README.md"))
    return {
        TOOLS: (
            Turn(
                (
                    Think("The work tree first, then the new module."),
                    Say("I look at the project first."),
                    _bash("git status --short", "Show changes"),
                )
            ),
            Turn((_read(app),)),
            Turn(
                (
                    Say("A module for the endpoint:"),
                    Call(
                        "Write", {"file_path": health, "content": 'def health() -> str:\n    return "ok"\n'}
                    ),
                )
            ),
            Turn(
                (
                    Call(
                        "Edit",
                        {
                            "file_path": app,
                            "old_string": '"list_orders"}',
                            "new_string": '"list_orders", "/health": "health"}',
                        },
                    ),
                )
            ),
            Turn((_bash("python3 -c 'import helth'", "Import the module"),)),
            Turn(
                (
                    Think("A misspelt name, nothing more."),
                    _bash("python3 -c 'import health; print(health.health())'", "Import it again"),
                )
            ),
            Turn((Say("The endpoint `/health` answers **ok**."),), web_searches=2),
        ),
        AGENTS: (
            Turn(
                (
                    Say("Two helpers, side by side."),
                    _agent("Find routes", EXPLORE, "Explore"),
                    _agent("Check README", REVIEW, "general-purpose"),
                )
            ),
            Turn((Say("Two routes; the README lacks a section on running the server."),)),
        ),
        EXPLORE: (
            Turn((_bash("grep -n ROUTES app.py", "Find the routes"),)),
            Turn((_read(app),)),
            Turn((Say("/orders is served by list_orders, /health by health."),)),
        ),
        REVIEW: (
            Turn((Think("Headings tell most of it."), _read(readme))),
            Turn((Say("No section tells how to run the server."),)),
        ),
        RESUMED: (
            Turn((_read(readme),)),
            Turn(
                (
                    Call(
                        "Edit",
                        {
                            "file_path": readme,
                            "old_string": "Orders over HTTP.",
                            "new_string": "Orders over HTTP. `/health` answers ok.",
                        },
                    ),
                )
            ),
            Turn((Say("The README names it now."),)),
        ),
        FORKED: (Turn((Say("It returns the text ok."),)),),
        RETRIED: (Turn((Say("/orders and /health."),), fail_once=529),),
        PARALLEL: (
            Turn(
                (
                    _bash("git status --short", "Show changes"),
                    _bash("git log --oneline", "Show history"),
                    _read(app),
                    _read(readme),
                )
            ),
            Turn((Say("One commit, two changed files."),)),
        ),
    }


def _bash(command: str, description: str) -> Call:
    return Call("Bash", {"command": command, "description": description})


def _read(path: str) -> Call:
    return Call("Read", {"file_path": path})


def _agent(description: str, prompt: str, kind: str) -> Call:
    return Call("Agent", {"description": description, "prompt": prompt, "subagent_type": kind})

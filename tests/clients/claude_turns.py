"""What the model says in the recorded Claude Code runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from . import claude_scenarios as ask
from .script import Call, Say, Think, Turn

Turns = tuple[Turn, ...]
# Longer than the client waits before it writes a block of a sub-agent to its transcript.
LATE_S = 0.3
STORY_LINES = "\n\n".join(f"Chapter {number}: another order came in." for number in range(1, 200))


def threads(project: Path) -> Mapping[str, Turns]:
    """The turns for each prompt; tools that want absolute paths get those of `project`."""
    app, readme = str(project / "app.py"), str(project / "README.md")
    return {
        ask.TOOLS: _tools(app, str(project / "health.py")),
        **_agents(app, readme),
        ask.RESUMED: (
            Turn((_read(readme),)),
            Turn((_edit(readme, "Orders over HTTP.", "Orders over HTTP. `/health` answers ok."),)),
            Turn((Say("The README names it now."),)),
        ),
        ask.FORKED: (Turn((Say("It returns the text ok."),)),),
        ask.RETRIED: (Turn((Say("/orders and /health."),), fail_once=529),),
        ask.PARALLEL: (
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
        ask.PLANNED: _planned(),
        ask.BROKEN: (Turn((Say("Never said."),), fail_always=400),),
        ask.REFUSED: (
            Turn((Call("WebFetch", {"url": "http://127.0.0.1:9/prices", "prompt": "List prices"}),)),
            Turn((Say("I may not fetch it."),)),
        ),
        ask.DROPPED: (
            Turn((_bash("git log --oneline", "Show history"),)),
            Turn((Say("With one order."),), drops_once=True),
        ),
        ask.SWITCHED: (Turn((Say("One order."),)),),
        ask.ASKED: (Turn((_bash("rm -f scratch.txt", "Remove the file"),)), Turn((Say("It is gone."),))),
        ask.STORY: (Turn((Say(STORY_LINES),)),),
        ask.CLEARED: (Turn((Say("Hello."),)),),
        ask.KILLED: (Turn((_bash("git log --oneline && sleep 60", "Wait for the build"),)),),
    }


def _tools(app: str, health: str) -> Turns:
    return (
        Turn(
            (
                Think("The work tree first, then the new module."),
                Say("I look at the project first."),
                _bash("git status --short", "Show changes"),
            )
        ),
        Turn((_read(app),)),
        Turn((Say("A module for the endpoint:"), _write(health, 'def health() -> str:\n    return "ok"\n'))),
        Turn((_edit(app, '"list_orders"}', '"list_orders", "/health": "health"}'),)),
        Turn((_bash("python3 -c 'import helth'", "Import the module"),)),
        Turn(
            (
                Think("A misspelt name, nothing more."),
                _bash("python3 -c 'import health; print(health.health())'", "Import it again"),
            )
        ),
        Turn((Say("The endpoint `/health` answers **ok**."),), web_searches=2),
    )


def _agents(app: str, readme: str) -> dict[str, Turns]:
    return {
        ask.AGENTS: (
            Turn(
                (
                    Say("Two helpers, side by side."),
                    _agent("Find routes", ask.EXPLORE, "Explore"),
                    _agent("Check README", ask.REVIEW, "general-purpose"),
                )
            ),
            Turn((Say("Two routes; the README lacks a section on running the server."),)),
        ),
        ask.EXPLORE: (
            Turn((_bash("grep -n ROUTES app.py", "Find the routes"),)),
            Turn((_read(app),)),
            Turn((Say("/orders is served by list_orders, /health by health."),)),
        ),
        ask.REVIEW: (
            Turn((Think("Headings tell most of it."), _read(readme))),
            Turn((Say("No section tells how to run the server."),)),
        ),
        ask.BACKGROUND: (
            Turn((_agent("Find slow code", ask.SLOW_CODE, "general-purpose", run_in_background=True),)),
            Turn((Say("A helper is at it."),)),
            Turn((Say("It found nothing slow."),)),
        ),
        ask.SLOW_CODE: (
            Turn((_bash("sleep 1; grep -c for app.py", "Count loops"),)),
            Turn((Say("Not one loop."),)),
        ),
        ask.LATE: (
            Turn((_agent("Count lines", ask.COUNT, "general-purpose"),), late_end_s=LATE_S),
            Turn((Say("One line."),), late_end_s=LATE_S),
        ),
        ask.COUNT: (
            Turn((Think("A short file."), _bash("wc -l app.py", "Count lines")), late_end_s=LATE_S),
            Turn((Say("app.py has one line."),), late_end_s=LATE_S),
        ),
    }


def _planned() -> Turns:
    return (
        Turn((Call("TaskCreate", {"subject": "Write the changelog", "description": "All since the start"}),)),
        Turn((Call("TaskUpdate", {"taskId": "1", "status": "completed"}),)),
        Turn((_bash("cd .claude && ls", "List commands"),)),
        Turn((Call("EnterWorktree", {"name": "release"}),)),
        Turn((_bash("git branch --show-current", "Show the branch"),)),
        Turn((Call("ExitWorktree", {"action": "remove"}),)),
        Turn((Say("Planned."),)),
    )


def _bash(command: str, description: str) -> Call:
    return Call("Bash", {"command": command, "description": description})


def _read(path: str) -> Call:
    return Call("Read", {"file_path": path})


def _write(path: str, content: str) -> Call:
    return Call("Write", {"file_path": path, "content": content})


def _edit(path: str, old: str, new: str) -> Call:
    return Call("Edit", {"file_path": path, "old_string": old, "new_string": new})


def _agent(description: str, prompt: str, kind: str, *, run_in_background: bool = False) -> Call:
    asked = {"description": description, "prompt": prompt, "subagent_type": kind}
    return Call("Agent", {**asked, "run_in_background": True} if run_in_background else asked)

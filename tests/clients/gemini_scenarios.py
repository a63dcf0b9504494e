"""What the recorded Gemini CLI runs do: prompts, the model's turns, and how the client is started."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from .script import Call, Say, Think, Turn

# Without those of the model, which hold whole requests, one for each piece of an answer.
HOOK_EVENTS = (
    "SessionStart", "SessionEnd", "BeforeAgent", "AfterAgent", "BeforeTool", "AfterTool", "PreCompress",
    "Notification",
)  # fmt: skip

TOOLS = "Add a stock module to the shop API and try it."
RESUMED = "Say in one sentence what the stock module does."
REASONED = "Explain how stock is counted."
RETRIED = "Say hello even if the line is busy."
SWITCHED = "Say the same with a smaller model."


class Scenario(msgspec.Struct, frozen=True):
    """One run of `gemini -p`."""

    name: str
    prompt: str
    args: tuple[str, ...] = ()


SCENARIOS = (
    Scenario("tools", TOOLS),
    Scenario("resume", RESUMED, args=("--resume", "latest")),
    Scenario("reasoning", REASONED),
    Scenario("retry", RETRIED),
    Scenario("switched", SWITCHED, args=("--model", "gemini-2.5-flash")),
)


def threads(project: Path) -> Mapping[str, tuple[Turn, ...]]:
    """The turns for each prompt; tools that want absolute paths get those of `project`."""
    stock = str(project / "stock.py")
    return {
        TOOLS: (
            Turn((Think("The files first."), _shell("git status --short"))),
            Turn((Call("write_file", {"file_path": stock, "content": "def stock() -> int:\n    return 3\n"}),)),
            Turn((_shell("python3 -c 'import stock; print(stock.stock())'"), _shell("cat missing.txt"))),
            Turn((Say("`stock()` is 3."),)),
        ),
        RESUMED: (Turn((Say("It returns three."),)),),
        RETRIED: (Turn((Say("Hello."),), fail_once=503),),
        SWITCHED: (Turn((Say("Hello."),)),),
        REASONED: (Turn((Think("One by one."), Say("One by one."))),),
    }


def _shell(command: str) -> Call:
    return Call("run_shell_command", {"command": command})

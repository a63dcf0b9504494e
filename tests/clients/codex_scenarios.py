"""What the recorded Codex runs do: prompts, the model's turns, and how the client is started."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from .script import Call, Say, Think, Turn


class Scenario(msgspec.Struct, frozen=True):
    """One run of the client. `resumes` names the scenario whose session it goes on with."""

    name: str
    prompt: str
    subcommand: str | None = None
    resumes: str | None = None
    otlp_protocol: str = "json"


TOOLS = "Add a discount module to the shop API and try it."
RESUMED = "Add a rule for bulk orders."
REASONED = "Explain how discounts add up, step by step."

SCENARIOS = (
    Scenario("tools", TOOLS),
    Scenario("resume", RESUMED, subcommand="resume", resumes="tools"),
    Scenario("reasoning", REASONED, otlp_protocol="binary"),
)

ADD_MODULE = """\
*** Begin Patch
*** Add File: discount.py
+def discount(total: int) -> int:
+    return total // 10
*** End Patch"""
ADD_RULE = """\
*** Begin Patch
*** Update File: discount.py
@@
 def discount(total: int) -> int:
-    return total // 10
+    return total // 10 if total < 1000 else total // 5
*** End Patch"""

THREADS: Mapping[str, tuple[Turn, ...]] = {
    TOOLS: (
        Turn((Think("The files first."), Call("exec_command", {"cmd": "git status --short"}))),
        Turn((Say("A module of its own."), Call("apply_patch", ADD_MODULE))),
        Turn(
            (
                Call("exec_command", {"cmd": "python3 -c 'import discount; print(discount.discount(50))'"}),
                Call("exec_command", {"cmd": "cat missing.txt"}),
            )
        ),
        Turn((Say("`discount(50)` is 5."),)),
    ),
    RESUMED: (
        Turn((Call("apply_patch", ADD_RULE),)),
        Turn((Say("Bulk orders get a fifth off."),)),
    ),
    REASONED: (
        Turn(
            (
                Think("Ten percent below a thousand."),
                Think("A fifth above it."),
                Call("exec_command", {"cmd": "git log --oneline"}),
            )
        ),
        Turn((Think("That is all."), Say("They do not add up: the higher one holds."))),
    ),
}

"""What the recorded Codex runs do: prompts, the model's turns, and how the client is started."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from .script import COMPACTED, Call, Say, Think, Turn

Turns = tuple[Turn, ...]

HOOK_EVENTS = (
    "SessionStart", "SessionEnd", "UserPromptSubmit", "PreToolUse", "PostToolUse", "PermissionRequest",
    "PreCompact", "PostCompact", "SubagentStart", "SubagentStop", "Stop", "Interrupt",
)  # fmt: skip

TOOLS = "Add a discount module to the shop API and try it."
RESUMED = "Add a rule for bulk orders."
FORKED = "Instead, say who gets a discount."
REASONED = "Explain how discounts add up, step by step."
AGENTS = "Let helpers look at the shop API."
COUNTED = "Count the modules of the shop API."
REPEATED = "Name the modules of the shop API."
CODED = "List the modules with one script."
COMPACTING = "Read everything, however long it is."
RETRIED = "Say hello even if the line is busy."
BROKEN = "Translate the README into a language nobody speaks."
DROPPED = "Say how the shop began, even if the line breaks."
SWITCHED = "Say the same with a smaller model."


class Scenario(msgspec.Struct, frozen=True):
    """One run of `codex exec`. `resumes` names the scenario whose session the subcommand goes on with."""

    name: str
    prompt: str
    subcommand: str | None = None
    resumes: str | None = None
    otlp_protocol: str = "json"
    model: str = "gpt-5.5"
    args: tuple[str, ...] = ()


SCENARIOS = (
    Scenario("tools", TOOLS),
    Scenario("resume", RESUMED, subcommand="resume", resumes="tools"),
    Scenario("fork", FORKED, subcommand="fork", resumes="tools", otlp_protocol="binary"),
    Scenario("reasoning", REASONED, otlp_protocol="binary"),
    # Off in older versions, and called otherwise.
    Scenario("agents", AGENTS, args=("-c", "features.collab=true", "-c", "features.multi_agent=true")),
    Scenario("code-mode", CODED, model="gpt-6.1-sol"),
    Scenario("compact", COMPACTING, args=("-c", "model_auto_compact_token_limit=100")),
    Scenario("retry", RETRIED),
    Scenario("broken", BROKEN),
    Scenario("dropped", DROPPED),
    Scenario("switched", SWITCHED, subcommand="resume", resumes="dropped", model="gpt-5.4-mini"),
)
AGENT_PROMPTS = (COUNTED, REPEATED)

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
LIST_MODULES = """\
const listed = await tools.exec_command({cmd: "git ls-files"});
text(listed.output);
const missing = await tools.exec_command({cmd: "cat missing.txt"});
text(missing.output);"""


def _shell(command: str) -> Call:
    return Call("exec_command", {"cmd": command})


def _agent(message: str, *, fork_context: bool) -> Call:
    asked = {"message": message, "agent_type": "explorer"} if not fork_context else {"message": message}
    return Call("spawn_agent", {**asked, "fork_context": fork_context}, "multi_agent_v1")


THREADS: Mapping[str, Turns] = {
    TOOLS: (
        Turn((Think("The files first."), _shell("git status --short"))),
        Turn((Say("A module of its own."), Call("apply_patch", ADD_MODULE))),
        Turn((_shell("python3 -c 'import discount; print(discount.discount(50))'"), _shell("cat missing.txt"))),
        Turn((Say("`discount(50)` is 5."),)),
    ),
    RESUMED: (Turn((Call("apply_patch", ADD_RULE),)), Turn((Say("Bulk orders get a fifth off."),))),
    FORKED: (Turn((Say("Everybody does."),)),),
    REASONED: (
        Turn((Think("Ten percent below a thousand."), Think("A fifth above."), _shell("git log --oneline"))),
        Turn((Think("That is all."), Say("They do not add up: the higher one holds."))),
    ),
    AGENTS: (
        Turn((_agent(COUNTED, fork_context=False),)),
        Turn((_agent(REPEATED, fork_context=True),)),
        # The helpers end while this runs.
        Turn((_shell("sleep 2"),)),
        Turn((Say("Two modules."),)),
    ),
    COUNTED: (Turn((_shell("git ls-files | wc -l"),)), Turn((Say("Two."),))),
    REPEATED: (Turn((Say("app and discount."),)),),
    CODED: (
        Turn((Think("One script does."), Call("exec", LIST_MODULES)), writes_cache=True),
        Turn((Say("app.py is the only one."),), writes_cache=True),
    ),
    COMPACTING: (Turn((_shell("cat README.md"),)), Turn((Say("Never said: compaction comes first."),))),
    COMPACTED: (Turn((Say("Read."),)),),
    RETRIED: (Turn((Say("Hello."),), fail_once=503),),
    BROKEN: (Turn((Say("Never said."),), fail_always=400),),
    DROPPED: (
        Turn((_shell("git log --oneline"),)),
        Turn((Say("With one order."),), drops_once=True),
    ),
    SWITCHED: (Turn((Say("One order."),)),),
}

"""What the recorded Claude Code runs do: which prompts, and how the client is started."""

from __future__ import annotations

import msgspec

# Every event this client knows; the first two are never sent by http hooks.
COMMAND_HOOK_EVENTS = ("SessionStart", "Setup")
HTTP_HOOK_EVENTS = (
    "PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch", "Notification", "UserPromptSubmit",
    "UserPromptExpansion", "SessionEnd", "Stop", "StopFailure", "SubagentStart", "SubagentStop", "PreCompact",
    "PostCompact", "PermissionRequest", "PermissionDenied", "TeammateIdle", "TaskCreated", "TaskCompleted",
    "Elicitation", "ElicitationResult", "ConfigChange", "InstructionsLoaded", "CwdChanged", "FileChanged",
    "MessageDisplay",
)  # fmt: skip
# Not in 2.1.197, but in 2.1.331.
LATER_EVENTS = ("PreModelSwitch", "PostModelSwitch", "DirectoryAdded")
OLD_HOOK_EVENTS = (
    "SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Notification", "Stop", "SubagentStop",
    "PreCompact", "SessionEnd",
)  # fmt: skip
# A hook for these replaces what the client does itself: without a path in the answer no worktree is made.
REPLACING_HOOK_EVENTS = ("WorktreeCreate", "WorktreeRemove")

TOOLS = "Add a health endpoint to the shop API and run its tests."
AGENTS = "Review the shop API with two helpers and sum up what they found."
EXPLORE = "Find every route of the shop API and list its handlers."
REVIEW = "Check the README of the shop API for missing sections."
RESUMED = "Now mention the health endpoint in the README."
FORKED = "Instead, say in one sentence what the health endpoint returns."
RETRIED = "Which routes exist? Answer even if the line is busy."
PARALLEL = "Look at everything at once: the status, the log and both files."
BACKGROUND = "Let a helper look for slow code in the background."
SLOW_CODE = "Look for slow code in the shop API."
LATE = "Let a helper count the lines of the shop API."
COUNT = "Count the lines of app.py."
PLANNED = "Plan the next release of the shop API."
BROKEN = "Translate the README into a language nobody speaks."
REFUSED = "Fetch the price list from the neighbour's server."
ASKED = "Remove the temporary file."
STORY = "Tell the long story of the shop."
CLEARED = "Say hello in one word."
KILLED = "Wait for the slow build."
DROPPED = "Say how the shop began, even if the line breaks."
SWITCHED = "Say the same with a smaller model."

AGENT_PROMPTS = (EXPLORE, REVIEW, SLOW_CODE, COUNT)


class Scenario(msgspec.Struct, frozen=True):
    """One run of `claude -p`. `resumes` names the scenario whose session it goes on with."""

    name: str
    prompt: str
    args: tuple[str, ...] = ()
    resumes: str | None = None
    otlp_protocol: str = "http/json"


SCENARIOS = (
    Scenario("tools", TOOLS),
    Scenario("agents", AGENTS, otlp_protocol="http/protobuf"),
    Scenario("resume", RESUMED, resumes="tools"),
    Scenario("fork", FORKED, args=("--fork-session",), resumes="tools", otlp_protocol="http/protobuf"),
    Scenario("retry", RETRIED),
    Scenario("parallel", PARALLEL),
    Scenario("compact", "/compact", resumes="parallel"),
    Scenario("background", BACKGROUND),
    Scenario("late-usage", LATE),
    Scenario("command", "/plan", args=("--init",), otlp_protocol="http/protobuf"),
    Scenario("broken", BROKEN),
    Scenario("refused", REFUSED),
    Scenario("dropped", DROPPED),
    Scenario("switched", SWITCHED, args=("--model", "haiku"), resumes="dropped"),
)

"""Claude Code's hook bodies → events, facts of the session, and what its agent waits for. Pure.

A body is what a command hook reads on stdin and an http hook POSTs. All have session_id, transcript_path, cwd
and hook_event_name; those of sub-agents also agent_id. Names and fields as in Claude Code 2.1.197 (30 events)
and 2.1.330 (33); an event that is not known here is kept as a `response`.
"""

import re
from collections.abc import Callable
from typing import Any, Final

from ingest.contract import LONGEST_MS, NOT_AN_OBJECT, BodyFault, decode_json
from ingest.hooks.claude_body import LONGEST_PREVIEW, Hook, HookFault, one_line, preview
from ingest.hooks.outcome import HookOutcome
from ingest.hooks.safety import Verdict, judge
from ingest.hooks.tool_input import edited_lines, subject, subjects
from ingest.metadata import clean_text
from ingest.otlp.keys import claude_prompt_event_id, claude_tool_event_id
from monitor.lifecycle import PERMISSION, QUESTION, TOOL, TURN_ENDED, WORKING

__all__ = ["HookFault", "read", "read_body"]

# The client asks the human through these two tools: while they run, the agent waits.
ASKING_TOOLS: Final = {"AskUserQuestion": QUESTION, "ExitPlanMode": PERMISSION}
# The end of a sub-agent in the background comes as a prompt that nobody typed.
TASK_NOTIFICATION: Final = "<task-notification>"
PERMISSION_TO_USE: Final = re.compile(r"permission to use (.+)")


def read_body(body: bytes, *, payload_limit_bytes: int, safety: bool) -> HookOutcome:
    """As `read`, from the bytes of the request."""
    try:
        value = decode_json(body)
    except BodyFault:
        raise HookFault(NOT_AN_OBJECT) from None
    return read(value, payload_limit_bytes=payload_limit_bytes, safety=safety)


def read(body: object, *, payload_limit_bytes: int, safety: bool) -> HookOutcome:
    """What one hook body says. Raises HookFault when it is no object or names no session."""
    hook = Hook(body, payload_limit_bytes, safety)
    outcome = READERS.get(hook.name, _other)(hook)
    outcome.hook = hook.name
    return outcome


def _session_start(hook: Hook) -> HookOutcome:
    # No state: this comes from a command in the background, maybe after the first prompt.
    model = hook.text("model")
    event = hook.event("session_start", {"hook_source": hook.text("source")}, model=model)
    return HookOutcome([event], [hook.facts(model=model)])


def _session_end(hook: Hook) -> HookOutcome:
    event = hook.event("session_end", {"hook_event_name": hook.name} | hook.details)
    return HookOutcome([event], [hook.facts(ends=True)])


def _stop(hook: Hook) -> HookOutcome:
    if hook.is_subagent:
        return _other(hook)
    event = hook.event("session_end", {"hook_event_name": hook.name} | hook.details)
    return HookOutcome([event], [hook.facts(TURN_ENDED, _in_background(hook.fields.get("background_tasks")))])


def _in_background(tasks: object) -> str | None:
    names = (
        [task.get("description") for task in tasks if isinstance(task, dict)] if isinstance(tasks, list) else []
    )
    texts = [name for name in names if isinstance(name, str)]
    return one_line(f"in the background: {', '.join(texts)}") if texts else None


def _stop_failure(hook: Hook) -> HookOutcome:
    event = hook.event("error", {"hook_event_name": hook.name} | hook.details, status="error")
    return HookOutcome([event], [hook.facts(TURN_ENDED)])


def _user_prompt(hook: Hook) -> HookOutcome:
    prompt = hook.fields.get("prompt")
    said = prompt if isinstance(prompt, str) else ""
    if said.lstrip().startswith(TASK_NOTIFICATION):
        return HookOutcome([hook.told({"message": preview(said)})], [hook.facts(WORKING)])
    facts = [hook.facts(WORKING, new_turn=True)]
    if not said.strip():
        return HookOutcome([], facts)
    prompt_id = hook.text("prompt_id", LONGEST_PREVIEW)
    event_id = None if prompt_id is None else claude_prompt_event_id(prompt_id)
    return HookOutcome([hook.event("user_prompt", {"message": said}, event_id=event_id)], facts)


def _before_tool(hook: Hook) -> HookOutcome:
    name = hook.text("tool_name")
    verdict = judge(name, hook.fields.get("tool_input")) if hook.safety else None
    if verdict is not None and verdict.denied:
        event = hook.event("error", verdict.metadata, status="error", tool_name=name)
        return HookOutcome([event], [hook.facts(WORKING)], _denial(verdict))
    events = [] if verdict is None else [hook.event("tool_use", verdict.metadata, tool_name=name)]
    return HookOutcome(events, [hook.facts(*_tool_state(hook, TOOL))])


def _denial(verdict: Verdict) -> dict[str, Any]:
    """The client's own form of a decision."""
    decision = {"permissionDecision": "deny", "permissionDecisionReason": clean_text(verdict.message)}
    return {"hookSpecificOutput": {"hookEventName": "PreToolUse"} | decision}


def _tool_state(hook: Hook, usual: str) -> tuple[str, str]:
    asking = ASKING_TOOLS.get(hook.text("tool_name") or "")
    if asking == QUESTION:
        return QUESTION, one_line(subject(hook.fields.get("tool_input")) or "")
    return asking or usual, hook.tool


def _after_tool(hook: Hook) -> HookOutcome:
    name, tool_input = hook.text("tool_name"), hook.fields.get("tool_input")
    failed = hook.name == "PostToolUseFailure"
    tool_use_id = hook.text("tool_use_id", LONGEST_PREVIEW)
    metadata: dict[str, Any] = {} if tool_use_id is None else {"tool_use_id": tool_use_id}
    metadata |= subjects(tool_input)
    if failed:
        told = {"error": hook.text("error"), "is_interrupt": hook.fields.get("is_interrupt") is True}
        metadata |= {key: value for key, value in told.items() if value}
    else:
        metadata |= edited_lines(name, tool_input)
    event = hook.event(
        "tool_use",
        metadata,
        event_id=None if tool_use_id is None else claude_tool_event_id(tool_use_id),
        tool_name=name,
        status="error" if failed else "success",
        duration_ms=_duration_ms(hook.fields.get("duration_ms")),
    )
    interrupted = metadata.get("is_interrupt") is True
    return HookOutcome([event], [hook.facts(TURN_ENDED if interrupted else WORKING)])


def _duration_ms(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= LONGEST_MS:
        return None
    return int(value)


def _permission_request(hook: Hook) -> HookOutcome:
    # The tool's name stays out of its column: nothing has run, so it is no use of the tool.
    metadata = {"tool_name": hook.text("tool_name"), **subjects(hook.fields.get("tool_input"))}
    return HookOutcome([hook.told(metadata)], [hook.facts(*_tool_state(hook, PERMISSION))])


def _permission_denied(hook: Hook) -> HookOutcome:
    metadata = {"tool_name": hook.text("tool_name"), "reason": hook.text("reason", LONGEST_PREVIEW)}
    metadata |= subjects(hook.fields.get("tool_input"))
    return HookOutcome([hook.told(metadata, status="error")], [hook.facts(WORKING)])


def _notification(hook: Hook) -> HookOutcome:
    kind, message = hook.text("notification_type") or "", hook.text("message") or ""
    metadata = {"notification_type": kind, "message": message, "title": hook.text("title")}
    event = hook.event("response", {key: value for key, value in metadata.items() if value})
    return HookOutcome([event], [hook.facts(*_notified_state(kind, message))])


def _notified_state(kind: str, message: str) -> tuple[str | None, str | None]:
    """What the agent waits for; older clients send the message only."""
    if kind.endswith("permission_prompt") or (not kind and "needs your permission" in message):
        named = PERMISSION_TO_USE.search(message)
        return PERMISSION, one_line(named[1]) if named else None
    if kind in ("elicitation_dialog", "agent_needs_input"):
        return QUESTION, one_line(message)
    if kind == "idle_prompt" or (not kind and "waiting for your input" in message):
        return TURN_ENDED, None
    return None, None


def _elicitation(hook: Hook) -> HookOutcome:
    return HookOutcome([hook.told(hook.details)], [hook.facts(QUESTION, one_line(hook.text("message") or ""))])


def _before_compaction(hook: Hook) -> HookOutcome:
    return HookOutcome([hook.told(hook.details)], [hook.facts(WORKING, "compacting")])


def _after_compaction(hook: Hook) -> HookOutcome:
    # A compaction that the human asked for is followed by the human, any other by the turn it interrupted.
    state = TURN_ENDED if hook.text("trigger") == "manual" else WORKING
    return HookOutcome([hook.told(hook.details)], [hook.facts(state)])


def _model_switched(hook: Hook) -> HookOutcome:
    return HookOutcome([hook.told(hook.details)], [hook.facts(model=hook.text("to_model"))])


def _instructions(hook: Hook) -> HookOutcome:
    return HookOutcome([hook.event("instruction_load", hook.details)], [hook.facts()])


def _file_changed(hook: Hook) -> HookOutcome:
    return HookOutcome([hook.event("file_change", {"hook_event_name": hook.name} | hook.details)], [hook.facts()])


def _working(hook: Hook) -> HookOutcome:
    return HookOutcome([hook.told(hook.details)], [hook.facts(WORKING)])


def _nothing_new(hook: Hook) -> HookOutcome:
    """What other hooks tell better: a sign of life."""
    return HookOutcome([], [hook.facts()])


def _other(hook: Hook) -> HookOutcome:
    """Sub-agents, tasks, teams, work trees, settings, directories, and what is not known yet."""
    return HookOutcome([hook.told(hook.details)], [hook.facts()])


READERS: Final[dict[str, Callable[[Hook], HookOutcome]]] = {
    "SessionStart": _session_start,
    "SessionEnd": _session_end,
    "Stop": _stop,
    "StopFailure": _stop_failure,
    "UserPromptSubmit": _user_prompt,
    "UserPromptExpansion": _working,
    "PreToolUse": _before_tool,
    "PostToolUse": _after_tool,
    "PostToolUseFailure": _after_tool,
    "PostToolBatch": _nothing_new,
    "MessageDisplay": _nothing_new,
    "PermissionRequest": _permission_request,
    "PermissionDenied": _permission_denied,
    "Notification": _notification,
    "Elicitation": _elicitation,
    "ElicitationResult": _working,
    "PreCompact": _before_compaction,
    "PostCompact": _after_compaction,
    "PostModelSwitch": _model_switched,
    "InstructionsLoaded": _instructions,
    "FileChanged": _file_changed,
}

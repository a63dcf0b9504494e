"""Codex's hook bodies, and the argument of its `notify` program → events and facts. Pure.

Hooks have the names and fields of Claude Code's; beside them `turn_id`, and in sub-agents `agent_id`, the
thread's, with the root's session_id. `notify` tells the end of each turn, in words of its own. As in Codex 0.169.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Final

from ingest.contract import NOT_AN_OBJECT, BodyFault, decode_json
from ingest.dates import uuid_time_ms
from ingest.hooks.claude_body import LONGEST_PREVIEW, Hook, HookFault, preview
from ingest.hooks.outcome import HookOutcome
from ingest.hooks.tool_input import subjects
from ingest.otlp.keys import codex_prompt_event_id, codex_start_event_id, codex_tool_event_id, codex_turn_event_id
from ingest.otlp.patches import parse_patch
from ingest.telling import of_prompt
from monitor.lifecycle import PERMISSION, QUESTION, TOOL, TURN_ENDED, WORKING

NOTIFY: Final = "notify"
TURN_COMPLETE: Final = "agent-turn-complete"
ASKING_TOOLS: Final = frozenset({"request_user_input"})
PATCH_TOOL: Final = "apply_patch"
# Hooks call every shell tool by the name that it has in Claude Code; rollouts and telemetry by its own.
TOOL_NAMES: Final = {"Bash": "exec_command"}
UNTOLD: Final = frozenset({"turn_id", "model", "tool_response"})


class CodexHook(Hook):
    client: ClassVar[str] = "codex"

    @property
    def thread_id(self) -> str:
        return self.text("agent_id", LONGEST_PREVIEW) or self.session_id

    @property
    def turn_id(self) -> str | None:
        return self.text("turn_id", LONGEST_PREVIEW)

    @property
    def own_tool(self) -> str | None:
        name = self.text("tool_name")
        return TOOL_NAMES.get(name, name) if name else None

    @property
    def details(self) -> dict[str, Any]:
        return {key: value for key, value in super().details.items() if key not in UNTOLD}


def read_body(body: bytes, *, payload_limit_bytes: int) -> HookOutcome:
    """What one body says. Raises HookFault when it is no object or names no session."""
    try:
        value = decode_json(body)
    except BodyFault:
        raise HookFault(NOT_AN_OBJECT) from None
    return read(value, payload_limit_bytes=payload_limit_bytes)


def read(body: object, *, payload_limit_bytes: int) -> HookOutcome:
    """As `read_body`, from the decoded value."""
    if isinstance(body, dict) and "hook_event_name" not in body and "thread-id" in body:
        return _notified(body, payload_limit_bytes)
    hook = CodexHook(body, payload_limit_bytes, safety=False)
    outcome = READERS.get(hook.name, _other)(hook)
    outcome.hook = hook.name
    return outcome


def _notified(body: dict[str, Any], payload_limit_bytes: int) -> HookOutcome:
    """The end of a turn. A sub-agent's names no client, and its thread is no session: nothing is told of it."""
    if body.get("type") != TURN_COMPLETE or not body.get("client"):
        return HookOutcome(hook=NOTIFY)
    told = {
        "session_id": body.get("thread-id"),
        "turn_id": body.get("turn-id"),
        "cwd": body.get("cwd"),
        "hook_event_name": NOTIFY,
        "last_assistant_message": body.get("last-assistant-message"),
    }
    outcome = _stop(CodexHook(told, payload_limit_bytes, safety=False))
    outcome.hook = NOTIFY
    return outcome


def _session_start(hook: CodexHook) -> HookOutcome:
    model = hook.text("model")
    if hook.text("source") == "compact":
        return HookOutcome([], [hook.facts(model=model)])
    event_id = codex_start_event_id(hook.session_id)
    event = hook.event("session_start", {"hook_source": hook.text("source")}, event_id=event_id, model=model)
    return HookOutcome([event], [hook.facts(model=model)])


def _session_end(hook: CodexHook) -> HookOutcome:
    event = hook.event("session_end", {"hook_event_name": hook.name} | hook.details)
    return HookOutcome([event], [hook.facts(ends=True)])


def _prompt(hook: CodexHook) -> HookOutcome:
    prompt = hook.fields.get("prompt")
    if hook.is_subagent or not isinstance(prompt, str) or not prompt.strip():
        return HookOutcome([], [hook.facts(WORKING)])
    event_id = codex_prompt_event_id(hook.turn_id) if hook.turn_id else None
    event = hook.event("user_prompt", {"message": prompt}, event_id=event_id)
    # Bodies have no time, but the turn's id has that of its beginning.
    event.telling = of_prompt(hook.session_id, uuid_time_ms(hook.turn_id), prompt)
    return HookOutcome([event], [hook.facts(WORKING, model=hook.text("model"), new_turn=True)])


def _before_tool(hook: CodexHook) -> HookOutcome:
    asks = hook.text("tool_name") in ASKING_TOOLS
    return HookOutcome([], [hook.facts(QUESTION if asks else TOOL, hook.tool)])


def _after_tool(hook: CodexHook) -> HookOutcome:
    name, tool_input = hook.own_tool, hook.fields.get("tool_input")
    tool_use_id = hook.text("tool_use_id", LONGEST_PREVIEW)
    metadata: dict[str, Any] = {} if tool_use_id is None else {"tool_use_id": tool_use_id}
    metadata |= _patch(tool_input) if name == PATCH_TOOL else subjects(tool_input)
    event_id = None if tool_use_id is None else codex_tool_event_id(hook.thread_id, tool_use_id)
    event = hook.event("tool_use", metadata, event_id=event_id, tool_name=name)
    return HookOutcome([event], [hook.facts(WORKING)])


def _patch(tool_input: object) -> dict[str, Any]:
    patch = parse_patch(tool_input.get("command")) if isinstance(tool_input, dict) else None
    return {} if patch is None else patch._asdict()


def _permission(hook: CodexHook) -> HookOutcome:
    metadata = {"tool_name": hook.own_tool, **subjects(hook.fields.get("tool_input"))}
    return HookOutcome([hook.told(metadata)], [hook.facts(PERMISSION, hook.tool)])


def _before_compaction(hook: CodexHook) -> HookOutcome:
    return HookOutcome([hook.told(hook.details)], [hook.facts(WORKING, "compacting")])


def _after_compaction(hook: CodexHook) -> HookOutcome:
    state = TURN_ENDED if hook.text("trigger") == "manual" else WORKING
    return HookOutcome([hook.told(hook.details)], [hook.facts(state)])


def _stop(hook: CodexHook) -> HookOutcome:
    said = preview(hook.fields.get("last_assistant_message"))
    metadata = {"content_preview": said} if isinstance(said, str) and said else {}
    event_id = codex_turn_event_id(hook.turn_id) if hook.turn_id else None
    event = hook.event("response", {"hook_event_name": "Stop"} | metadata, event_id=event_id)
    return HookOutcome([event], [hook.facts(TURN_ENDED)])


def _interrupt(hook: CodexHook) -> HookOutcome:
    return HookOutcome([hook.told(hook.details)], [hook.facts(TURN_ENDED)])


def _other(hook: CodexHook) -> HookOutcome:
    """Sub-agents, and what is not known yet."""
    return HookOutcome([hook.told(hook.details)], [hook.facts()])


READERS: Final[dict[str, Callable[[CodexHook], HookOutcome]]] = {
    "SessionStart": _session_start,
    "SessionEnd": _session_end,
    "UserPromptSubmit": _prompt,
    "PreToolUse": _before_tool,
    "PostToolUse": _after_tool,
    "PermissionRequest": _permission,
    "PreCompact": _before_compaction,
    "PostCompact": _after_compaction,
    "Stop": _stop,
    "Interrupt": _interrupt,
}

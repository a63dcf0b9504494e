"""Gemini CLI's hook bodies → events and facts. Pure.

Bodies have session_id, transcript_path, cwd, hook_event_name and timestamp, and no id of a prompt or a tool use.
PreCompress comes before every turn, compressed or not: it tells nothing. As in Gemini CLI 0.61.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Final

from ingest.contract import NOT_AN_OBJECT, BodyFault, NewEvent, decode_json
from ingest.dates import parse_date
from ingest.hooks.claude_body import LONGEST_PREVIEW, Hook, HookFault, one_line, preview
from ingest.hooks.outcome import HookOutcome
from ingest.hooks.tool_input import subjects
from ingest.metadata import clean_text
from ingest.otlp.keys import gemini_hook_event_id
from ingest.telling import of_prompt, of_tool
from monitor.lifecycle import PERMISSION, QUESTION, TOOL, TURN_ENDED, WORKING

ASKING_TOOLS: Final = frozenset({"ask_user"})
TOOL_PERMISSION: Final = "ToolPermission"
# Of what a permission is asked for, the part that tells most.
ASKED_FOR: Final = ("command", "filePath", "toolDisplayName", "toolName", "prompt")
UNTOLD: Final = frozenset({"timestamp", "llm_request", "llm_response", "tool_response"})


class GeminiHook(Hook):
    client: ClassVar[str] = "gemini_cli"

    @property
    def details(self) -> dict[str, Any]:
        return {key: value for key, value in super().details.items() if key not in UNTOLD}

    def event(self, event_type: str, metadata: dict[str, Any], **columns: Any) -> NewEvent:
        event = super().event(event_type, metadata, **columns)
        event.client_at_ms = parse_date(self.text("timestamp") or "")
        return event


def read_body(body: bytes, *, payload_limit_bytes: int) -> HookOutcome:
    """What one body says. Raises HookFault when it is no object or names no session."""
    try:
        value = decode_json(body)
    except BodyFault:
        raise HookFault(NOT_AN_OBJECT) from None
    return read(value, payload_limit_bytes=payload_limit_bytes)


def read(body: object, *, payload_limit_bytes: int) -> HookOutcome:
    """As `read_body`, from the decoded value."""
    hook = GeminiHook(body, payload_limit_bytes, safety=False)
    outcome = READERS.get(hook.name, _other)(hook)
    outcome.hook = hook.name
    return outcome


def _session_start(hook: GeminiHook) -> HookOutcome:
    return HookOutcome([hook.event("session_start", {"hook_source": hook.text("source")})], [hook.facts()])


def _session_end(hook: GeminiHook) -> HookOutcome:
    event = hook.event("session_end", {"hook_event_name": hook.name} | hook.details)
    return HookOutcome([event], [hook.facts(ends=True)])


def _prompt(hook: GeminiHook) -> HookOutcome:
    prompt = hook.fields.get("prompt")
    said = isinstance(prompt, str) and prompt.strip()
    events = [_shared(hook, hook.event("user_prompt", {"message": prompt}))] if said else []
    return HookOutcome(events, [hook.facts(WORKING, new_turn=True)])


def _turn_ended(hook: GeminiHook) -> HookOutcome:
    said = hook.text("prompt_response", LONGEST_PREVIEW)
    return HookOutcome([hook.told({"content_preview": said} if said else {})], [hook.facts(TURN_ENDED)])


def _before_tool(hook: GeminiHook) -> HookOutcome:
    asks = hook.text("tool_name") in ASKING_TOOLS
    return HookOutcome([], [hook.facts(QUESTION if asks else TOOL, hook.tool)])


def _after_tool(hook: GeminiHook) -> HookOutcome:
    response = hook.fields.get("tool_response")
    response = response if isinstance(response, dict) else {}
    metadata: dict[str, Any] = dict(subjects(hook.fields.get("tool_input")))
    error = _error(response.get("error"))
    metadata |= {"error": error} if error else _lines(response.get("returnDisplay"))
    event = hook.event(
        "tool_use", metadata, tool_name=hook.text("tool_name"), status="error" if error else "success"
    )
    return HookOutcome([_shared(hook, event)], [hook.facts(WORKING)])


def _shared(hook: GeminiHook, event: NewEvent) -> NewEvent:
    """A prompt or tool use that telemetry and chats tell of too: its text and time are what they share."""
    if event.event_type == "user_prompt":
        event.telling = of_prompt(event.session_id, event.client_at_ms, hook.text("prompt"))
    else:
        arguments = hook.fields.get("tool_input")
        event.telling = of_tool(event.session_id, event.client_at_ms, event.tool_name, arguments)
    if event.telling is not None:
        event.event_id = gemini_hook_event_id(hook.fields)
    return event


def _error(error: object) -> str | None:
    """A text, or an object with a message."""
    said = error.get("message") if isinstance(error, dict) else error
    if isinstance(said, str) and said:
        return clean_text(str(preview(said)))
    return "the tool failed" if error else None


def _lines(shown: object) -> dict[str, Any]:
    changes = shown.get("diffStat") if isinstance(shown, dict) else None
    if not isinstance(changes, dict):
        return {}
    return {
        "lines_added": changes.get("model_added_lines"),
        "lines_removed": changes.get("model_removed_lines"),
    }


def _notification(hook: GeminiHook) -> HookOutcome:
    kind, message = hook.text("notification_type") or "", hook.text("message") or ""
    told = {"notification_type": kind, "message": message}
    event = hook.event("response", {key: value for key, value in told.items() if value})
    if kind != TOOL_PERMISSION:
        return HookOutcome([event], [hook.facts()])
    return HookOutcome([event], [hook.facts(PERMISSION, _asked_for(hook.fields.get("details")) or message)])


def _asked_for(details: object) -> str | None:
    if not isinstance(details, dict):
        return None
    return next((one_line(text) for key in ASKED_FOR if isinstance(text := details.get(key), str) and text), None)


def _nothing_new(hook: GeminiHook) -> HookOutcome:
    return HookOutcome([], [hook.facts()])


def _other(hook: GeminiHook) -> HookOutcome:
    """What is not known yet."""
    return HookOutcome([hook.told(hook.details)], [hook.facts()])


READERS: Final[dict[str, Callable[[GeminiHook], HookOutcome]]] = {
    "SessionStart": _session_start,
    "SessionEnd": _session_end,
    "BeforeAgent": _prompt,
    "AfterAgent": _turn_ended,
    "BeforeTool": _before_tool,
    "AfterTool": _after_tool,
    "Notification": _notification,
    "PreCompress": _nothing_new,
    "BeforeModel": _nothing_new,
    "AfterModel": _nothing_new,
    "BeforeToolSelection": _nothing_new,
}

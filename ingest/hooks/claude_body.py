"""One body of a hook, with access that never fails on a value of the wrong kind. Pure.

Codex's and Gemini CLI's bodies have the names of Claude Code's; what differs stands in their own modules.
"""

import re
from typing import Any, ClassVar, Final, Literal

from ingest.contract import LONGEST_TEXT, NOT_AN_OBJECT, Fault, NewEvent, SessionFacts, SubagentFacts, check_event
from ingest.hooks.tool_input import subject
from ingest.metadata import cap_outcome, clean_text
from monitor.lifecycle import PERMISSION, QUESTION

AGENT_TYPE: Final = "claude_code"
LONGEST_DETAIL: Final = 200
LONGEST_PREVIEW: Final = 500

# What every body has, or what facts and columns hold already: not worth repeating in metadata.
COMMON_KEYS: Final = frozenset(
    {"session_id", "transcript_path", "cwd", "hook_event_name", "permission_mode", "prompt_id", "effort"}
    | {"agent_id", "agent_type", "session_title", "stop_hook_active", "permission_suggestions"}
)


# What a hook says of the sub-agent that it comes from.
MOMENTS: Final[dict[str, Literal["starts", "ends"]]] = {"SubagentStart": "starts", "SubagentStop": "ends"}


class HookFault(Exception):
    """The body can't be used; `faults` are the wrong fields."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.field}: {fault.message}" for fault in faults))
        self.faults = faults


class Hook:
    """What `body` says. Raises HookFault when it is no object or names no session."""

    client: ClassVar[str] = AGENT_TYPE

    def __init__(self, body: object, payload_limit_bytes: int, safety: bool) -> None:
        if not isinstance(body, dict):
            raise HookFault(NOT_AN_OBJECT)
        self.fields: dict[str, Any] = body
        self.session_id = _session_id(body)
        self.name = self.text("hook_event_name") or "unknown"
        self.is_subagent = self.text("agent_id") is not None
        self._limit, self.safety = payload_limit_bytes, safety

    def text(self, key: str, longest: int = LONGEST_TEXT) -> str | None:
        """The trimmed text of a field, cut at `longest` characters; None when there is none."""
        return _clean(self.fields.get(key), longest)

    @property
    def project(self) -> str | None:
        cwd = self.text("new_cwd") or self.text("cwd")
        return None if cwd is None else _project(cwd, self.text("transcript_path") or "")

    @property
    def details(self) -> dict[str, Any]:
        """The fields that only this hook event has, long texts cut."""
        own = {key: value for key, value in self.fields.items() if key not in COMMON_KEYS}
        if "last_assistant_message" in own:
            own["content_preview"] = own.pop("last_assistant_message")
        return {key: preview(value) for key, value in own.items() if value not in (None, "", [], {})}

    @property
    def tool(self) -> str:
        """The tool and what it is to do, as one short line."""
        name = self.text("tool_name", LONGEST_DETAIL) or "tool"
        what = subject(self.fields.get("tool_input"))
        return one_line(f"{name}: {what}" if what else name)

    def event(self, event_type: str, metadata: dict[str, Any], **columns: Any) -> NewEvent:
        """An event of this session; who of its agents speaks goes into the metadata."""
        if self.is_subagent:
            metadata = metadata | {"agent_id": self.text("agent_id"), "subagent_type": self.text("agent_type")}
        failed = columns.get("status") == "error"
        capped = cap_outcome(metadata, self._limit, columns.get("tool_name"), failed=failed)
        return NewEvent(
            session_id=self.session_id,
            agent_type=self.client,
            event_type=event_type,
            project=self.project,
            source="hook",
            metadata=capped.text,
            payload_truncated=capped.truncated,
            edited_path=capped.edited_path,
            lines_added=capped.lines_added,
            lines_removed=capped.lines_removed,
            **columns,
        )

    def told(self, metadata: dict[str, Any], status: str = "success") -> NewEvent:
        """A `response` event that names its hook."""
        return self.event("response", {"hook_event_name": self.name} | metadata, status=status)

    def facts(self, state: str | None = None, detail: str | None = None, **known: Any) -> SessionFacts:
        """Facts of the session. What a sub-agent does is not what the session does, unless a human must act."""
        facts = SessionFacts(session_id=self.session_id, agent_type=self.client, **known)
        facts.transcript_path = self.text("transcript_path")
        facts.agent_id = self.text("agent_id")
        if not self.is_subagent or state in (PERMISSION, QUESTION):
            facts.state, facts.state_detail = state, detail or None
        facts.subagents = self._subagents()
        if not self.is_subagent:
            facts.cwd = self.text("new_cwd") or self.text("cwd")
            facts.project = self.project
            facts.permission_mode = self.text("permission_mode")
            facts.title = self.text("session_title")
        return facts

    def _subagents(self) -> list[SubagentFacts]:
        """The sub-agent that speaks. The compaction's own helper has no type, and no conversation either."""
        agent_id, kind = self.text("agent_id"), self.text("agent_type")
        if agent_id is None or kind is None:
            return []
        return [SubagentFacts(subagent_id=agent_id, kind=kind, now=MOMENTS.get(self.name, "works"))]


def _session_id(body: dict[str, Any]) -> str:
    checked = check_event(
        {"session_id": body.get("session_id"), "agent_type": AGENT_TYPE, "event_type": "response"}, 0
    )
    if isinstance(checked, list):
        raise HookFault(checked)
    return checked.session_id


def _clean(value: object, longest: int) -> str | None:
    if not isinstance(value, str):
        return None
    return clean_text(value).strip()[:longest].strip() or None


def one_line(text: str) -> str:
    """A text as one short line, for the state of a session."""
    return " ".join(clean_text(text[: 2 * LONGEST_DETAIL]).split())[:LONGEST_DETAIL].strip()


def preview(value: Any) -> Any:
    """A long text's beginning; any other value as it is."""
    return value[:LONGEST_PREVIEW] if isinstance(value, str) else value


def _project(cwd: str, transcript_path: str) -> str | None:
    """The name of the project's directory: the one the transcript is kept for, else the current one.

    The client names a transcript's directory after the path where it was started, every character but letters
    and digits a dash. An agent that went into a subdirectory still works on that project.
    """
    directories = re.split(r"[/\\]", transcript_path)
    kept_for = directories[-2] if len(directories) > 1 else ""
    below = cwd[len(kept_for) :]
    if kept_for and re.sub(r"[^A-Za-z0-9]", "-", cwd).startswith(kept_for) and below.startswith(("/", "\\")):
        cwd = cwd[: len(kept_for)]
    return re.split(r"[/\\]", cwd.rstrip("/\\"))[-1] or None

"""Gemini CLI's chats: messages to events, session facts and calls. Pure.

Newer versions append: a header, `$set` lines that change it, and a line for each message. Older ones rewrite one
JSON document that holds all messages. A message repeats under its id as it grows; its last copy counts.
What is read and what is left out: docs/importing.md.
"""

from collections import Counter
from typing import Any, Final

from importers.buffer import EventBuffer, Slot
from importers.fields import PREVIEW_CHARACTERS, PROMPT_CHARACTERS, joined_text, mapping, moment, project_of, text
from importers.gemini_entries import Place, entries_of
from importers.gemini_messages import (
    AGENT_TYPE,
    ToolUse,
    call_key,
    event_id_of,
    finished_tools,
    is_typed,
    show_usage,
    usage_of,
)
from importers.reader import SOURCE, PathFacts, TimeRange
from ingest.contract import NewCall, NewEvent, SessionFacts, SubagentFacts
from ingest.entries import NewEntry
from ingest.ledger import TRANSCRIPT
from ingest.metadata import clean_text
from ingest.telling import of_prompt, of_tool
from pricing.usage import Usage

# What the client tells the person, not the model.
NOTICES: Final = frozenset({"info", "warning", "about", "help", "stats", "quit", "compression"})
EVERYTHING: Final = TimeRange()


class GeminiReader:
    """Reads one chat; see importers.reader.Reader."""

    def __init__(self, path: PathFacts, wanted: TimeRange = EVERYTHING) -> None:
        self.unknown: Counter[str] = Counter()
        self._path, self._wanted = path, wanted
        self._buffer = EventBuffer(path.payload_limit_bytes)
        self._entries: list[NewEntry] = []
        self._session_id = path.name
        self._title: str | None = None
        self._started_at_ms: int | None = None
        self._last_at_ms: int | None = None
        self._has_events = False
        self._prompts: set[str] = set()
        self._tools: set[str] = set()
        # The answer that may still grow, and with what usage and how long a text each one was told.
        self._answer: tuple[str, Slot] | None = None
        self._told: dict[str, tuple[Usage, int]] = {}

    def read(self, number: int, value: dict[str, Any]) -> None:
        if "$set" in value:
            value = mapping(value["$set"])
            self._read_header(number, value)
        elif "sessionId" in value or isinstance(value.get("messages"), list):
            self._read_header(number, value)
        elif "id" in value and "type" in value:
            self._read_message(number, value)
        elif not any(key.startswith("$") for key in value):
            self.unknown[text(value.get("type")) or "no type"] += 1

    def take(self, *, everything: bool = False) -> list[NewEvent]:
        events = self._buffer.take(everything=everything)
        self._has_events = self._has_events or bool(events)
        return events

    def take_entries(self) -> list[NewEntry]:
        """They wait for the first event: a chat that holds nothing but notices makes no session."""
        if not self._has_events:
            return []
        taken, self._entries = self._entries, []
        return taken

    def facts(self) -> list[SessionFacts]:
        if not self._has_events:
            return []
        facts = SessionFacts(
            session_id=self._session_id,
            agent_type=AGENT_TYPE,
            sign_of_life=False,
            started_at_ms=self._started_at_ms,
            last_at_ms=self._last_at_ms,
        )
        if self._path.agent_id is not None:
            agent = SubagentFacts(subagent_id=self._path.agent_id)
            agent.started_at_ms, agent.last_at_ms = self._started_at_ms, self._last_at_ms
            facts.subagents = [agent]
        else:
            facts.cwd, facts.project = self._path.cwd, self._project
            facts.title, facts.transcript_path = self._title, self._path.path
        return [facts]

    @property
    def _project(self) -> str | None:
        return project_of(self._path.cwd)

    def _read_header(self, number: int, header: dict[str, Any]) -> None:
        if self._path.agent_id is None:
            self._session_id = text(header.get("sessionId")) or self._session_id
        self._title = text(header.get("summary")) or self._title
        began_at_ms = moment(header.get("startTime"))
        if began_at_ms is not None and self._wanted.holds(began_at_ms):
            self._started_at_ms = min(self._started_at_ms or began_at_ms, began_at_ms)
        messages = header.get("messages")
        for message in messages if isinstance(messages, list) else ():
            if isinstance(message, dict):
                self._read_message(number, message)

    def _read_message(self, number: int, message: dict[str, Any]) -> None:
        message_id, at_ms = text(message.get("id")), moment(message.get("timestamp"))
        if message_id is None or not self._wanted.holds(at_ms):
            return
        if at_ms is not None:
            self._last_at_ms = max(self._last_at_ms or at_ms, at_ms)
        if self._answer is not None and self._answer[0] != message_id:
            self._answer[1].is_open, self._answer = False, None
        place = Place(self._session_id, self._path.agent_id, message_id, at_ms)
        self._entries += entries_of(place, message)
        match message.get("type"):
            case "gemini":
                self._read_answer(number, message_id, at_ms, message)
            case "user":
                self._read_prompt(message_id, at_ms, message)
            case "error":
                self._add_error(message_id, at_ms, message)
            case kind if kind not in NOTICES:
                self.unknown[text(kind) or "no type"] += 1

    def _read_answer(self, number: int, message_id: str, at_ms: int | None, message: dict[str, Any]) -> None:
        usage = usage_of(mapping(message.get("tokens")))
        said = clean_text(joined_text(message.get("content"))[:PREVIEW_CHARACTERS])
        if self._told.get(message_id) != (usage, len(said)):
            self._told[message_id] = (usage, len(said))
            slot = self._answer_slot(message_id, at_ms)
            slot.event.model = text(message.get("model")) or slot.event.model
            show_usage(slot.event, usage)
            slot.event.call = self._call(number, message_id, slot.event, usage)
            if said:
                slot.metadata["content_preview"] = said
        for use in finished_tools(message):
            self._add_tool(message_id, at_ms, use)

    def _answer_slot(self, message_id: str, at_ms: int | None) -> Slot:
        if self._answer is not None:
            slot = self._answer[1]
            self._buffer.again(slot)
            slot.is_open = True
            return slot
        slot = self._slot("llm_response", f"message:{message_id}", at_ms)
        slot.is_open = True
        self._answer = (message_id, slot)
        return slot

    def _call(self, number: int, message_id: str, event: NewEvent, usage: Usage) -> NewCall | None:
        if usage == Usage():
            return None
        return NewCall(
            key=call_key(self._session_id, message_id),
            usage=usage,
            model=event.model,
            called_at_ms=event.client_at_ms,
            authority=TRANSCRIPT,
            ref=f"{self._path.path}:{number + 1}",
            subagent_id=self._path.agent_id,
        )

    def _add_tool(self, message_id: str, at_ms: int | None, use: ToolUse) -> None:
        name = f"tool:{use.tool_id or message_id}"
        if name in self._tools:
            return
        self._tools.add(name)
        slot = self._slot("tool_use", name, use.at_ms or at_ms)
        slot.event.tool_name, slot.metadata = use.name, slot.metadata | use.metadata
        slot.event.telling = of_tool(self._session_id, slot.event.client_at_ms, use.name, use.arguments)
        if use.failed:
            slot.event.status, slot.counts_edit = "error", False

    def _read_prompt(self, message_id: str, at_ms: int | None, message: dict[str, Any]) -> None:
        said = joined_text(message.get("displayContent") or message.get("content")).strip()
        if message_id in self._prompts or self._path.agent_id is not None or not is_typed(said):
            return
        self._prompts.add(message_id)
        slot = self._slot("user_prompt", f"message:{message_id}", at_ms)
        slot.event.telling = of_prompt(self._session_id, at_ms, said)
        slot.metadata["message"] = clean_text(said[:PROMPT_CHARACTERS])

    def _add_error(self, message_id: str, at_ms: int | None, message: dict[str, Any]) -> None:
        slot = self._slot("error", f"message:{message_id}", at_ms)
        slot.event.status = "error"
        slot.metadata["error"] = clean_text(joined_text(message.get("content"))[:PREVIEW_CHARACTERS])

    def _slot(self, event_type: str, what: str, at_ms: int | None) -> Slot:
        event = NewEvent(
            session_id=self._session_id,
            agent_type=AGENT_TYPE,
            event_type=event_type,
            event_id=event_id_of(f"{self._session_id}:{what}"),
            project=self._project,
            client_at_ms=at_ms,
            source=SOURCE,
        )
        slot = Slot(event)
        if self._path.agent_id is not None:
            slot.metadata["agent_id"] = self._path.agent_id
        return self._buffer.add(slot)

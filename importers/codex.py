"""Codex rollouts: lines to events, session facts and calls. Pure.

The contract's events (session_start, llm_response for each call, apply_patch, session_end with the totals), and
beside them the prompts and every tool with its result. A fork's or sub-agent's copy of its parent's history gives
no events of its own; its calls go to the parent, under the key that the parent's own file gives them.
What is read and what is left out: docs/importing.md.
"""

from collections import Counter
from typing import Any, Final

from importers.buffer import EventBuffer, Slot
from importers.codex_calls import CodexCall, TokenCounter
from importers.codex_entries import CodexEntries
from importers.codex_events import call_slot, opening_slot, totals
from importers.codex_threads import (
    AGENT_TYPE,
    MACHINE_STARTS,
    Numbers,
    RolloutLine,
    Thread,
    event_id_of,
    is_replay,
    thread_of,
)
from importers.codex_toollog import ToolLog
from importers.fields import PREVIEW_CHARACTERS, PROMPT_CHARACTERS, joined_text, mapping, moment, text
from importers.reader import PathFacts, TimeRange
from ingest.contract import CompactionFacts, NewEvent, SessionFacts, SubagentFacts
from ingest.entries import NewEntry
from ingest.metadata import clean_text
from ingest.otlp.keys import codex_prompt_event_id, codex_start_event_id
from ingest.telling import of_prompt
from monitor.lifecycle import TURN_ENDED, WORKING
from monitor.quotas import from_rollout

EVERYTHING: Final = TimeRange()


class CodexReader:
    """Reads one rollout; see importers.reader.Reader."""

    def __init__(self, path: PathFacts, wanted: TimeRange = EVERYTHING) -> None:
        self.unknown: Counter[str] = Counter()
        self._path, self._wanted = path, wanted
        self._buffer = EventBuffer(path.payload_limit_bytes)
        self._entries = CodexEntries()
        self._counter, self._numbers = TokenCounter(), Numbers()
        self._tools = ToolLog(self._buffer, self._numbers)
        self._thread: Thread | None = None
        self._repeats = False
        self._turn_id: str | None = None
        self._turn_is_open = False
        self._turn_changed_at_ms: int | None = None
        self._limits: tuple[dict[str, Any], int] | None = None
        self._model: str | None = None
        self._title: str | None = None
        self._last_at_ms: int | None = None
        self._ended_at_ms: int | None = None
        self._compactions: list[CompactionFacts] = []
        self._opening: Slot | None = None
        # What the agent said since its last call, and the last prompt with its turn.
        self._said: list[str] = []
        self._last_prompt: tuple[str | None, str] | None = None
        self._prompts = Numbers()
        self._has_events = False

    def read(self, number: int, value: dict[str, Any]) -> None:
        kind, payload = text(value.get("type")) or "", mapping(value.get("payload"))
        at_ms = moment(value.get("timestamp"))
        thread = self._thread or self._begin(kind, payload, at_ms)
        if not self._wanted.holds(thread.started_at_ms):
            return
        if kind == "session_meta" and text(payload.get("id")) not in (None, thread.thread_id):
            self._repeats = True
        self._turn_id = text(payload.get("turn_id")) or self._turn_id
        is_copy = is_replay(thread, self._turn_id, at_ms, value.get("ordinal"), repeats=self._repeats)
        if at_ms is not None and not is_copy:
            self._last_at_ms = max(self._last_at_ms or at_ms, at_ms)
        line = RolloutLine(number, kind, payload, at_ms, is_copy, thread)
        if not is_copy and not mapping(value.get("metadata")).get("compaction_output"):
            self._entries.read(line)
        self._dispatch(line)
        if self._ended_at_ms is not None and not self._turn_is_open:
            # Lines behind the end of a turn belong to it, until the next one begins.
            self._ended_at_ms = self._last_at_ms

    def take(self, *, everything: bool = False) -> list[NewEvent]:
        if everything:
            self._end()
        events = self._buffer.take(everything=everything)
        self._has_events = self._has_events or bool(events)
        return events

    def take_entries(self) -> list[NewEntry]:
        """They wait for the first event: without one there is no session."""
        return self._entries.take() if self._has_events else []

    def facts(self) -> list[SessionFacts]:
        thread = self._thread
        if thread is None or not self._has_events:
            return []
        facts = SessionFacts(
            session_id=thread.session_id,
            agent_type=AGENT_TYPE,
            sign_of_life=False,
            started_at_ms=thread.started_at_ms,
            last_at_ms=self._last_at_ms,
            quota=from_rollout(*self._limits) if self._limits else None,
            subagents=self._subagents(thread),
            compactions=self._compactions,
        )
        if not thread.is_subagent:
            facts.project, facts.branch, facts.cwd = thread.project, thread.branch, thread.cwd
            facts.title, facts.client_version = self._title, thread.client_version
            facts.transcript_path = self._path.path
            facts.state = WORKING if self._turn_is_open else TURN_ENDED
            facts.state_at_ms = self._turn_changed_at_ms
        return [facts]

    def _subagents(self, thread: Thread) -> list[SubagentFacts]:
        """The thread itself, when it is one."""
        if thread.agent_id is None:
            return []
        parent_id = thread.parent_id
        return [
            SubagentFacts(
                subagent_id=thread.agent_id,
                parent_subagent_id=None if parent_id == thread.session_id else parent_id,
                kind=thread.kind,
                description=thread.nickname,
                started_at_ms=thread.started_at_ms,
                last_at_ms=self._last_at_ms,
                ended_at_ms=self._ended_at_ms,
            )
        ]

    def _begin(self, kind: str, payload: dict[str, Any], at_ms: int | None) -> Thread:
        thread = thread_of(payload if kind == "session_meta" else {}, at_ms, self._path.name)
        self._thread, self._repeats = thread, thread.forked_from_id is not None
        if kind == "session_meta" and self._wanted.holds(thread.started_at_ms) and not thread.is_subagent:
            event = thread.event("session_start", codex_start_event_id(thread.thread_id), at_ms)
            self._opening = self._buffer.add(opening_slot(event, thread))
        return thread

    def _end(self) -> None:
        """The contract's last event, unless a turn is still going on."""
        thread = self._thread
        self._name_model(self._path.default_model)
        if thread is None or thread.is_subagent or self._opening is None or self._turn_is_open:
            return
        event = thread.event("session_end", event_id_of(f"{thread.thread_id}:end"), self._last_at_ms)
        event.model = self._model or self._path.default_model
        self._buffer.add(Slot(event, totals(self._counter.total)))

    def _dispatch(self, line: RolloutLine) -> None:
        match line.kind:
            case "turn_context":
                self._model = text(line.payload.get("model")) or self._model
                self._name_model(self._model)
            case "token_usage_record":
                call = self._counter.record(line.payload, self._turn_id, line.thread.thread_id)
                self._add_call(line, call)
            case "event_msg":
                self._read_event(line)
            case "response_item":
                if not line.is_copy:
                    self._tools.read_item(line)
            case "compacted":
                if not line.is_copy:
                    self._add_compaction(line)
            case "session_meta" | "world_state":
                pass
            case _:
                self.unknown[line.kind or "no type"] += 1

    def _read_event(self, line: RolloutLine) -> None:
        payload = line.payload
        if line.event_kind == "token_count":
            self._note_limits(line)
            self._add_call(line, self._counter.count(payload, self._turn_id, line.thread.thread_id))
        if line.is_copy:
            return
        match line.event_kind:
            case "task_started":
                self._turn_is_open, self._turn_changed_at_ms = True, line.at_ms
            case "task_complete" | "turn_aborted":
                self._turn_is_open, self._ended_at_ms = False, self._last_at_ms
                self._turn_changed_at_ms = line.at_ms
                self._add_error(line, mapping(payload.get("error")).get("message"))
            case "error":
                self._add_error(line, payload.get("message"))
            case "user_message":
                self._add_prompt(line, text(payload.get("message")))
            case "agent_message":
                self._said.append(text(payload.get("message")) or "")
            case "thread_name_updated":
                self._title = text(payload.get("thread_name")) or self._title
            case "exec_command_end" | "patch_apply_end" | "mcp_tool_call_end":
                self._tools.read_end(payload.get("call_id"), payload)
            case "item_completed":
                self._read_finished_item(line, mapping(payload.get("item")))

    def _read_finished_item(self, line: RolloutLine, item: dict[str, Any]) -> None:
        match item.get("type"):
            case "UserMessage":
                self._add_prompt(line, joined_text(item.get("content")).strip())
            case "AgentMessage":
                self._said.append(joined_text(item.get("content")))
            case "CommandExecution" | "FileChange":
                if not self._tools.read_end(item.get("id"), item):
                    self._tools.add_inner(line, item)

    def _add_call(self, line: RolloutLine, call: CodexCall | None) -> None:
        if call is None or (line.is_copy and self._turn_id is None):
            # A copied count without a turn's id can't be joined with the parent's own.
            return
        thread = line.thread
        event_id = event_id_of(f"call:{call.key}")
        if call.is_counted and not line.is_copy:
            event_id = event_id_of(f"{thread.thread_id}:token:{next(self._numbers)}")
        event = line.event("llm_response", event_id)
        event.model = self._model or self._path.default_model
        if line.is_copy and not thread.is_subagent:
            event.session_id = text(line.payload.get("thread_id")) or thread.forked_from_id or thread.session_id
        said = "\n".join(filter(None, self._said))
        self._said.clear()
        ref = f"{self._path.path}:{line.number + 1}"
        self._buffer.add(call_slot(event, call, ref, said, _subagent_of(line)))

    def _add_compaction(self, line: RolloutLine) -> None:
        event = line.event("response", line.line_id)
        self._buffer.add(Slot(event, {"type": "compacted", "content_preview": "Conversation compacted"}))
        if line.at_ms is not None:
            self._compactions.append(
                CompactionFacts(line_id=line.line_id, at_ms=line.at_ms, subagent_id=line.thread.agent_id)
            )

    def _add_prompt(self, line: RolloutLine, prompt: str | None) -> None:
        """Some versions tell a prompt twice; a sub-agent's prompts are its parent's words."""
        told = (self._turn_id, prompt or "")
        if not prompt or line.thread.is_subagent or prompt.startswith(MACHINE_STARTS) or told == self._last_prompt:
            return
        last_turn_id = self._last_prompt[0] if self._last_prompt else None
        self._last_prompt = told
        event_id = event_id_of(f"{line.thread.thread_id}:prompt:{next(self._prompts)}")
        if self._turn_id is not None and self._turn_id != last_turn_id:
            event_id = codex_prompt_event_id(self._turn_id)
        event = line.event("user_prompt", event_id)
        event.telling = of_prompt(line.thread.session_id, line.at_ms, prompt)
        self._buffer.add(Slot(event, {"message": clean_text(prompt[:PROMPT_CHARACTERS])}))

    def _add_error(self, line: RolloutLine, message: object) -> None:
        if isinstance(message, str) and message:
            event = line.event("error", line.line_id)
            event.status = "error"
            self._buffer.add(Slot(event, {"error": clean_text(message[:PREVIEW_CHARACTERS])}))

    def _note_limits(self, line: RolloutLine) -> None:
        limits = line.payload.get("rate_limits")
        if not isinstance(limits, dict) or line.at_ms is None or line.is_copy:
            return
        if from_rollout(limits, line.at_ms) is not None:
            self._limits = (limits, line.at_ms)

    def _name_model(self, model: str | None) -> None:
        """The session's start waits for the first turn, which names the model."""
        if self._opening is not None and self._opening.is_open and model is not None:
            self._opening.event.model, self._opening.is_open = model, False


def _subagent_of(line: RolloutLine) -> str | None:
    """Which sub-agent of the session made a call; a copied one is of the thread that this one started from."""
    thread = line.thread
    if not thread.is_subagent or not line.is_copy:
        return thread.agent_id
    owner = text(line.payload.get("thread_id")) or thread.parent_id
    return None if owner == thread.session_id else owner

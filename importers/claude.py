"""Claude Code transcripts: lines to events, session facts and calls. Pure.

Lines of two kinds. Those without ids (made by other tools, or very old) become one event each, as the
contract maps them. Lines of the client itself have ids, and what happened once becomes one event whatever
the number of its lines: an answer with its usage, a tool use with its result, a prompt that a human typed.
Their event ids come from the client's own ids, so that a hook or a copied transcript tells the same event.
What is read and what is left out: docs/importing.md.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from importers.buffer import EventBuffer, Slot
from importers.claude_calls import AnswerLine, CallRuns, Run, usage_of
from importers.claude_entries import entries_of
from importers.claude_lines import ClaudeLine, LineContext, event_id_of
from importers.claude_plain import EVENT_TYPES, PlainLines, has_content, usage_of_line
from importers.claude_prompts import typed_prompt
from importers.claude_sessions import ClaudeSessions
from importers.claude_subagents import ClaudeSubagents
from importers.claude_tools import input_metadata, result_duration_ms, result_text
from importers.fields import PREVIEW_CHARACTERS, blocks, joined_text, mapping, text
from importers.reader import PathFacts, TimeRange
from ingest.contract import NewEvent, SessionFacts
from ingest.entries import NewEntry
from ingest.metadata import clean_text
from ingest.otlp.keys import claude_prompt_event_id, claude_tool_event_id
from pricing.usage import Usage

# The client's own book-keeping; nothing happened. `progress` repeats what other files hold, `api-request…` what
# the model was sent; `cost-state` is the sum of a session's calls so far, in forks with those of its parent.
NO_NEWS: Final = frozenset(
    {
        "agent-name",
        "ai-title",
        "api-request",
        "api-request-blob",
        "api-request-shape",
        "atis-latch",
        "attachment",
        "cost-state",
        "custom-title",
        "file-history-snapshot",
        "last-prompt",
        "mode",
        "permission-mode",
        "pr-link",
        "progress",
        "queue-operation",
        "relocated",
        "tag",
        "tools-used",
        "worktree-state",
    }
)
QUIET_SYSTEM_LINES: Final = frozenset({"local_command", "stop_hook_summary", "turn_duration"})
COMPACTED: Final = "compact_boundary"
NO_BILL_MODEL: Final = "<synthetic>"
TOOL_BLOCKS: Final = frozenset({"tool_use", "server_tool_use", "mcp_tool_use"})
EVERYTHING: Final = TimeRange()


class ClaudeReader:
    """Reads one transcript; see importers.reader.Reader."""

    def __init__(self, path: PathFacts, wanted: TimeRange = EVERYTHING) -> None:
        self.unknown: Counter[str] = Counter()
        self._path, self._wanted = path, wanted
        self._context = LineContext(path)
        self._sessions = ClaudeSessions(path)
        self._subagents = ClaudeSubagents(path)
        self._plain = PlainLines()
        self._buffer = EventBuffer(path.payload_limit_bytes)
        self._runs = CallRuns()
        # The answer that each agent of the file is giving, and the tools without a result yet.
        self._answers: dict[str, tuple[Run, Slot]] = {}
        self._tools: dict[str, Slot] = {}
        self._entries: list[NewEntry] = []
        self._has_events = False

    def read(self, number: int, value: dict[str, Any]) -> None:
        line = self._context.line(number, value)
        if not self._wanted.holds(line.at_ms):
            return
        self._sessions.note(line)
        line = self._reported(line) or line
        self._subagents.note(line)
        self._dispatch(line)

    def take(self, *, everything: bool = False) -> list[NewEvent]:
        events = self._buffer.take(everything=everything)
        self._has_events = self._has_events or bool(events)
        self._note_sessions(events)
        return events

    def take_entries(self) -> list[NewEntry]:
        """They wait for the first event: what holds nothing but notices makes no session."""
        if not self._has_events:
            return []
        taken, self._entries = self._entries, []
        self._note_sessions(taken)
        return taken

    def _note_sessions(self, taken: Sequence[NewEvent | NewEntry]) -> None:
        for session_id in {one.session_id for one in taken}:
            self._sessions.note_event(session_id)

    def facts(self) -> list[SessionFacts]:
        known = self._sessions.facts()
        for facts in known:
            facts.subagents = self._subagents.of_session(facts.session_id)
        return known

    def _reported(self, line: ClaudeLine) -> ClaudeLine | None:
        """Some versions report the answers of a sub-agent in its parent's file too."""
        progress = mapping(line.value.get("data"))
        answer = mapping(progress.get("message"))
        if line.kind != "progress" or answer.get("type") != "assistant":
            return None
        agent = {"agentId": progress.get("agentId"), "isSidechain": True}
        return self._context.line(line.number, line.value | answer | agent)

    def _dispatch(self, line: ClaudeLine) -> None:
        message_id = line.message.get("id") or line.value.get("requestId")
        if line.kind == "assistant" and (line.uuid or message_id):
            self._read_answer(line)
        elif line.kind in NO_NEWS or (line.kind == "summary" and "summary" in line.value):
            return
        elif line.kind == "user" and line.uuid:
            self._read_user_line(line)
        elif line.kind == "system" and line.uuid:
            self._read_system_line(line)
        elif line.kind in EVENT_TYPES or (line.kind and has_content(line)):
            self._read_plain_line(line)
        else:
            self.unknown[line.kind or "no type"] += 1

    def _read_plain_line(self, line: ClaudeLine) -> None:
        self._entries += entries_of(line)
        slot = self._plain.slot(line)
        usage = usage_of_line(line)
        if usage is not None:
            run = self._runs.take(_answer_line(line, usage, slot.event.model))
            _show_usage(slot.event, run, self._ref(line))
            if slot.event.call is not None:
                slot.event.call.cost_nanos = slot.event.cost_nanos
        self._buffer.add(slot)

    def _read_answer(self, line: ClaudeLine) -> None:
        model = text(line.message.get("model"))
        if line.value.get("isApiErrorMessage") or model == NO_BILL_MODEL:
            self._entries += entries_of(line)
            if line.value.get("isApiErrorMessage"):
                self._add_error(line, joined_text(line.message.get("content")))
            return
        stated = mapping(line.message.get("usage"))
        usage = usage_of(stated) if stated else None
        run = self._runs.take(_answer_line(line, usage, model))
        self._entries += entries_of(line, run.key)
        slot = self._answer_slot(line, run)
        _show_usage(slot.event, run, self._ref(line))
        if usage is not None:
            slot.metadata |= _terms(usage)
        _add_preview(slot, joined_text(line.message.get("content")))
        if not line.is_copy:
            for block in blocks(line.message.get("content")):
                if text(block.get("type")) in TOOL_BLOCKS:
                    self._add_tool(line, block)

    def _answer_slot(self, line: ClaudeLine, run: Run) -> Slot:
        """The event of a call: the one that waits for the call's further lines, or a new one."""
        known_run, known = self._answers.get(line.chain, (None, None))
        if known is not None and known_run is run:
            if known.has_left:
                self._buffer.again(known)
                known.is_open = True
            return known
        if known is not None:
            known.is_open = False
        slot = self._buffer.add(Slot(line.event("llm_response", event_id_of(f"call:{run.key}")), is_open=True))
        slot.event.model = run.model
        if line.is_copy and line.at_ms is not None:
            # As its call does: of equal times the session of the older line could not be told.
            slot.event.client_at_ms = line.at_ms + 1
        elif run.chain == line.chain:
            _note_agent(slot, line)
        self._answers[line.chain] = (run, slot)
        return slot

    def _add_tool(self, line: ClaudeLine, block: dict[str, Any]) -> None:
        tool_id, name = text(block.get("id")), text(block.get("name"))
        event_id = (
            claude_tool_event_id(tool_id) if tool_id else event_id_of(f"{line.session_id}:{line.number}:tool")
        )
        slot = Slot(line.event("tool_use", event_id), input_metadata(name, block.get("input")))
        slot.event.tool_name = name
        self._subagents.note_tool(line, tool_id, name, block.get("input"))
        if tool_id is not None:
            slot.metadata["tool_use_id"] = tool_id
            # What the provider runs itself answers within the same message.
            slot.is_open = block.get("type") == "tool_use"
            self._tools[tool_id] = slot
        _note_agent(slot, line)
        self._buffer.add(slot)

    def _read_user_line(self, line: ClaudeLine) -> None:
        self._entries += entries_of(line)
        content = blocks(line.message.get("content"))
        results = [block for block in content if block.get("type") == "tool_result"]
        self._runs.note_user_line(line.chain, is_prompt=not results)
        for block in results:
            self._settle_tool(line, block)
        self._subagents.note_results(line, results)
        prompt = typed_prompt(line.value)
        if prompt is None or line.is_copy:
            return
        prompt_id = text(line.value.get("promptId"))
        event_id = claude_prompt_event_id(prompt_id) if prompt_id else line.line_id
        self._close_answer(line.chain)
        self._buffer.add(Slot(line.event("user_prompt", event_id), {"message": clean_text(prompt)}))

    def _settle_tool(self, line: ClaudeLine, block: dict[str, Any]) -> None:
        slot = self._tools.pop(text(block.get("tool_use_id")) or "", None)
        if slot is None:
            return
        slot.is_open = False
        self._buffer.again(slot)
        slot.event.duration_ms = result_duration_ms(line.value.get("toolUseResult"))
        if block.get("is_error") is True:
            slot.event.status, slot.counts_edit = "error", False
            for key in ("lines_added", "lines_removed"):
                slot.metadata.pop(key, None)
            slot.metadata["error"] = result_text(block.get("content"))

    def _read_system_line(self, line: ClaudeLine) -> None:
        self._entries += entries_of(line)
        subtype = text(line.value.get("subtype")) or "system"
        if subtype in QUIET_SYSTEM_LINES or line.is_copy:
            return
        if subtype == "api_error":
            self._add_error(line, _error_text(line.value.get("error")))
            return
        preview = joined_text(line.value.get("content"))
        if not preview:
            self.unknown[f"system {subtype}"] += 1
            return
        slot = self._buffer.add(Slot(line.event("response", line.line_id), {"type": subtype}))
        _add_preview(slot, preview)
        compaction = mapping(line.value.get("compactMetadata"))
        if subtype == COMPACTED:
            self._sessions.note_compaction(line, compaction)
        slot.metadata |= {
            name: compaction[key]
            for key, name in (("trigger", "trigger"), ("preTokens", "pre_tokens"))
            if isinstance(compaction.get(key), (str, int))
        }

    def _add_error(self, line: ClaudeLine, message: str) -> None:
        if line.is_copy:
            return
        slot = Slot(line.event("error", line.line_id), {"error": clean_text(message[:PREVIEW_CHARACTERS])})
        slot.event.status = "error"
        _note_agent(slot, line)
        self._buffer.add(slot)

    def _close_answer(self, chain: str) -> None:
        if chain in self._answers:
            self._answers.pop(chain)[1].is_open = False

    def _ref(self, line: ClaudeLine) -> str:
        return f"{self._path.path}:{line.number + 1}"


def _answer_line(line: ClaudeLine, usage: Any, model: str | None) -> AnswerLine:
    return AnswerLine(
        message_id=text(line.message.get("id")),
        request_id=text(line.value.get("requestId")),
        line_id=line.uuid or line.line_id,
        at_ms=line.at_ms,
        model=model,
        usage=usage,
        is_finished=line.message.get("stop_reason", "") is not None,
        is_copy=line.is_copy,
        chain=line.chain,
    )


def _show_usage(event: NewEvent, run: Run, ref: str) -> None:
    usage = run.usage
    if usage is None:
        return
    event.tokens_in, event.tokens_out = usage.uncached_input_tokens, usage.output_tokens
    event.cache_read_tokens = usage.cache_read_tokens
    event.cache_write_tokens = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
    event.call = run.call(ref)


def _terms(billed: Usage) -> dict[str, Any]:
    """What a call was billed by beside its tokens, where it is out of the ordinary."""
    terms = {"service_tier": billed.service_tier, "speed": billed.speed}
    found: dict[str, Any] = {"web_search_requests": billed.web_searches} if billed.web_searches else {}
    return found | {name: term for name, term in terms.items() if term is not None}


def _add_preview(slot: Slot, written: str) -> None:
    if written:
        known = slot.metadata.get("content_preview")
        joined = f"{known}\n{written}" if known else written
        slot.metadata["content_preview"] = clean_text(joined[:PREVIEW_CHARACTERS])


def _note_agent(slot: Slot, line: ClaudeLine) -> None:
    if line.is_sidechain and line.agent_id is not None:
        slot.metadata["agent_id"] = line.agent_id


def _error_text(error: object) -> str:
    """Errors come as a text, or as the provider's object with a message somewhere in it."""
    given = mapping(error)
    for candidate in (error, given.get("message"), mapping(given.get("error")).get("message"), given.get("type")):
        if isinstance(candidate, str) and candidate:
            return candidate
    return "API error"

"""What a Claude Code transcript says of sub-agents: their own lines, and those of their parents. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from importers.claude_lines import ClaudeLine
from importers.fields import joined_text, mapping, text
from importers.reader import PathFacts
from ingest.contract import SubagentFacts

# The tool that sends a sub-agent out, by its name now and before.
SPAWNING_TOOLS: Final = frozenset({"Agent", "Task"})
# The result of an agent in the background: it has begun, nothing more.
LAUNCHED: Final = "async_launched"
# How the end of an agent in the background comes into its parent's conversation.
NOTIFICATION: Final = "<task-notification>"
NOTIFIED_TASK: Final = re.compile(r"<task-id>\s*([^<\s]+)\s*</task-id>")


@dataclass(slots=True)
class _Order:
    """What the parent asked for."""

    kind: str | None
    description: str | None


class ClaudeSubagents:
    """The sub-agents of one file, by session and id. Lines that a fork copied tell of another session's."""

    def __init__(self, path: PathFacts) -> None:
        self._path = path
        self._known: dict[tuple[str, str], SubagentFacts] = {}
        self._orders: dict[str, _Order] = {}

    def note(self, line: ClaudeLine) -> None:
        """A line of whichever conversation: a sub-agent's own tells when it was at work, and as what."""
        if not line.is_sidechain or line.is_copy:
            return
        known = self._facts(line.session_id, line.chain)
        known.kind = known.kind or text(line.value.get("attributionAgent"))
        if line.at_ms is not None:
            known.started_at_ms = min(known.started_at_ms or line.at_ms, line.at_ms)
            known.last_at_ms = max(known.last_at_ms or line.at_ms, line.at_ms)

    def note_tool(self, line: ClaudeLine, tool_id: str | None, name: str | None, given: object) -> None:
        if name in SPAWNING_TOOLS and tool_id is not None and not line.is_copy:
            asked = mapping(given)
            self._orders[tool_id] = _Order(text(asked.get("subagent_type")), text(asked.get("description")))

    def note_results(self, line: ClaudeLine, results: Iterable[dict[str, Any]]) -> None:
        """A user line of the parent: the answer of a sub-agent, or the news that one in the background ended."""
        if line.is_copy:
            return
        tool_ids = [text(block.get("tool_use_id")) or "" for block in results]
        orders = [order for order in (self._orders.pop(tool_id, None) for tool_id in tool_ids) if order]
        answer = mapping(line.value.get("toolUseResult"))
        agent_id = text(answer.get("agentId"))
        if agent_id is not None and orders:
            self._note_answer(line, agent_id, orders[0], answer)
        elif not tool_ids:
            self._note_notification(line)

    def of_session(self, session_id: str) -> list[SubagentFacts]:
        return [facts for (session, _), facts in self._known.items() if session == session_id]

    def _note_answer(self, line: ClaudeLine, agent_id: str, order: _Order, answer: dict[str, Any]) -> None:
        known = self._facts(line.session_id, agent_id)
        known.parent_subagent_id = line.chain or None
        known.kind = known.kind or text(answer.get("agentType")) or order.kind
        known.description = known.description or order.description
        if text(answer.get("status")) != LAUNCHED:
            self._end(known, line.at_ms)

    def _note_notification(self, line: ClaudeLine) -> None:
        said = joined_text(line.message.get("content"))
        task = NOTIFIED_TASK.search(said) if said.lstrip().startswith(NOTIFICATION) else None
        # Commands in the background are tasks too; they were never sent out as agents.
        known = self._known.get((line.session_id, task[1])) if task else None
        if known is not None:
            self._end(known, line.at_ms)

    def _end(self, known: SubagentFacts, at_ms: int | None) -> None:
        if at_ms is not None:
            known.ended_at_ms = max(known.ended_at_ms or at_ms, at_ms)

    def _facts(self, session_id: str, agent_id: str) -> SubagentFacts:
        known = self._known.get((session_id, agent_id))
        if known is None:
            known = self._known[session_id, agent_id] = SubagentFacts(subagent_id=agent_id)
            if agent_id == self._path.agent_id:
                known.kind, known.description = self._path.agent_kind, self._path.agent_description
        return known

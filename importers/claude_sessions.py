"""What the lines of a Claude Code transcript say of their sessions. Pure."""

from dataclasses import dataclass, field
from typing import Any, Final

from importers.claude_lines import AGENT_TYPE, ClaudeLine
from importers.fields import count, text
from importers.reader import PathFacts
from ingest.contract import CompactionFacts, SessionFacts

# A title that the human chose wins over the client's own, that over the summaries of older versions.
TITLE_KEYS: Final = {"summary": "summary", "ai-title": "aiTitle", "custom-title": "customTitle"}
TITLE_RANKS: Final = {kind: rank for rank, kind in enumerate(TITLE_KEYS)}


@dataclass(slots=True)
class _Known:
    cwd: str | None = None
    project: str | None = None
    branch: str | None = None
    client_version: str | None = None
    title: str | None = None
    title_rank: int = -1
    first_at_ms: int | None = None
    last_at_ms: int | None = None
    has_events: bool = False
    compactions: list[CompactionFacts] = field(default_factory=list)


class ClaudeSessions:
    """The facts of one file's sessions. A sub-agent's file dates its parent's session and says no more of it."""

    def __init__(self, path: PathFacts) -> None:
        self._path = path
        self._known: dict[str, _Known] = {}
        self._summaries: dict[str, str] = {}
        self._last_uuid: str | None = None

    def note(self, line: ClaudeLine) -> None:
        known = self._session(line.session_id)
        if line.kind in TITLE_KEYS:
            self._note_title(line, known)
        if line.uuid is not None:
            self._last_uuid = line.uuid
            if self._summaries and line.uuid in self._summaries:
                self._set_title(known, self._summaries.pop(line.uuid), TITLE_RANKS["summary"])
        if line.is_copy or line.at_ms is None:
            return
        known.first_at_ms = line.at_ms if known.first_at_ms is None else min(known.first_at_ms, line.at_ms)
        known.last_at_ms = line.at_ms if known.last_at_ms is None else max(known.last_at_ms, line.at_ms)
        # Where the session began is its project, wherever its commands went later.
        known.cwd = known.cwd or text(line.value.get("cwd"))
        known.project, known.branch = known.project or line.project, line.branch or known.branch
        known.client_version = text(line.value.get("version")) or known.client_version

    def note_compaction(self, line: ClaudeLine, told: dict[str, Any]) -> None:
        if line.at_ms is None:
            return
        compaction = CompactionFacts(
            line_id=line.uuid or line.line_id,
            at_ms=line.at_ms,
            subagent_id=line.chain or None,
            trigger=text(told.get("trigger")),
            pre_tokens=count(told.get("preTokens")) or None,
        )
        self._session(line.session_id).compactions.append(compaction)

    def note_event(self, session_id: str) -> None:
        """Only what has events becomes a session."""
        self._session(session_id).has_events = True

    def facts(self) -> list[SessionFacts]:
        return [self._facts(session_id, known) for session_id, known in self._known.items() if known.has_events]

    def _session(self, session_id: str) -> _Known:
        known = self._known.get(session_id)
        if known is None:
            known = self._known[session_id] = _Known()
        return known

    def _note_title(self, line: ClaudeLine, known: _Known) -> None:
        title = text(line.value.get(TITLE_KEYS[line.kind]))
        if title is None:
            return
        leaf = text(line.value.get("leafUuid"))
        if line.kind == "summary" and leaf not in (None, self._last_uuid):
            # Older versions wrote summaries of other conversations here too; the leaf says which it is.
            self._summaries[leaf or ""] = title
            return
        self._set_title(known, title, TITLE_RANKS[line.kind])

    def _set_title(self, known: _Known, title: str, rank: int) -> None:
        if rank >= known.title_rank:
            known.title, known.title_rank = title, rank

    def _facts(self, session_id: str, known: _Known) -> SessionFacts:
        told: dict[str, Any] = {"started_at_ms": known.first_at_ms, "last_at_ms": known.last_at_ms}
        told["compactions"] = known.compactions
        if self._path.agent_id is not None:
            return SessionFacts(session_id=session_id, agent_type=AGENT_TYPE, sign_of_life=False, **told)
        return SessionFacts(
            session_id=session_id,
            agent_type=AGENT_TYPE,
            project=known.project,
            branch=known.branch,
            cwd=known.cwd,
            title=known.title,
            client_version=known.client_version,
            transcript_path=self._path.path if session_id == self._path.name else None,
            sign_of_life=False,
            **told,
        )

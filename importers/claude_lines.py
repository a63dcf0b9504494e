"""One line of a Claude Code transcript, with what every kind of line has in common. Pure."""

from hashlib import sha256
from typing import Any, Final

import msgspec

from importers.fields import mapping, moment, project_of, text
from importers.reader import SOURCE, PathFacts
from ingest.contract import NewEvent

AGENT_TYPE: Final = "claude_code"
# A prompt is stamped when it is typed, some ms before the line that opens its file.
TYPING_SLACK_MS: Final = 1000


class ClaudeLine(msgspec.Struct, gc=False):
    """`number` counts from 0. `is_copy`: a fork wrote it again, it happened in another session."""

    number: int
    kind: str
    value: dict[str, Any]
    message: dict[str, Any]
    session_id: str
    at_ms: int | None
    project: str | None
    branch: str | None
    uuid: str | None
    agent_id: str | None
    is_sidechain: bool
    is_copy: bool

    @property
    def chain(self) -> str:
        """The conversation within the file: the sub-agent's, or "" for the main one."""
        return (self.agent_id or "sidechain") if self.is_sidechain else ""

    @property
    def line_id(self) -> str:
        """The contract's id of an imported line."""
        return event_id_of(f"{self.session_id}:{self.number}")

    def event(self, event_type: str, event_id: str) -> NewEvent:
        """An event of this line's session, time and place."""
        return NewEvent(
            session_id=self.session_id,
            agent_type=AGENT_TYPE,
            event_type=event_type,
            event_id=event_id,
            branch=self.branch,
            project=self.project,
            client_at_ms=self.at_ms,
            source=SOURCE,
        )


def event_id_of(what: str) -> str:
    return f"import-cc-{sha256(f'claude-code:{what}'.encode()).hexdigest()[:32]}"


class LineContext:
    """Reads the common fields, and knows when the file began."""

    def __init__(self, path: PathFacts) -> None:
        self._path = path
        self._began_at_ms: int | None = None

    def line(self, number: int, value: dict[str, Any]) -> ClaudeLine:
        at_ms = moment(value.get("timestamp"))
        if self._began_at_ms is None:
            self._began_at_ms = at_ms
        kind = text(value.get("type")) or ""
        return ClaudeLine(
            number=number,
            kind=kind,
            value=value,
            message=mapping(value.get("message")),
            session_id=text(value.get("sessionId")) or self._path.name,
            at_ms=at_ms,
            project=project_of(value.get("cwd")),
            branch=text(value.get("gitBranch")),
            uuid=text(value.get("uuid")),
            agent_id=text(value.get("agentId")) or self._path.agent_id,
            is_sidechain=bool(value.get("isSidechain")) or self._path.agent_id is not None,
            is_copy="forkedFrom" in value or self._is_before_the_file(kind, at_ms),
        )

    def _is_before_the_file(self, kind: str, at_ms: int | None) -> bool:
        """The first line is written when the session begins; what is older was copied from its parent."""
        if at_ms is None or self._began_at_ms is None:
            return False
        return at_ms < self._began_at_ms - (0 if kind == "assistant" else TYPING_SLACK_MS)

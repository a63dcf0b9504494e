"""What telemetry says of sessions beside events: when they began, where, and under which version. Pure."""

from typing import Any, Final

from ingest.contract import NewEvent, SessionFacts
from ingest.otlp.reading import GEMINI_CLI, text, text_of
from ingest.otlp.records import LogRecord

CWD: Final = ("cwd", "process.working_directory", "workspace.host_paths", "workspace.path")
VERSION: Final = ("app.version", "service.version")
TITLE: Final = ("session.title", "gen_ai.conversation.name")


class FactsOfBody:
    """Gathers, over the records of one body that became events: a session without an event is none."""

    def __init__(self) -> None:
        self._facts: dict[tuple[str, str], SessionFacts] = {}

    def note(self, event: NewEvent, record: LogRecord) -> None:
        key = (event.session_id, event.agent_type)
        facts = self._facts.get(key)
        if facts is None:
            facts = self._facts[key] = SessionFacts(
                session_id=event.session_id, agent_type=event.agent_type, sign_of_life=False
            )
        _complete(facts, record)
        facts.project = event.project or facts.project or _last_part(facts.cwd)
        if event.client_at_ms is not None:
            facts.started_at_ms = min(facts.started_at_ms or event.client_at_ms, event.client_at_ms)

    def all(self) -> list[SessionFacts]:
        return list(self._facts.values())


def _complete(facts: SessionFacts, record: LogRecord) -> None:
    holders = (record.attributes, record.resource)
    if facts.cwd is None:
        facts.cwd = next((path for holder in holders if (path := _path_in(holder))), None)
    # Gemini CLI names the version of Node.
    if facts.client_version is None and facts.agent_type != GEMINI_CLI:
        facts.client_version = next((found for holder in holders if (found := text_of(holder, VERSION))), None)
    if facts.title is None:
        facts.title = text_of(record.attributes, TITLE)


def _path_in(holder: dict[str, Any]) -> str | None:
    """A path, or the first of a list of them."""
    for name in CWD:
        value = holder.get(name)
        path = text(value[0] if isinstance(value, list) and value else value)
        if path is not None:
            return path
    return None


def _last_part(cwd: str | None) -> str | None:
    return cwd.replace("\\", "/").rstrip("/").rpartition("/")[2] or None if cwd else None

"""One log record, opened for the mappings: who sent it, what it is called, its fields by any name. Pure."""

from typing import Any, Final, NamedTuple

from ingest.contract import LONGEST_TEXT, BodyFault, decode_json
from ingest.metadata import clean_text
from ingest.otlp.records import LogRecord, RecordFault, real_number

CLAUDE_CODE, CODEX, GEMINI_CLI, UNKNOWN = "claude_code", "codex", "gemini_cli", "unknown"
# Found within the name of the service, in this order.
AGENTS: Final = (
    ("codex", CODEX),
    ("claude", CLAUDE_CODE),
    ("gemini-cli", GEMINI_CLI),
    ("gemini_cli", GEMINI_CLI),
)
# Claude Code puts the session on each record and point; the contract's own order follows.
SESSION_OF_RECORD: Final = ("session.id", "gen_ai.session.id", "conversation.id", "gen_ai.conversation.id")
SESSION_OF_RESOURCE: Final = ("session.id", "gen_ai.session.id", "conversation.id", "gen_ai.conversation.id")

# In the place of a prompt, unless a person lets the client send it.
REDACTED: Final = frozenset({"[REDACTED]", "<REDACTED>"})


class Names(NamedTuple):
    """What a field is called: attributes first, then keys of a JSON body."""

    attributes: tuple[str, ...]
    body: tuple[str, ...] = ()


class Reading:
    """A log record with its event name (`name`, and its last part), agent type, and JSON or text body."""

    __slots__ = ("agent_type", "attributes", "body", "message", "name", "part", "record")

    def __init__(self, record: LogRecord) -> None:
        self.record = record
        self.attributes = record.attributes
        self.name = text_of(self.attributes, ("event.name", "name")) or text(record.event_name)
        self.part = self.name.rpartition(".")[2] if self.name else ""
        self.agent_type = agent_type_of(record.resource)
        self.body, self.message = _open_body(record.body)

    def session_id(self) -> str | None:
        return (
            text_of(self.attributes, SESSION_OF_RECORD)
            or text_of(self.record.resource, SESSION_OF_RESOURCE)
            or text(self.body.get("session_id"))
        )

    def text(self, names: Names) -> str | None:
        return text_of(self.attributes, names.attributes) or text_of(self.body, names.body)

    def number(self, names: Names) -> int | float | None:
        found = self.number_as(names)
        return None if found is None else found[1]

    def number_as(self, names: Names) -> tuple[str, int | float] | None:
        """The first of the names that holds a number, with the number."""
        for holder, keys in ((self.attributes, names.attributes), (self.body, names.body)):
            for key in keys:
                number = real_number(holder.get(key))
                if number is not None:
                    return key, number
        return None

    def flag(self, name: str) -> bool | None:
        """True and false, also as texts."""
        for holder in (self.attributes, self.body):
            value = holder.get(name)
            if isinstance(value, bool):
                return value
            if value in ("true", "false"):
                return bool(value == "true")
        return None

    def count(self, names: Names, most: int) -> int:
        """A number of tokens; 0 when there is none. Raises RecordFault for one that can't be true."""
        found = self.number_as(names)
        if found is None:
            return 0
        if not 0 <= found[1] <= most:
            raise RecordFault(f"{found[0]} must be from 0 to {most}")
        return int(found[1])


def agent_type_of(resource: dict[str, Any]) -> str:
    """The contract's rule, and Gemini CLI under the name that its other sources have."""
    service = text(resource.get("service.name")) or ""
    named = f"{service} {text(resource.get('telemetry.sdk.name')) or ''}".lower()
    return next((agent for mark, agent in AGENTS if mark in named), service or UNKNOWN)


def text_of(holder: dict[str, Any], names: tuple[str, ...]) -> str | None:
    """The first of the names that holds a text (or a number, as text)."""
    for name in names:
        value = text(holder.get(name))
        if value is not None:
            return value
    return None


def text(value: object) -> str | None:
    """A text as columns take it: trimmed, not empty, of a bounded length, without odd characters."""
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    return clean_text(str(value).strip()[:LONGEST_TEXT]).strip() or None


def unredacted(value: object) -> str | None:
    """A long text, unless the client put a word in its place."""
    said = long_text(value)
    return None if said in REDACTED else said


def long_text(value: object) -> str | None:
    """A text for the metadata, whole."""
    return value if isinstance(value, str) and value.strip() else None


def json_object(value: object) -> dict[str, Any]:
    """An object, or what a text holds of one; else an empty one."""
    if isinstance(value, dict):
        return value
    if not isinstance(value, str) or not value.lstrip().startswith("{"):
        return {}
    try:
        content = decode_json(value.encode("utf-8", "surrogatepass"))
    except BodyFault:
        return {}
    return content if isinstance(content, dict) else {}


def _open_body(body: object) -> tuple[dict[str, Any], str | None]:
    content = json_object(body)
    return content, None if content else long_text(body)

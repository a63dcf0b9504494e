"""Transcript entries on their way to the store: what was said and done, for the reader and the search. Pure."""

from hashlib import blake2b
from typing import Any, Final

import msgspec

from ingest.metadata import clean_text, encode_json

# Of what a tool was given or answered the beginning and the end are kept: its last lines tell how a command ended.
# What people and agents say is kept whole, but for what was pasted.
TOOL_CHARACTERS: Final = 8_000
SAID_CHARACTERS: Final = 64_000
# The part of a cut text that is its end.
END_SHARE: Final = 0.25
LONGEST_MARK: Final = 50
PROMPT, ANSWER, THINKING = "prompt", "answer", "thinking"
TOOL_USE, TOOL_RESULT = "tool_use", "tool_result"
COMPACTION, NOTICE = "compaction", "notice"
_OF_TOOLS: Final = frozenset({TOOL_USE, TOOL_RESULT})


class NewEntry(msgspec.Struct):
    """An entry to store. `key` names it within its session, in every copy of the transcript.

    `text` is cut, `text_bytes` its true size in UTF-8. Of two entries with one key the longer one is kept: an
    answer grows while it is written.
    """

    session_id: str
    agent_type: str
    key: str
    kind: str
    at_ms: int
    text: str
    text_bytes: int
    subagent_id: str | None = None
    tool_name: str | None = None
    tool_id: str | None = None
    call_key: str | None = None
    is_error: bool = False

    @property
    def stored_key(self) -> int:
        """63 bits of a hash: among 10 million entries two are the same once in 200,000 such databases."""
        named = f"{self.agent_type}\0{self.session_id}\0{self.key}".encode()
        return int.from_bytes(blake2b(named, digest_size=8).digest()) >> 1


def entry(
    session_id: str, agent_type: str, key: str, kind: str, at_ms: int | None, text: str, **more: Any
) -> NewEntry:
    """An entry with its text cut and cleaned; what has no time stands at 0."""
    kept = text
    if len(text) > TOOL_CHARACTERS:
        kept = _cut_by_kind(text, kind)
    size_bytes = utf8_bytes(text)
    if size_bytes != len(text) or "\0" in kept:
        kept = clean_text(kept)
    return NewEntry(session_id, agent_type, key, kind, at_ms or 0, kept, size_bytes, **more)


def _cut_by_kind(text: str, kind: str) -> str:
    if kind == TOOL_USE and text.startswith(("{", "[")):
        text = _shorter_json(text)
    return cut(text, TOOL_CHARACTERS if kind in _OF_TOOLS else SAID_CHARACTERS)


def cut(text: str, most: int) -> str:
    """At most `most` characters: beginning and end, and between them a line that says what is left out."""
    if len(text) <= most:
        return text
    end = int(most * END_SHARE)
    begin = most - end - LONGEST_MARK
    return f"{text[:begin]}\n[… {len(text) - begin - end:,} characters left out …]\n{text[-end:]}"


def utf8_bytes(text: str) -> int:
    """Lone surrogates count as any other character of their height, so that only ASCII is as long as its text."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def input_text(value: Any) -> str:
    """A tool's input or output as JSON text; a text as it is."""
    return value if isinstance(value, str) else encode_json(value).decode()


def _shorter_json(text: str) -> str:
    """JSON stays JSON when it is long: its own texts are cut, not the whole."""
    try:
        return encode_json(_shortened(msgspec.json.decode(text), TOOL_CHARACTERS // 4)).decode()
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
        return text


def _shortened(value: Any, most: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= most else f"{value[:most]}…"
    if isinstance(value, list):
        return [_shortened(item, most) for item in value]
    if isinstance(value, dict):
        return {key: _shortened(item, most) for key, item in value.items()}
    return value

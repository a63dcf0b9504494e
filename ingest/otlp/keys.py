"""Names that several witnesses of one thing share, or that tell a repeated record from a new one. Pure.

The one place to change when sources are to agree on what is the same event or the same call.
"""

import hashlib
from collections import Counter

import msgspec

from ingest.metadata import encode_json
from ingest.otlp.records import LogRecord
from pricing.usage import Usage

SEQUENCE = "event.sequence"
# How keys of calls begin: of a request that the client names, and of one that only a record tells of.
REQUEST_KEY = "request:"
RECORD_KEY = "otlp:"
# Event ids that several witnesses give one thing. Those of imports: a transcript grows, and is copied.
SHARED_ID_STARTS = ("cc-tool-", "cc-prompt-", "cdx-tool-", "cdx-prompt-", "cdx-turn-", "import-")


class RecordIds:
    """Event ids of the records of one body: the same body, sent again, gives the same ids.

    Records that are equal in everything, time included, but stand in one body, are different events.
    """

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()

    def of_log(self, session_id: str, name: str | None, record: LogRecord) -> str | None:
        """None for a record without a time: nothing tells its repetition from a second event."""
        if record.time_ns is None:
            return None
        return self.of(
            session_id,
            name,
            record.time_ns,
            record.attributes.get(SEQUENCE),
            record.attributes,
            record.body,
            record.severity,
        )

    def of(self, *parts: object) -> str:
        base = digest(*parts)
        self._seen[base] += 1
        count = self._seen[base]
        return f"otel-{base if count == 1 else digest(base, count)}"


def digest(*parts: object) -> str:
    """32 hex digits that stand for the parts."""
    return hashlib.sha256(_canonical(parts)).hexdigest()[:32]


def _canonical(parts: tuple[object, ...]) -> bytes:
    try:
        return msgspec.json.encode(parts, order="deterministic")
    except (UnicodeEncodeError, msgspec.MsgspecError):
        return encode_json(list(parts))


def claude_call_key(message_id: str | None, request_id: str | None) -> str | None:
    """The call of one answer of Claude: by the request's id, which transcripts and telemetry both know."""
    if request_id:
        return f"{REQUEST_KEY}{request_id}"
    return f"message:{message_id}" if message_id else None


def claude_answer_mark(message_id: str | None, usage: Usage, *, of_subagent: bool) -> int | None:
    """What an answer of Claude has in common with a sub-agent's copy of it under another request; 63 bits.

    An id alone is not enough, since gateways send one for all answers: with it goes what the model read, which
    is the same on every line of an answer. Negative where a sub-agent told of it.
    """
    if message_id is None or not usage.prompt_tokens:
        return None
    written = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
    told = f"{message_id}:{usage.uncached_input_tokens}:{usage.cache_read_tokens}:{written}"
    number = int.from_bytes(hashlib.blake2b(told.encode("utf-8", "replace"), digest_size=8).digest()) >> 1
    return -number if of_subagent else number


def response_call_key(response_id: str) -> str:
    """The call of an agent that follows the GenAI conventions, by gen_ai.response.id."""
    return f"response:{response_id}"


def span_call_key(trace_id: str | None, span_id: str) -> str:
    """The call of a GenAI agent that names no response: its span, which a log record within it names too."""
    return f"span:{trace_id}:{span_id}"


def gen_ai_call_event_id(call_key: str) -> str:
    """A span and a log record that tell of one answer are one event."""
    return f"otel-{digest('call', call_key)}"


def gen_ai_tool_event_id(session_id: str, call_id: str) -> str:
    """A span and a log record of one tool call are one event; call ids are unique in a session."""
    return f"otel-{digest('tool', session_id, call_id)}"


def record_call_key(event_id: str) -> str:
    """A call that only this record tells of."""
    return f"{RECORD_KEY}{event_id}"


def claude_tool_event_id(tool_use_id: str) -> str:
    """Shared with the hooks of Claude Code."""
    return f"cc-tool-{tool_use_id}"


def claude_prompt_event_id(prompt_id: str) -> str:
    """Hooks and OTLP give a prompt the same id."""
    return f"cc-prompt-{prompt_id}"


def codex_tool_event_id(session_id: str, call_id: str) -> str:
    """In code mode Codex tells each result twice, under one call id; call ids are unique in a session."""
    return f"cdx-tool-{digest(session_id, call_id)}"


def codex_prompt_event_id(turn_id: str) -> str:
    """A turn begins with one prompt; hooks and rollouts know the turn."""
    return f"cdx-prompt-{turn_id}"


def codex_turn_event_id(turn_id: str) -> str:
    """The end of a turn, told by a hook and by the program that is notified."""
    return f"cdx-turn-{turn_id}"


def codex_start_event_id(thread_id: str) -> str:
    """A thread begins once, whoever tells of it and however often it is resumed; the contract's form of the id."""
    return f"import-cdx-{hashlib.sha256(f'codex:{thread_id}:meta'.encode()).hexdigest()[:32]}"


def gemini_hook_event_id(body: object) -> str:
    """Of a prompt or tool use as a hook tells it, which names neither: the same body is the same event."""
    return f"hook-{digest('gemini', body)}"

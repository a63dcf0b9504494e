"""The order of the recording: which pairs were made one after the other, and what was stored in between.

The events in between are not recorded as requests; they are restored from the rows that the recorded
answers show.
"""

from typing import Any, Final

from tests.contract.pairs import Pair, recorded, rest, some
from tests.serving import event

Step = Pair | dict[str, Any]


def claude(session_id: str, event_type: str, **fields: Any) -> dict[str, Any]:
    return event(session_id, event_type, agent_type="claude_code", **fields)


def big(event_id: str, metadata: object, session_id: str = "fx-big") -> dict[str, Any]:
    return claude(session_id, "tool_use", tool_name="Write", event_id=event_id, metadata=metadata)


def talk(event_type: str, **fields: Any) -> dict[str, Any]:
    return claude("fx-talk", event_type, project="myapp", branch="main", **fields)


LONG_TEXT: Final = "é" * 9000
TRUNCATED: Final = [
    big("fx-big-obj", {"file_path": "src/a.py", "content": LONG_TEXT + "é" * 5, "type": "w"}),
    big("fx-big-arr", [LONG_TEXT]),
]
CONVERSATION: Final = [
    talk("session_start", model="claude-opus-4-6"),
    talk("user_prompt", metadata={"message": "Fix the login bug"}),
    talk("tool_use", tool_name="Read", duration_ms=12, metadata={"file_path": "src/login.py"}),
    talk(
        "tool_use",
        tool_name="Edit",
        metadata={"file_path": "src/login.py", "lines_added": 5, "lines_removed": 2},
    ),
    talk(
        "tool_use",
        tool_name="Edit",
        status="error",
        metadata={"file_path": "src/other.py", "error": "no match"},
    ),
    talk(
        "llm_response",
        model="claude-sonnet-4-5",
        tokens_in=2000,
        tokens_out=500,
        cache_read_tokens=10_000,
        client_timestamp="2026-02-18T18:06:45.019Z",
        metadata={"content_preview": "Done."},
    ),
    talk("error", metadata={"error": {"message": "rate limited"}}),
    talk("tool_use", tool_name="Grep", status="timeout", metadata={"pattern": "login"}),
    talk("file_change", metadata={"diff_preview": "@@ -1 +1 @@"}),
    talk("plan_step"),
]
GOODBYES: Final = [claude("fx-claude", "session_end"), event("fx-min", "session_end")]
RETURN: Final = [event("fx-min", project="late", branch="dev")]
# What the recording stored over OTLP in between; here only their ids matter.
OTHERS: Final = [event("fx-others") for _ in range(16)]
LONG_MESSAGE: Final = [big("fx-big-msg", {"command": "x", "message": LONG_TEXT}, "fx-bigmsg")]

EMPTY: Final = {
    "events-list": ("empty",),
    "sessions": ("empty list",),
    "stats": ("empty database", "cost, empty", "tools, empty", "usage-monitor, empty"),
    "filter-options": ("empty",),
}
ENDED: Final = (
    "claude ended session is idle",
    "codex ended session is ended",
    "status filter",
    "exclude_status, agent_type, limit",
    "since in the future",
)

SEED: Final[list[Step]] = [
    *recorded("health"),
    *(pair for file, names in EMPTY.items() for pair in some(file, *names)),
    *recorded("events-ingest"),
    *TRUNCATED,
    *recorded("events-batch"),
    *CONVERSATION,
    *GOODBYES,
    *some("sessions", *ENDED),
    *RETURN,
    *rest("sessions", *EMPTY["sessions"], *ENDED),
    *rest("events-list", *EMPTY["events-list"]),
    *rest("stats", *EMPTY["stats"]),
    *rest("filter-options", *EMPTY["filter-options"]),
    *recorded("session-detail"),
    *recorded("transcript"),
    *OTHERS,
    *LONG_MESSAGE,
    *recorded("string-metadata"),
]

LATER_START: Final = [
    claude("fx-talk", "session_start", project="myapp", branch="main"),
    claude("fx-talk", "user_prompt"),
    claude(
        "fx-talk",
        "llm_response",
        model="claude-sonnet-4-5",
        tokens_in=2000,
        tokens_out=500,
        cache_read_tokens=10_000,
    ),
    event("fx-codex", "llm_response", model="gpt-5.3-codex", tokens_in=100, tokens_out=20),
]
ENDS: Final = [
    claude("fx-end", "session_start"),
    claude("fx-end", "session_end"),
    event("fx-end2", "session_end"),
    event("fx-end2"),
]
AFTER_ENDS: Final = ("claude session_end: idle, ended_at null", "revived: ended_at null")
QUOTAS: Final = (
    *(pair.name for pair in recorded("later") if "quota:" in pair.name),
    *("quota list", "usage-monitor is the same list"),
)
LATER: Final[list[Step]] = [
    *some("later", "health"),
    *LATER_START,
    *rest("later", "health", *AFTER_ENDS, *QUOTAS),
    *ENDS,
    *some("later", *AFTER_ENDS, *QUOTAS),
]

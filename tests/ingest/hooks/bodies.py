"""Hook bodies for tests, as Claude Code sends them."""

import json
from typing import Any

from ingest.contract import NewEvent
from ingest.hooks.claude_code import read
from ingest.hooks.outcome import HookOutcome

LIMIT_BYTES = 10240


def body(name: str, /, **fields: Any) -> dict[str, Any]:
    common = {
        "session_id": "s-1",
        "transcript_path": "/home/u/.claude/projects/-home-u-myapp/s-1.jsonl",
        "cwd": "/home/u/myapp",
        "permission_mode": "default",
        "hook_event_name": name,
    }
    return common | fields


def outcome_of(name: str, /, *, safety: bool = True, **fields: Any) -> HookOutcome:
    return read(body(name, **fields), payload_limit_bytes=LIMIT_BYTES, safety=safety)


def event_of(name: str, /, **fields: Any) -> NewEvent:
    """The one event of a hook."""
    (only,) = outcome_of(name, **fields).events
    return only


def metadata_of(name: str, /, **fields: Any) -> dict[str, Any]:
    return json.loads(event_of(name, **fields).metadata)  # type: ignore[no-any-return]


def state_of(name: str, /, **fields: Any) -> tuple[str | None, str | None]:
    """What the agent does after a hook, with its detail."""
    (facts,) = outcome_of(name, **fields).facts
    return facts.state, facts.state_detail

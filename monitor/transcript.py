"""`GET /api/sessions/:id/transcript`: events told as a conversation. Pure."""

from typing import Any

import msgspec

from monitor.rows import EventRow

ROLES = {
    "session_start": "system",
    "session_end": "system",
    "user_prompt": "user",
    "tool_use": "tool",
}
DETAIL_KEYS = ("content_preview", "command", "file_path", "pattern", "query", "error", "diff_preview")


def transcript_entry(row: EventRow) -> dict[str, Any]:
    """One entry; keys beyond role, type and timestamp only where there is something to say."""
    entry: dict[str, Any] = {
        "role": ROLES.get(row.event_type, "assistant"),
        "type": row.event_type,
        "timestamp": row.client_timestamp or row.created_at,
    }
    optional = {
        "tool_name": row.tool_name,
        "detail": _detail(row),
        "status": row.status if row.status != "success" else None,
        "model": row.model,
        "tokens_in": row.tokens_in,
        "tokens_out": row.tokens_out,
        "cost_usd": row.cost_usd,
        "duration_ms": row.duration_ms,
    }
    return entry | {name: value for name, value in optional.items() if value}


def _detail(row: EventRow) -> str | None:
    metadata = msgspec.json.decode(row.metadata)
    if not isinstance(metadata, dict):
        return None
    keys = ("message", *DETAIL_KEYS) if row.event_type == "user_prompt" else DETAIL_KEYS
    for key in keys:
        value = metadata.get(key)
        if key == "error" and isinstance(value, dict):
            value = value.get("message")
        if isinstance(value, str) and value:
            return value
    return None

"""Shared by the hook scripts of this directory: the hook's body in, one event out. No dependencies."""

from __future__ import annotations

import signal

# `claude -p` ends the hooks that still run in the background when it leaves; the last events of a run are
# theirs. Before the slow imports, or it is too late.
signal.signal(signal.SIGTERM, signal.SIG_IGN)

import http.client  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import re  # noqa: E402
import sys  # noqa: E402
from threading import Thread  # noqa: E402
from typing import Any  # noqa: E402
from urllib.parse import urlsplit  # noqa: E402

CONNECT_SECONDS = 2
WHOLE_SECONDS = 5


def read_hook() -> dict[str, Any]:
    """The JSON object on stdin. Anything else, or one without a session, ends the script, quietly."""
    try:
        hook = json.loads(sys.stdin.buffer.read())
    except (ValueError, RecursionError):
        sys.exit(0)
    if not isinstance(hook, dict) or not text(hook, "session_id"):
        sys.exit(0)
    return hook


def text(fields: dict[str, Any], key: str) -> str | None:
    """The text of a field that is one and not empty."""
    value = fields.get(key)
    return value if isinstance(value, str) and value else None


def texts(fields: dict[str, Any], *keys: str) -> dict[str, str]:
    """Those of the fields that are texts and not empty."""
    return {key: fields[key] for key in keys if text(fields, key)}


def tool_input(hook: dict[str, Any]) -> dict[str, Any]:
    """What the tool was told; nothing when that is no object."""
    value = hook.get("tool_input")
    return value if isinstance(value, dict) else {}


def send(hook: dict[str, Any], event_type: str, **own: Any) -> None:
    """POST the event. Errors are nobody's concern; no more than five seconds are spent on it."""
    event = {
        "session_id": hook["session_id"],
        "agent_type": "claude_code",
        "event_type": event_type,
        "project": re.split(r"[/\\]", (text(hook, "cwd") or "").rstrip("/\\"))[-1] or None,
        "source": "hook",
        **own,
    }
    body = json.dumps({key: value for key, value in event.items() if value is not None}).encode()
    sending = Thread(target=_post, args=(body,), daemon=True)
    sending.start()
    sending.join(WHOLE_SECONDS)


def _post(body: bytes) -> None:
    url = urlsplit(os.environ.get("AGENTMONITOR_URL") or "http://127.0.0.1:3141")
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    headers = {"Content-Type": "application/json"}
    if os.environ.get("AGENTMONITOR_TOKEN"):
        headers["Authorization"] = f"Bearer {os.environ['AGENTMONITOR_TOKEN']}"
    try:
        connection = kind(url.hostname or "127.0.0.1", url.port, timeout=CONNECT_SECONDS)
        connection.connect()
        connection.sock.settimeout(WHOLE_SECONDS)
        connection.request("POST", f"{url.path.rstrip('/')}/api/events", body, headers)
        connection.getresponse().read()
    except (OSError, ValueError, http.client.HTTPException):
        pass

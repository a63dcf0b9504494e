#!/usr/bin/env python3
"""SessionStart → session_start, with the model and how the session began."""

from event import read_hook, send, text

hook = read_hook()
send(
    hook,
    "session_start",
    model=text(hook, "model"),
    metadata={"hook_source": text(hook, "source") or ""},
)

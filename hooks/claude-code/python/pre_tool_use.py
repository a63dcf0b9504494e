#!/usr/bin/env python3
"""PreToolUse: denies (exit 2) commands that remove everything, and tells of them and of sensitive files."""

import os
import sys

from event import read_hook, send, text, tool_input
from safety import judge

hook = read_hook()
verdict = None if os.environ.get("AGENTMONITOR_SAFETY") == "0" else judge(hook.get("tool_name"), tool_input(hook))
if verdict is not None:
    name = text(hook, "tool_name")
    if verdict.denied:
        send(hook, "error", tool_name=name, status="error", metadata=verdict.metadata)
        print(verdict.message, file=sys.stderr)
        sys.exit(2)
    send(hook, "tool_use", tool_name=name, metadata=verdict.metadata)

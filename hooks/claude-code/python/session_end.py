#!/usr/bin/env python3
"""Stop → session_end: Claude Code sends it at the end of each turn."""

from event import read_hook, send

send(read_hook(), "session_end")

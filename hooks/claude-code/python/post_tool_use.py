#!/usr/bin/env python3
"""PostToolUse → tool_use, with what the tool was told."""

from event import read_hook, send, text, texts, tool_input

hook = read_hook()
told = texts(tool_input(hook), "command", "file_path", "pattern", "query", "url")
send(hook, "tool_use", tool_name=text(hook, "tool_name"), metadata={**texts(hook, "tool_use_id"), **told})

#!/usr/bin/env python3
"""InstructionsLoaded → instruction_load: which file, and why it was read."""

from event import read_hook, send

KEYS = ("file_path", "memory_type", "load_reason", "globs", "trigger_file_path", "parent_file_path")

hook = read_hook()
send(hook, "instruction_load", metadata={key: hook[key] for key in KEYS if hook.get(key) is not None})

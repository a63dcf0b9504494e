#!/usr/bin/env python3
"""UserPromptSubmit → user_prompt; an empty prompt is none."""

from event import read_hook, send, text

hook = read_hook()
if text(hook, "prompt"):
    send(hook, "user_prompt", metadata={"message": hook["prompt"]})

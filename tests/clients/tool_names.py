"""The tools of a script under the names, and with the arguments, that a client's version gives them. Pure."""

from __future__ import annotations

import msgspec

from .script import Block, Call, Turn

# Older versions of Claude Code.
RENAMED = {"Agent": "Task", "TaskCreate": "TodoWrite"}


def fitted(turn: Turn, tools: frozenset[str]) -> Turn:
    """The turn with its calls as a client that offers `tools` understands them."""
    if not tools:
        return turn
    return msgspec.structs.replace(turn, blocks=tuple(_fitted(block, tools) for block in turn.blocks))


def _fitted(block: Block, tools: frozenset[str]) -> Block:
    if not isinstance(block, Call):
        return block
    if block.name in tools:
        return msgspec.structs.replace(block, namespace=None)
    if block.name == "exec_command" and isinstance(block.arguments, dict):
        return _shell(str(block.arguments["cmd"]), tools)
    if block.name == "apply_patch":
        return _shell(f"apply_patch <<'PATCH'\n{block.arguments}\nPATCH", tools)
    renamed = RENAMED.get(block.name)
    return msgspec.structs.replace(block, name=renamed) if renamed in tools else block


def _shell(command: str, tools: frozenset[str]) -> Call:
    """Codex before 0.60 takes a list of words, later versions a line."""
    if "exec_command" in tools:
        return Call("exec_command", {"cmd": command})
    if "shell_command" in tools:
        return Call("shell_command", {"command": command})
    return Call("shell", {"command": ["bash", "-lc", command]})

"""Claude Code's status line, wrapped: the person's own goes on as before, and we get what it is told. Pure."""

import shlex
from typing import Any, Final

from ingest.hooks.install.posting import posting_command
from ingest.hooks.install.settings_file import SettingsFault

STATUSLINE_PATH: Final = "/api/provider-quotas/claude/statusline"
# Behind this stands the person's own command, as one word of a shell.
THEN: Final = """printf %s "$told" | sh -c """


def with_statusline(settings: dict[str, Any], url: str | None, *, with_token: bool = False) -> dict[str, Any]:
    """The settings with the wrapped status line, or with the person's own again when `url` is None."""
    line = settings.get("statusLine")
    if line is not None and not (isinstance(line, dict) and isinstance(line.get("command"), str)):
        raise SettingsFault('"statusLine" is not a command, as the client wants it')
    own = _own_command(line["command"]) if line else None
    if url is not None:
        wrapped = _wrapped(own, url, with_token=with_token)
        return settings | {"statusLine": (line or {"type": "command"}) | {"command": wrapped}}
    if line is None or own == line["command"]:
        return settings
    if own is None:
        return {key: value for key, value in settings.items() if key != "statusLine"}
    return settings | {"statusLine": line | {"command": own}}


def is_wrapped(settings: dict[str, Any]) -> bool:
    line = settings.get("statusLine")
    return isinstance(line, dict) and isinstance(line.get("command"), str) and STATUSLINE_PATH in line["command"]


def _wrapped(own: str | None, url: str, *, with_token: bool) -> str:
    posting = posting_command(url + STATUSLINE_PATH, with_token=with_token)
    then = f" {THEN}{shlex.quote(own)}" if own is not None else ""
    return f'told=$(cat); printf %s "$told" | ({posting}) &{then}'


def _own_command(command: str) -> str | None:
    """What the person set; None when the whole line is ours."""
    if STATUSLINE_PATH not in command:
        return command
    _, then, own = command.partition(THEN)
    return shlex.split(own)[0] if then else None

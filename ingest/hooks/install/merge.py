"""Our entries in and out of a settings object, everything else as it was. Pure."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from ingest.hooks.install.entries import (
    CODEX_HOOK_PATH,
    GEMINI_HOOK_PATH,
    HOOK_PATH,
    SCRIPTS_PATH,
    Entries,
    Mode,
)

POSTED_TO: Final = (HOOK_PATH, CODEX_HOOK_PATH, GEMINI_HOOK_PATH)


class Installed(NamedTuple):
    """One of our hooks as found in a settings object. `target` is a URL or a command."""

    event: str
    mode: Mode
    target: str


def with_entries(settings: dict[str, Any], wanted: Entries) -> dict[str, Any]:
    """The settings with these entries of ours and no others; what is empty without ours goes with them."""
    hooks = settings.get("hooks", {})
    fresh = {event: kept for event, groups in hooks.items() if (kept := _without_own(groups)) or not groups}
    for event, groups in wanted.items():
        fresh[event] = [*fresh.get(event, []), *groups]
    if fresh == hooks:
        return settings
    others = {key: value for key, value in settings.items() if key != "hooks" or fresh}
    return others | {"hooks": fresh} if fresh else others


def _without_own(groups: list[Any]) -> list[Any]:
    return [kept for group in groups if (kept := _group_without_own(group)) is not None]


def _group_without_own(group: Any) -> Any | None:
    """The group without our hooks; None when it held no others."""
    hooks = group.get("hooks") if isinstance(group, dict) else None
    if not isinstance(hooks, list) or not any(_mode_of(hook) for hook in hooks):
        return group
    foreign = [hook for hook in hooks if not _mode_of(hook)]
    return {**group, "hooks": foreign} if foreign else None


def installed(settings: dict[str, Any]) -> Iterator[Installed]:
    """Our hooks in the settings, in the order of the file."""
    for event, groups in settings.get("hooks", {}).items():
        for group in groups:
            hooks = group.get("hooks") if isinstance(group, dict) else None
            for hook in hooks if isinstance(hooks, list) else []:
                mode = _mode_of(hook)
                if mode is not None:
                    yield Installed(event, mode, hook["url" if hook.get("type") == "http" else "command"])


def _mode_of(hook: Any) -> Mode | None:
    """How one of our hooks reports; None when the hook is not ours."""
    if not isinstance(hook, dict):
        return None
    url, command = hook.get("url"), hook.get("command")
    if hook.get("type") == "http" and isinstance(url, str):
        return Mode.HTTP if _path_of(url).rstrip("/").endswith(HOOK_PATH) else None
    if not isinstance(command, str):
        return None
    if SCRIPTS_PATH not in command.replace(HOOK_PATH, ""):
        return Mode.HTTP if any(path in command for path in POSTED_TO) else None
    return Mode.PYTHON if ".py" in command else Mode.COMMAND


def _path_of(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:
        return ""

"""What to change in which file of a client, and what of ours is there. Reads files, writes none."""

from collections.abc import Callable, Collection, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, NamedTuple

from ingest.hooks.install import codex_config, telemetry
from ingest.hooks.install.entries import Entries, Mode, codex_entries, gemini_entries, wanted_entries
from ingest.hooks.install.merge import Installed, installed, with_entries
from ingest.hooks.install.settings_file import ClientFile, SettingsFile, read_file, read_settings, text_of
from ingest.hooks.install.statusline import is_wrapped, with_statusline

CLAUDE, CODEX, GEMINI = "claude-code", "codex", "gemini"
CLIENTS: Final = (CLAUDE, CODEX, GEMINI)
AGENT_TYPES: Final = {CLAUDE: "claude_code", CODEX: "codex", GEMINI: "gemini_cli"}


class Part(StrEnum):
    """What can be installed into a client."""

    HOOKS = "hooks"
    OTEL = "otel"
    STATUSLINE = "statusline"


PARTS: Final = {
    CLAUDE: (Part.HOOKS, Part.OTEL, Part.STATUSLINE),
    CODEX: (Part.HOOKS, Part.OTEL),
    GEMINI: (Part.HOOKS, Part.OTEL),
}


class Wanted(NamedTuple):
    """How a client is to report. `scripts` is the folder hooks/claude-code."""

    url: str
    mode: Mode
    scripts: Path
    with_token: bool


class Change(NamedTuple):
    """A file, and the text that it is to have."""

    file: ClientFile
    text: str


def changes(client: str, folder: Path, parts: Collection[Part], wanted: Wanted | None) -> Iterator[Change]:
    """What differs from what is wanted; with nothing wanted, what is ours goes. Raises SettingsFault."""
    for change in CHANGES[client](folder, parts, wanted):
        if change.text != (change.file.text or ""):
            yield change


def _claude(folder: Path, parts: Collection[Part], wanted: Wanted | None) -> Iterator[Change]:
    file = read_settings(folder / "settings.json")
    content = file.content
    if Part.HOOKS in parts:
        content = with_entries(content, _claude_entries(wanted))
    if Part.OTEL in parts:
        settings = telemetry.claude_telemetry(wanted.url) if wanted else {}
        content = telemetry.with_telemetry(content, telemetry.CLAUDE_BLOCK, settings)
    if Part.STATUSLINE in parts:
        content = with_statusline(content, _url(wanted), with_token=_has_token(wanted))
    yield _json_change(file, content)


def _claude_entries(wanted: Wanted | None) -> Entries:
    if wanted is None:
        return {}
    return wanted_entries(wanted.mode, wanted.url, wanted.scripts, with_token=wanted.with_token)


def _codex(folder: Path, parts: Collection[Part], wanted: Wanted | None) -> Iterator[Change]:
    if Part.HOOKS in parts:
        hooks = read_settings(folder / "hooks.json")
        entries = codex_entries(wanted.url, with_token=wanted.with_token) if wanted else {}
        yield _json_change(hooks, with_entries(hooks.content, entries))
    file = read_file(folder / "config.toml")
    text = file.text or ""
    if Part.HOOKS in parts:
        text = codex_config.with_notify(file, _url(wanted), with_token=_has_token(wanted))
    if Part.OTEL in parts:
        text = codex_config.with_telemetry(ClientFile(file.path, text), _url(wanted))
    yield Change(file, text)


def _gemini(folder: Path, parts: Collection[Part], wanted: Wanted | None) -> Iterator[Change]:
    file = read_settings(folder / "settings.json")
    content = file.content
    if Part.HOOKS in parts:
        entries = gemini_entries(wanted.url, with_token=wanted.with_token) if wanted else {}
        content = with_entries(content, entries)
    if Part.OTEL in parts:
        settings = telemetry.gemini_telemetry(wanted.url) if wanted else {}
        content = telemetry.with_telemetry(content, telemetry.GEMINI_BLOCK, settings)
    yield _json_change(file, content)


CHANGES: Final[dict[str, Callable[[Path, Collection[Part], Wanted | None], Iterator[Change]]]] = {
    CLAUDE: _claude,
    CODEX: _codex,
    GEMINI: _gemini,
}


def _json_change(file: SettingsFile, content: dict[str, Any]) -> Change:
    return Change(file, file.text or "" if content == file.content else text_of(file, content))


def _url(wanted: Wanted | None) -> str | None:
    return None if wanted is None else wanted.url


def _has_token(wanted: Wanted | None) -> bool:
    return wanted is not None and wanted.with_token


def summary(client: str, folder: Path) -> str:
    """What of ours is in a client's settings, in words. Raises SettingsFault."""
    if client == CODEX:
        document = codex_config.parsed(read_file(folder / "config.toml"))
        said = [_hooks_in(list(installed(read_settings(folder / "hooks.json").content)))]
        said += ["notify"] if codex_config.is_notified(document) else []
        endpoint = codex_config.endpoint_of(document.get("otel"), "exporter")
    else:
        content = read_settings(folder / "settings.json").content
        said = [_hooks_in(list(installed(content)))]
        said += ["status line"] if client == CLAUDE and is_wrapped(content) else []
        block = telemetry.CLAUDE_BLOCK if client == CLAUDE else telemetry.GEMINI_BLOCK
        endpoint = telemetry.endpoint_in(content, block)
    said += [f"telemetry to {endpoint}"] if endpoint else []
    return ", ".join(filter(None, said)) or "not installed"


def _hooks_in(found: list[Installed]) -> str:
    if not found:
        return ""
    modes = ", ".join(sorted({hook.mode.value for hook in found}))
    targets = {hook.target for hook in found if hook.mode is Mode.HTTP and hook.target.startswith("http")}
    where = f" to {', '.join(sorted(targets))}" if targets else ""
    return f"installed, mode {modes}{where}, {len({hook.event for hook in found})} events"

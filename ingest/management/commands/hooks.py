"""`manage.py hooks install|uninstall|status`: an agent reports to AgentMonitor, or no more."""

import ipaddress
from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from ingest.hooks.install.clients import (
    AGENT_TYPES,
    CLAUDE,
    CLIENTS,
    CODEX,
    GEMINI,
    PARTS,
    Change,
    Part,
    Wanted,
    changes,
    summary,
)
from ingest.hooks.install.entries import Mode
from ingest.hooks.install.posting import TOKEN_VARIABLE
from ingest.hooks.install.settings_file import SettingsFault, difference, write_settings
from monitor.arrivals import last_arrivals

USER, PROJECT = "user", "project"
TRUST: Final = "Codex runs a hook once you have looked at it: open /hooks in Codex and trust them."
TELEMETRY_TOKEN: Final = (
    "Telemetry needs the token too, and it is not written down: in the client's environment\n"
    f'OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20${TOKEN_VARIABLE}".'
)


class Command(BaseCommand):
    help = "Connect Claude Code, Codex or Gemini CLI, disconnect it, or show what is connected."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        install = actions.add_parser("install", help="put our hooks into the client's settings")
        install.add_argument("--url", default=_own_url(), help="where AgentMonitor listens (default: %(default)s)")
        install.add_argument("--mode", type=Mode, choices=list(Mode), default=Mode.HTTP, help="how hooks report")
        uninstall = actions.add_parser("uninstall", help="take out what is ours, and only that")
        for action in (install, uninstall):
            action.add_argument("client", choices=CLIENTS)
            action.add_argument("--otel", action="store_true", help="only its telemetry")
            action.add_argument("--statusline", action="store_true", help="only Claude Code's status line")
            action.add_argument(
                "--scope", choices=(USER, PROJECT), default=USER, help="user: everywhere; project: here"
            )
            action.add_argument("--dry-run", action="store_true", help="show the change and make none")
        actions.add_parser("status", help="what is installed where, and what arrived")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["action"] == "status":
                self._status()
            elif options["action"] == "install":
                self._install(options)
            else:
                client = options["client"]
                self._change(options, _parts(options) or PARTS[client], None)
        except SettingsFault as fault:
            raise CommandError(str(fault)) from None

    def _install(self, options: dict[str, Any]) -> None:
        url, mode, client = _checked_url(options["url"]), options["mode"], options["client"]
        parts = _parts(options) or (Part.HOOKS,)
        if client != CLAUDE and mode is not Mode.HTTP:
            raise CommandError(f"--mode is for {CLAUDE}: the hooks of {client} are one command each")
        has_token = settings.ENVIRONMENT.token is not None
        scripts = settings.BASE_DIR / "hooks" / "claude-code"
        self._change(options, parts, Wanted(url, mode, scripts, has_token))
        if has_token:
            self.stdout.write(f"The client needs {TOKEN_VARIABLE} in its own environment; it is not written down.")
        if has_token and Part.OTEL in parts:
            self.stdout.write(TELEMETRY_TOKEN)
        if client == CODEX and Part.HOOKS in parts:
            self.stdout.write(TRUST)
        if client == CLAUDE and Part.HOOKS in parts and mode is Mode.HTTP and _is_refused_by_the_client(url):
            self.stderr.write(f"The client posts to no private address like {url}; use --mode command there.")

    def _change(self, options: dict[str, Any], parts: tuple[Part, ...], wanted: Wanted | None) -> None:
        folder = _folder(options["client"], options["scope"])
        # All files are read and checked before the first is written.
        found = list(changes(options["client"], folder, parts, wanted))
        if not found:
            self.stdout.write(f"Nothing to change in {folder}")
        for change in found:
            self.stdout.write(difference(change.file, change.text), ending="")
        if found and options["dry_run"]:
            self.stdout.write("Dry run: nothing was written.")
            return
        stamp = datetime.now().strftime("%Y%m%d%H%M%S")
        for change in found:
            self._write(change, stamp)

    def _write(self, change: Change, stamp: str) -> None:
        backup = write_settings(change.file, change.text, stamp)
        if backup is not None:
            self.stdout.write(f"The settings before: {backup}")
        self.stdout.write(f"Written: {change.file.path}. Sessions that start from now on use it.")

    def _status(self) -> None:
        for client in CLIENTS:
            self.stdout.write(client)
            for scope in (USER,) if client == CODEX else (USER, PROJECT):
                folder = _folder(client, scope)
                try:
                    self.stdout.write(f"  {scope}: {summary(client, folder)} ({folder})")
                except SettingsFault as fault:
                    self.stdout.write(f"  {scope}: unknown, {fault}")
            for line in _arrivals(AGENT_TYPES[client]):
                self.stdout.write(f"  {line}")


def _parts(options: dict[str, Any]) -> tuple[Part, ...]:
    """What was asked for by name."""
    asked = tuple(part for part in (Part.OTEL, Part.STATUSLINE) if options[part.value])
    foreign = [part for part in asked if part not in PARTS[options["client"]]]
    if foreign:
        raise CommandError(f"--{foreign[0]} is for {CLAUDE} only")
    return asked


def _own_url() -> str:
    host, port = settings.ENVIRONMENT.host, settings.ENVIRONMENT.port
    reachable = "127.0.0.1" if host in ("0.0.0.0", "::") else host
    return f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}"


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port)
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment:
        raise CommandError(f"--url must be like http://127.0.0.1:3141, not {url!r}")
    return url.rstrip("/")


def _is_refused_by_the_client(url: str) -> bool:
    """Claude Code posts to loopback and to public addresses only."""
    try:
        address = ipaddress.ip_address(urlsplit(url).hostname or "")
    except ValueError:
        return False
    return address.is_private and not address.is_loopback


def _folder(client: str, scope: str) -> Path:
    """Where a client keeps its settings."""
    environment = settings.ENVIRONMENT
    if client == CODEX:
        if scope == PROJECT:
            raise CommandError("Codex takes `notify` and telemetry from the user's own settings only")
        return Path(environment.codex_home)
    if scope == PROJECT:
        return Path.cwd() / (".gemini" if client == GEMINI else ".claude")
    if client == GEMINI:
        return Path(environment.gemini_root)
    chosen: tuple[Path, ...] = environment.claude_config_dirs
    return chosen[0] if chosen else Path.home() / ".claude"


def _arrivals(agent_type: str) -> Iterator[str]:
    """What arrived last, by the way it came."""
    if not Path(settings.DATABASES["default"]["NAME"]).exists():
        yield "last hook: none (there is no database yet)"
        return
    try:
        for way, event in last_arrivals(agent_type):
            told = f"{event.created_at} UTC, {event.event_type} of session {event.session_id}" if event else "none"
            yield f"last {way}: {told}"
    except DatabaseError as error:
        yield f"last hook: unknown ({error})"

"""`manage.py hooks install|uninstall|status`: Claude Code reports to AgentMonitor, or no more."""

import ipaddress
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from ingest.hooks.install.entries import TOKEN_VARIABLE, Entries, Mode, wanted_entries
from ingest.hooks.install.merge import Installed, installed, with_entries
from ingest.hooks.install.settings_file import SettingsFault, difference, read_settings, text_of, write_settings
from monitor.models import Event

SCOPES: Final = ("user", "project")


class Command(BaseCommand):
    help = "Connect Claude Code, disconnect it, or show what is connected."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        install = actions.add_parser("install", help="put our hooks into the client's settings")
        install.add_argument("--url", default=_own_url(), help="where AgentMonitor listens (default: %(default)s)")
        install.add_argument("--mode", type=Mode, choices=list(Mode), default=Mode.HTTP, help="how it reports")
        uninstall = actions.add_parser("uninstall", help="take our hooks out again, and only these")
        for action in (install, uninstall):
            action.add_argument("client", choices=["claude-code"])
            action.add_argument("--scope", choices=SCOPES, default="user", help="user: everywhere; project: here")
            action.add_argument("--dry-run", action="store_true", help="show the change and make none")
        actions.add_parser("status", help="what is installed where, and what arrived")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["action"] == "install":
                self._install(options)
            elif options["action"] == "uninstall":
                self._change(options, {})
            else:
                self._status()
        except SettingsFault as fault:
            raise CommandError(str(fault)) from None

    def _install(self, options: dict[str, Any]) -> None:
        url, mode = _checked_url(options["url"]), options["mode"]
        has_token = settings.ENVIRONMENT.token is not None
        scripts = settings.BASE_DIR / "hooks" / "claude-code"
        self._change(options, wanted_entries(mode, url, scripts, with_token=has_token))
        if has_token:
            self.stdout.write(f"The client needs {TOKEN_VARIABLE} in its own environment; it is not written down.")
        if mode is Mode.HTTP and _is_refused_by_the_client(url):
            self.stderr.write(f"The client posts to no private address like {url}; use --mode command there.")

    def _change(self, options: dict[str, Any], wanted: Entries) -> None:
        file = read_settings(_settings_path(options["scope"]))
        content = with_entries(file.content, wanted)
        if content == file.content:
            self.stdout.write(f"Nothing to change in {file.path}")
            return
        text = text_of(file, content)
        self.stdout.write(difference(file, text), ending="")
        if options["dry_run"]:
            self.stdout.write("Dry run: nothing was written.")
            return
        backup = write_settings(file, text, datetime.now().strftime("%Y%m%d%H%M%S"))
        if backup is not None:
            self.stdout.write(f"The settings before: {backup}")
        self.stdout.write(f"Written: {file.path}. Sessions that start from now on use it.")

    def _status(self) -> None:
        for scope in SCOPES:
            try:
                file = read_settings(_settings_path(scope))
                self.stdout.write(f"{scope}: {_summary(list(installed(file.content)))} ({file.path})")
            except SettingsFault as fault:
                self.stdout.write(f"{scope}: unknown, {fault}")
        self.stdout.write(f"Last hook received: {_last_arrival()}")


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


def _settings_path(scope: str) -> Path:
    if scope == "project":
        return Path.cwd() / ".claude" / "settings.json"
    chosen: tuple[Path, ...] = settings.ENVIRONMENT.claude_config_dirs
    return (chosen[0] if chosen else Path.home() / ".claude") / "settings.json"


def _summary(found: list[Installed]) -> str:
    if not found:
        return "not installed"
    modes = ", ".join(sorted({hook.mode.value for hook in found}))
    targets = {hook.target for hook in found if hook.mode is Mode.HTTP and hook.target.startswith("http")}
    where = f" to {', '.join(sorted(targets))}" if targets else ""
    return f"installed, mode {modes}{where}, {len({hook.event for hook in found})} events"


def _last_arrival() -> str:
    if not Path(settings.DATABASES["default"]["NAME"]).exists():
        return "none (there is no database yet)"
    try:
        newest = Event.objects.filter(agent_type="claude_code", source="hook").order_by("-created_at").first()
    except DatabaseError as error:
        return f"unknown ({error})"
    if newest is None:
        return "none"
    return f"{newest.created_at:%Y-%m-%d %H:%M:%S} UTC, {newest.event_type} of session {newest.session_id}"

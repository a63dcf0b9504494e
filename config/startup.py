"""What both servers do before they listen: the database made or migrated, the port free, a word to the human."""

import errno
import os
import socket
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.checks import run_checks
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection

from config.environment import BASE_DIR
from importers.auto import found_history
from monitor.status import is_demo


def prepare_database() -> None:
    """Make the directory, migrate, and see that the file system carries a write-ahead log.

    Raises CommandError with one line for a human.
    """
    path = Path(settings.DATABASES["default"]["NAME"])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir():
            raise CommandError(f"The database path is a directory: {path} (AGENTMONITOR_DB_PATH)")
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            raise CommandError(f"The database can't be written: {path} (AGENTMONITOR_DB_PATH)")
        call_command("migrate", verbosity=0, interactive=False)
        mode = _journal_mode()
    except (OSError, DatabaseError, sqlite3.Error) as error:
        raise CommandError(f"The database can't be used: {path}: {error} (AGENTMONITOR_DB_PATH)") from None
    finally:
        connection.close()
    if mode != "wal":
        raise CommandError(
            f"The file system of {path} has no write-ahead log (journal mode {mode}); choose a local disk"
        )


def _journal_mode() -> str:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        return str(cursor.fetchone()[0])


def check_port(host: str, port: int, option: str = "--port or AGENTMONITOR_PORT") -> None:
    """Raises CommandError when nobody can listen there."""
    # The C library would take the remainder of a number that is too large.
    if not 0 < port < 65536:
        raise CommandError(f"Can't listen on port {port}: it is out of range ({option})")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        reason = "it is in use" if error.errno == errno.EADDRINUSE else (error.strerror or str(error))
        raise CommandError(f"Can't listen on {host}:{port}: {reason} ({option})") from None


def imports_by_itself() -> bool:
    """Whether the server reads the transcripts of this machine: never into a demo, which holds nobody's data."""
    try:
        return bool(settings.ENVIRONMENT.auto_import_minutes) and not is_demo()
    finally:
        connection.close()


def greeting(host: str, port: int) -> Iterator[str]:
    """What a person needs now: the address, what was found, how to connect an agent."""
    python = _command()
    yield f"AgentMonitor  http://{_shown(host)}:{port}/"
    yield f"Database      {settings.DATABASES['default']['NAME']}"
    history = found_history()
    if not history:
        yield "History       no transcripts of Claude Code, Codex or Gemini CLI were found yet"
    note = "will be imported now" if imports_by_itself() else "will not be imported: a demo, or auto-import is off"
    for found in history:
        yield f"History       {found.files} {found.source} transcripts under {found.directory} ({note})"
    yield f"Connect       {python} hooks install claude-code|codex|gemini"
    yield "              Any other agent: docs/api.md, docs/otlp.md"
    yield f"Admin         {python} createsuperuser, then http://{_shown(host)}:{port}/admin/"
    for message in run_checks(tags=["agentmonitor"]):
        yield f"Warning       {message.msg} {message.hint}"
    yield "Ctrl-C stops."


def _shown(host: str) -> str:
    host = "127.0.0.1" if host in {"0.0.0.0", "::"} else host
    return f"[{host}]" if ":" in host else host


def _command() -> str:
    python = Path(sys.executable)
    shown = python.relative_to(BASE_DIR) if python.is_relative_to(BASE_DIR) else python
    return f"{shown} manage.py"

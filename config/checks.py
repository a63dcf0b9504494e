"""System checks: a set-up that can't work, or is open to more than its owner meant, is named with what to do."""

import ipaddress
import os
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

from config.environment import Environment, unknown_names
from config.secret import SECRET_FILE

# RETURNING; UPDATE … FROM and upserts are older.
LEAST_SQLITE: Final = (3, 35, 0)
SHORTEST_TOKEN: Final = 16


@register("agentmonitor")
def check_database(**_: Any) -> list[CheckMessage]:
    return [*_database_faults(Path(settings.DATABASES["default"]["NAME"])), *_library_faults()]


@register("agentmonitor")
def check_access(**_: Any) -> list[CheckMessage]:
    return [*_exposure_faults(settings.ENVIRONMENT), *_secret_faults(settings.ENVIRONMENT.db_path.parent)]


@register("agentmonitor")
def check_variables(**_: Any) -> list[CheckMessage]:
    return [
        Warning(
            f"{name} is set, but is no setting of AgentMonitor.",
            hint="Is it misspelt? `manage.py show_config` prints all of them.",
            id="agentmonitor.W005",
        )
        for name in unknown_names(os.environ)
    ]


def _database_faults(path: Path) -> Iterator[CheckMessage]:
    hint = "Choose another file with AGENTMONITOR_DB_PATH, or change the rights."
    if path.is_dir():
        yield Error(f"The database path is a directory: {path}", hint=hint, id="agentmonitor.E001")
    elif path.exists() and not os.access(path, os.W_OK):
        yield Error(f"The database can't be written: {path}", hint=hint, id="agentmonitor.E002")
    # Beside the database stand its write-ahead log and the secret key; a missing directory is made.
    directory = _nearest_existing(path.parent)
    if not directory.is_dir() or not os.access(directory, os.W_OK | os.X_OK):
        yield Error(f"The database's directory can't be written: {directory}", hint=hint, id="agentmonitor.E003")


def _nearest_existing(directory: Path) -> Path:
    return next(place for place in (directory, *directory.parents) if place.exists())


def _library_faults() -> Iterator[CheckMessage]:
    if sqlite3.sqlite_version_info < LEAST_SQLITE:
        yield Error(
            f"The SQLite library is {sqlite3.sqlite_version}; {'.'.join(map(str, LEAST_SQLITE))} is needed.",
            hint="Use a Python that brings a newer one.",
            id="agentmonitor.E004",
        )


def _exposure_faults(environment: Environment) -> Iterator[CheckMessage]:
    give_token = "Set AGENTMONITOR_TOKEN; clients send it as `Authorization: Bearer …`."
    if not is_loopback(environment.host) and not environment.token:
        yield Warning(
            f"The server listens on {environment.host}, where other machines may reach it, without a token.",
            hint=give_token,
            id="agentmonitor.W001",
        )
    if environment.allowed_hosts and not environment.token:
        yield Warning(
            f"AGENTMONITOR_ALLOWED_HOSTS allows {', '.join(environment.allowed_hosts)}, without a token.",
            hint=give_token,
            id="agentmonitor.W002",
        )
    if environment.token and len(environment.token) < SHORTEST_TOKEN:
        yield Warning(
            f"AGENTMONITOR_TOKEN is shorter than {SHORTEST_TOKEN} characters and may be guessed.",
            hint="Make one: python3 -c 'import secrets; print(secrets.token_urlsafe())'",
            id="agentmonitor.W003",
        )


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens there."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _secret_faults(directory: Path) -> Iterator[CheckMessage]:
    path = directory / SECRET_FILE
    if os.name == "posix" and path.exists() and path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        yield Warning(
            f"Others can read the secret key: {path}",
            hint=f"chmod 600 {path}; delete it to get a new one (logins to the admin end).",
            id="agentmonitor.W004",
        )

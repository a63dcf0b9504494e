"""The secret key of this installation: made once, kept beside the database, readable by its owner only."""

import os
import secrets
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Final

SECRET_FILE: Final = "secret_key"


def installation_secret(directory: Path) -> str:
    """Read the key, or make it. Where the directory can't be written, a key for this process alone.

    A command that can't write there fails later with a clear line about the database (config/startup.py).
    """
    path = directory / SECRET_FILE
    return _read(path) or _make(path)


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip() or None
    except OSError:
        return None


def _make(path: Path) -> str:
    """Of two processes that make one at the same time both use the first; neither sees half of one."""
    key = secrets.token_urlsafe(48)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", dir=path.parent, prefix=f".{path.name}-") as file:
            file.write(key)
            file.flush()
            os.link(file.name, path)
    except FileExistsError:
        return _read(path) or key
    except OSError:
        pass
    return key

"""The secret key of this installation: made once, kept beside the database, readable by its owner only."""

import os
import secrets
from pathlib import Path


def installation_secret(directory: Path) -> str:
    """Read the key, or make it. Where the directory can't be written, a key for this process alone.

    A command that can't write there fails later with a clear line about the database (config/startup.py).
    """
    path = directory / "secret_key"
    try:
        return path.read_text().strip()
    except OSError:
        pass
    key = secrets.token_urlsafe(48)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    except OSError:
        return key
    with os.fdopen(descriptor, "w") as file:
        file.write(key)
    return key

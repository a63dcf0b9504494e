"""What the server knows of itself. Parts of the process report here; the status endpoint reads."""

from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Any

from django.conf import settings

from monitor.hook_weight import hook_weight
from monitor.live import hub
from monitor.queries import fetch

VERSION = "0.1.0"
DEMO_MARKER = "demo"
_started = monotonic()
_reports: dict[str, Callable[[], Any]] = {}


def report(name: str, read: Callable[[], Any]) -> None:
    """Register what `server_status()` asks for `name`; None is shown when nobody reports it."""
    _reports[name] = read


def uptime_seconds() -> int:
    return int(monotonic() - _started)


def database_bytes() -> int:
    path = Path(settings.DATABASES["default"]["NAME"])
    return sum(file.stat().st_size for file in (path, path.with_name(path.name + "-wal")) if file.is_file())


def is_demo() -> bool:
    return bool(fetch("SELECT 1 FROM markers WHERE key = %s", [DEMO_MARKER]))


def unpriced_models() -> list[str]:
    """Models with calls that no price was found for."""
    rows = fetch("SELECT DISTINCT model FROM usage_hours WHERE unpriced_calls > 0 ORDER BY 1")
    return [model or "(no model named)" for (model,) in rows]


def health() -> dict[str, Any]:
    return {
        "status": "ok",
        "uptime": uptime_seconds(),
        "db_size_bytes": database_bytes(),
        "sse_clients": hub.clients,
    }


def server_status() -> dict[str, Any]:
    """For the status line of the page: database, writer, import, streams, and what has no price."""
    return {
        "version": VERSION,
        "is_demo": is_demo(),
        "uptime": uptime_seconds(),
        "database": {"path": str(settings.DATABASES["default"]["NAME"]), "size_bytes": database_bytes()},
        "writer": _read("writer"),
        "import": _read("import"),
        "otlp": _read("otlp"),
        "sse_clients": hub.clients,
        "hooks": hook_weight.rows(),
        "unpriced_models": unpriced_models(),
    }


def _read(name: str) -> Any:
    read = _reports.get(name)
    return read() if read is not None else None

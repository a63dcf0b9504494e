"""The one reader of the process environment: typed, checked once, frozen.

Every `AGENTMONITOR_*` variable is a field below with its default and its least value. A wrong value is
collected, not guessed: `read` raises one EnvironmentError that names each variable at fault.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Final, NamedTuple

BASE_DIR: Final = Path(__file__).resolve().parent.parent
PREFIX: Final = "AGENTMONITOR_"


class EnvironmentFault(Exception):
    """One or more variables hold a value that can't be used; the text has one line for each."""


class Origin(NamedTuple):
    """Where a value in force came from: `default`, or `environment`."""

    variable: str
    value: object
    source: str


def _integer(least: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise ValueError(f"is not a whole number: {text!r}") from None
        if value < least:
            raise ValueError(f"must be at least {least}, not {value}")
        return value

    return parse


def _number(least: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise ValueError(f"is not a number: {text!r}") from None
        if not least <= value < float("inf"):
            raise ValueError(f"must be at least {least:g}, not {text}")
        return value

    return parse


def _port(text: str) -> int:
    value = _integer(1)(text)
    if value > 65535:
        raise ValueError(f"must be at most 65535, not {value}")
    return value


def _switch(text: str) -> bool:
    if text.lower() in {"1", "true", "yes", "on"}:
        return True
    if text.lower() in {"0", "false", "no", "off"}:
        return False
    raise ValueError(f"must be 1 or 0, not {text!r}")


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _var(name: str, parse: Callable[[str], Any], default: Any) -> Any:
    return field(metadata={"name": name, "parse": parse, "default": default})


def _projects_dir() -> Path:
    """The directory that holds this installation, when we run inside it; else where we run."""
    here = Path.cwd()
    return BASE_DIR.parent if here.is_relative_to(BASE_DIR) else here


@dataclass(frozen=True, slots=True)
class Environment:
    """What is in force. Minutes, hours, ms and KB as the names say; limits of cost in dollars."""

    host: str = _var("AGENTMONITOR_HOST", str, "127.0.0.1")
    port: int = _var("AGENTMONITOR_PORT", _port, 3141)
    db_path: Path = _var("AGENTMONITOR_DB_PATH", _path, lambda: Path("data/agentmonitor.db").absolute())
    max_payload_kb: int = _var("AGENTMONITOR_MAX_PAYLOAD_KB", _integer(0), 10)
    session_timeout_minutes: int = _var("AGENTMONITOR_SESSION_TIMEOUT", _integer(1), 5)
    max_feed: int = _var("AGENTMONITOR_MAX_FEED", _integer(1), 200)
    stats_interval_ms: int = _var("AGENTMONITOR_STATS_INTERVAL", _integer(250), 5000)
    max_sse_clients: int = _var("AGENTMONITOR_MAX_SSE_CLIENTS", _integer(1), 50)
    sse_heartbeat_ms: int = _var("AGENTMONITOR_SSE_HEARTBEAT_MS", _integer(1000), 30000)
    auto_import_minutes: int = _var("AGENTMONITOR_AUTO_IMPORT_MINUTES", _integer(0), 10)
    projects_dir: Path = _var("AGENTMONITOR_PROJECTS_DIR", _path, _projects_dir)
    session_window_hours: int = _var("AGENTMONITOR_SESSION_WINDOW_HOURS", _integer(1), 5)
    session_window_hours_claude_code: int | None = _var(
        "AGENTMONITOR_SESSION_WINDOW_HOURS_CLAUDE_CODE", _integer(1), None
    )
    session_window_hours_codex: int | None = _var("AGENTMONITOR_SESSION_WINDOW_HOURS_CODEX", _integer(1), None)
    session_token_limit_claude_code: int = _var("AGENTMONITOR_SESSION_TOKEN_LIMIT_CLAUDE_CODE", _integer(0), 44000)
    extended_window_hours_claude_code: int = _var(
        "AGENTMONITOR_EXTENDED_WINDOW_HOURS_CLAUDE_CODE", _integer(1), 24
    )
    extended_token_limit_claude_code: int = _var("AGENTMONITOR_EXTENDED_TOKEN_LIMIT_CLAUDE_CODE", _integer(0), 0)
    session_cost_limit_codex: float = _var("AGENTMONITOR_SESSION_COST_LIMIT_CODEX", _number(0), 500.0)
    extended_window_hours_codex: int = _var("AGENTMONITOR_EXTENDED_WINDOW_HOURS_CODEX", _integer(1), 168)
    extended_cost_limit_codex: float = _var("AGENTMONITOR_EXTENDED_COST_LIMIT_CODEX", _number(0), 1500.0)
    claude_dirs: tuple[Path, ...] = _var(
        "AGENTMONITOR_CLAUDE_DIR", lambda text: tuple(_path(part) for part in _names(text)), ()
    )
    sync_exclude_patterns: tuple[str, ...] = _var("AGENTMONITOR_SYNC_EXCLUDE_PATTERNS", _names, ())
    token: str | None = _var("AGENTMONITOR_TOKEN", str, None)
    allowed_hosts: tuple[str, ...] = _var("AGENTMONITOR_ALLOWED_HOSTS", _names, ())
    safety: bool = _var("AGENTMONITOR_SAFETY", _switch, True)
    debug: bool = _var("AGENTMONITOR_DEBUG", _switch, False)
    codex_home: Path = _var("CODEX_HOME", _path, lambda: Path.home() / ".codex")
    gemini_cli_home: Path = _var("GEMINI_CLI_HOME", _path, Path.home)
    claude_config_dirs: tuple[Path, ...] = _var(
        "CLAUDE_CONFIG_DIR", lambda text: tuple(_path(part) for part in _names(text)), ()
    )

    def window_hours(self, agent_type: str) -> int:
        """Hours of the usage window of an agent type: its own, or else the common one."""
        own = {
            "claude_code": self.session_window_hours_claude_code,
            "codex": self.session_window_hours_codex,
        }.get(agent_type)
        return own or self.session_window_hours

    @property
    def claude_roots(self) -> tuple[Path, ...]:
        """Configuration directories of Claude Code that exist or may come to exist, the first one first."""
        chosen = self.claude_dirs or self.claude_config_dirs
        return chosen or (Path.home() / ".claude", Path.home() / ".config" / "claude")

    @property
    def gemini_root(self) -> Path:
        """Gemini CLI's directory: its own variable names the home that holds it."""
        return self.gemini_cli_home / ".gemini"


def read(environ: Mapping[str, str]) -> tuple[Environment, list[Origin]]:
    """Parse and check `environ`. An empty value is the same as a missing one."""
    values: dict[str, Any] = {}
    origins: list[Origin] = []
    faults: list[str] = []
    for spec in fields(Environment):
        name, default = spec.metadata["name"], spec.metadata["default"]
        text = environ.get(name, "").strip()
        value = default() if callable(default) else default
        if text:
            try:
                value = spec.metadata["parse"](text)
            except ValueError as fault:
                faults.append(f"{name} {fault}")
        values[spec.name] = value
        origins.append(Origin(name, value, "environment" if text else "default"))
    if faults:
        raise EnvironmentFault("\n".join(faults))
    return Environment(**values), origins


def unknown_names(environ: Mapping[str, str]) -> list[str]:
    """Variables with our prefix that nothing reads: most likely misspelt. `show_config` names them."""
    known = {spec.metadata["name"] for spec in fields(Environment)} | {"AGENTMONITOR_URL"}
    foreign = ("AGENTMONITOR_BENCH_", "AGENTMONITOR_TEST_")
    return sorted(
        name for name in environ if name.startswith(PREFIX) and name not in known and not name.startswith(foreign)
    )


def read_process() -> tuple[Environment, list[Origin]]:
    """The environment of this process, as it was at the start."""
    return read(os.environ)

"""Where Claude Code and Gemini CLI send their telemetry, in and out of their settings. Pure.

Nothing that stands there is ever replaced. The endpoint goes in first and what it needs behind it, so that what
stands behind an endpoint of ours is ours, and what stands before it was there before.
"""

from typing import Any, Final

from ingest.hooks.install.settings_file import SettingsFault

OTLP_PATH: Final = "/api/otel"
CLAUDE_ENDPOINT, GEMINI_ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT", "otlpEndpoint"

Settings = dict[str, Any]


def claude_telemetry(url: str) -> Settings:
    """For `env` in Claude Code's settings."""
    return {
        CLAUDE_ENDPOINT: url + OTLP_PATH,
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_LOG_USER_PROMPTS": "1",
        "CLAUDE_CODE_ENABLE_TELEMETRY": "1",
    }


def gemini_telemetry(url: str) -> Settings:
    """For `telemetry` in Gemini CLI's settings."""
    return {
        GEMINI_ENDPOINT: url + OTLP_PATH,
        "otlpProtocol": "http",
        "target": "local",
        "logPrompts": True,
        "enabled": True,
    }


# The block of each client's settings, and all names that we put there, the endpoint first.
CLAUDE_BLOCK: Final = ("env", tuple(claude_telemetry("")))
GEMINI_BLOCK: Final = ("telemetry", tuple(gemini_telemetry("")))
Block = tuple[str, tuple[str, ...]]


def with_telemetry(settings: Settings, block: Block, wanted: Settings) -> Settings:
    """The settings with ours, or without when nothing is wanted. Raises SettingsFault where another's stands."""
    key, names = block
    known = settings.get(key, {})
    if not isinstance(known, dict):
        raise SettingsFault(f'"{key}" is not an object, as the client wants it')
    if wanted and all(known.get(name) == value for name, value in wanted.items()):
        return settings
    fresh = _without_own(known, names)
    for name, value in wanted.items():
        if fresh.setdefault(name, value) != value:
            raise SettingsFault(f'"{name}" in "{key}" is {fresh[name]!r} already: take it out first')
    if fresh == known:
        return settings
    others = {name: value for name, value in settings.items() if name != key or fresh}
    return others | ({key: fresh} if fresh else {})


def endpoint_in(settings: Settings, block: Block) -> str | None:
    """Where the telemetry goes, when it comes to us."""
    known = settings.get(block[0])
    endpoint = known.get(block[1][0]) if isinstance(known, dict) else None
    return endpoint if is_ours(endpoint) else None


def is_ours(endpoint: object) -> bool:
    return isinstance(endpoint, str) and OTLP_PATH in endpoint


def _without_own(known: Settings, names: tuple[str, ...]) -> Settings:
    if not is_ours(known.get(names[0])):
        return dict(known)
    order = list(known)
    behind = set(order[order.index(names[0]) :])
    return {name: value for name, value in known.items() if name not in names or name not in behind}

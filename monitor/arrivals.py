"""When each agent was last heard of, by the way it came: hook, telemetry, transcript."""

from typing import Final, NamedTuple

from monitor.filters import EventFilter
from monitor.queries import list_events
from monitor.rows import EventRow

WAYS: Final = {"hook": "hook", "otel": "telemetry", "import": "transcript"}


class Arrival(NamedTuple):
    """The newest event that came this way; None when none ever did."""

    way: str
    event: EventRow | None


def last_arrivals(agent_type: str) -> list[Arrival]:
    """One for each way, in a fixed order."""
    return [Arrival(way, _newest(agent_type, source)) for source, way in WAYS.items()]


def _newest(agent_type: str, source: str) -> EventRow | None:
    rows, _ = list_events(EventFilter(agent_type=agent_type, source=source), 1, 0)
    return rows[0] if rows else None

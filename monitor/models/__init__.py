"""What happened: agents, their sessions, the events, and the ledger of billed calls."""

from monitor.models.agent import Agent
from monitor.models.call import Call
from monitor.models.entry import Entry
from monitor.models.event import Event
from monitor.models.imports import ImportState
from monitor.models.marker import Marker
from monitor.models.metric import MetricHour, MetricMark
from monitor.models.price import PriceOverride
from monitor.models.rollup import EventHour, SessionFile, UsageHour
from monitor.models.session import Session
from monitor.models.subagent import Compaction, Subagent
from monitor.models.telling import Telling

__all__ = [
    "Agent",
    "Call",
    "Compaction",
    "Entry",
    "Event",
    "EventHour",
    "ImportState",
    "Marker",
    "MetricHour",
    "MetricMark",
    "PriceOverride",
    "Session",
    "SessionFile",
    "Subagent",
    "Telling",
    "UsageHour",
]

"""What every client's transcript reader is: lines in, events and facts out. Pure.

A reader is one module per client. It sees one file, line by line, and holds what it must remember between
lines; it knows no database, no clock and no other file, so that any order of files gives the same ledger.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ingest.contract import NewEvent, SessionFacts
from ingest.entries import NewEntry
from ingest.metadata import DEFAULT_LIMIT_BYTES

SOURCE: Final = "import"


@dataclass(frozen=True, slots=True)
class PathFacts:
    """What a transcript's place says of it, and what its reader may assume.

    `path` names it in receipts; the agent is the sub-agent whose file it is. `default_model` is the model of the
    client's configuration, for files older than the records that name one; `cwd` the project's directory, for
    clients that keep it beside the files.
    """

    path: str
    name: str
    agent_id: str | None = None
    agent_kind: str | None = None
    agent_description: str | None = None
    default_model: str | None = None
    cwd: str | None = None
    payload_limit_bytes: int = DEFAULT_LIMIT_BYTES


@dataclass(frozen=True, slots=True)
class TimeRange:
    """What part of a history is wanted; ms, both ends included, None is open."""

    from_ms: int | None = None
    to_ms: int | None = None

    def __bool__(self) -> bool:
        return self.from_ms is not None or self.to_ms is not None

    def holds(self, at_ms: int | None) -> bool:
        """Without bounds everything; within bounds only what has a time."""
        if not self:
            return True
        return (
            at_ms is not None
            and (self.from_ms is None or self.from_ms <= at_ms)
            and (self.to_ms is None or at_ms <= self.to_ms)
        )


class Reader(Protocol):
    """Reads one file. `unknown` counts kinds of lines that were not understood."""

    unknown: Counter[str]

    def read(self, number: int, line: dict[str, Any]) -> None:
        """One line of the file; `number` counts from 0."""

    def take(self, *, everything: bool = False) -> list[NewEvent]:
        """Events that are complete since the last call, in order; `everything` at the end of the file."""

    def take_entries(self) -> list[NewEntry]:
        """What the lines since the last call say, for the reader and the search."""

    def facts(self) -> list[SessionFacts]:
        """What the lines so far say of their sessions."""


ReaderFactory = Callable[[PathFacts, TimeRange], Reader]

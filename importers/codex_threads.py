"""Whose thread a rollout is, its lines, and which of them repeat another's. Pure."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from importers.fields import mapping, moment, project_of, text
from importers.reader import SOURCE
from ingest.contract import NewEvent
from ingest.dates import uuid_time_ms

AGENT_TYPE: Final = "codex"
# Written by the client in the user's name.
MACHINE_STARTS: Final = (
    "<environment_context>",
    "<subagent_notification>",
    "<turn_aborted>",
    "<user_instructions>",
)
# A fork's history is written in one go when the fork begins, with the time of writing.
REPLAY_WRITING_MS: Final = 1000


@dataclass(frozen=True, slots=True)
class Thread:
    """What the first `session_meta` says. A sub-agent's `session_id` is its root's: it belongs to that session."""

    thread_id: str
    session_id: str
    cwd: str | None
    project: str | None
    branch: str | None
    client_version: str | None
    originator: str | None
    started_at_ms: int | None
    written_at_ms: int | None
    forked_from_id: str | None
    parent_id: str | None
    is_subagent: bool
    # What sort of sub-agent it is, and what the client calls it.
    kind: str | None
    nickname: str | None
    history_ends_at: int | None

    @property
    def agent_id(self) -> str | None:
        return self.thread_id if self.is_subagent else None

    def event(self, event_type: str, event_id: str, at_ms: int | None) -> NewEvent:
        """An event of this thread's session and place."""
        return NewEvent(
            session_id=self.session_id,
            agent_type=AGENT_TYPE,
            event_type=event_type,
            event_id=event_id,
            branch=self.branch,
            project=self.project,
            client_at_ms=at_ms,
            source=SOURCE,
        )


@dataclass(frozen=True, slots=True)
class RolloutLine:
    """`number` counts from 0; `is_copy`: it happened in the thread that this one started from."""

    number: int
    kind: str
    payload: dict[str, Any]
    at_ms: int | None
    is_copy: bool
    thread: Thread

    @property
    def event_kind(self) -> str:
        return text(self.payload.get("type")) or ""

    @property
    def line_id(self) -> str:
        return event_id_of(f"{self.thread.thread_id}:line:{self.number}")

    def event(self, event_type: str, event_id: str) -> NewEvent:
        return self.thread.event(event_type, event_id, self.at_ms)


class Numbers:
    """0, 1, 2 …: as itertools.count, which can't be stored."""

    def __init__(self) -> None:
        self._next = 0

    def __next__(self) -> int:
        self._next += 1
        return self._next - 1


def event_id_of(what: str) -> str:
    """The contract's form of an imported event's id."""
    return f"import-cdx-{sha256(f'codex:{what}'.encode()).hexdigest()[:32]}"


def thread_of(payload: dict[str, Any], written_at_ms: int | None, name: str) -> Thread:
    """`name` is the file's, for a rollout that doesn't say whose it is."""
    thread_id = text(payload.get("id")) or name
    source = mapping(payload.get("source")).get("subagent")
    spawn = mapping(mapping(source).get("thread_spawn"))
    spawned_by = text(spawn.get("parent_thread_id"))
    forked_from_id = text(payload.get("forked_from_id"))
    cwd, history_ends_at = payload.get("cwd"), payload.get("subagent_history_start_ordinal")
    return Thread(
        thread_id=thread_id,
        session_id=text(payload.get("session_id")) or spawned_by or thread_id,
        cwd=text(cwd),
        project=project_of(cwd),
        branch=text(mapping(payload.get("git")).get("branch")),
        client_version=text(payload.get("cli_version")),
        originator=text(payload.get("originator")),
        started_at_ms=moment(payload.get("timestamp")) or written_at_ms,
        written_at_ms=written_at_ms,
        forked_from_id=forked_from_id,
        parent_id=spawned_by or forked_from_id,
        is_subagent="subagent" in mapping(payload.get("source")) or payload.get("thread_source") == "subagent",
        kind=text(spawn.get("agent_role")) or text(source),
        nickname=text(spawn.get("agent_nickname")),
        history_ends_at=history_ends_at if isinstance(history_ends_at, int) else None,
    )


def is_replay(thread: Thread, turn_id: str | None, at_ms: int | None, ordinal: object, *, repeats: bool) -> bool:
    """Whether a line was copied from the thread that this one started from.

    A turn older than its thread is another's. Where no turn has an id there is only the time of writing, which
    counts when the file is known to repeat another (`repeats`).
    """
    if thread.history_ends_at is not None and isinstance(ordinal, int):
        return ordinal < thread.history_ends_at
    turn_began, thread_began = uuid_time_ms(turn_id), uuid_time_ms(thread.thread_id)
    if turn_began is not None and thread_began is not None:
        return turn_began < thread_began
    written = thread.written_at_ms
    return repeats and at_ms is not None and written is not None and at_ms <= written + REPLAY_WRITING_MS

"""The one writer: a bounded queue, one thread, group commit.

Requests hand in batches and wait; the thread drains what waits, stores it in one transaction, publishes it,
and answers all of them. No artificial delay: alone, a batch is committed at once; under load the groups grow
by themselves. Imports stand in a second line and get one group of slices after each group of live events.

The thread also lets time pass (sessions go idle) and notices what other processes wrote, so that everything
that reaches the live stream passes through one place, in the order of ids.
"""

import asyncio
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Final

from ingest.call_store import Stored
from ingest.store import (
    RECENT_EVENTS,
    SELECT_COMPLETIONS,
    Batch,
    GroupOutcome,
    StatusChange,
    StoreRules,
    advance,
    write_group,
)
from monitor.rows import EVENT_COLUMNS_SQL
from monitor.times import now_ms

log = logging.getLogger("agentmonitor.writer")

QUEUE_LIMIT_BYTES: Final = 32 * 1024 * 1024
GROUP_LIMIT_EVENTS: Final = 2000
# What an import may hold up the live events behind it: some 20 ms.
BULK_LIMIT_BYTES: Final = 256 * 1024
# An event costs memory beyond its bytes on the wire.
EVENT_OVERHEAD_BYTES: Final = 1000
TICK_SECONDS: Final = 0.5
CLOCK_TICK_SECONDS: Final = 1.0
# Each look costs the locks of a transaction of its own.
LOOK_SECONDS: Final = 0.25
# What another process wrote is sent to the stream up to this many events; beyond it, clients reload.
MOST_FOREIGN_EVENTS: Final = 2000
# How often clients load anew, at most, while another process completes what is known.
RESYNC_SECONDS: Final = 2.0
CHECKPOINT_SECONDS: Final = 0.5
STOP_SECONDS: Final = 10.0


class Overloaded(Exception):
    """The queue is full: try again later (503)."""


class Unavailable(Exception):
    """The database can't be written now: locked, full or read-only (503). Nothing was stored."""


class Stopped(Exception):
    """The writer has ended (503)."""


class Listener:
    """What the writer tells after each commit. `monitor.live` implements it; a command needs none."""

    def begin(self, last_event_id: int) -> None:
        """The writer starts; events up to this id are history."""

    def publish(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """New events, values of EVENT_COLUMNS, in id order."""

    def publish_completed(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Events that were told before and say more now, values of EVENT_COLUMNS, in id order."""

    def publish_changes(self, changes: Sequence[StatusChange], idled: int) -> None:
        """Sessions that changed status or state; `idled` of them by the passing of time."""

    def resync(self) -> None:
        """More happened elsewhere than is worth sending: clients load anew."""


@dataclass(slots=True)
class _Submission:
    batch: Batch
    weight_bytes: int
    future: "asyncio.Future[Stored] | Future[Stored]"
    loop: asyncio.AbstractEventLoop | None = None

    @property
    def events(self) -> int:
        return len(self.batch.events) + len(self.batch.facts)


@dataclass(slots=True)
class WriterFigures:
    """Counts since the start, for the status page."""

    groups: int = 0
    events: int = 0
    overloaded: int = 0
    unavailable: int = 0
    last_error: str | None = None


@dataclass(slots=True)
class _Queue:
    live: deque[_Submission] = field(default_factory=deque)
    bulk: deque[_Submission] = field(default_factory=deque)
    live_bytes: int = 0


class Writer:
    """Owns the connection that writes. `connect` is called in the writer's thread and gives that connection."""

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        rules: StoreRules,
        session_timeout_ms: int,
        listener: Listener,
        clock: Callable[[], int] = now_ms,
        bulk_limit_bytes: int = BULK_LIMIT_BYTES,
    ) -> None:
        self._bulk_limit_bytes = bulk_limit_bytes
        self._connect, self._rules, self._timeout_ms = connect, rules, session_timeout_ms
        self._listener, self._clock = listener, clock
        self._queue = _Queue()
        self._wake = threading.Condition()
        self._stopping = False
        self._ready = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._checkpointer = threading.Thread(target=self._checkpoint, name="checkpoints", daemon=True)
        self._last_id = 0
        self._data_version = -1
        # Events that were completed, as far as the stream was told; whether others may have done more.
        self._completions, self._has_foreign_writes, self._next_resync = 0, False, 0.0
        self.figures = WriterFigures()

    def start(self) -> None:
        """Start the thread; returns when sessions are up to date with the clock, or the database refuses."""
        self._thread.start()
        self._ready.wait(STOP_SECONDS)
        self._checkpointer.start()

    def stop(self) -> None:
        """Store what waits, then end."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)
        self._ended.set()
        if self._checkpointer.is_alive():
            self._checkpointer.join(STOP_SECONDS)

    @property
    def queued_bytes(self) -> int:
        return self._queue.live_bytes

    async def store(self, batch: Batch, body_bytes: int) -> Stored:
        """Store and wait for the commit. Raises Overloaded, Unavailable or Stopped, with nothing stored."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Stored] = loop.create_future()
        self._put(_Submission(batch, _weight(batch, body_bytes), future, loop))
        return await future

    def store_blocking(self, batch: Batch, body_bytes: int) -> Stored:
        """As `store`, for callers in a thread."""
        future: Future[Stored] = Future()
        self._put(_Submission(batch, _weight(batch, body_bytes), future))
        return future.result()

    def store_bulk(self, batch: Batch) -> "Future[Stored]":
        """Hand in a slice of an import. It waits behind live events; the caller bounds how many it hands in."""
        future: Future[Stored] = Future()
        with self._wake:
            if self._stopping:
                raise Stopped
            self._queue.bulk.append(_Submission(batch, _weight(batch, 0), future))
            self._wake.notify()
        return future

    def _put(self, submission: _Submission) -> None:
        with self._wake:
            if self._stopping:
                raise Stopped
            if self._queue.live and self._queue.live_bytes + submission.weight_bytes > QUEUE_LIMIT_BYTES:
                self.figures.overloaded += 1
                raise Overloaded
            self._queue.live.append(submission)
            self._queue.live_bytes += submission.weight_bytes
            self._wake.notify()

    def _run(self) -> None:
        connection: sqlite3.Connection | None = None
        next_tick = next_look = 0.0
        while True:
            try:
                if connection is None:
                    connection = self._connect()
                    self._begin(connection)
                if monotonic() >= next_tick:
                    self._tick(connection)
                    next_tick = monotonic() + CLOCK_TICK_SECONDS
            except sqlite3.Error as error:
                self._note(error)
                next_tick = monotonic() + CLOCK_TICK_SECONDS
            self._ready.set()
            group = self._take_group()
            if group is None:
                break
            for part in group:
                self._store(connection, part)
            if connection is not None and monotonic() >= next_look:
                self._look_elsewhere(connection)
                self._look_for_completions(connection)
                next_look = monotonic() + LOOK_SECONDS
        if connection is not None:
            connection.close()

    def _checkpoint(self) -> None:
        """Move what was committed from the log into the database, beside the writer.

        A checkpoint waits for the disk; a passive one, on a connection of its own, makes nobody wait with it.
        """
        connection: sqlite3.Connection | None = None
        done = 0
        while not self._ended.wait(CHECKPOINT_SECONDS):
            if self.figures.groups == done:
                continue
            done = self.figures.groups
            try:
                connection = connection or self._connect()
                connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            except sqlite3.Error as error:
                self._note(error)
        if connection is not None:
            connection.close()

    def _begin(self, connection: sqlite3.Connection) -> None:
        self._last_id = _newest_id(connection)
        self._data_version = _data_version(connection)
        self._completions = _completions(connection)
        self._listener.begin(self._last_id)

    def _take_group(self) -> list[list[_Submission]] | None:
        """The live events that wait, and some slices of an import; None when the writer is to end."""
        with self._wake:
            queue = self._queue
            if not queue.live and not queue.bulk:
                if self._stopping:
                    return None
                self._wake.wait(TICK_SECONDS)
            live: list[_Submission] = []
            events = 0
            while queue.live and events < GROUP_LIMIT_EVENTS:
                submission = queue.live.popleft()
                queue.live_bytes -= submission.weight_bytes
                events += submission.events
                live.append(submission)
            bulk = _take_bulk(queue.bulk, self._bulk_limit_bytes)
        return [part for part in (live, bulk) if part]

    def _store(self, connection: sqlite3.Connection | None, group: list[_Submission]) -> None:
        if connection is None:
            _answer(group, Unavailable(self.figures.last_error or "the database can't be opened"))
            return
        try:
            outcome = write_group(connection, [item.batch for item in group], self._clock(), self._rules)
        except sqlite3.OperationalError as error:
            self.figures.unavailable += len(group)
            self._note(error)
            _answer(group, Unavailable(str(error)))
        except Exception as error:
            self._store_apart(connection, group, error)
        else:
            self._done(connection, group, outcome)

    def _store_apart(self, connection: sqlite3.Connection, group: list[_Submission], error: Exception) -> None:
        """One bad batch must not cost its neighbours: store each alone, and let only the bad one fail."""
        if len(group) == 1:
            log.error("a batch can't be stored", exc_info=error)
            _answer(group, Unavailable(f"{type(error).__name__}: {error}"))
            return
        for submission in group:
            self._store(connection, [submission])

    def _done(self, connection: sqlite3.Connection, group: list[_Submission], outcome: GroupOutcome) -> None:
        self.figures.groups += 1
        self.figures.events += len(outcome.rows)
        if outcome.completions is not None:
            self._has_foreign_writes |= outcome.completions != self._completions + 1
            self._completions += 1
        self._publish(connection, outcome)
        _answer_each(group, outcome.stored)

    def _publish(self, connection: sqlite3.Connection, outcome: GroupOutcome) -> None:
        try:
            if outcome.rows:
                if outcome.rows[0][0] != self._last_id + 1:
                    self._publish_foreign(connection, before_id=outcome.rows[0][0])
                self._last_id = outcome.rows[-1][0]
                self._listener.publish(outcome.rows)
            recent = [row for row in outcome.completed if row[0] > self._last_id - RECENT_EVENTS]
            if recent:
                self._listener.publish_completed(recent)
            if outcome.changes:
                self._listener.publish_changes(outcome.changes, 0)
            if outcome.has_moved:
                self._listener.resync()
        except Exception:
            # What is on disk is acknowledged, whatever becomes of the stream; its clients resume from disk.
            log.exception("the live stream could not be told")

    def _publish_foreign(self, connection: sqlite3.Connection, before_id: int) -> None:
        """Events that another process wrote since we last looked."""
        rows = connection.execute(
            f"SELECT {EVENT_COLUMNS_SQL} FROM events WHERE id > ? AND id < ? ORDER BY id LIMIT ?",
            (self._last_id, before_id, MOST_FOREIGN_EVENTS + 1),
        ).fetchall()
        if len(rows) > MOST_FOREIGN_EVENTS:
            self._listener.resync()
        elif rows:
            self._listener.publish(rows)

    def _look_elsewhere(self, connection: sqlite3.Connection) -> None:
        """`data_version` changes when another connection wrote; only then is there something to read."""
        try:
            version = _data_version(connection)
            if version == self._data_version:
                return
            self._data_version, self._has_foreign_writes = version, True
            newest = _newest_id(connection)
            if newest > self._last_id:
                self._publish_foreign(connection, before_id=newest + 1)
                self._last_id = newest
        except sqlite3.Error as error:
            self._note(error)

    def _look_for_completions(self, connection: sqlite3.Connection) -> None:
        """What another process completed has no new id: clients load anew, now and then while it goes on."""
        if not self._has_foreign_writes or monotonic() < self._next_resync:
            return
        try:
            known, self._completions = self._completions, _completions(connection)
        except sqlite3.Error as error:
            self._note(error)
            return
        self._has_foreign_writes = False
        if known != self._completions:
            self._next_resync = monotonic() + RESYNC_SECONDS
            self._listener.resync()

    def _tick(self, connection: sqlite3.Connection) -> None:
        changes, idled = advance(connection, self._clock(), self._timeout_ms)
        if changes:
            self._listener.publish_changes(changes, idled)

    def _note(self, error: sqlite3.Error) -> None:
        if str(error) != self.figures.last_error:
            log.warning("the database can't be used now: %s", error)
        self.figures.last_error = str(error)


def _weight(batch: Batch, body_bytes: int) -> int:
    words = sum(len(entry.text) for entry in batch.entries)
    return body_bytes + words + EVENT_OVERHEAD_BYTES * (len(batch.events) + len(batch.facts) + len(batch.readings))


def _take_bulk(waiting: deque[_Submission], limit_bytes: int) -> list[_Submission]:
    """Small slices, such as those of small files, share a transaction."""
    taken: list[_Submission] = []
    weight_bytes = 0
    while waiting and (not taken or weight_bytes + waiting[0].weight_bytes <= limit_bytes):
        weight_bytes += waiting[0].weight_bytes
        taken.append(waiting.popleft())
    return taken


def _newest_id(connection: sqlite3.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(id), 0) FROM events").fetchone()[0])


def _completions(connection: sqlite3.Connection) -> int:
    return int(connection.execute(SELECT_COMPLETIONS).fetchone()[0])


def _data_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA data_version").fetchone()[0])


def _answer(group: list[_Submission], error: Exception) -> None:
    _resolve([(submission, error) for submission in group])


def _answer_each(group: list[_Submission], stored: list[Stored]) -> None:
    _resolve(list(zip(group, stored, strict=True)))


def _resolve(answers: list[tuple[_Submission, Stored | Exception]]) -> None:
    """One wake-up of each event loop for the whole group, not one for each request."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[Any, Stored | Exception]]] = {}
    for submission, answer in answers:
        if submission.loop is None:
            _set(submission.future, answer)
        else:
            loops.setdefault(submission.loop, []).append((submission.future, answer))
    for loop, pairs in loops.items():
        try:
            loop.call_soon_threadsafe(_set_all, pairs)
        except RuntimeError:
            log.info("an event loop closed before its answer")


def _set_all(pairs: list[tuple[Any, Stored | Exception]]) -> None:
    for future, answer in pairs:
        _set(future, answer)


def _set(future: "asyncio.Future[Stored] | Future[Stored]", answer: Stored | Exception) -> None:
    if future.done():
        return
    if isinstance(answer, Exception):
        future.set_exception(answer)
    else:
        future.set_result(answer)

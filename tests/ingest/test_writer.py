"""The writer: what is acknowledged is on disk, whatever happens to the database or to its neighbours."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from ingest import writer as writer_module
from ingest.call_store import Stored
from ingest.contract import NewEvent
from ingest.store import Batch
from ingest.writer import Overloaded, Stopped, Unavailable, Writer
from tests.serving import eventually
from tests.storing import (
    Clock,
    Kept,
    batch,
    new_event,
    open_database,
    opened,
    running_writer,
    session_row,
    table,
    write_lock,
)


@pytest.fixture(autouse=True)
def quick_ticks(monkeypatch: pytest.MonkeyPatch) -> None:
    """The writer looks at the clock and at other processes more often than it would."""
    monkeypatch.setattr(writer_module, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(writer_module, "CLOCK_TICK_SECONDS", 0.01)


def patient(path: Path) -> Callable[[], sqlite3.Connection]:
    """A connection that waits as long as a test holds the lock."""
    return lambda: open_database(path, busy_timeout_ms=5000)


def stored_ids(path: Path) -> list[int]:
    with opened(path) as connection:
        return [row["id"] for row in table(connection, "SELECT id FROM events ORDER BY id")]


def hand_in(writer: Writer, given: Batch) -> "Future[Stored]":
    """Store from a thread of its own; the future is done when the writer answered."""
    future: Future[Stored] = Future()

    def run() -> None:
        try:
            future.set_result(writer.store_blocking(given, 100))
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def occupy(writer: Writer) -> "Future[Stored]":
    """A batch that the writer's thread is busy with, so that all others wait in the queue."""
    future = writer.store_bulk(batch())
    eventually(lambda: not writer._queue.bulk, what="the group's start")
    return future


def wait_until_queued(writer: Writer, submissions: int) -> None:
    eventually(lambda: len(writer._queue.live) >= submissions, what="the queue")


def test_what_is_answered_is_on_disk(database: Path) -> None:
    with running_writer(database) as writer:
        answer = writer.store_blocking(batch(new_event(), new_event()), 100)
        assert answer.ids == stored_ids(database) == [1, 2]


def test_an_event_loop_gets_its_answer(database: Path) -> None:
    async def store_many(writer: Writer) -> list[Stored]:
        return await asyncio.gather(*(writer.store(batch(), 100) for _ in range(50)))

    with running_writer(database) as writer:
        answers = asyncio.run(store_many(writer))
    assert sorted(answer.ids[0] for answer in answers) == stored_ids(database) == list(range(1, 51))


def test_a_request_that_was_given_up_is_stored_and_harms_nobody(database: Path) -> None:
    async def give_up(writer: Writer) -> Stored:
        with write_lock(database):
            waiting = asyncio.ensure_future(writer.store(batch(), 100))
            await asyncio.sleep(0)
            waiting.cancel()
        return await writer.store(batch(), 100)

    with running_writer(database, connect=patient(database)) as writer:
        assert asyncio.run(give_up(writer)).ids == [2]
    assert stored_ids(database) == [1, 2]


def test_what_waits_is_committed_as_one_group(database: Path) -> None:
    with running_writer(database, connect=patient(database)) as writer:
        with write_lock(database):
            first = occupy(writer)
            waiting = [hand_in(writer, batch()) for _ in range(40)]
            wait_until_queued(writer, 40)
        ids = [future.result(5).ids[0] for future in (first, *waiting)]
        assert sorted(ids) == list(range(1, 42))
        assert writer.figures.groups == 2


def test_one_bad_batch_costs_only_itself(database: Path) -> None:
    bad: list[NewEvent] = [
        new_event("\ud800"),
        new_event(tokens_in=2**63),
        new_event(metadata=object()),
        new_event(agent_type=None),
    ]
    with running_writer(database, connect=patient(database)) as writer:
        with write_lock(database):
            good = [occupy(writer)]
            good += [hand_in(writer, batch(new_event(f"s{number}"))) for number in range(5)]
            failing = [hand_in(writer, batch(new_event("half"), event)) for event in bad]
            wait_until_queued(writer, 9)
        for future in failing:
            with pytest.raises(Unavailable):
                future.result(5)
        assert sorted(future.result(5).ids[0] for future in good) == stored_ids(database)
        with opened(database) as connection:
            assert not table(connection, "SELECT 1 FROM sessions WHERE id = 'half'")
        assert writer.store_blocking(batch(), 100).ids


class TestDatabaseThatRefuses:
    def test_by_a_lock_stores_nothing_and_recovers(self, database: Path) -> None:
        with running_writer(database) as writer:
            with write_lock(database), pytest.raises(Unavailable):
                writer.store_blocking(batch(), 100)
            assert stored_ids(database) == []
            assert writer.store_blocking(batch(), 100).ids == [1]
            assert writer.figures.unavailable == 1
            assert "locked" in (writer.figures.last_error or "")

    def test_for_want_of_space_stores_nothing_and_recovers(self, database: Path) -> None:
        allowed = [0]
        with opened(database) as connection:
            allowed[0] = connection.execute("PRAGMA page_count").fetchone()[0] + 20

        def limited() -> sqlite3.Connection:
            connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
            connection.execute(f"PRAGMA max_page_count = {allowed[0]}")
            connections.append(connection)
            return connection

        connections: list[sqlite3.Connection] = []
        large = batch(*(new_event(metadata='"' + "x" * 9000 + '"') for _ in range(50)))
        with running_writer(database, connect=limited) as writer:
            small = writer.store_blocking(batch(), 100)
            with pytest.raises(Unavailable, match="full"):
                writer.store_blocking(large, 100)
            assert stored_ids(database) == small.ids
            connections[0].execute("PRAGMA max_page_count = 1000000")
            assert len(writer.store_blocking(large, 100).ids) == 50
            assert len(stored_ids(database)) == 51

    def test_since_it_is_read_only_stores_nothing_and_recovers(self, database: Path) -> None:
        connections: list[sqlite3.Connection] = []

        def read_only() -> sqlite3.Connection:
            connection = sqlite3.connect(database, isolation_level=None, check_same_thread=False)
            connection.execute("PRAGMA query_only = 1")
            connections.append(connection)
            return connection

        with running_writer(database, connect=read_only) as writer:
            with pytest.raises(Unavailable):
                writer.store_blocking(batch(), 100)
            connections[0].execute("PRAGMA query_only = 0")
            assert writer.store_blocking(batch(), 100).ids == [1]

    def test_at_the_start_is_tried_again(self, database: Path) -> None:
        refusals = [sqlite3.OperationalError("unable to open database file")] * 2

        def later() -> sqlite3.Connection:
            if refusals:
                raise refusals.pop()
            return open_database(database)

        def attempt() -> list[int]:
            try:
                return writer.store_blocking(batch(), 100).ids
            except Unavailable:
                return []

        with running_writer(database, connect=later) as writer:
            assert eventually(attempt, what="storing") == [1]


class TestQueue:
    def test_that_is_full_refuses_and_keeps_what_it_took(
        self, database: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writer_module, "QUEUE_LIMIT_BYTES", 10_000)
        with running_writer(database, connect=patient(database)) as writer:
            with write_lock(database):
                taken = [occupy(writer)]
                for number in range(5):
                    taken.append(hand_in(writer, batch(new_event(f"s{number}"))))
                    wait_until_queued(writer, number + 1)
                with pytest.raises(Overloaded):
                    writer.store_blocking(batch(*(new_event() for _ in range(10))), 100)
                assert writer.figures.overloaded == 1
            ids = sorted(future.result(5).ids[0] for future in taken)
            assert ids == stored_ids(database)
            assert writer.queued_bytes == 0
            assert writer.store_blocking(batch(*(new_event() for _ in range(10))), 100).ids

    def test_is_stored_before_the_end(self, database: Path) -> None:
        with running_writer(database, connect=patient(database)) as writer:
            with write_lock(database):
                waiting = [occupy(writer), *(hand_in(writer, batch()) for _ in range(5))]
                wait_until_queued(writer, 5)
                stopping = threading.Thread(target=writer.stop)
                stopping.start()
            stopping.join(5)
            assert sorted(future.result(0).ids[0] for future in waiting) == stored_ids(database)
            with pytest.raises(Stopped):
                writer.store_blocking(batch(), 100)
            with pytest.raises(Stopped):
                writer.store_bulk(batch())

    def test_lets_live_events_pass_before_those_of_an_import(self, database: Path) -> None:
        with running_writer(database, connect=patient(database)) as writer:
            with write_lock(database):
                first = occupy(writer)
                slices = [writer.store_bulk(batch(new_event("import", source="import"))) for _ in range(3)]
                live = hand_in(writer, batch(new_event("live")))
                wait_until_queued(writer, 1)
            assert first.result(5).ids == [1]
            assert live.result(5).ids == [2]
            assert [future.result(5).ids for future in slices] == [[3], [4], [5]]


class TestListener:
    def test_hears_of_the_past_and_of_each_event_once_in_order(self, database: Path) -> None:
        with running_writer(database) as writer:
            writer.store_blocking(batch(new_event(), new_event()), 100)
        kept = Kept()
        with running_writer(database, listener=kept) as writer:
            for _ in range(3):
                writer.store_blocking(batch(), 100)
        assert (kept.begun_at, kept.ids) == (2, [3, 4, 5])

    def test_hears_of_what_others_wrote_between_its_own(self, database: Path) -> None:
        kept = Kept()
        with running_writer(database, listener=kept) as own, running_writer(database) as other:
            for _ in range(3):
                own.store_blocking(batch(), 100)
                other.store_blocking(batch(new_event(), new_event()), 100)
            eventually(lambda: len(kept.ids) >= 9, what="the foreign events")
        assert kept.ids == list(range(1, 10))

    def test_is_told_to_begin_anew_when_others_wrote_too_much(
        self, database: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(writer_module, "MOST_FOREIGN_EVENTS", 5)
        kept = Kept()
        with running_writer(database, listener=kept) as own, running_writer(database) as other:
            other.store_blocking(batch(*(new_event() for _ in range(6))), 100)
            eventually(lambda: kept.resyncs, what="the resync")
            own.store_blocking(batch(), 100)
        assert (kept.ids, kept.resyncs) == ([7], 1)

    def test_begins_anew_when_others_completed_what_is_known(self, database: Path) -> None:
        kept = Kept()
        told = {"event_type": "tool_use", "event_id": "cc-tool-1", "agent_type": "claude_code"}
        with running_writer(database, listener=kept) as own, running_writer(database) as other:
            own.store_blocking(batch(new_event("s", source="hook", **told)), 100)
            own.store_blocking(batch(new_event("s", source="import", duration_ms=70, **told)), 100)
            assert (kept.completed_ids, kept.resyncs) == ([1], 0)
            other.store_blocking(batch(new_event("s", source="otel", duration_ms=50, **told)), 100)
            eventually(lambda: kept.resyncs, what="the resync")
            own.store_blocking(batch(new_event("s", source="otel", duration_ms=40, **told)), 100)
        assert (kept.completed_ids, kept.resyncs) == ([1, 1], 1)

    def test_that_fails_costs_no_event(self, database: Path) -> None:
        class Failing(Kept):
            def publish(self, rows: Any) -> None:
                raise RuntimeError("no stream")

        with running_writer(database, listener=Failing()) as writer:
            assert writer.store_blocking(batch(), 100).ids == [1]
            assert writer.store_blocking(batch(), 100).ids == [2]

    def test_hears_of_sessions_that_change_their_status(self, database: Path) -> None:
        clock, kept = Clock(), Kept()
        with running_writer(database, clock=clock, listener=kept) as writer:
            writer.store_blocking(batch(), 100)
            writer.store_blocking(batch(), 100)
            clock.pass_minutes(6)
            eventually(lambda: kept.idled, what="the session's rest")
            writer.store_blocking(batch(new_event(event_type="session_end")), 100)
        assert [change.status for change in kept.changes] == ["active", "idle", "ended"]
        assert kept.idled == 1


def test_sessions_are_up_to_date_when_the_writer_has_started(database: Path) -> None:
    clock = Clock()
    with running_writer(database, clock=clock) as writer:
        writer.store_blocking(batch(), 100)
    clock.pass_minutes(11)
    with running_writer(database, clock=clock), opened(database) as connection:
        assert session_row(connection)["status"] == "ended"

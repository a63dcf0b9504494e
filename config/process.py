"""What runs beside the requests in a server process: the writer, the stats ticker, the auto-import.

Under uvicorn the lifespan starts and stops it; daphne has no lifespan, so there the first request starts it
and the end of the interpreter stops it.
"""

import asyncio
import atexit
import gc
import logging
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
from channels.db import database_sync_to_async
from django.conf import settings

from config.guard import Receive, Send
from config.startup import imports_by_itself
from importers.auto import AutoImporter, AutoImportProgress
from importers.liveness import LifeWatcher
from ingest import runtime
from ingest.otlp.figures import figures
from ingest.store import StatusChange
from ingest.writer import Listener, Writer
from monitor import status
from monitor.attention import attention_of
from monitor.live import hub
from monitor.times import iso_text
from monitor.usage_monitor import stats_and_limits

log = logging.getLogger("agentmonitor.server")


class HubListener(Listener):
    """Tells the live stream what the writer committed."""

    def begin(self, last_event_id: int) -> None:
        hub.begin(last_event_id)

    def publish(self, rows: Sequence[tuple[Any, ...]]) -> None:
        hub.publish(rows)

    def publish_completed(self, rows: Sequence[tuple[Any, ...]]) -> None:
        hub.publish_completed(rows)

    def publish_changes(self, changes: Sequence[StatusChange], idled: int) -> None:
        if idled:
            _session_update({"type": "idle_check", "idled": idled})
        for change in changes:
            _session_update(_told(change))

    def resync(self) -> None:
        hub.resync()


def _told(change: StatusChange) -> dict[str, Any]:
    state_at = None if change.state_at is None else iso_text(change.state_at)
    return {
        "type": "status",
        "session_id": change.session_id,
        "agent_type": change.agent_type,
        "status": change.status,
        "state": change.state,
        "state_detail": change.state_detail,
        "state_at": state_at,
        "attention": attention_of(change.status, change.state, change.state_at, change.seen_at),
    }


def _session_update(payload: dict[str, Any]) -> None:
    hub.send({"type": "session_update", "payload": payload})


class Door(Protocol):
    """Another way in, which is open for as long as the process runs."""

    def stop(self) -> None:
        """Take nothing more; what was taken is answered."""


class Process:
    """Starts what runs in the background, once; stops it in the reverse order."""

    def __init__(self) -> None:
        self._writer: Writer | None = None
        self._starting = asyncio.Lock()
        self._ticker: asyncio.Task[None] | None = None
        self._importer: AutoImporter | None = None
        # Set before the start by who wants one.
        self.open_door: Callable[[Writer], Door] | None = None
        self._door: Door | None = None
        self._life: LifeWatcher | None = None

    async def ready(self) -> Writer:
        """The running writer; started by the first request where nothing started it before."""
        if self._writer is None:
            async with self._starting:
                if self._writer is None:
                    await self._start()
        assert self._writer is not None
        return self._writer

    async def _start(self) -> None:
        loop = asyncio.get_running_loop()
        # What was imported stays; the collector need not walk it again for each batch of events.
        gc.freeze()
        hub.attach(loop)
        self._writer = await loop.run_in_executor(None, runtime.writer, HubListener())
        status.report("writer", self._writer_figures)
        status.report("import", self._import_progress)
        status.report("otlp", figures.as_json)
        self._ticker = loop.create_task(_tick_stats())
        if await database_sync_to_async(imports_by_itself)():
            self._importer = AutoImporter(self._writer, on_progress=_import_progress, on_finished=_imported)
            self._importer.start()
            self._life = LifeWatcher(self._writer, lambda: settings.ENVIRONMENT.claude_roots)
            self._life.start()
        if self.open_door is not None:
            self._door = await loop.run_in_executor(None, self.open_door, self._writer)
        atexit.register(self._stop_threads)

    async def lifespan(self, receive: Receive, send: Send) -> None:
        """The ASGI lifespan protocol."""
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self.ready()
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                if self._ticker is not None:
                    self._ticker.cancel()
                await asyncio.get_running_loop().run_in_executor(None, self._stop_threads)
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _stop_threads(self) -> None:
        if self._door is not None:
            self._door.stop()
        if self._life is not None:
            self._life.stop()
        if self._importer is not None:
            self._importer.stop()
        runtime.stop_writer()

    def _writer_figures(self) -> dict[str, Any]:
        assert self._writer is not None
        figures = self._writer.figures
        return {
            "queued_bytes": self._writer.queued_bytes,
            "groups": figures.groups,
            "events": figures.events,
            "overloaded": figures.overloaded,
            "unavailable": figures.unavailable,
            "last_error": figures.last_error,
        }

    def _import_progress(self) -> dict[str, Any] | None:
        if self._importer is None:
            return None
        return msgspec.structs.asdict(self._importer.progress)


def _import_progress(progress: AutoImportProgress) -> None:
    _session_update({"type": "import_progress", **msgspec.structs.asdict(progress)})


def _imported(imported: int) -> None:
    _session_update({"type": "auto_import", "imported": imported})


async def _tick_stats() -> None:
    """The stats frame, computed once for all clients, and only when there is one."""
    while True:
        await asyncio.sleep(settings.ENVIRONMENT.stats_interval_ms / 1000)
        if not hub.clients:
            continue
        try:
            hub.send({"type": "stats", "payload": await database_sync_to_async(stats_and_limits)()})
        except Exception:
            log.exception("the stats frame could not be made")

"""Which files the clients are writing, as they write them."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from time import monotonic
from typing import Final

from watchfiles import Change, watch

log = logging.getLogger("agentmonitor.importers")

# A burst of lines is one change, yet the page is to show it within two seconds.
STEP_MS: Final = 50
LONGEST_BURST_MS: Final = 400
# Where the system can't tell of changes (network disks, no watches left), files are looked at this often.
POLL_MS: Final = 1000
# How often a folder that a client has just made is looked for.
LOOK_SECONDS: Final = 0.5


def changes(folders: Callable[[], list[Path]], stop: Event, seconds: float) -> Iterator[set[Path] | None]:
    """What was written below the folders, as it is written, for some seconds or until `stop`.

    None is «look everywhere»: it comes once a watch stands, for what was written before.
    """
    deadline = monotonic() + seconds
    polling = False
    while not stop.is_set() and monotonic() < deadline:
        watched = folders()
        try:
            if watched:
                yield from _watch(watched, folders, stop, deadline, polling=polling)
            else:
                stop.wait(min(LOOK_SECONDS, seconds))
        except OSError as error:
            log.warning("%s; changes of transcripts are looked for every %d ms", error, POLL_MS)
            stop.wait(min(LOOK_SECONDS, seconds) if polling else 0)
            polling = True


def _watch(
    watched: list[Path], folders: Callable[[], list[Path]], stop: Event, deadline: float, *, polling: bool
) -> Iterator[set[Path] | None]:
    look_seconds = min(LOOK_SECONDS, max(0.001, deadline - monotonic()))
    is_first = True
    for found in watch(
        *watched,
        watch_filter=None,
        debounce=LONGEST_BURST_MS,
        step=STEP_MS,
        stop_event=stop,
        rust_timeout=max(1, round(look_seconds * 1000)),
        yield_on_timeout=True,
        raise_interrupt=False,
        force_polling=polling or None,
        poll_delay_ms=POLL_MS,
        ignore_permission_denied=True,
    ):
        if is_first:
            is_first = False
            yield None
        elif found:
            yield {Path(path) for change, path in found if change != Change.deleted}
        if monotonic() >= deadline or folders() != watched:
            return

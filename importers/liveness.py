"""A test of life for the sessions of Claude Code, and what a client says of itself where no hook tells it."""

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from django.db import DatabaseError, connection

from importers.claude_processes import ClaudeProcess, Unreadable, claude_processes
from ingest.contract import SessionFacts
from ingest.store import Batch
from ingest.writer import Overloaded, Stopped, Unavailable, Writer
from monitor.doing import ASKING
from monitor.lifecycle import PERMISSION, TOOL, TURN_ENDED, WORKING
from monitor.queries_attention import OpenSession, open_sessions
from monitor.times import now_ms

log = logging.getLogger("agentmonitor.liveness")

AGENT_TYPE: Final = "claude_code"
EVERY_SECONDS: Final = 2.0
STOP_SECONDS: Final = 5.0
# A sight of life is written down this often.
NOTED_EVERY_MS: Final = 30_000
AT_WORK: Final = (WORKING, TOOL, *ASKING)


def verdicts(
    processes: Sequence[ClaudeProcess], sessions: Mapping[str, OpenSession], missing: set[str], at_ms: int
) -> list[SessionFacts]:
    """What the processes tell of the sessions that have not ended. Pure.

    Only who was once seen alive can be found dead: elsewhere the same number may be another's. `missing` are the
    sessions that had no process in the round before: who has none twice has left.
    """
    by_session: dict[str, ClaudeProcess] = {}
    for process in processes:
        known = by_session.get(process.session_id)
        if known is None or process.is_alive or not known.is_alive:
            by_session[process.session_id] = process
    told = []
    for session_id, session in sessions.items():
        facts = SessionFacts(session_id=session_id, agent_type=AGENT_TYPE, sign_of_life=False)
        found = by_session.get(session_id)
        if _judge(facts, found, session, session_id in missing, at_ms):
            told.append(facts)
    return told


def _judge(
    facts: SessionFacts, process: ClaudeProcess | None, session: OpenSession, was_missing: bool, at_ms: int
) -> bool:
    """Fill in what is to be told; whether there is anything."""
    if process is not None and process.is_alive:
        if session.alive_at_ms is None or at_ms - session.alive_at_ms >= NOTED_EVERY_MS:
            facts.alive_at_ms = at_ms
        return _note_status(facts, process, session) or facts.alive_at_ms is not None
    if session.alive_at_ms is None:
        return False
    facts.dies, facts.ends = process is not None, process is None and was_missing
    return facts.dies or facts.ends


def _note_status(facts: SessionFacts, process: ClaudeProcess, session: OpenSession) -> bool:
    """An interruption leaves no hook, and an answered permission none before its tool has run."""
    if process.status_at_ms <= (session.state_at_ms or 0):
        return False
    if process.status == "idle" and session.state in AT_WORK:
        # No dialog is open either: whoever of the sub-agents waited was interrupted too.
        facts.state, facts.new_turn = TURN_ENDED, True
    elif process.status == "busy" and session.state not in (WORKING, TOOL):
        facts.state = WORKING
    elif process.status == "waiting" and session.state not in ASKING:
        facts.state, facts.state_detail = PERMISSION, process.waiting_for
    if facts.state is None:
        return False
    facts.state_at_ms = process.status_at_ms
    return True


class LifeWatcher(threading.Thread):
    """Looks every two seconds, until `stop()`."""

    def __init__(self, writer: Writer, roots: Callable[[], Sequence[Path]]) -> None:
        super().__init__(name="liveness", daemon=True)
        self._writer, self._roots = writer, roots
        self._stop_asked = threading.Event()
        self._missing: set[str] = set()

    def stop(self) -> None:
        self._stop_asked.set()
        if self.is_alive():
            self.join(STOP_SECONDS)

    def run(self) -> None:
        while not self._stop_asked.wait(EVERY_SECONDS):
            try:
                self.look()
            except (Unreadable, DatabaseError, Overloaded, Unavailable) as error:
                log.info("who is alive could not be told: %s", error)
            except Stopped:
                return
            except Exception:
                log.exception("the test of life failed; it is tried again")
            finally:
                connection.close()

    def look(self) -> None:
        """One round."""
        sessions = open_sessions(AGENT_TYPE)
        if not sessions:
            return
        processes = claude_processes(self._roots())
        told = verdicts(processes, sessions, self._missing, now_ms())
        self._missing = sessions.keys() - {process.session_id for process in processes}
        if told:
            self._writer.store_blocking(Batch(facts=told), 0)

"""The SQL of sub-agents and compactions: what sources tell of them, in any order and however often."""

from collections.abc import Iterable
from sqlite3 import Connection
from typing import Any, Final

from ingest.contract import SessionFacts, SubagentFacts
from monitor.sql import insert

SUBAGENT_COLUMNS: Final = (
    "session_id",
    "subagent_id",
    "parent_subagent_id",
    "kind",
    "description",
    "started_at",
    "last_at",
    "ended_at",
)
COMPACTION_COLUMNS: Final = ("session_id", "line_id", "subagent_id", "at", "trigger", "pre_tokens")
LATEST: Final = frozenset({"last_at", "ended_at"})


def _either(name: str) -> str:
    """What is known or told; of both the earlier, or the latest sign of life: no order makes a difference."""
    pick = "max" if name in LATEST else "min"
    known, told = f"subagents.{name}", f"excluded.{name}"
    return f"{name} = {pick}(coalesce({known}, {told}), coalesce({told}, {known}))"


UPSERT_SUBAGENTS: Final = insert(
    "subagents",
    SUBAGENT_COLUMNS,
    f"ON CONFLICT (session_id, subagent_id) DO UPDATE SET {', '.join(map(_either, SUBAGENT_COLUMNS[2:]))}",
)
INSERT_COMPACTIONS: Final = insert(
    "compactions", COMPACTION_COLUMNS, "ON CONFLICT (session_id, line_id) DO NOTHING"
)


def write_subagents(connection: Connection, told: Iterable[SessionFacts], now_ms: int) -> None:
    """Store what the facts tell of sub-agents and compactions; their sessions are stored already."""
    facts = [known for known in told if known.subagents or known.compactions]
    UPSERT_SUBAGENTS.run(
        connection,
        [_subagent_values(known.session_id, agent, now_ms) for known in facts for agent in known.subagents],
    )
    INSERT_COMPACTIONS.run(
        connection,
        [
            (known.session_id, found.line_id, found.subagent_id, found.at_ms, found.trigger, found.pre_tokens)
            for known in facts
            for found in known.compactions
        ],
    )


def _subagent_values(session_id: str, told: SubagentFacts, now_ms: int) -> tuple[Any, ...]:
    return (
        session_id,
        told.subagent_id,
        told.parent_subagent_id,
        told.kind,
        told.description,
        now_ms if told.now == "starts" else told.started_at_ms,
        now_ms if told.now is not None else told.last_at_ms,
        now_ms if told.now == "ends" else told.ended_at_ms,
    )

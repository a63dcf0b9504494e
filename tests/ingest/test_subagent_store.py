"""What sources tell of sub-agents becomes one row for each, whatever the order."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.contract import CompactionFacts, SessionFacts, SubagentFacts
from ingest.store import Batch, write_group
from tests.storing import START_MS, opened, rules, table

moments = st.none() | st.integers(0, 5)
names = st.none() | st.sampled_from(["Explore", "Plan"])
told = st.builds(
    SubagentFacts,
    subagent_id=st.sampled_from(["a1", "a2"]),
    parent_subagent_id=st.none() | st.just("a0"),
    kind=names,
    description=names,
    started_at_ms=moments,
    last_at_ms=moments,
    ended_at_ms=moments,
)


@pytest.fixture
def connection(database: Path) -> Iterator[sqlite3.Connection]:
    with opened(database) as connection:
        yield connection


def facts(*subagents: SubagentFacts, **fields: Any) -> SessionFacts:
    return SessionFacts(session_id="s", agent_type="claude_code", subagents=subagents, **fields)


def write(connection: sqlite3.Connection, directory: Path, *batches: Batch, now_ms: int = START_MS) -> None:
    write_group(connection, batches, now_ms, rules(directory))


def rows(connection: sqlite3.Connection) -> list[dict[str, Any]]:
    found = table(connection, "SELECT * FROM subagents ORDER BY subagent_id")
    return [{name: value for name, value in row.items() if name != "id"} for row in found]


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(all_told=st.lists(told, max_size=5), data=st.data())
def test_any_order_and_repetition_gives_the_same_rows(
    connection: sqlite3.Connection, tmp_path: Path, all_told: list[SubagentFacts], data: st.DataObject
) -> None:
    found = []
    for order in (all_told, data.draw(st.permutations(all_told))):
        connection.execute("DELETE FROM subagents")
        for one in order:
            write(connection, tmp_path, Batch(facts=[facts(one)]))
        write(connection, tmp_path, Batch(facts=[facts(*order)]))
        found.append(rows(connection))
    assert found[0] == found[1]


def test_a_hook_without_a_clock_means_now(connection: sqlite3.Connection, tmp_path: Path) -> None:
    for second, now in enumerate(("starts", "works", "ends")):
        agent = SubagentFacts(subagent_id="a1", kind="Explore", now=now)  # type: ignore[arg-type]
        write(connection, tmp_path, Batch(facts=[facts(agent)]), now_ms=START_MS + second)
    (row,) = rows(connection)
    assert (row["started_at"], row["last_at"], row["ended_at"]) == (START_MS, START_MS + 2, START_MS + 2)


@pytest.mark.parametrize("apart", [True, False])
def test_one_line_is_one_compaction(connection: sqlite3.Connection, tmp_path: Path, *, apart: bool) -> None:
    one = facts(compactions=[CompactionFacts(line_id="u1", at_ms=5, trigger="auto", pre_tokens=9)])
    if apart:
        write(connection, tmp_path, Batch(facts=[one]))
        write(connection, tmp_path, Batch(facts=[one]))
    else:
        write(connection, tmp_path, Batch(facts=[one, one]), Batch(facts=[one]))
    (row,) = table(connection, "SELECT at, trigger, pre_tokens FROM compactions")
    assert row == {"at": 5, "trigger": "auto", "pre_tokens": 9}

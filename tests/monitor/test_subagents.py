"""What a session's sub-agents spent: the tree of the session, the calls of each, and compactions."""

import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import pytest_django
from django.db import connection
from django.test import Client

from importers.files import CLAUDE, CODEX
from ingest.contract import CompactionFacts, NewCall, SessionFacts, SubagentFacts
from ingest.ledger import TRANSCRIPT
from ingest.store import Batch, write_group
from monitor.times import iso_text
from pricing.usage import Usage
from tests.importers.importing import Home
from tests.importers.test_recorded import CLAUDE_FOLDERS, CODEX_FOLDERS
from tests.storing import START_MS, django_on, new_event, rules

# A session's own fields, and what its sub-agents' are called.
SUMS = {"call_count": "calls", "unpriced_calls": "unpriced_calls", "tokens_in": "input_tokens"}
SUMS |= {"tokens_out": "output_tokens", "cache_read_tokens": "cache_read_tokens", "total_cost_usd": "cost_usd"}


@pytest.fixture(autouse=True)
def _own_database(database: Path, django_db_blocker: pytest_django.DjangoDbBlocker) -> Iterator[None]:
    with django_on(database), django_db_blocker.unblock():
        connection.ensure_connection()
        yield


def store(batch: Batch) -> None:
    write_group(cast(sqlite3.Connection, connection.connection), [batch], START_MS, rules(Path()))


def spend(*calls: tuple[str | None, str, int], session_id: str = "s") -> None:
    """Calls of sub-agents: who made it, its model, its output."""
    events = [
        new_event(
            session_id,
            "llm_response",
            agent_type="claude_code",
            source="import",
            client_at_ms=START_MS + number,
            call=NewCall(
                key=f"{session_id} {number}",
                usage=Usage(uncached_input_tokens=10, cache_write_1h_tokens=2, output_tokens=output),
                model=model,
                called_at_ms=START_MS + number,
                authority=TRANSCRIPT,
                subagent_id=agent,
            ),
        )
        for number, (agent, model, output) in enumerate(calls)
    ]
    store(Batch(events))


def tell(subagents: Iterable[SubagentFacts] = (), compactions: Iterable[CompactionFacts] = ()) -> None:
    told = {"subagents": list(subagents), "compactions": list(compactions)}
    store(Batch(facts=[SessionFacts(session_id="s", agent_type="claude_code", **told)]))


def get(path: str) -> dict[str, Any]:
    response = Client().get(path)
    assert response.status_code == 200, response.content
    return response.json()  # type: ignore[no-any-return]


def tree() -> list[tuple[int, str]]:
    return [(agent["depth"], agent["subagent_id"]) for agent in get("/api/sessions/s")["subagents"]]


def agent(name: str, started: int | None = None, parent: str | None = None, **fields: Any) -> SubagentFacts:
    return SubagentFacts(subagent_id=name, parent_subagent_id=parent, started_at_ms=started, **fields)


def test_each_sub_agent_shows_what_it_is_and_what_it_spent() -> None:
    tell([agent("a1", START_MS, kind="Explore", description="Find routes", ended_at_ms=START_MS + 9)])
    spend((None, "claude-opus-4-8", 5), ("a1", "claude-opus-4-8", 1_000_000), ("a1", "claude-unheard-of", 7))
    (row,) = get("/api/sessions/s")["subagents"]
    assert row == {
        "subagent_id": "a1",
        "parent_subagent_id": None,
        "depth": 0,
        "kind": "Explore",
        "description": "Find routes",
        "started_at": iso_text(START_MS),
        "ended_at": iso_text(START_MS + 9),
        "calls": 2,
        "input_tokens": 20,
        "cache_read_tokens": 0,
        "cache_write_5m_tokens": 0,
        "cache_write_1h_tokens": 4,
        "output_tokens": 1_000_007,
        "reasoning_tokens": 0,
        "cost_usd": pytest.approx(25.00007),
        "unpriced_calls": 1,
    }


def test_the_tree_stands_in_the_order_of_its_beginning_with_children_below_their_parents() -> None:
    tell([agent("late", 30), agent("early", 10), agent("child", 20, "early"), agent("grandchild", 25, "child")])
    tell([agent("timeless")])
    assert tree() == [(0, "early"), (1, "child"), (2, "grandchild"), (0, "late"), (0, "timeless")]


def test_nobody_is_hidden_by_a_parent_that_is_unknown_or_its_own_descendant() -> None:
    tell([agent("orphan", 10, "gone"), agent("a", 20, "b"), agent("b", 30, "a")])
    assert tree() == [(0, "orphan"), (0, "a"), (1, "b")]


def test_who_made_a_call_is_listed_though_nothing_else_was_told_of_it() -> None:
    spend(("a1", "claude-opus-4-8", 5))
    assert tree() == [(0, "a1")]


def test_one_that_was_sent_out_again_has_not_ended() -> None:
    tell([agent("a1", 10, last_at_ms=20, ended_at_ms=20)])
    assert get("/api/sessions/s")["subagents"][0]["ended_at"] == iso_text(20)
    tell([agent("a1", last_at_ms=21)])
    assert get("/api/sessions/s")["subagents"][0]["ended_at"] is None


def test_calls_can_be_asked_for_by_sub_agent() -> None:
    tell([agent("a1"), agent("a2")])
    spend(
        (None, "claude-opus-4-8", 1), ("a1", "claude-opus-4-8", 2), ("a1", "claude-unheard-of", 3), ("a2", "o3", 4)
    )
    found = get("/api/calls?subagent_id=a1")
    assert (found["total"], [call["output_tokens"] for call in found["calls"]]) == (2, [3, 2])
    assert {call["subagent_id"] for call in found["calls"]} == {"a1"}
    assert get("/api/calls?subagent_id=a1&session_id=s&limit=1")["total"] == 2
    assert get("/api/calls?subagent_id=a1&session_id=other")["total"] == 0
    assert get("/api/calls?subagent_id=a1&unpriced=true")["total"] == 1
    assert get("/api/usage?subagent_id=a1&group_by=model")["totals"]["output_tokens"] == 5
    assert {call["subagent_id"] for call in get("/api/calls")["calls"]} == {None, "a1", "a2"}


def test_the_receipt_names_the_sub_agent() -> None:
    spend(("a1", "claude-opus-4-8", 2))
    (call,) = get("/api/calls")["calls"]
    assert get(f"/api/calls/{call['id']}/receipt")["subagent_id"] == "a1"


def test_compactions_stand_in_the_order_of_time() -> None:
    tell(compactions=[CompactionFacts(line_id="u2", at_ms=2000, trigger="auto", pre_tokens=150_000)])
    tell(compactions=[CompactionFacts(line_id="u1", at_ms=1000, subagent_id="a1")])
    assert get("/api/sessions/s")["compactions"] == [
        {"at": iso_text(1000), "trigger": None, "pre_tokens": None, "subagent_id": "a1"},
        {"at": iso_text(2000), "trigger": "auto", "pre_tokens": 150_000, "subagent_id": None},
    ]


def test_a_session_is_the_sum_of_its_main_conversation_and_its_sub_agents(database: Path) -> None:
    home = Home(database, cast(sqlite3.Connection, connection.connection))
    home.run(CLAUDE, CLAUDE_FOLDERS[-1])
    home.run(CODEX, CODEX_FOLDERS[-1])
    with_agents = 0
    for session in get("/api/sessions?limit=0")["sessions"]:
        subagents = get(f"/api/sessions/{session['id']}")["subagents"]
        with_agents += bool(subagents)
        calls = get(f"/api/calls?session_id={session['id']}&limit=500")["calls"]
        main = {
            "calls": [1 for call in calls if call["subagent_id"] is None],
            "unpriced_calls": [0 for _ in calls],
            **{
                name: [call[name] or 0 for call in calls if call["subagent_id"] is None]
                for name in SUMS.values()
                if name not in ("calls", "unpriced_calls")
            },
        }
        for total, name in SUMS.items():
            summed = sum(main[name]) + sum(row[name] for row in subagents)
            assert session[total] == pytest.approx(summed), (session["id"], total)
    assert with_agents == 4

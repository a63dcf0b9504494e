"""Sub-agents of Codex that telemetry knows by their own thread alone."""

from pathlib import Path

import pytest

from ingest.contract import NewCall, NewEvent, SessionFacts, SubagentFacts
from ingest.ledger import OTLP
from ingest.store import Batch, write_group
from pricing.usage import Usage
from tests.storing import START_MS, new_event, opened, rules, table

USAGE = Usage(uncached_input_tokens=10, output_tokens=5)
FACTS = SessionFacts(session_id="root", agent_type="codex", subagents=[SubagentFacts(subagent_id="thread")])


def told() -> list[NewEvent]:
    call = NewCall(key="otlp:c", usage=USAGE, model="gpt-5.5", called_at_ms=START_MS, authority=OTLP, ref="c")
    return [
        new_event("thread", "session_start", event_id="import-cdx-1", source="otel"),
        new_event("thread", "user_prompt", event_id="otel-p", source="otel"),
        new_event("thread", "llm_response", event_id="otel-c", source="otel", model="gpt-5.5", call=call),
        new_event("thread", "tool_use", event_id="cdx-tool-1", source="otel", edited_path="a.py", lines_added=2),
    ]


@pytest.mark.parametrize("facts_first", [True, False, None], ids=["before", "after", "together"])
def test_they_end_up_in_the_session_of_their_root(database: Path, *, facts_first: bool | None) -> None:
    batches = [Batch(told()), Batch(facts=[FACTS])]
    groups = [batches] if facts_first is None else [[one] for one in (batches[::-1] if facts_first else batches)]
    with opened(database) as connection:
        for group in (*groups, [Batch(told())]):
            write_group(connection, group, START_MS, rules(database.parent))

        events = table(connection, "SELECT event_type, session_id, metadata FROM events ORDER BY event_type")
        assert [tuple(event.values()) for event in events] == [
            ("llm_response", "root", '{"agent_id":"thread"}'),
            ("tool_use", "root", '{"agent_id":"thread"}'),
        ]
        (call,) = table(connection, "SELECT session_id, subagent_id FROM calls")
        assert tuple(call.values()) == ("root", "thread")
        names = "id, event_count, files_edited, lines_added, call_count, output_tokens"
        (session,) = table(connection, f"SELECT {names} FROM sessions")
        assert tuple(session.values()) == ("root", 2, 1, 2, 1, 5)
        assert table(connection, "SELECT session_id, path FROM session_files") == [
            {"session_id": "root", "path": "a.py"}
        ]
        assert table(connection, "SELECT session_id, calls FROM usage_hours") == [
            {"session_id": "root", "calls": 1}
        ]


def test_a_thread_that_nobody_claims_is_a_session(database: Path) -> None:
    with opened(database) as connection:
        write_group(connection, [Batch(told())], START_MS, rules(database.parent))
        assert table(connection, "SELECT id, event_count FROM sessions") == [{"id": "thread", "event_count": 4}]


def test_the_stream_begins_anew_when_a_session_was_moved(database: Path) -> None:
    with opened(database) as connection:
        assert not write_group(connection, [Batch(told())], START_MS, rules(database.parent)).has_moved
        assert write_group(connection, [Batch(facts=[FACTS])], START_MS, rules(database.parent)).has_moved
        assert not write_group(connection, [Batch(told())], START_MS, rules(database.parent)).has_moved

"""Rollups or not, the sums are those of the rows: every list, count and sum against a plain computation."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, cast

import pytest
from django.db import connection
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.store import Batch, write_group
from monitor.filters import EventFilter
from monitor.queries import count_events, list_events
from monitor.queries_stats import cost_stats, stats, tool_stats, used_since
from monitor.queries_usage import UsageFilter, list_calls
from monitor.times import HOUR_MS, hour_of, iso_text
from tests.storing import START_MS, Row, new_event, rules, table

SPAN_MS = 5 * HOUR_MS
FIELDS: dict[str, list[str | None]] = {
    "agent_type": ["codex", "claude_code"],
    "event_type": ["tool_use", "response"],
    "tool_name": ["Bash", "Edit", None],
    "session_id": ["s1", "s2", "s3"],
    "branch": ["main", "dev", None],
    "model": ["o3", "claude-opus-4-5", "no-such-model", None],
    "source": ["api", "otel"],
    "project": ["shop", None],
}
MOMENTS = st.integers(START_MS - HOUR_MS, START_MS + SPAN_MS + HOUR_MS) | st.integers(0, 6).map(
    lambda hours: START_MS + hours * HOUR_MS
)


def some_events(count: int) -> Iterator[tuple[int, Any]]:
    """Moments of receipt with events, the same ones in each run."""
    chance = random.Random(7)
    for moment in sorted(chance.randrange(SPAN_MS) for _ in range(count)):
        fields: dict[str, Any] = {name: chance.choice(values) for name, values in FIELDS.items()}
        is_priced = fields["model"] in ("o3", "claude-opus-4-5")
        yield (
            START_MS + moment,
            new_event(
                **fields,
                status=chance.choice(["success", "error", "timeout"]),
                tokens_in=chance.choice([0, 7, 1000]),
                tokens_out=chance.choice([0, 3]),
                cache_read_tokens=chance.choice([0, 11]),
                duration_ms=chance.choice([None, 0, 5, 8]),
                client_at_ms=chance.choice([None, START_MS + chance.randrange(-HOUR_MS, SPAN_MS)]),
                cost_nanos=chance.choice([None, 12_345]) if is_priced else None,
            ),
        )


class Facts:
    """What is stored, row by row."""

    def __init__(self) -> None:
        raw = cast(Any, connection.connection)
        self.events = table(raw, "SELECT * FROM events ORDER BY created_at DESC, id DESC")
        self.calls = table(raw, "SELECT * FROM calls ORDER BY called_at DESC, id DESC")
        self.projects = {row["id"]: row["project"] for row in table(raw, "SELECT id, project FROM sessions")}


@pytest.fixture(scope="module")
def facts(django_database: Path) -> Facts:
    connection.ensure_connection()
    for now_ms, new in some_events(250):
        write_group(cast(Any, connection.connection), [Batch([new])], now_ms, rules(django_database.parent))
    return Facts()


FILTERS = st.builds(
    EventFilter,
    **{name: st.none() | st.sampled_from([v for v in values if v] + ["none"]) for name, values in FIELDS.items()},
    since_ms=st.none() | MOMENTS,
    until_ms=st.none() | MOMENTS,
)
LAW = settings(max_examples=100, deadline=None)


def matches(row: Row, wanted: EventFilter) -> bool:
    return (
        all(getattr(wanted, name) in (None, row[name]) for name in FIELDS)
        and (wanted.since_ms is None or row["created_at"] >= wanted.since_ms)
        and (wanted.until_ms is None or row["created_at"] <= wanted.until_ms)
    )


def test_a_page_of_events_is_the_page_and_its_total_is_the_number_of_matches(facts: Facts) -> None:
    @LAW
    @given(wanted=FILTERS, limit=st.integers(1, 60), offset=st.integers(0, 60))
    @example(EventFilter(), 1000, 0)
    @example(EventFilter(tool_name="Bash", until_ms=START_MS + HOUR_MS // 2), 5, 0)
    @example(EventFilter(since_ms=START_MS + 10, until_ms=START_MS + 20), 5, 0)
    @example(EventFilter(since_ms=START_MS + HOUR_MS, until_ms=START_MS + HOUR_MS - 1), 5, 0)
    def holds(wanted: EventFilter, limit: int, offset: int) -> None:
        expected = [row["id"] for row in facts.events if matches(row, wanted)]
        rows, total = list_events(wanted, limit, offset)
        assert [row.id for row in rows] == expected[offset : offset + limit]
        assert total == count_events(wanted) == len(expected)

    holds()


AGENTS = st.sampled_from([None, "codex", "claude_code", "none"])


def of_agent(rows: list[Row], agent_type: str | None) -> list[Row]:
    return [row for row in rows if agent_type in (None, row["agent_type"])]


def since(rows: list[Row], name: str, since_ms: int | None) -> list[Row]:
    return [row for row in rows if since_ms is None or row[name] >= since_ms]


def test_stats_are_the_sums_of_what_was_received(facts: Facts) -> None:
    @LAW
    @given(agent_type=AGENTS, since_ms=st.none() | MOMENTS)
    def holds(agent_type: str | None, since_ms: int | None) -> None:
        events = since(of_agent(facts.events, agent_type), "created_at", since_ms)
        calls = since(of_agent(facts.calls, agent_type), "received_at", since_ms)
        answer = stats(agent_type, since_ms)
        assert answer["total_events"] == len(events)
        for name in ("tool_name", "agent_type", "model"):
            counted = Counter(row[name] for row in events if row[name])
            breakdown = answer[f"{name.removesuffix('_name').removesuffix('_type')}_breakdown"]
            assert breakdown == counted
            assert list(breakdown.values()) == sorted(counted.values(), reverse=True)
        assert answer["total_tokens_in"] == sum(row["uncached_input_tokens"] for row in calls)
        assert answer["total_tokens_out"] == sum(row["output_tokens"] for row in calls)
        assert round(answer["total_cost_usd"] * 10**9) == sum(row["cost_nanos"] or 0 for row in calls)
        assert answer["unpriced_calls"] == sum(row["cost_nanos"] is None for row in calls)

    holds()


def test_tools_are_counted_by_their_events(facts: Facts) -> None:
    @LAW
    @given(agent_type=AGENTS, since_ms=st.none() | MOMENTS)
    def holds(agent_type: str | None, since_ms: int | None) -> None:
        events = since(of_agent(facts.events, agent_type), "created_at", since_ms)
        by_tool: dict[str, list[Row]] = defaultdict(list)
        for row in events:
            if row["tool_name"]:
                by_tool[row["tool_name"]].append(row)
        answer = tool_stats(agent_type, since_ms)
        assert [tool["total_calls"] for tool in answer] == sorted(map(len, by_tool.values()), reverse=True)
        assert {tool["tool_name"]: tool for tool in answer} == {
            name: expected_tool(name, rows) for name, rows in by_tool.items()
        }

    holds()


def expected_tool(name: str, rows: list[Row]) -> dict[str, Any]:
    errors = sum(row["status"] == "error" for row in rows)
    timed = [row["duration_ms"] for row in rows if row["duration_ms"] is not None]
    return {
        "tool_name": name,
        "total_calls": len(rows),
        "error_count": errors,
        "error_rate": round(errors / len(rows), 4),
        "avg_duration_ms": int(sum(timed) / len(timed) + 0.5) if timed else None,
        "by_agent": Counter(row["agent_type"] for row in rows),
    }


def test_costs_are_the_sums_of_the_ledger(facts: Facts) -> None:
    @LAW
    @given(agent_type=AGENTS, since_ms=st.none() | MOMENTS, limit=st.integers(1, 3))
    def holds(agent_type: str | None, since_ms: int | None, limit: int) -> None:
        answer = cost_stats(agent_type, since_ms, limit)
        calls = since(of_agent(facts.calls, agent_type), "received_at", since_ms)
        paid = [row for row in calls if row["cost_nanos"]]
        assert answer["by_project"] == by_project(facts, paid)[:limit]
        assert answer["by_model"] == by_model([row for row in paid if row["model"]])
        assert answer["timeline"] == timeline(
            [row | {"happened": row["client_timestamp"] or row["created_at"]} for row in facts.events],
            facts.calls,
            agent_type,
            since_ms,
        )

    holds()


def by_project(facts: Facts, calls: list[Row]) -> list[dict[str, Any]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    for row in calls:
        groups[facts.projects[row["session_id"]] or "unknown"].append(row)
    found = [
        {
            "project": project,
            "cost_usd": sum(row["cost_nanos"] for row in rows) / 10**9,
            "session_count": len({row["session_id"] for row in rows}),
            "event_count": len(rows),
        }
        for project, rows in groups.items()
    ]
    return sorted(found, key=lambda item: (-item["cost_usd"], item["project"]))


def by_model(calls: list[Row]) -> list[dict[str, Any]]:
    ordered = sorted(calls, key=lambda row: row["model"])
    found = []
    for model, group in groupby(ordered, key=lambda row: row["model"]):
        rows = list(group)
        found.append(
            {
                "model": model,
                "cost_usd": sum(row["cost_nanos"] for row in rows) / 10**9,
                "event_count": len(rows),
                "tokens_in": sum(row["uncached_input_tokens"] for row in rows),
                "tokens_out": sum(row["output_tokens"] for row in rows),
            }
        )
    return sorted(found, key=lambda item: (-item["cost_usd"], item["model"]))


def timeline(
    events: list[Row], calls: list[Row], agent_type: str | None, since_ms: int | None
) -> list[dict[str, Any]]:
    hours: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for row in since(of_agent(events, agent_type), "happened", since_ms):
        hours[hour_of(row["happened"])][3] += 1
    for row in since(of_agent(calls, agent_type), "called_at", since_ms):
        sums = hours[hour_of(row["called_at"])]
        sums[0] += row["cost_nanos"] or 0
        sums[1] += row["uncached_input_tokens"]
        sums[2] += row["output_tokens"]
    return [
        {
            "bucket": iso_text(hour)[:19] + "Z",
            "cost_usd": cost / 10**9,
            "tokens_in": tokens_in,
            "tokens_out": tokens_out,
            "event_count": count,
        }
        for hour, (cost, tokens_in, tokens_out, count) in sorted(hours.items())
    ]


def test_what_was_used_since_is_the_sum_of_the_calls_received(facts: Facts) -> None:
    @LAW
    @given(agent_type=st.sampled_from(["codex", "claude_code"]), since_ms=MOMENTS)
    def holds(agent_type: str, since_ms: int) -> None:
        calls = since(of_agent(facts.calls, agent_type), "received_at", since_ms)
        assert used_since(agent_type, since_ms) == (
            sum(row["uncached_input_tokens"] + row["output_tokens"] for row in calls),
            sum(row["cost_nanos"] or 0 for row in calls),
        )

    holds()


def test_a_page_of_calls_is_the_page_and_its_total_is_the_number_of_matches(facts: Facts) -> None:
    @LAW
    @given(
        wanted=st.builds(
            UsageFilter,
            since_ms=st.none() | MOMENTS,
            until_ms=st.none() | MOMENTS,
            agent_type=AGENTS,
            model=st.sampled_from([None, "o3", "none"]),
            session_id=st.sampled_from([None, "s1", "none"]),
            project=st.sampled_from([None, "shop", "none"]),
        ),
        limit=st.integers(1, 60),
        offset=st.integers(0, 60),
    )
    def holds(wanted: UsageFilter, limit: int, offset: int) -> None:
        expected = [row["id"] for row in facts.calls if call_matches(facts, row, wanted)]
        rows, total = list_calls(wanted, limit, offset)
        assert ([row.id for row in rows], total) == (expected[offset : offset + limit], len(expected))

    holds()


def call_matches(facts: Facts, row: Row, wanted: UsageFilter) -> bool:
    return (
        all(getattr(wanted, name) in (None, row[name]) for name in ("agent_type", "model", "session_id"))
        and wanted.project in (None, facts.projects[row["session_id"]])
        and (wanted.since_ms is None or row["called_at"] >= wanted.since_ms)
        and (wanted.until_ms is None or row["called_at"] <= wanted.until_ms)
    )

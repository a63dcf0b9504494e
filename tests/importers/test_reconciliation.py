"""Recorded hooks, telemetry and transcripts of one client, in any selection, order and repetition.

What happened is one event and what was billed one call; what the store holds depends on what was told alone.
"""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importers.files import CLAUDE, CODEX, GEMINI
from ingest.hooks import claude_code, codex, gemini
from ingest.otlp.service import read_logs, read_metrics
from ingest.store import Batch, write_group
from monitor.rollups import rebuild
from monitor.times import now_ms
from tests.importers.importing import Home, figures, home_in
from tests.importers.test_recorded import CLAUDE_FOLDERS, CODEX_FOLDERS, GEMINI_FOLDERS, billed, oracle, unfinished
from tests.ingest.otlp.bodies import LIMIT_BYTES
from tests.ingest.otlp.test_captures import captures
from tests.storing import opened, rules

SOURCES = ("hooks", "logs", "metrics", "transcripts")
CLIENTS = ("claude", "codex", "gemini")
FOLDERS = {"claude": CLAUDE_FOLDERS[-1], "codex": CODEX_FOLDERS[-1], "gemini": GEMINI_FOLDERS[-1]}
IMPORTED = {"claude": CLAUDE, "codex": CODEX, "gemini": GEMINI}
# Who told first keeps the place, and a telemetry record's call has the time of its receipt in another column.
FIRST_TELLER = {"id", "created_at", "source", "project", "branch"}
ROLLUPS = ("event_hours", "usage_hours", "session_files", "sessions")
TOLD = ("hooks", "logs", "transcripts")


def hook_outcome(client: str, body: dict[str, Any]) -> Batch:
    if client == "claude":
        outcome = claude_code.read(body, payload_limit_bytes=LIMIT_BYTES, safety=True)
    else:
        read = codex.read if client == "codex" else gemini.read
        outcome = read(body, payload_limit_bytes=LIMIT_BYTES)
    return Batch(outcome.events, outcome.facts)


@cache
def batches_of(client: str, source: str) -> list[Batch]:
    if source == "hooks":
        lines = (FOLDERS[client] / "hooks.jsonl").read_text().splitlines()
        return [hook_outcome(client, json.loads(line)["body"]) for line in lines]
    if source == "logs":
        told = [read_logs(one.body, one.content_type, LIMIT_BYTES) for one in captures(client, "logs")]
    else:
        told = [read_metrics(one.body, one.content_type) for one in captures(client, "metrics")]
    return [Batch(outcome.events, facts=outcome.facts, readings=outcome.readings) for outcome in told]


def tell(home: Home, client: str, source: str) -> None:
    if source == "transcripts":
        home.run(IMPORTED[client], FOLDERS[client], force=True)
        return
    for batch in batches_of(client, source):
        # The store fills in what an event leaves open.
        events = [msgspec.structs.replace(event) for event in batch.events]
        fresh = msgspec.structs.replace(batch, events=events)
        write_group(home.connection, [fresh], now_ms(), rules(Path("no projects")))


def events_of(home: Home) -> list[dict[str, Any]]:
    """Those that have an id, as others are told anew with each repetition; but those of metrics, which are made
    only where nothing else is known by then.
    """
    rows = home.rows(
        "SELECT * FROM events WHERE event_id IS NOT NULL AND metadata NOT LIKE '%otel_metric%' ORDER BY event_id"
    )
    known = [{name: value for name, value in row.items() if name not in FIRST_TELLER} for row in rows]
    return [row | {"metadata": json.loads(row["metadata"])} for row in known]


def calls_of(home: Home) -> list[dict[str, Any]]:
    names = {"received_at", "witnesses"}
    return [{name: value for name, value in call.items() if name not in names} for call in home.calls()]


def rollups_of(home: Home) -> dict[str, Counter[tuple[Any, ...]]]:
    return {
        table: Counter(
            tuple(value for name, value in row.items() if name != "id" or table == "sessions")
            for row in home.rows(f"SELECT * FROM {table}")
        )
        for table in ROLLUPS
    }


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reconciliation")


@pytest.fixture(scope="module")
def references(directory: Path, migrated_database: Path) -> Iterator[Any]:
    """What a selection of sources, each told once in the usual order, leaves behind."""

    @cache
    def reference(client: str, sources: frozenset[str]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
        with home_in(directory / f"{client}-{'-'.join(sorted(sources))}", migrated_database) as home:
            for source in SOURCES:
                if source in sources:
                    tell(home, client, source)
            check(client, sources, home)
            return events_of(home), calls_of(home)

    yield reference


@contextmanager
def restarted(home: Home, directory: Path) -> Iterator[Home]:
    with opened(directory / "agentmonitor.db") as connection:
        yield Home(directory / "agentmonitor.db", connection)


@pytest.mark.parametrize("client", CLIENTS)
@settings(max_examples=5)
@given(order=st.lists(st.sampled_from(SOURCES), min_size=1, max_size=5))
def test_what_is_stored_depends_on_what_was_told_alone(
    client: str, order: list[str], references: Any, directory: Path, migrated_database: Path
) -> None:
    events, calls = references(client, frozenset(order))
    place = directory / "generated"
    with home_in(place, migrated_database) as home:
        tell(home, client, order[0])
        with restarted(home, place) as again:
            for source in order[1:]:
                tell(again, client, source)
            assert calls_of(again) == calls
            assert events_of(again) == events
            check(client, frozenset(order), again)


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("order", [SOURCES[::-1], ("logs", "hooks", "transcripts", "logs", "hooks")], ids="-".join)
def test_the_whole_in_other_orders(
    client: str, order: tuple[str, ...], references: Any, directory: Path, migrated_database: Path
) -> None:
    with home_in(directory / "whole", migrated_database) as home:
        for source in order:
            tell(home, client, source)
        assert (events_of(home), calls_of(home)) == references(client, frozenset(order))


def check(client: str, sources: frozenset[str], home: Home) -> None:
    """What holds of every selection."""
    before = rollups_of(home)
    rebuild(home.connection)
    assert rollups_of(home) == before
    if sources & {"logs", "transcripts"}:
        {"claude": check_claude, "codex": check_codex, "gemini": check_gemini}[client](sources, home)
    if client != "claude" and sources & set(TOLD):
        counts = Counter(event["event_type"] for event in events_of(home))
        assert counts["user_prompt"] == prompts_of(client, sources)
        if client == "gemini":
            assert counts["tool_use"] == 4


def prompts_of(client: str, sources: frozenset[str]) -> int:
    """Each was told by a hook. Telemetry alone tells what it has, and can't know a sub-agent's from a person's."""
    if sources <= {"logs", "metrics"}:
        events = [event for batch in batches_of(client, "logs") for event in batch.events]
        return len([event for event in events if event.event_type == "user_prompt"])
    lines = (FOLDERS[client] / "hooks.jsonl").read_text().splitlines()
    bodies = [json.loads(line)["body"] for line in lines]
    told = [body for body in bodies if body.get("hook_event_name") in {"UserPromptSubmit", "BeforeAgent"}]
    return len([body for body in told if "agent_id" not in body])


def check_codex(sources: frozenset[str], home: Home) -> None:
    calls = home.calls()
    expected = Counter(map(billed, oracle(FOLDERS["codex"])))
    if sources & {"transcripts", "hooks"}:
        assert Counter((c["session_id"], c["model"], figures(c)) for c in calls) == expected
    assert Counter((c["model"], figures(c)) for c in calls) == Counter(
        (one.model, one.figures) for one in expected.elements()
    )


def check_gemini(sources: frozenset[str], home: Home) -> None:
    known = [line for line in oracle(FOLDERS["gemini"]) if "logs" in sources or line["kind"] != "check"]
    expected = Counter((line["model"], billed(line).figures) for line in known)
    assert Counter((call["model"], figures(call)) for call in home.calls()) == expected


def check_claude(sources: frozenset[str], home: Home) -> None:
    """Each call that was told of whole is as it was billed; only telemetry knows compactions and checks."""
    folder = FOLDERS["claude"]
    lines = {f"request:{line['request_id']}": line for line in oracle(folder)}
    told = {event.call.key for batch in batches_of("claude", "logs") for event in batch.events if event.call}
    told = told if "logs" in sources else set()
    unknown = {f"request:{request}" for request in unfinished(folder).requests} - told
    of_requests = [call for call in home.calls() if call["call_key"] in lines]
    for call in of_requests:
        line = lines[call["call_key"]]
        if call["call_key"] in unknown or line["scenario"] == "interrupted" or not line["delivered"]:
            continue
        whole = billed(line)
        exact = figures(call) == whole.figures
        # Telemetry alone can't tell how cache writes split beside a web search.
        assert exact or ("transcripts" not in sources and line["web_searches"]), call["call_key"]
        assert (call["session_id"], call["model"]) == (whole.session, whole.model)
    if "transcripts" not in sources:
        assert {call["call_key"] for call in of_requests} == told & set(lines)

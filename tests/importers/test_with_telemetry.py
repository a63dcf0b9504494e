"""One call told by telemetry and by a transcript is one row of the ledger, in whatever order they come."""

import json
from collections import Counter
from itertools import permutations
from pathlib import Path

import pytest

from importers.files import CLAUDE, CODEX
from ingest.contract import NewCall, NewEvent
from ingest.ledger import OTLP, TRANSCRIPT
from ingest.store import Batch, write_group
from monitor.times import now_ms
from pricing.usage import Usage
from tests.importers.importing import Home, figures
from tests.importers.test_recorded import CLAUDE_FOLDERS, CODEX_FOLDERS, billed, oracle, unfinished
from tests.ingest.otlp.test_captures import log_events
from tests.storing import START_MS, new_event, rules

FOLDER = CODEX_FOLDERS[-1]
STEPS = ("telemetry", "telemetry", "transcripts", "half the telemetry")


def tell(home: Home, step: str, folder: Path) -> None:
    if step == "transcripts":
        home.run(CODEX, folder, force=True)
        return
    events = log_events("codex")
    chosen = events[::2] if step.startswith("half") else events
    for start in range(0, len(chosen), 7):
        write_group(home.connection, [Batch(chosen[start : start + 7])], now_ms(), rules(folder))


def billed_figures(folder: Path) -> Counter[tuple[int, ...]]:
    names = (
        "input_tokens",
        "cache_read_tokens",
        "cache_write_5m_tokens",
        "cache_write_1h_tokens",
        "output_tokens",
        "reasoning_tokens",
    )
    return Counter(tuple(line[name] for name in names) for line in oracle(folder))


@pytest.mark.parametrize("order", sorted(set(permutations(STEPS))), ids=lambda order: ", ".join(order))
def test_any_order_and_any_repetition_gives_what_was_billed(home: Home, order: tuple[str, ...]) -> None:
    for step in order:
        tell(home, step, FOLDER)
    calls = home.calls()
    assert Counter(map(figures, calls)) == billed_figures(FOLDER)
    assert {call["authority"] for call in calls} == {3}
    sums = home.rows("SELECT sum(calls) AS calls, sum(cost_nanos) AS cost FROM usage_hours")
    assert sums == [{"calls": len(calls), "cost": sum(call["cost_nanos"] for call in calls)}]


def test_telemetry_alone_gives_what_it_carried(home: Home) -> None:
    tell(home, "telemetry", FOLDER)
    assert Counter(map(figures, home.calls())) == billed_figures(FOLDER)


@pytest.mark.parametrize("order", [("t", "i"), ("i", "t"), ("t", "i", "t"), ("i", "t", "i")], ids=" ".join)
def test_of_claude_code_each_answer_that_was_told_whole_is_as_it_was_billed(
    home: Home, order: tuple[str, ...]
) -> None:
    """Telemetry has the whole of an answer that its transcript left unfinished, the transcript how it split."""
    folder = CLAUDE_FOLDERS[-1]
    for step in order:
        if step == "i":
            home.run(CLAUDE, folder, force=True)
        else:
            home.store(Batch(log_events("claude")))

    calls = {call["call_key"]: call for call in home.calls()}
    told = {event.call.key for event in log_events("claude") if event.call}
    open_requests = {f"request:{request}" for request in unfinished(folder).requests}
    interrupted = {f"request:{line['request_id']}" for line in oracle(folder) if line["scenario"] == "interrupted"}
    whole = {
        f"request:{line['request_id']}": billed(line)
        for line in oracle(folder)
        if f"request:{line['request_id']}" in calls
    }
    for untold in (open_requests | interrupted) - told:
        whole.pop(untold, None)
    assert open_requests & told & set(whole)
    assert {key: figures(calls[key]) for key in whole} == {key: line.figures for key, line in whole.items()}


def equal_calls(source: str, authority: int, keys: tuple[str, ...]) -> list[NewEvent]:
    """Calls of one session that used the very same at the same time, so that nothing tells them apart."""
    return [
        new_event(
            source=source,
            session_id="s",
            agent_type="codex",
            event_type="llm_response",
            client_at_ms=START_MS,
            call=NewCall(
                key=key,
                usage=Usage(uncached_input_tokens=10, output_tokens=5),
                model="gpt-5.5",
                called_at_ms=START_MS,
                authority=authority,
                ref=key,
            ),
        )
        for key in keys
    ]


@pytest.mark.parametrize("telemetry_first", [True, False])
@pytest.mark.parametrize("slice_size", [1, 2, 3])
def test_calls_that_used_the_very_same_are_as_many_as_they_were(
    home: Home, tmp_path: Path, *, telemetry_first: bool, slice_size: int
) -> None:
    told = [equal_calls("otel", OTLP, ("o1", "o2", "o3")), equal_calls("import", TRANSCRIPT, ("t1", "t2", "t3"))]
    for events in told if telemetry_first else told[::-1]:
        for start in range(0, len(events), slice_size):
            write_group(
                home.connection, [Batch(events[start : start + slice_size])], START_MS + 5000, rules(tmp_path)
            )
    calls = home.calls()
    assert [call["call_key"] for call in calls] == ["t1", "t2", "t3"]
    assert [len(json.loads(call["witnesses"])) for call in home.rows("SELECT witnesses FROM calls")] == [2, 2, 2]
    assert home.rows("SELECT sum(calls) AS calls, sum(output_tokens) AS output FROM usage_hours") == [
        {"calls": 3, "output": 15}
    ]

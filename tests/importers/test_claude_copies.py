"""Answers that a sub-agent repeats from another's conversation, in files of their own, are no calls of its own."""

from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from importers.files import CLAUDE
from importers.reread import Transcripts
from ingest.call_store import SELECT_ANY_NAMELESS, SELECT_CALLS_MARKED, SELECT_NAMELESS_NEAR
from ingest.contract import NewCall
from ingest.ledger import OTLP
from ingest.store import Batch
from pricing.usage import Usage
from tests.importers.claude_writing import BEGAN_MS, MODEL, answer, opening, usage
from tests.importers.importing import Home, Line, write_lines
from tests.storing import new_event

SIDE = {"isSidechain": True, "agentId": "a1"}
PARENT = [answer(1, usage(50, read=7))]
COPY = [answer(4, usage(50, read=7), request="req_side", **SIDE)]
OWN = [answer(9, usage(8), message="msg_2", request="req_2", **SIDE)]


class Folder:
    """Transcripts of one configuration directory, imported one by one."""

    def __init__(self, home: Home, root: Path) -> None:
        self.home, self.root = home, root

    def tell(self, name: str, lines: list[Line]) -> list[Any]:
        write_lines(self.root / "projects" / "p" / f"{name}.jsonl", lines)
        return self.home.run(CLAUDE, self.root)

    def keys(self) -> list[str]:
        return [call["call_key"] for call in self.home.calls()]


@pytest.fixture
def folder(home: Home, tmp_path: Path) -> Folder:
    return Folder(home, tmp_path / "claude")


FILES: dict[str, list[Line]] = {"s-1": PARENT, "s-1/subagents/agent-a1": [*COPY, *OWN]}


@pytest.mark.parametrize("names", list(permutations(FILES)))
def test_in_either_order_the_copy_is_the_parents_call(folder: Folder, names: tuple[str, ...]) -> None:
    for name in names:
        folder.tell(name, FILES[name])
    assert folder.keys() == ["request:req_1", "request:req_2"]
    sums = folder.home.rows("SELECT sum(calls) AS calls, sum(output_tokens) AS output FROM usage_hours")
    assert sums == [{"calls": 2, "output": 58}]
    assert folder.home.rows("SELECT call_count FROM sessions") == [{"call_count": 2}]


def test_a_copy_is_told_as_confirming_also_when_it_is_read_again(folder: Folder) -> None:
    folder.tell("s-1", PARENT)
    (report,) = (each for each in folder.tell("s-1/subagents/agent-a1", COPY) if each.outcome == "DONE")
    assert (report.calls_new, report.calls_confirmed) == (0, 1)


def test_a_copy_whose_original_is_gone_counts(folder: Folder) -> None:
    folder.tell("s-1/subagents/agent-a1", COPY)
    assert folder.keys() == ["request:req_side"]


@pytest.mark.parametrize("names", list(permutations("abc")))
def test_of_copies_among_sub_agents_the_earliest_counts(folder: Folder, names: tuple[str, ...]) -> None:
    for name in names:
        at, agent = 4 + "abc".index(name), {"isSidechain": True, "agentId": name}
        copy = answer(at, usage(50, read=7), request=f"req_{name}", **agent)
        folder.tell(f"s-1/subagents/agent-{name}", [copy])
    assert folder.keys() == ["request:req_a"]


@pytest.mark.parametrize("names", list(permutations(["s-1", "s-2", "s-1/subagents/agent-a1"])))
def test_one_message_id_for_all_makes_no_copies(folder: Folder, names: tuple[str, ...]) -> None:
    files = {
        "s-1": [answer(1, usage(50, 100), request="req_1"), answer(2, usage(9, 300), request=None)],
        "s-2": [answer(3, usage(50, 400), request="req_2", session="s-2")],
        "s-1/subagents/agent-a1": [answer(4, usage(50, 500), request="req_3", **SIDE)],
    }
    for name in names:
        folder.tell(name, files[name])
    assert len(folder.keys()) == 4


@pytest.mark.parametrize("names", list(permutations(FILES)))
def test_a_request_that_telemetry_told_of_was_made(folder: Folder, names: tuple[str, ...]) -> None:
    used = Usage(uncached_input_tokens=10, cache_read_tokens=7, output_tokens=50)
    call = NewCall(key="request:req_side", usage=used, model=MODEL, called_at_ms=BEGAN_MS, authority=OTLP, ref="o")
    told = new_event("s-1", "llm_response", agent_type="claude_code", event_id="o", source="otel", call=call)
    folder.home.store(Batch([told]))
    for name in names:
        folder.tell(name, FILES[name])
    assert folder.keys() == ["request:req_1", "request:req_2", "request:req_side"]


def test_what_is_reread_to_verify_has_no_copies_either(folder: Folder) -> None:
    for name, lines in FILES.items():
        folder.tell(name, lines)
    transcripts = Transcripts()
    transcripts.read(CLAUDE, [folder.root])
    assert sorted(key for _, key in transcripts.calls) == folder.keys()


@pytest.mark.parametrize("names", list(permutations(["old", "fork"])))
def test_a_fork_without_a_line_of_its_own_counts_once(folder: Folder, names: tuple[str, ...]) -> None:
    """Nothing tells it from the original: the session whose id comes first has the call, in either order."""
    lines = [opening(0), answer(2, usage(50))]
    for name in names:
        folder.tell(name, [line | {"sessionId": name} for line in lines])
    assert [(call["session_id"], call["output_tokens"]) for call in folder.home.calls()] == [("fork", 50)]


def test_copies_are_looked_for_along_their_index(home: Home) -> None:
    plan = [row["detail"] for row in home.rows(f"EXPLAIN QUERY PLAN {SELECT_CALLS_MARKED}", "[1]")]
    assert any("calls_answer" in step for step in plan), plan


FORKED = [answer(60, usage(50, read=7), request=None, session="s-2")]
RECORD = Usage(uncached_input_tokens=10, cache_read_tokens=7, output_tokens=50)


def record(number: int, used: Usage, second: float) -> Batch:
    """Telemetry of an older version, which names no request."""
    ref = f"otel-{number}"
    at_ms = BEGAN_MS + round(second * 1000)
    call = NewCall(key=f"otlp:{ref}", usage=used, model=MODEL, called_at_ms=at_ms, authority=OTLP, ref=ref)
    return Batch(
        [new_event("s-1", "llm_request", agent_type="claude_code", event_id=ref, source="otel", call=call)]
    )


STEPS = ("original", "fork", "telemetry")


@pytest.mark.parametrize("steps", list(permutations(STEPS)), ids=lambda steps: ", ".join(steps))
def test_what_a_fork_copied_without_its_request_is_the_original_s_call(
    folder: Folder, steps: tuple[str, ...]
) -> None:
    """Forks of Claude Code 1.0 give copies the time of copying; telemetry of that time names no request."""
    acts = {
        "original": lambda: folder.tell("s-1", PARENT),
        "fork": lambda: folder.tell("s-2", FORKED),
        "telemetry": lambda: folder.home.store(record(1, RECORD, 2)),
    }
    for step in steps:
        acts[step]()
    before = folder.home.ledger()
    for step in steps:
        acts[step]()
    (call,) = folder.home.calls()
    assert (call["call_key"], call["session_id"], call["output_tokens"]) == ("request:req_1", "s-1", 50)
    (told,) = folder.home.rows("SELECT witnesses FROM calls")
    assert "otel-1" in told["witnesses"]
    assert folder.home.ledger() == before


@pytest.mark.parametrize("steps", list(permutations(STEPS)), ids=", ".join)
def test_an_answer_whose_request_nobody_knows_is_that_of_the_session_that_had_it_first(
    folder: Folder, steps: tuple[str, ...]
) -> None:
    """Claude Code 1.0.0 writes no requests at all."""
    acts = {
        "original": lambda: folder.tell("s-1", [answer(1, usage(50, read=7), request=None)]),
        "fork": lambda: folder.tell("s-2", FORKED),
        "telemetry": lambda: folder.home.store(record(1, RECORD, 2)),
    }
    for step in (*steps, *steps):
        acts[step]()
    (call,) = folder.home.calls()
    assert (call["session_id"], call["called_at"], call["output_tokens"]) == ("s-1", BEGAN_MS + 1000, 50)


def test_a_fork_whose_original_is_gone_is_counted(folder: Folder) -> None:
    folder.tell("s-2", FORKED)
    assert [call["session_id"] for call in folder.home.calls()] == ["s-2"]


UNFINISHED = answer(1, usage(3, read=7), stop=None)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["transcript first", "telemetry first"])
@pytest.mark.parametrize(
    "lines", [PARENT, [answer(1, usage(3, read=7), stop=None)]], ids=["finished", "unfinished"]
)
def test_telemetry_without_a_request_tells_of_the_call_of_its_figures(
    folder: Folder, order: tuple[int, ...], lines: list[Line]
) -> None:
    acts = (lambda: folder.tell("s-1", lines), lambda: folder.home.store(record(1, RECORD, 200)))
    for number in (*order, 1, 0):
        acts[number]()
    (call,) = folder.home.calls()
    assert (call["call_key"], call["output_tokens"]) == ("request:req_1", 50)


@pytest.mark.parametrize(
    "used",
    [
        Usage(uncached_input_tokens=11, cache_read_tokens=7, output_tokens=50),
        Usage(uncached_input_tokens=10, cache_read_tokens=8, output_tokens=50),
        Usage(uncached_input_tokens=10, cache_read_tokens=7, cache_write_5m_tokens=1, output_tokens=50),
        Usage(uncached_input_tokens=10, cache_read_tokens=7, output_tokens=51),
    ],
)
def test_telemetry_of_other_figures_is_another_call(folder: Folder, used: Usage) -> None:
    folder.tell("s-1", PARENT)
    folder.home.store(record(1, used, 2))
    assert len(folder.keys()) == 2


def test_of_equal_calls_as_many_stay_as_there_were(folder: Folder) -> None:
    for number in (1, 2, 3):
        folder.home.store(record(number, RECORD, number))
    folder.tell("s-1", [*PARENT, answer(2, usage(50, read=7), message="msg_2", request="req_2")])
    assert len(folder.keys()) == 3


def test_calls_without_a_request_are_looked_for_by_their_index(folder: Folder) -> None:
    for sql in (SELECT_ANY_NAMELESS, SELECT_NAMELESS_NEAR):
        plan = folder.home.rows(f"EXPLAIN QUERY PLAN {sql}", *([1] * sql.count("?")))
        assert "USING INDEX calls_nameless" in plan[0]["detail"]

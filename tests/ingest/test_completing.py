"""One thing that happened is one event: what its witnesses say is joined, in any order and any repetition."""

import json
from collections.abc import Sequence
from functools import reduce
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.completing import EventRecord, is_witness, joined, says_nothing_new
from ingest.metadata import cap_outcome
from monitor.rows import EVENT_COLUMNS
from tests.storing import START_MS, new_event

LIMIT_BYTES = 10_000
WHO_TOLD_FIRST = {"id", "created_at", "source", "project", "branch"}


def record(metadata: dict[str, Any] | None = None, limit_bytes: int = LIMIT_BYTES, **columns: Any) -> EventRecord:
    """An event as one witness tells it."""
    failed = columns.get("status") == "error"
    capped = cap_outcome(metadata or {}, limit_bytes, columns.get("tool_name"), failed=failed)
    told: dict[str, Any] = {
        "id": 1,
        "event_id": "cc-tool-1",
        "session_id": "s",
        "agent_type": "claude_code",
        "event_type": "tool_use",
        "tool_name": None,
        "status": "success",
        "tokens_in": 0,
        "tokens_out": 0,
        "branch": None,
        "project": None,
        "duration_ms": None,
        "created_at": START_MS,
        "client_timestamp": None,
        "metadata": capped.text,
        "payload_truncated": int(capped.truncated),
        "model": None,
        "cost_nanos": None,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
        "source": "hook",
        "edited_path": capped.edited_path,
        "lines_added": capped.lines_added,
        "lines_removed": capped.lines_removed,
    }
    return EventRecord(**{**told, **columns})


def all_of(records: Sequence[EventRecord], limit_bytes: int = LIMIT_BYTES) -> EventRecord:
    return reduce(lambda known, told: joined(known, told, limit_bytes), records)


def in_both_orders(one: EventRecord, other: EventRecord) -> dict[str, Any]:
    """What is known of both, the same whoever told first."""
    told = content(all_of([one, other]))
    assert content(all_of([other, one])) == told
    return told


def content(event: EventRecord) -> dict[str, Any]:
    """All but what stays with who told first; the order of metadata's keys says nothing."""
    columns = {name: value for name, value in event._asdict().items() if name not in WHO_TOLD_FIRST}
    return columns | {"metadata": json.loads(event.metadata)}


texts = st.sampled_from(["a", "b", "ls", "ls -l", "a longer command"])
metadatas = st.dictionaries(
    st.sampled_from(["command", "file_path", "error", "content_preview", "lines_added", "lines_removed"]),
    st.one_of(texts, st.integers(0, 20), st.none(), st.lists(texts, max_size=2), st.dictionaries(texts, texts)),
    max_size=4,
)
tokens = st.sampled_from([0, 3, 40])


@st.composite
def told(draw: st.DrawFn, event_type: str = "tool_use") -> EventRecord:
    """The cost is the price of the figures."""
    figures = {
        name: draw(tokens) for name in ("tokens_in", "tokens_out", "cache_read_tokens", "cache_write_tokens")
    }
    return record(
        draw(metadatas),
        event_type=event_type,
        session_id=draw(st.sampled_from(["s1", "s2"])),
        tool_name=draw(st.sampled_from([None, "Bash", "Edit", "exec_command", "mcp__a__b"])),
        status=draw(st.sampled_from(["success", "error", "timeout"])),
        duration_ms=draw(st.sampled_from([None, 0, 7, 900])),
        client_timestamp=draw(st.sampled_from([None, START_MS, START_MS - 5, 1])),
        model=draw(st.sampled_from([None, "opus", "opus-4"])),
        source=draw(st.sampled_from(["hook", "otel", "import"])),
        cost_nanos=sum(number * amount for number, amount in enumerate(figures.values(), 1)) or None,
        **figures,
    )


@pytest.mark.parametrize("event_type", ["tool_use", "session_end"])
@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_order_and_any_repetition_gives_the_same_event(event_type: str, data: st.DataObject) -> None:
    witnesses = data.draw(st.lists(told(event_type), min_size=1, max_size=3))
    again = data.draw(st.lists(st.sampled_from(witnesses), max_size=3))
    complete = content(all_of(witnesses))

    for order in permutations(witnesses):
        assert content(all_of([*order, *again])) == complete
        assert all_of([all_of(order), *again]) == all_of(order)


@settings(max_examples=300, deadline=None)
@given(known=told(), other=told())
def test_what_says_nothing_new_changes_nothing(known: EventRecord, other: EventRecord) -> None:
    if says_nothing_new(known, other):
        assert joined(known, other, LIMIT_BYTES) == known
    assert says_nothing_new(known, known)


@settings(max_examples=300, deadline=None)
@given(witnesses=st.lists(metadatas, min_size=2, max_size=3), limit_bytes=st.integers(0, 120))
def test_the_limit_holds_for_all_that_is_joined(witnesses: list[dict[str, Any]], limit_bytes: int) -> None:
    records = [record(metadata, limit_bytes) for metadata in witnesses]
    complete = all_of(records, limit_bytes)

    json.loads(complete.metadata)
    assert len(complete.metadata.encode()) <= max(limit_bytes, len("{}"))
    assert complete.payload_truncated >= max(each.payload_truncated for each in records)
    assert all_of([complete, records[-1]], limit_bytes) == complete


def test_the_columns_are_those_of_the_events() -> None:
    assert EventRecord._fields == (*EVENT_COLUMNS, "edited_path", "lines_added", "lines_removed")


def test_who_told_first_keeps_id_time_source_and_place() -> None:
    first = record(id=1, created_at=START_MS, source="hook", project="shop")
    second = record(id=0, created_at=START_MS + 9, source="import", project="web", branch="main")
    complete = all_of([first, second])
    assert (complete.id, complete.created_at, complete.source) == (1, START_MS, "hook")
    assert (complete.project, complete.branch) == ("shop", "main")


def test_a_failure_is_believed_and_changes_no_file() -> None:
    edit = {"file_path": "/a.py", "lines_added": 3, "lines_removed": 1}
    complete = in_both_orders(
        record(edit, tool_name="Edit"), record({"error": "no such text"}, tool_name="Edit", status="error")
    )
    assert (complete["status"], complete["edited_path"], complete["lines_added"]) == ("error", None, 0)
    assert complete["metadata"] == {"file_path": "/a.py", "error": "no such text"}


@pytest.mark.parametrize(
    ("one", "other", "kept"),
    [(None, 5, 5), (None, 0, 0), (0, 54, 54), (1858, 2019, 1858), (0, 0, 0)],
)
def test_the_shorter_duration_that_a_clock_could_tell_is_kept(
    one: int | None, other: int | None, kept: int
) -> None:
    assert in_both_orders(record(duration_ms=one), record(duration_ms=other))["duration_ms"] == kept


def test_a_tool_began_when_the_first_says() -> None:
    complete = in_both_orders(record(client_timestamp=START_MS + 50), record(client_timestamp=START_MS))
    assert complete["client_timestamp"] == START_MS


def test_what_a_fork_copied_belongs_to_where_it_happened_first() -> None:
    copied = record(session_id="fork", client_timestamp=START_MS + 1)
    complete = in_both_orders(copied, record(session_id="root", client_timestamp=START_MS))
    assert complete["session_id"] == "root"


def test_a_session_that_is_not_told_changes_none() -> None:
    assert all_of([record(), record(session_id="", client_timestamp=1)]).session_id == "s"


def test_the_fuller_text_is_kept() -> None:
    complete = in_both_orders(
        record({"command": "make tes", "prompt_id": "p"}), record({"command": "make test", "error": "x"})
    )
    assert complete["metadata"] == {"command": "make test", "prompt_id": "p", "error": "x"}


@pytest.mark.parametrize(
    ("one", "other", "kept"),
    [("mcp_tool", "mcp__db__query", "mcp__db__query"), ("exec_command", "apply_patch", "apply_patch")],
)
def test_the_name_that_says_more_is_kept(one: str, other: str, kept: str) -> None:
    assert in_both_orders(record(tool_name=one), record(tool_name=other))["tool_name"] == kept


def test_who_knows_the_tool_and_who_knows_the_file_together_know_an_edit() -> None:
    complete = in_both_orders(record(tool_name="Edit"), record({"file_path": "/a.py"}))
    assert complete["edited_path"] == "/a.py"


def test_the_figures_of_the_largest_output_are_kept_with_their_cost() -> None:
    early = record(tokens_in=9, tokens_out=2, cost_nanos=900)
    late = record(tokens_in=9, tokens_out=80, cost_nanos=950, model="opus")
    complete = in_both_orders(early, late)
    assert (complete["tokens_out"], complete["cost_nanos"], complete["model"]) == (80, 950, "opus")


def test_an_end_that_is_told_again_is_the_last_one() -> None:
    first = record({"total": 9000}, event_type="session_end", client_timestamp=START_MS)
    last = record({"total": 70}, event_type="session_end", client_timestamp=START_MS + 9)
    complete = in_both_orders(first, last)
    assert (complete["metadata"], complete["client_timestamp"]) == ({"total": 70}, START_MS + 9)


@pytest.mark.parametrize(
    ("event_id", "source", "completes"),
    [
        ("cc-tool-1", "hook", True),
        ("cdx-tool-1", "otel", True),
        ("import-cc-1", "import", True),
        ("cc-tool-1", "api", False),
        ("evt-1", "hook", False),
        (None, "hook", False),
    ],
)
def test_only_sources_that_share_ids_complete(event_id: str | None, source: str, *, completes: bool) -> None:
    assert is_witness(new_event(event_id=event_id, source=source)) is completes

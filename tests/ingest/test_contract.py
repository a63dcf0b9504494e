"""The event schema. Two ways lead in, a fast one and the full check; they have to agree."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ingest.contract import (
    EVENT_TYPES,
    LONGEST_MS,
    LONGEST_TEXT,
    MOST_DOLLARS,
    MOST_TOKENS,
    BodyFault,
    Fault,
    NewEvent,
    check_batch,
    check_event,
    decode_json,
    parse_batch,
    parse_event,
)
from tests.serving import event

LIMIT = 200
TEXTS = st.sampled_from(["", " ", "a", " a ", "a\0", "\ud800", "é", "x" * 5000, "success", "error", "2026-02-18"])
NUMBERS = st.sampled_from([0, 1, -1, 1.0, 1.5, 0.1, True, 10**10, 10**10 + 1, 2**63, 10**30, 1e300])
VALUES = st.none() | TEXTS | NUMBERS | st.sampled_from([[], {}, {"command": "x"}, {"message": "x" * 300}])
TIMES = st.sampled_from(["2026-02-18T18:06:41Z", "2026-02-18", "Feb 18, 2026", "no", "", " ", 5, None])
BODIES = st.fixed_dictionaries(
    {},
    optional={
        "session_id": st.sampled_from(["s", " s ", "", 5, None, "\ud800"]),
        "agent_type": st.sampled_from(["codex", " codex ", "", 5]),
        "event_type": st.sampled_from([*EVENT_TYPES, " error ", "nope", "", 5, None]),
        "status": st.sampled_from(["success", "error", "timeout", "", "bad", 5, None]),
        "event_id": VALUES,
        "tool_name": VALUES,
        "branch": VALUES,
        "project": VALUES,
        "model": VALUES,
        "source": VALUES,
        "tokens_in": VALUES,
        "tokens_out": VALUES,
        "cache_read_tokens": VALUES,
        "cache_write_tokens": VALUES,
        "duration_ms": VALUES,
        "cost_usd": VALUES,
        "client_timestamp": TIMES,
        "metadata": VALUES,
        "more": VALUES,
    },
)


@given(BODIES)
@example(event("s", "error"))
@example(event("s", status=""))
@example(event("s", client_timestamp=" "))
def test_the_fast_way_and_the_full_check_agree(body: dict[str, Any]) -> None:
    """Of numbers that only one of JSON's two decoders can hold, both say that they are wrong."""
    assert parse_event(json.dumps(body).encode(), LIMIT) == check_event(json.loads(json.dumps(body)), LIMIT)


@given(st.lists(BODIES | st.integers() | st.none() | st.lists(st.none()), max_size=5))
def test_a_batch_is_each_of_its_events_alone(bodies: list[Any]) -> None:
    parsed = parse_batch(json.dumps({"events": bodies}).encode(), LIMIT)
    alone = [check_event(body, LIMIT) for body in bodies]
    assert parsed.events == [outcome for outcome in alone if isinstance(outcome, NewEvent)]
    assert parsed.rejected == [
        (index, outcome) for index, outcome in enumerate(alone) if isinstance(outcome, list)
    ]


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_every_event_type_is_taken(event_type: str) -> None:
    parsed = check_event(event("s", event_type), LIMIT)
    assert isinstance(parsed, NewEvent)
    assert parsed.status == ("error" if event_type == "error" else "success")


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("tokens_in", MOST_TOKENS),
        ("tokens_out", MOST_TOKENS),
        ("cache_read_tokens", MOST_TOKENS),
        ("cache_write_tokens", MOST_TOKENS),
        ("duration_ms", LONGEST_MS),
        ("cost_usd", MOST_DOLLARS),
    ],
)
def test_numbers_reach_their_limit_and_no_further(name: str, most: int) -> None:
    assert isinstance(check_event(event("s") | {name: most}, LIMIT), NewEvent)
    for value in (most + 1, -1):
        faults = check_event(event("s") | {name: value}, LIMIT)
        assert isinstance(faults, list)
        assert [fault.field for fault in faults] == [name]


def test_texts_reach_their_limit_and_no_further() -> None:
    assert isinstance(check_event(event("x" * LONGEST_TEXT), LIMIT), NewEvent)
    assert check_event(event("x" * (LONGEST_TEXT + 1)), LIMIT) == [
        Fault("session_id", f"must be at most {LONGEST_TEXT} characters")
    ]


@pytest.mark.parametrize(
    ("dollars", "nanos"), [(0, 0), (0.1, 100_000_000), (1e-9, 1), (0.008304, 8_304_000), (3, 3 * 10**9)]
)
def test_a_stated_cost_becomes_whole_nano_dollars(dollars: float, nanos: int) -> None:
    parsed = parse_event(json.dumps(event("s", cost_usd=dollars)).encode(), LIMIT)
    assert isinstance(parsed, NewEvent)
    assert parsed.cost_nanos == nanos


class TestDecoding:
    @pytest.mark.parametrize("value", [{"a": 1}, [1], None, {"\ud800": ["\udfff"]}])
    def test_of_json_and_of_json_in_a_json_text(self, value: object) -> None:
        once = json.dumps(value)
        assert decode_json(once.encode()) == value
        assert decode_json(json.dumps(once).encode()) == value

    @pytest.mark.parametrize(
        "body", [b"", b"{", b"NaN", b'{"a":Infinity}', b"\xff", b'"{"', b"[" * 100_000, b"9" * 5000]
    )
    def test_of_anything_else_is_one_fault(self, body: bytes) -> None:
        with pytest.raises(BodyFault):
            decode_json(body)

    @pytest.mark.parametrize("value", [None, [], "x", 5, {}, {"events": None}, {"events": {}}, {"events": "x"}])
    def test_of_a_batch_wants_a_list(self, value: object) -> None:
        with pytest.raises(BodyFault):
            check_batch(value, LIMIT)

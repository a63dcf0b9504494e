"""Laws of merging the witnesses of one call: any order and any repetition give the same row."""

from functools import reduce

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ingest.ledger import METRIC, OTLP, STATED, TRANSCRIPT, LedgerRow, merge
from pricing.usage import Usage

names = st.sampled_from(["a1", "a2"])


@st.composite
def rows(draw: st.DrawFn) -> LedgerRow:
    return LedgerRow(
        agent_type="claude_code",
        call_key="request:r1",
        session_id=draw(st.sampled_from(["s1", "s2"])),
        model="claude-opus-4-8",
        called_at=draw(st.integers(0, 2)),
        received_at=draw(st.integers(0, 2)),
        usage=Usage(output_tokens=draw(st.integers(1, 3))),
        authority=draw(st.sampled_from([METRIC, STATED, OTLP, TRANSCRIPT])),
        given_cost_nanos=None,
        witnesses=[],
        subagent_id=draw(st.none() | names),
    )


def merged(told: list[LedgerRow]) -> LedgerRow:
    return reduce(merge, [msgspec.structs.replace(row) for row in told[1:]], told[0])


def row(authority: int, subagent_id: str | None, called_at: int = 1) -> LedgerRow:
    return LedgerRow(
        agent_type="claude_code",
        call_key="request:r1",
        session_id="s1",
        model="claude-opus-4-8",
        called_at=called_at,
        received_at=1,
        usage=Usage(output_tokens=5),
        authority=authority,
        given_cost_nanos=None,
        witnesses=[],
        subagent_id=subagent_id,
    )


@given(
    st.lists(rows(), min_size=1, max_size=4).flatmap(lambda told: st.tuples(st.just(told), st.permutations(told)))
)
def test_any_order_and_repetition_name_the_same_subagent(orders: tuple[list[LedgerRow], list[LedgerRow]]) -> None:
    told, shuffled = orders
    assert merged(shuffled).subagent_id == merged(told).subagent_id
    assert merged([*told, *shuffled]).subagent_id == merged(told).subagent_id


def test_telemetry_that_names_no_subagent_takes_the_word_of_an_unfinished_line() -> None:
    assert merged([row(STATED, "a1"), row(OTLP, None)]).subagent_id == "a1"


def test_a_call_that_stands_in_the_main_transcript_too_is_the_main_conversations() -> None:
    assert merged([row(TRANSCRIPT, "a1"), row(TRANSCRIPT, None)]).subagent_id is None
    assert merged([row(TRANSCRIPT, None), row(OTLP, "a1")]).subagent_id is None


def test_of_two_subagents_the_one_that_made_the_call_first_keeps_it() -> None:
    assert merged([row(TRANSCRIPT, "a1", called_at=2), row(TRANSCRIPT, "a2", called_at=1)]).subagent_id == "a2"

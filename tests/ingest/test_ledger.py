"""Laws of merging: whatever the order and the repetitions of what witnesses tell of one call, one row."""

from functools import reduce

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from ingest.ledger import IMPORT, OTLP, STATED, TRANSCRIPT, LedgerRow, Witness, merge
from pricing.usage import Usage

WRITTEN = 9


def row(
    authority: int, written_1h: int, output: int = 5, called_at: int = 0, session: str = "s", ref: str = "f:1"
) -> LedgerRow:
    return LedgerRow(
        agent_type="claude_code",
        call_key="request:r",
        session_id=session,
        model="claude-opus-4-8",
        called_at=called_at,
        received_at=called_at,
        usage=Usage(10, 20, WRITTEN - written_1h, written_1h, output),
        authority=authority,
        given_cost_nanos=None,
        witnesses=[Witness("otel" if authority == OTLP else IMPORT, ref, called_at)],
    )


rows = st.builds(
    row,
    authority=st.sampled_from([STATED, OTLP, TRANSCRIPT]),
    written_1h=st.integers(0, WRITTEN),
    output=st.integers(1, 3),
    called_at=st.integers(0, 3),
    session=st.sampled_from("ab"),
    ref=st.sampled_from(["f:1", "f:2"]),
)


def merged(told: list[LedgerRow]) -> LedgerRow:
    found = reduce(merge, map(msgspec.structs.replace, told), None)
    assert found is not None
    return msgspec.structs.replace(found, witnesses=[])


@given(told=st.lists(rows, min_size=1, max_size=6), data=st.data())
def test_any_order_and_any_repetition_give_the_same_row(told: list[LedgerRow], data: st.DataObject) -> None:
    again = data.draw(st.permutations(told + data.draw(st.lists(st.sampled_from(told), max_size=4))))
    assert merged(again) == merged(told)


def test_telemetry_that_outranks_an_unfinished_answer_keeps_its_split() -> None:
    unfinished, telemetry = row(STATED, 4, output=1), row(OTLP, 0, output=50)
    for told in ([unfinished, telemetry], [telemetry, unfinished], [telemetry, unfinished, telemetry]):
        assert merged(told).usage == Usage(10, 20, 5, 4, 50)


def test_a_split_of_another_sum_is_not_kept() -> None:
    unfinished, telemetry = row(STATED, 4, output=1), row(OTLP, 0, output=50)
    unfinished.usage = Usage(10, 20, 1, 4, 1)
    assert merged([unfinished, telemetry]).usage == merged([telemetry, unfinished]).usage == telemetry.usage


def test_the_word_of_a_transcript_is_worth_more_than_what_a_cost_lets_guess() -> None:
    unfinished, telemetry = row(STATED, 0, output=1), row(OTLP, 6, output=50)
    assert merged([unfinished, telemetry, telemetry]).usage == Usage(10, 20, 9, 0, 50)
    assert merged([telemetry, unfinished]).usage == Usage(10, 20, 9, 0, 50)

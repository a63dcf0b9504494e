from typing import Any

import pytest

from ingest.ledger import METRIC
from ingest.otlp.cumulative import CumulativeState
from ingest.otlp.service import OtlpOutcome, read_metrics
from pricing.usage import Usage
from tests.ingest.otlp.bodies import JSON, PROTOBUF, TIME_NS, as_json, as_protobuf, metrics, point

TOKENS, COST = "claude_code.token.usage", "claude_code.cost.usage"
MODEL = "claude-sonnet-4-5"
SECOND_NS = 1_000_000_000


def read(
    payload: Any, state: CumulativeState | None = None, sessions_with_logs: tuple[str, ...] = ()
) -> OtlpOutcome:
    outcome = read_metrics(as_json(payload), JSON, state or CumulativeState(), sessions_with_logs)
    assert outcome.answer.status == 200
    return outcome


def tokens(value: float, at_ns: int | None = TIME_NS, session: str = "s-1", **attributes: Any) -> dict[str, Any]:
    return point(value, at_ns, **{"session__id": session, "model": MODEL, "type": "output"} | attributes)


@pytest.mark.parametrize(
    ("token_type", "usage"),
    [
        ({"type": "input"}, Usage(uncached_input_tokens=7)),
        ({"type": "output"}, Usage(output_tokens=7)),
        ({"type": "cacheRead"}, Usage(cache_read_tokens=7)),
        ({"type": "cache_read"}, Usage(cache_read_tokens=7)),
        ({"type": "cacheCreation"}, Usage(cache_write_5m_tokens=7)),
        ({"type": "cache_creation"}, Usage(cache_write_5m_tokens=7)),
        ({"type": "cache_write"}, Usage(cache_write_5m_tokens=7)),
        ({"type": None, "token__type": "output"}, Usage(output_tokens=7)),
        ({"type": None}, Usage(uncached_input_tokens=7)),
        ({"type": "other"}, Usage(uncached_input_tokens=7)),
    ],
)
def test_a_point_is_an_event_with_tokens_of_its_type(token_type: dict[str, Any], usage: Usage) -> None:
    [event] = read(metrics(TOKENS, tokens(7, **token_type))).events

    assert (event.event_type, event.status, event.source, event.model) == (
        "llm_response",
        "success",
        "otel",
        MODEL,
    )
    assert event.metadata == '{"_synthetic":true,"_source":"otel_metric"}'
    assert event.call is not None
    assert (event.call.usage, event.call.authority) == (usage, METRIC)


def test_a_cost_is_an_event_with_a_cost_alone() -> None:
    [event] = read(metrics(COST, tokens(0.05))).events

    assert (event.cost_nanos, event.tokens_in, event.tokens_out) == (50_000_000, 0, 0)


def test_both_encodings_are_read_alike() -> None:
    payload = metrics(TOKENS, tokens(7), tokens(8))

    assert read_metrics(as_protobuf(payload), PROTOBUF, CumulativeState()).events == read(payload).events


@pytest.mark.parametrize("prefix", ["claude_code", "codex_cli_rs", "gen_ai.client"])
def test_only_the_contract_s_metrics_count(prefix: str) -> None:
    assert len(read(metrics(f"{prefix}.token.usage", tokens(1))).events) == 1
    assert len(read(metrics(f"{prefix}.cost.usage", tokens(1))).events) == 1

    other = read(metrics(f"{prefix}.session.count", tokens(1)))
    assert (other.events, other.dropped) == ([], {f"{prefix}.session.count": 1})


def test_a_point_without_a_session_belongs_to_the_unknown_one() -> None:
    [event] = read(metrics(TOKENS, point(5))).events

    assert event.session_id == "unknown"


@pytest.mark.parametrize("value", [0, -5])
def test_nothing_added_is_no_event(value: float) -> None:
    outcome = read(metrics(TOKENS, tokens(value)))

    assert (outcome.events, outcome.rejected) == ([], 0)


@pytest.mark.parametrize("value", [1e11, -1e11])
def test_amounts_that_cannot_be_true_are_rejected_alone(value: float) -> None:
    outcome = read(metrics(TOKENS, tokens(5), tokens(value)))

    assert (len(outcome.events), outcome.rejected) == (1, 1)
    assert b'"rejectedDataPoints":"1"' in outcome.answer.body


def test_a_delta_sent_again_is_the_same_event() -> None:
    payload = metrics(TOKENS, tokens(5))

    assert read(payload).events == read(payload).events
    assert read(payload).events[0].event_id is not None


def cumulative(state: CumulativeState, *points: dict[str, Any]) -> list[int]:
    outcome = read(metrics(TOKENS, *points, temporality=2), state)
    return [event.tokens_out for event in outcome.events]


def test_cumulative_points_add_what_they_grew_by() -> None:
    state = CumulativeState()

    assert cumulative(state, tokens(1000, TIME_NS)) == [1000]
    assert cumulative(state, tokens(1500, TIME_NS + SECOND_NS)) == [500]
    assert cumulative(state, tokens(1500, TIME_NS + 2 * SECOND_NS)) == []
    assert cumulative(state, tokens(100, TIME_NS + 3 * SECOND_NS)) == [100]
    assert cumulative(state, tokens(180, TIME_NS + 4 * SECOND_NS)) == [80]


def test_a_body_sent_again_later_adds_nothing() -> None:
    state = CumulativeState()
    first, second = tokens(1000, TIME_NS), tokens(1500, TIME_NS + SECOND_NS)

    cumulative(state, first)
    cumulative(state, second)

    assert cumulative(state, first) == []
    assert cumulative(state, second) == []


def test_several_exporters_and_restarts_have_totals_of_their_own() -> None:
    state = CumulativeState()
    one = tokens(1000) | {"startTimeUnixNano": str(TIME_NS - 2 * SECOND_NS)}
    other = tokens(300) | {"startTimeUnixNano": str(TIME_NS - SECOND_NS)}
    sub_agent = tokens(20, query_source="agent")

    assert cumulative(state, one, other, sub_agent) == [1000, 300, 20]


def test_what_could_not_be_stored_is_told_again() -> None:
    state = CumulativeState()
    payload = metrics(TOKENS, tokens(1000), temporality=2)

    failed = read(payload, state)
    state.give_back(failed.taken)

    assert [event.tokens_out for event in read(payload, state).events] == [1000]
    assert read(payload, state).events == []


def test_points_of_sessions_that_logs_tell_of_only_confirm() -> None:
    payload = metrics(TOKENS, tokens(5, session="logged"), tokens(6, session="silent"))

    outcome = read(payload, sessions_with_logs=("logged",))

    assert [event.session_id for event in outcome.events] == ["silent"]
    assert outcome.dropped == {"metric points that only confirm": 1}


def with_cost(payload: dict[str, Any], cost: dict[str, Any]) -> dict[str, Any]:
    [added] = metrics(COST, cost)["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
    payload["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].append(added)
    return payload


def test_tokens_beside_their_cost_cost_nothing_themselves() -> None:
    outcome = read(with_cost(metrics(TOKENS, tokens(5), tokens(6, model="other")), tokens(0.01)))

    assert [(event.tokens_out, event.cost_nanos) for event in outcome.events] == [
        (5, 0),
        (6, None),
        (0, 10_000_000),
    ]
    assert [event.call.cost_nanos for event in outcome.events if event.call] == [0, None, 10_000_000]


def test_a_gauge_is_read_as_what_was_added() -> None:
    payload = metrics(TOKENS)
    metric = payload["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]
    metric["gauge"] = {"dataPoints": [tokens(4)]}
    del metric["sum"]

    assert [event.tokens_out for event in read(payload).events] == [4]

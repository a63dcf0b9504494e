from typing import Any

import pytest

from ingest.ledger import call_of, usage_of
from ingest.metric_ledger import event_of
from ingest.otlp.service import OtlpOutcome, read_metrics
from pricing.usage import Usage
from tests.ingest.otlp.bodies import JSON, PROTOBUF, TIME_NS, as_json, as_protobuf, metrics, point

TOKENS, COST = "claude_code.token.usage", "claude_code.cost.usage"
MODEL = "claude-sonnet-4-5"
SECOND_NS = 1_000_000_000


def read(payload: Any) -> OtlpOutcome:
    outcome = read_metrics(as_json(payload), JSON)
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
def test_a_point_is_an_event_with_tokens_of_its_kind(token_type: dict[str, Any], usage: Usage) -> None:
    [told] = read(metrics(TOKENS, tokens(7, **token_type))).readings
    event = event_of(told, told.amount)

    assert getattr(usage, told.kind) == 7
    assert usage_of(event) == usage
    assert (event.event_type, event.status, event.source, event.model) == (
        "llm_response",
        "success",
        "otel",
        MODEL,
    )
    assert event.metadata == '{"_synthetic":true,"_source":"otel_metric"}'
    assert call_of(event, 1) is None, "the sums count it"


def test_a_cost_is_an_event_with_a_cost_alone() -> None:
    [told] = read(metrics(COST, tokens(0.05))).readings
    event = event_of(told, told.amount)

    assert (event.cost_nanos, event.tokens_in, event.tokens_out) == (50_000_000, 0, 0)


def test_both_encodings_are_read_alike() -> None:
    payload = metrics(TOKENS, tokens(7), tokens(8))

    assert read_metrics(as_protobuf(payload), PROTOBUF).readings == read(payload).readings


@pytest.mark.parametrize("prefix", ["claude_code", "codex_cli_rs", "gen_ai.client"])
def test_only_the_contract_s_metrics_count(prefix: str) -> None:
    assert len(read(metrics(f"{prefix}.token.usage", tokens(1))).readings) == 1
    assert len(read(metrics(f"{prefix}.cost.usage", tokens(1))).readings) == 1

    other = read(metrics(f"{prefix}.session.count", tokens(1)))
    assert (other.readings, other.dropped) == ([], {f"{prefix}.session.count": 1})


def test_a_point_without_a_session_belongs_to_the_unknown_one() -> None:
    [told] = read(metrics(TOKENS, point(5))).readings

    assert told.session_id == "unknown"


@pytest.mark.parametrize("value", [0, -5])
def test_nothing_added_is_no_event(value: float) -> None:
    outcome = read(metrics(TOKENS, tokens(value)))

    assert (outcome.readings, outcome.rejected) == ([], 0)


@pytest.mark.parametrize("value", [1e11, -1e11])
def test_amounts_that_cannot_be_true_are_rejected_alone(value: float) -> None:
    outcome = read(metrics(TOKENS, tokens(5), tokens(value)))

    assert (len(outcome.readings), outcome.rejected) == (1, 1)
    assert b'"rejectedDataPoints":"1"' in outcome.answer.body


def test_a_delta_sent_again_is_the_same_reading() -> None:
    payload = metrics(TOKENS, tokens(5), tokens(5))

    assert read(payload).readings == read(payload).readings
    assert len({told.event_id for told in read(payload).readings} - {None}) == 2


def test_a_total_names_its_series_and_a_delta_does_not() -> None:
    [total] = read(metrics(TOKENS, tokens(5), temporality=2)).readings
    [delta] = read(metrics(TOKENS, tokens(5))).readings

    assert total.series is not None
    assert delta.series is None


def test_several_exporters_and_restarts_have_totals_of_their_own() -> None:
    one = tokens(1000) | {"startTimeUnixNano": str(TIME_NS - 2 * SECOND_NS)}
    other = tokens(300) | {"startTimeUnixNano": str(TIME_NS - SECOND_NS)}
    sub_agent = tokens(20, query_source="agent")

    assert len({told.series for told in read(metrics(TOKENS, one, other, sub_agent, temporality=2)).readings}) == 3


def with_cost(payload: dict[str, Any], cost: dict[str, Any]) -> dict[str, Any]:
    [added] = metrics(COST, cost)["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
    payload["resourceMetrics"][0]["scopeMetrics"][0]["metrics"].append(added)
    return payload


def test_tokens_beside_their_cost_cost_nothing_themselves() -> None:
    outcome = read(with_cost(metrics(TOKENS, tokens(5), tokens(6, model="other")), tokens(0.01)))

    told = outcome.readings
    assert [(one.kind, one.amount, one.is_paid) for one in told] == [
        ("output_tokens", 5, True),
        ("output_tokens", 6, False),
        ("cost_nanos", 10_000_000, False),
    ]
    assert [event_of(one, one.amount).cost_nanos for one in told] == [0, None, 10_000_000]


def test_a_gauge_is_read_as_what_was_added() -> None:
    payload = metrics(TOKENS)
    metric = payload["resourceMetrics"][0]["scopeMetrics"][0]["metrics"][0]
    metric["gauge"] = {"dataPoints": [tokens(4)]}
    del metric["sum"]

    assert [told.amount for told in read(payload).readings] == [4]

"""What holds for the log records of every agent."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.contract import MOST_TOKENS, NewEvent
from ingest.ledger import OTLP
from pricing.usage import Usage
from tests.ingest.otlp.bodies import TIME_NS, any_value, dropped, log_record, logs, metadata, only_event, read

SESSION_PLACES = ("session.id", "gen_ai.session.id", "conversation.id")


@pytest.mark.parametrize(
    ("service", "agent_type"),
    [
        ("claude-code", "claude_code"),
        ("Claude Desktop", "claude_code"),
        ("codex_exec", "codex"),
        ("gemini-cli", "gemini_cli"),
        ("My Agent", "My Agent"),
        ("", "unknown"),
    ],
)
def test_the_agent_is_told_by_the_name_of_the_service(service: str, agent_type: str) -> None:
    assert only_event({"event.name": "x.error"}, service=service).agent_type == agent_type


def test_the_sdk_s_name_tells_the_agent_too() -> None:
    outcome = read(
        logs(log_record({"event.name": "a.error", "session.id": "s"}), **{"telemetry.sdk.name": "codex-otel"})
    )

    assert outcome.events[0].agent_type == "codex"


@pytest.mark.parametrize("place", [*SESSION_PLACES, "gen_ai.conversation.id"])
def test_the_session_is_found_on_record_and_resource(place: str) -> None:
    on_record = read(logs(log_record({"event.name": "x.error", place: "s-9"})))
    on_resource = read(logs(log_record({"event.name": "x.error"}), **{place: "s-9"}))

    assert on_record.events[0].session_id == "s-9"
    assert on_resource.events[0].session_id == "s-9"


def test_the_session_of_the_record_goes_before_that_of_the_resource_and_the_body() -> None:
    record = log_record(
        {"event.name": "x.error", "conversation.id": "mine"}, body=any_value('{"session_id":"body"}')
    )

    assert read(logs(record, **{"session.id": "ours"})).events[0].session_id == "mine"


def test_the_session_may_stand_in_the_body() -> None:
    record = log_record({"event.name": "x.error"}, body=any_value({"session_id": "from the body"}))

    assert read(logs(record)).events[0].session_id == "from the body"


def test_a_record_without_a_session_is_dropped_and_counted() -> None:
    outcome = read(logs(log_record({"event.name": "x.error"})))

    assert (outcome.events, outcome.rejected, outcome.dropped) == ([], 0, {"no session": 1})
    assert outcome.answer.body == b"{}"


@pytest.mark.parametrize(
    ("name", "event_type"),
    [
        ("x.tool_result", "tool_use"),
        ("x.y.tool_use", "tool_use"),
        ("api_request", "llm_request"),
        ("x.api_response", "llm_response"),
        ("x.session_start", "session_start"),
        ("x.session_end", "session_end"),
        ("x.file_change", "file_change"),
        ("x.git_commit", "git_commit"),
        ("x.plan_step", "plan_step"),
        ("x.error", "error"),
        ("x.user_prompt", "user_prompt"),
        ("x.user_prompt_submit", "user_prompt"),
    ],
)
@pytest.mark.parametrize("service", ["claude-code", "codex", "gemini-cli", "other"])
def test_the_last_part_of_the_name_tells_the_type_of_event(name: str, event_type: str, service: str) -> None:
    assert only_event({"event.name": name}, service=service).event_type == event_type


@pytest.mark.parametrize("service", ["claude-code", "codex", "gemini-cli", "other"])
def test_other_names_are_errors_by_severity_or_dropped(service: str) -> None:
    error = only_event({"event.name": "x.y"}, service=service, severityText="ERROR", body=any_value("bad thing"))

    assert (error.event_type, error.status) == ("error", "error")
    assert metadata(error) == {"message": "bad thing", "otel_event_name": "x.y"}
    assert dropped({"event.name": "x.y"}, service=service) == {"x.y": 1}


def test_the_name_may_stand_elsewhere() -> None:
    assert only_event({"name": "x.error"}).event_type == "error"
    assert only_event({}, eventName="x.error").event_type == "error"


def columns(event: NewEvent) -> tuple[object, ...]:
    return event.tool_name, event.model, event.duration_ms, event.project, event.branch


def test_fields_come_from_attributes_before_the_body() -> None:
    body = {"tool_name": "Read", "model": "o3", "duration_ms": 7, "project": "p", "branch": "b", "more": [1]}
    attributes = {"tool.name": "Bash", "gen_ai.request.model": "o3-pro", "gen_ai.latency": "5", "project": "q"}

    alone = only_event({"event.name": "x.tool_use"}, body=any_value(body))
    both = only_event({"event.name": "x.tool_use"} | attributes, body=any_value(body))

    assert columns(alone) == ("Read", "o3", 7, "p", "b")
    assert columns(both) == ("Bash", "o3-pro", 5, "q", "b")
    assert metadata(both) == {"more": [1], "otel_event_name": "x.tool_use"}


def test_a_body_of_json_text_is_as_good_as_a_map() -> None:
    event = only_event({"event.name": "x.tool_use"}, body=any_value('{"tool_name":"Read","why":"because"}'))

    assert event.tool_name == "Read"
    assert metadata(event)["why"] == "because"


@pytest.mark.parametrize("body", ["not JSON", "[1]", "{broken", "5"])
def test_any_other_text_is_a_message(body: str) -> None:
    assert metadata(only_event({"event.name": "x.tool_use"}, body=any_value(body)))["message"] == body


@pytest.mark.parametrize("name", ["gen_ai.prompt", "message", "prompt", "codex.prompt", "gen_ai.content.prompt"])
def test_a_prompt_s_text_is_found_in_its_attributes(name: str) -> None:
    assert metadata(only_event({"event.name": "x.user_prompt", name: "Do it"}))["message"] == "Do it"


def test_a_prompt_s_text_in_the_body_goes_first() -> None:
    event = only_event({"event.name": "x.user_prompt", "prompt": "no"}, body=any_value({"message": "yes"}))

    assert metadata(event)["message"] == "yes"


@pytest.mark.parametrize("success", [False, "false"])
def test_what_did_not_succeed_has_the_status_error(success: Any) -> None:
    assert only_event({"event.name": "x.tool_use", "success": success}).status == "error"
    assert only_event({"event.name": "x.tool_use", "success": "true"}).status == "success"


@pytest.mark.parametrize("number", [100, "100", 100.0, "100.0"])
def test_numbers_may_be_integers_reals_and_text(number: Any) -> None:
    event = only_event({"event.name": "x.api_response", "gen_ai.usage.input_tokens": number})

    assert event.tokens_in == 100


def test_input_is_net_of_the_cached_part_it_includes() -> None:
    counts = {"input_token_count": "1000", "cached_token_count": 400, "output_token_count": 5}
    event = only_event({"event.name": "x.api_response", **counts}, service="other")

    assert (event.tokens_in, event.cache_read_tokens, event.tokens_out) == (600, 400, 5)


@pytest.mark.parametrize(
    "counts",
    [
        {"gen_ai.usage.input_tokens": -1},
        {"gen_ai.usage.output_tokens": MOST_TOKENS + 1},
        {"gen_ai.usage.cache_read_input_tokens": 1e300},
        {"gen_ai.usage.cost": -0.01},
        {"gen_ai.usage.cost": 1e12},
    ],
)
def test_amounts_that_cannot_be_true_reject_the_record_alone(counts: dict[str, Any]) -> None:
    good = log_record({"event.name": "x.api_response", "session.id": "s", "gen_ai.usage.input_tokens": 1})
    bad = log_record({"event.name": "x.api_response", "session.id": "s", **counts})

    outcome = read(logs(good, bad, good))

    assert len(outcome.events) == 2
    assert outcome.rejected == 1
    assert b'"rejectedLogRecords":"1"' in outcome.answer.body


def test_a_duration_that_cannot_be_true_is_left_out() -> None:
    assert only_event({"event.name": "x.tool_use", "duration_ms": -5}).duration_ms is None


def test_a_stated_cost_is_kept() -> None:
    attributes = {"event.name": "x.api_response", "model": "gpt-4.1", "gen_ai.usage.cost": 0.5}
    event = only_event(attributes | {"gen_ai.usage.input_tokens": 10}, service="other")

    assert event.cost_nanos == 500_000_000
    assert event.call is not None
    assert event.call.cost_nanos == 500_000_000


def test_usage_makes_a_call_known_by_its_record() -> None:
    event = only_event(
        {"event.name": "x.api_response", "model": "o3", "gen_ai.usage.input_tokens": 10}, service="other"
    )

    assert event.call is not None
    assert event.call.key == f"otlp:{event.event_id}"
    assert event.call.usage == Usage(uncached_input_tokens=10)
    assert (event.call.authority, event.call.model, event.call.cost_nanos) == (OTLP, "o3", None)
    assert event.call.called_at_ms == event.client_at_ms == TIME_NS // 1_000_000


def test_no_usage_is_no_call() -> None:
    assert only_event({"event.name": "x.api_request", "model": "o3"}).call is None


def test_a_record_without_time_has_no_id_since_its_repetition_can_t_be_told() -> None:
    event = only_event({"event.name": "x.tool_use"}, time_ns=0)

    assert (event.event_id, event.client_at_ms) == (None, None)


def test_equal_records_in_one_body_are_different_events() -> None:
    record = log_record({"event.name": "x.tool_use", "session.id": "s"})

    ids = [event.event_id for event in read(logs(record, record, record)).events]

    assert len(set(ids)) == 3
    assert ids == [event.event_id for event in read(logs(record, record, record)).events]


@given(st.integers(1, 10**6), st.text(max_size=5), st.integers(0, 1))
def test_records_that_differ_have_different_ids(after_ns: int, said: str, sequence: int) -> None:
    first = log_record({"event.name": "x.tool_use", "session.id": "s", "event.sequence": 2})
    others = [
        log_record(
            {"event.name": "x.tool_use", "session.id": "s", "event.sequence": 2}, time_ns=TIME_NS + after_ns
        ),
        log_record({"event.name": "x.tool_use", "session.id": "s", "event.sequence": sequence}),
        log_record({"event.name": "x.tool_use", "session.id": "s", "event.sequence": 2, "said": said}),
        log_record({"event.name": "x.tool_use", "session.id": "t", "event.sequence": 2}),
    ]

    ids = {read(logs(record)).events[0].event_id for record in (first, *others)}

    assert len(ids) == len(others) + 1


def test_too_large_metadata_are_cut_to_valid_json() -> None:
    event = only_event({"event.name": "x.user_prompt", "prompt": "x" * 20_000})

    assert event.payload_truncated
    assert metadata(event)["_truncated"] is True


def test_odd_characters_become_storable_ones() -> None:
    body = b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"attributes":['
    body += b'{"key":"event.name","value":{"stringValue":"x.tool_use"}},'
    body += b'{"key":"session.id","value":{"stringValue":"a\\u0000b\\ud800"}},'
    body += b'{"key":"tool_name","value":{"stringValue":"  \\ud800 "}}]}]}]}]}'
    from ingest.otlp.service import read_logs
    from tests.ingest.otlp.bodies import JSON, LIMIT_BYTES

    [event] = read_logs(body, JSON, LIMIT_BYTES).events

    event.session_id.encode()
    assert "\0" not in event.session_id
    assert event.tool_name == "?"


def test_a_patch_names_its_first_file_and_counts_its_lines() -> None:
    patch = "*** Begin Patch\n*** Add File: a.py\n+x\n+y\n--- \n+++ \n*** Delete File: b.py\n-z\n*** End Patch"
    event = only_event({"event.name": "x.tool_use", "tool_name": "apply_patch"}, body=any_value({"input": patch}))

    assert (event.edited_path, event.lines_added, event.lines_removed) == ("a.py", 2, 1)
    assert metadata(event)["file_path"] == "a.py"


def test_ten_thousand_records_in_one_body_are_ten_thousand_events() -> None:
    record = log_record({"event.name": "x.tool_use", "session.id": "s"})

    outcome = read(logs(*[record] * 10_000))

    assert len({event.event_id for event in outcome.events}) == 10_000


record_values = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just({"a": [1]})
NAMES = [
    *("x.api_response", "codex.sse_event", "codex.response", "codex.tool_result", "tool_result", "x.user_prompt"),
    *(
        "gemini_cli.api_response",
        "gemini_cli.tool_call",
        "api_request",
        "x.y",
        "gen_ai.client.operation.exception",
    ),
]
KEYS = [
    *("session.id", "tool_name", "model", "gen_ai.usage.input_tokens", "input_token_count", "input_tokens"),
    *("cached_token_count", "duration_ms", "event.kind", "call_id", "arguments", "tool_input", "tool_use_id"),
    *("success", "error.message", "function_args", "metadata", "gen_ai.response.id", "request_id", "prompt.id"),
    *("cost_usd", "prompt", "type"),
]
record_bodies = record_values | st.dictionaries(
    st.sampled_from(["payload", "type", "message", "input", "error"]), record_values
)


@given(
    st.sampled_from(["claude-code", "codex", "gemini-cli", "other"]),
    st.sampled_from(NAMES),
    st.dictionaries(st.sampled_from(KEYS), record_values),
    record_bodies,
)
def test_any_values_give_an_event_a_rejection_or_a_drop(
    service: str, name: str, attributes: dict[str, Any], body: Any
) -> None:
    good = log_record({"event.name": "x.error", "session.id": "good"})
    record = log_record({"event.name": name, **attributes}, body=any_value(body))

    outcome = read(logs(good, record, good, service=service))

    assert outcome.answer.status == 200
    assert len(outcome.events) + outcome.rejected + sum(outcome.dropped.values()) == 3
    assert [event.session_id for event in outcome.events].count("good") >= 2

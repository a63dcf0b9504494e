from typing import Any

import pytest

from ingest.contract import NewEvent
from pricing.usage import Usage
from tests.ingest.otlp.bodies import metadata
from tests.ingest.otlp.bodies import only_event as event_of


def only_event(attributes: dict[str, Any]) -> NewEvent:
    return event_of(attributes, service="my-agent")


DETAILS: dict[str, Any] = {
    "event.name": "gen_ai.client.inference.operation.details",
    "gen_ai.request.model": "gpt-4.1",
    "gen_ai.response.model": "gpt-4.1-2025-04-14",
    "gen_ai.response.id": "resp_1",
    "gen_ai.provider.name": "openai",
    "gen_ai.operation.name": "chat",
}


def test_an_inference_is_a_call_known_by_its_response_and_priced_by_what_answered() -> None:
    usage = {
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 5,
        "gen_ai.usage.cache_read.input_tokens": 60,
    }
    event = only_event(DETAILS | usage)

    assert (event.event_type, event.agent_type, event.model) == ("llm_response", "my-agent", "gpt-4.1")
    assert event.call is not None
    assert (event.call.key, event.call.model) == ("response:resp_1", "gpt-4.1-2025-04-14")
    assert event.call.usage == Usage(uncached_input_tokens=40, cache_read_tokens=60, output_tokens=5)
    assert metadata(event)["provider_name"] == "openai"


@pytest.mark.parametrize("names", [("input_tokens", "output_tokens"), ("prompt_tokens", "completion_tokens")])
def test_usage_is_found_under_present_and_former_names(names: tuple[str, str]) -> None:
    event = only_event(DETAILS | {f"gen_ai.usage.{names[0]}": 7, f"gen_ai.usage.{names[1]}": "3"})

    assert (event.tokens_in, event.tokens_out) == (7, 3)


def test_the_contract_s_own_cache_names_stand_beside_the_input() -> None:
    cache = {"gen_ai.usage.cache_read_input_tokens": 60, "gen_ai.usage.cache_creation_input_tokens": 30}
    event = only_event(DETAILS | {"gen_ai.usage.input_tokens": 100} | cache)

    assert (event.tokens_in, event.cache_read_tokens, event.cache_write_tokens) == (100, 60, 30)


def test_more_cache_than_input_cannot_be_within_it() -> None:
    event = only_event(DETAILS | {"gen_ai.usage.input_tokens": 10, "gen_ai.usage.cache_read.input_tokens": 60})

    assert (event.tokens_in, event.cache_read_tokens) == (10, 60)


def test_an_exception_is_an_error() -> None:
    event = only_event({"event.name": "gen_ai.client.operation.exception", "exception.message": "refused"})

    assert (event.event_type, event.status) == ("error", "error")
    assert metadata(event)["error"] == "refused"


def test_a_failed_inference_has_the_status_error() -> None:
    assert only_event(DETAILS | {"error.type": "timeout"}).status == "error"

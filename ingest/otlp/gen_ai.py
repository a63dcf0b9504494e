"""Log records of any other agent: the GenAI conventions of OpenTelemetry, present and former names. Pure."""

from typing import Final

from ingest.otlp.draft import Draft
from ingest.otlp.event_types import common_event_type
from ingest.otlp.keys import response_call_key
from ingest.otlp.reading import Reading, text

NAMED: Final = {
    "gen_ai.client.inference.operation.details": "llm_response",
    "gen_ai.client.operation.exception": "error",
}
DETAILS: Final = {
    "gen_ai.provider.name": "provider_name",
    "gen_ai.system": "provider_name",
    "gen_ai.operation.name": "operation",
    "gen_ai.agent.name": "agent_name",
    "gen_ai.response.id": "response_id",
    "gen_ai.tool.call.id": "call_id",
    "error.type": "error_type",
    "error.message": "error",
    "exception.message": "error",
}


def event_type(reading: Reading) -> str | None:
    return NAMED.get(reading.name or "") or common_event_type(reading)


def refine(reading: Reading, draft: Draft) -> None:
    attributes = reading.attributes
    # What answered is what is billed, whatever was asked for.
    draft.priced_model = text(attributes.get("gen_ai.response.model"))
    response_id = text(attributes.get("gen_ai.response.id"))
    if response_id:
        draft.call_key = response_call_key(response_id)
    if "error.type" in attributes:
        draft.status = "error"
    for name, ours in DETAILS.items():
        draft.note(**{ours: attributes.get(name)})

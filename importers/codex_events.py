"""The events that the contract gives a Codex session. Pure."""

from typing import Any, Final

from importers.buffer import Slot
from importers.codex_calls import CodexCall
from importers.codex_threads import Thread
from importers.fields import PREVIEW_CHARACTERS
from ingest.contract import NewCall, NewEvent
from ingest.ledger import TRANSCRIPT
from ingest.metadata import clean_text
from pricing.usage import Usage

CALL_MARKS: Final = {"_synthetic": True, "_source": "codex_session_jsonl"}


def opening_slot(event: NewEvent, thread: Thread) -> Slot:
    """session_start; the reference knows the originator only, under the name of the version."""
    metadata: dict[str, Any] = {}
    if thread.client_version or thread.originator:
        metadata["cli_version"] = thread.client_version or thread.originator
    if thread.cwd:
        metadata["cwd"] = thread.cwd
    if thread.client_version and thread.originator:
        metadata["originator"] = thread.originator
    return Slot(event, metadata, is_open=True)


def call_slot(event: NewEvent, call: CodexCall, ref: str, said: str, subagent_id: str | None) -> Slot:
    """llm_response with the usage of its call, and the start of what the agent said."""
    usage = call.usage
    event.tokens_in, event.tokens_out = usage.uncached_input_tokens, usage.output_tokens
    event.cache_read_tokens, event.cache_write_tokens = usage.cache_read_tokens, usage.cache_write_5m_tokens
    event.call = NewCall(
        key=call.key,
        usage=usage,
        model=event.model,
        called_at_ms=event.client_at_ms,
        authority=TRANSCRIPT,
        ref=ref,
        subagent_id=subagent_id,
    )
    preview = {"content_preview": clean_text(said[:PREVIEW_CHARACTERS])} if said else {}
    agent = {} if subagent_id is None else {"agent_id": subagent_id}
    return Slot(event, CALL_MARKS | preview | agent)


def totals(total: Usage) -> dict[str, Any]:
    """session_end: the last cumulative total, its input with the cached part, as Codex counts it."""
    return {
        "total_tokens_in": total.prompt_tokens,
        "total_tokens_out": total.output_tokens,
        "total_cache_read": total.cache_read_tokens,
    }

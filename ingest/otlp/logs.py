"""Log records → events, by the contract, and by what is known of each client. Pure.

A new client is one module with `event_type` and `refine`, and one line in CLIENTS.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from ingest.contract import NewEvent
from ingest.otlp import claude_code, codex, gemini_cli, gen_ai
from ingest.otlp.draft import Draft, begin, finish
from ingest.otlp.keys import RecordIds
from ingest.otlp.patches import parse_patch
from ingest.otlp.reading import CLAUDE_CODE, CODEX, GEMINI_CLI, Reading, unredacted
from ingest.otlp.records import LogRecord, RecordFault, Skipped

NO_SESSION: Final = "no session"
PROMPT_ATTRIBUTES: Final = ("gen_ai.prompt", "message", "prompt", "codex.prompt", "gen_ai.content.prompt")


class ClientMapping(NamedTuple):
    """`event_type` says what a record tells of (None: drop it); `refine` adds what only this client has."""

    event_type: Callable[[Reading], str | None]
    refine: Callable[[Reading, Draft], None]
    session_id: Callable[[Reading], str | None] = Reading.session_id


CLIENTS: Final = {
    CLAUDE_CODE: ClientMapping(claude_code.event_type, claude_code.refine),
    CODEX: ClientMapping(codex.event_type, codex.refine),
    GEMINI_CLI: ClientMapping(gemini_cli.event_type, gemini_cli.refine),
}
ANY_OTHER: Final = ClientMapping(gen_ai.event_type, gen_ai.refine, gen_ai.session_id_of)


def event_of(record: LogRecord, ids: RecordIds, payload_limit_bytes: int) -> NewEvent | Skipped:
    """The event that a record tells of. Raises RecordFault for amounts that can't be true.

    `ids` must be one object for all records of a body, and a new one for each body.
    """
    try:
        return _event_of(record, ids, payload_limit_bytes)
    except RecursionError:
        raise RecordFault("a body is nested too deep") from None


def _event_of(record: LogRecord, ids: RecordIds, payload_limit_bytes: int) -> NewEvent | Skipped:
    reading = Reading(record)
    client = CLIENTS.get(reading.agent_type, ANY_OTHER)
    event_type = client.event_type(reading)
    if event_type is None:
        return Skipped(reading.name or "no name")
    session_id = client.session_id(reading)
    if session_id is None:
        return Skipped(NO_SESSION)
    draft = begin(reading, session_id, event_type, ids.of_log(session_id, reading.name, record))
    client.refine(reading, draft)
    if event_type == "user_prompt":
        _note_prompt(reading, draft)
    if draft.tool_name == "apply_patch":
        _note_patch(draft)
    return finish(draft, reading.agent_type, record.time_ms, payload_limit_bytes)


def _note_prompt(reading: Reading, draft: Draft) -> None:
    for name in PROMPT_ATTRIBUTES:
        draft.note(message=unredacted(reading.attributes.get(name)))


def _note_patch(draft: Draft) -> None:
    for name in ("input", "arguments"):
        patch = parse_patch(draft.metadata.get(name))
        if patch is not None:
            draft.metadata |= patch._asdict()
            return

"""Whatever a body holds: it is read, or it is a HookFault; and what it becomes is what the contract accepts."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.contract import COUNT_LIMITS, TEXT_FIELDS, NewEvent, check_event
from ingest.hooks.claude_code import READERS, HookFault, read, read_body
from tests.ingest.hooks.bodies import LIMIT_BYTES

TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", " ", "\0", "\ud800", "x" * 5000, "rm -rf '", "rm -rf /", "/a/.env", "<task-notification>"]
    ),
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(2**80),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXTS,
)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)
)
KNOWN_KEYS = [
    "session_id",
    "transcript_path",
    "cwd",
    "permission_mode",
    "agent_id",
    "agent_type",
    "prompt_id",
    "session_title",
    "tool_name",
    "tool_use_id",
    "tool_input",
    "tool_response",
    "error",
    "is_interrupt",
    "duration_ms",
    "source",
    "model",
    "prompt",
    "message",
    "notification_type",
    "title",
    "background_tasks",
    "last_assistant_message",
    "trigger",
    "new_cwd",
    "to_model",
    "reason",
    "file_path",
    "lines_added",
]
TOOL_INPUTS = st.one_of(
    VALUES,
    st.dictionaries(
        st.sampled_from(["command", "file_path", "edits", "new_string", "content", "questions", "description"]),
        VALUES,
    ),
)
BODIES = st.builds(
    lambda fields, tool_input, name, session_id: (
        fields | {"tool_input": tool_input, "hook_event_name": name, "session_id": session_id}
    ),
    st.dictionaries(st.one_of(st.sampled_from(KNOWN_KEYS), TEXTS), VALUES, max_size=12),
    TOOL_INPUTS,
    st.one_of(st.sampled_from(sorted(READERS)), VALUES),
    st.one_of(st.just("s-1"), VALUES),
)


@settings(max_examples=400, deadline=None)
@given(body=st.one_of(BODIES, VALUES))
def test_any_value_is_read_or_refused(body: Any) -> None:
    try:
        outcome = read(body, payload_limit_bytes=LIMIT_BYTES, safety=True)
    except HookFault as fault:
        assert fault.faults
        return
    json.dumps(outcome.answer).encode()
    assert [facts.session_id for facts in outcome.facts] == [body["session_id"].strip()]
    for facts in outcome.facts:
        for text in (
            facts.project,
            facts.cwd,
            facts.title,
            facts.model,
            facts.state_detail,
            facts.transcript_path,
        ):
            assert text is None or (text and "\0" not in text and text.encode())
    for event in outcome.events:
        assert accepted(event) is None


@settings(max_examples=200, deadline=None)
@given(content=st.one_of(st.binary(max_size=200), BODIES.map(lambda body: json.dumps(body).encode())))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    try:
        outcome = read_body(content, payload_limit_bytes=LIMIT_BYTES, safety=False)
    except HookFault:
        return
    assert outcome.answer == {}


def test_deep_nesting_is_read_or_refused() -> None:
    for depth in (10, 500, 900, 5000):
        content = b'{"session_id":"s","hook_event_name":"New","x":' + b"[" * depth + b"]" * depth + b"}"
        try:
            outcome = read_body(content, payload_limit_bytes=LIMIT_BYTES, safety=True)
        except HookFault:
            continue
        assert len(outcome.events) == 1


def accepted(event: NewEvent) -> object:
    """None when the contract would take the event as it is; else what it says against it."""
    assert len(event.metadata.encode()) <= LIMIT_BYTES
    names = ("session_id", "agent_type", "event_type", "status", "source", *TEXT_FIELDS, *COUNT_LIMITS)
    wire = {name: getattr(event, name) for name in names} | {"metadata": json.loads(event.metadata)}
    checked = check_event(wire, LIMIT_BYTES)
    if not isinstance(checked, NewEvent):
        return checked
    different = [name for name in names if getattr(checked, name) != getattr(event, name)]
    return different or None

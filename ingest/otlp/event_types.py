"""What kind of event a log record tells of, by its name alone. Pure."""

from typing import Final

from ingest.otlp.reading import Reading

# By the part after the last dot, whoever the agent.
TYPES: Final = {
    "tool_result": "tool_use",
    "tool_use": "tool_use",
    "api_request": "llm_request",
    "api_response": "llm_response",
    "session_start": "session_start",
    "session_end": "session_end",
    "file_change": "file_change",
    "git_commit": "git_commit",
    "plan_step": "plan_step",
    "error": "error",
    "user_prompt": "user_prompt",
    "user_prompt_submit": "user_prompt",
    "user_message": "user_prompt",
}


def common_event_type(reading: Reading) -> str | None:
    """By name, else an error by severity, else None: dropped."""
    if reading.part in TYPES:
        return TYPES[reading.part]
    return "error" if reading.record.severity == "ERROR" else None

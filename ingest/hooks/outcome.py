"""What a hook body becomes."""

from typing import Any

import msgspec

from ingest.contract import NewEvent, SessionFacts


class HookOutcome(msgspec.Struct):
    """Events and facts to store, and the JSON object to answer: `{}`, or a decision in the client's form.

    `hook` is the name of the hook that it comes of.
    """

    events: list[NewEvent] = msgspec.field(default_factory=list)
    facts: list[SessionFacts] = msgspec.field(default_factory=list)
    answer: dict[str, Any] = msgspec.field(default_factory=dict)
    hook: str = "unknown"

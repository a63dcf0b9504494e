"""What a comparison of the ledger with its witnesses finds (importers.verify)."""

from typing import Any, Final

import msgspec

MISSING, DOUBLE, DIFFERS, CONFLICT, PRICE = "missing", "double", "differs", "conflict", "price"
KINDS: Final = (MISSING, DOUBLE, DIFFERS, CONFLICT, PRICE)


class Finding(msgspec.Struct):
    """One call that is not as it should be. `differences`: by field, what the ledger has and what it should have.

    Costs are nano-dollars, None for a call without a price; 0 in the ledger when it has no such call, and 0 as
    the right cost of a call that should not be there. In a conflict the transcript's word stands in the ledger,
    and the telemetry's beside it: which of them is right nobody can tell.
    """

    kind: str
    agent_type: str
    session_id: str
    call_key: str
    call_id: int | None
    where: str | None
    ledger_nanos: int | None
    right_nanos: int | None
    differences: dict[str, tuple[Any, Any]] = {}
    note: str | None = None


class CallCost(msgspec.Struct):
    """A call whose client states another cost than ours; nano-dollars."""

    call_id: int | None
    call_key: str
    stated_nanos: int
    our_nanos: int


class SessionCost(msgspec.Struct):
    """A session whose client states another cost than ours, over the calls for which it states one."""

    session_id: str
    calls: int
    stated_nanos: int
    our_nanos: int
    difference_nanos: int
    apart: list[CallCost]


class Verification(msgspec.Struct):
    """What was compared and what was found. `elsewhere` calls are told of by no transcript that is on disk."""

    files: int = 0
    bad_lines: int = 0
    calls_on_disk: int = 0
    calls_in_ledger: int = 0
    confirmed: int = 0
    elsewhere: int = 0
    agrees: bool = True
    findings: list[Finding] = []
    sessions: list[SessionCost] = []
    unreadable: list[dict[str, str]] = []

"""Where we answer otherwise than the recording, on purpose: each with its reason."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any, Final, NamedTuple

from tests.contract.comparing import AnyOf, Rows

Response = dict[str, Any]
Change = Callable[[Response], Response]
JSON: Final = "application/json; charset=utf-8"
WHOLE: Final = AnyOf(int)


class Deviation(NamedTuple):
    """Why, and the recorded response turned into the one that we give."""

    reason: str
    ours: Change


def answer(status: int, body: Any) -> Change:
    return lambda _: {"status": status, "content_type": JSON, "body": body}


def error(status: int, text: str) -> Change:
    return answer(status, {"error": text})


def field(value: Any, *path: str | int) -> Change:
    """The recorded answer with one value of its body replaced."""

    def change(response: Response) -> Response:
        fresh = deepcopy(response)
        place: Any = fresh["body"]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value
        return fresh

    return change


def rows(name: str, *ids: object) -> Change:
    """Rows in the order of these ids; those that were recorded have to be equal."""
    return lambda response: field(Rows(ids, response["body"][name]), name)(response)


def unknown_quotas(response: Response) -> list[Response]:
    """The recorded entry of a provider of which nothing is known, for each provider."""
    unknown, asked = response["body"]["quota_monitor"]
    return [unknown, unknown | {"provider": asked["provider"], "agent_type": asked["agent_type"]}]


def with_new_type(response: Response) -> Response:
    """The list of event types in messages, with the one that came later."""
    text = json.dumps(response).replace("plan_step, user_prompt", "plan_step, user_prompt, instruction_load")
    changed: Response = json.loads(text)
    return changed


def all_of(*changes: Change) -> Change:
    def change(response: Response) -> Response:
        for each in changes:
            response = each(response)
        return response

    return change


SAME_SECOND: Final = "among equal seconds the recorded order is accidental; ours is newest first"
NEW_TYPE: Final = "later: instruction_load is an event type"
JSON_ERRORS: Final = "ours: every error under /api is JSON"
NOT_AN_OBJECT: Final = {
    "error": "Invalid event payload",
    "details": [{"field": "body", "message": "must be a JSON object"}],
}
NEVER_A_500: Final = "later: metadata is always JSON, so that no read can fail over it"
SESSIONS: Final = {"sessions": AnyOf(list), "total": WHOLE}
DEV_FIRST: Final = ["dev", "feature/auth", "main"]
BRANCH_LABELS: Final = [
    {"value": "dev", "label": "late / dev"},
    {"value": "feature/auth", "label": "myapp / feature/auth"},
    {"value": "main", "label": "myapp / main"},
]
OWN_LIMITS: Final = [AnyOf(dict), AnyOf(dict)]
OWN_LIMITS_IN_STATS: Final = field(OWN_LIMITS, "usage_monitor")
HEALTH: Final = Deviation(
    "the figures are those of the moment",
    all_of(field(WHOLE, "uptime"), field(WHOLE, "db_size_bytes")),
)

DEVIATIONS: Final[dict[tuple[str, str], Deviation]] = {
    ("health", "ok"): HEALTH,
    ("events-ingest", "missing everything"): Deviation(NEW_TYPE, with_new_type),
    ("events-ingest", "each field wrong"): Deviation(NEW_TYPE, with_new_type),
    ("events-ingest", "string body"): Deviation(
        "later: a JSON text is decoded once more; what it holds is no object", answer(400, NOT_AN_OBJECT)
    ),
    ("events-ingest", "malformed JSON"): Deviation(JSON_ERRORS, answer(400, NOT_AN_OBJECT)),
    ("events-ingest", "over 1 MB"): Deviation(JSON_ERRORS, error(413, "The body is larger than the limit")),
    ("events-ingest", "wrong method"): Deviation(
        "ours: 405, the path exists for other methods", error(405, "Method Not Allowed")
    ),
    ("events-ingest", "unknown api path"): Deviation(JSON_ERRORS, error(404, "Not Found")),
    ("events-batch", "two good, one bad, one duplicate"): Deviation(NEW_TYPE, with_new_type),
    ("events-batch", "no body"): Deviation(
        "later: a body without a list is the same 400", error(400, "Expected { events: [...] }")
    ),
    ("sessions", "claude ended session is idle"): Deviation(
        "later: an idle session has not ended", field(None, "session", "ended_at")
    ),
    ("sessions", "exclude_status, agent_type, limit"): Deviation(
        SAME_SECOND, rows("sessions", "fx-talk", "fx-big")
    ),
    ("sessions", "revived"): Deviation("later: ended_at is null again", field(None, "session", "ended_at")),
    ("sessions", "list, all"): Deviation(
        f"{SAME_SECOND}; later: ended_at is null again",
        all_of(field(None, "sessions", 0, "ended_at"), rows("sessions", "fx-min", "fx-talk", "fx-batch")),
    ),
    ("events-list", "session filter"): Deviation(SAME_SECOND, rows("events", 28, 1)),
    ("events-list", "many filters"): Deviation(SAME_SECOND, rows("events", 22, 21)),
    ("events-list", "limit not a number"): Deviation(
        "the recording was shortened to 2 of 30 rows", rows("events", *range(30, 0, -1))
    ),
    ("events-list", "unknown parameter ignored"): Deviation(
        "ours: project is a filter", all_of(rows("events", 28), field(12, "total"))
    ),
    ("events-list", "since same day ISO T"): Deviation(
        "later: since is read as a time", all_of(rows("events", 30), field(30, "total"))
    ),
    ("events-list", "truncated rows"): Deviation(SAME_SECOND, rows("events", 15, 14, 13)),
    ("stats", "filled"): Deviation(SAME_SECOND, field(DEV_FIRST, "branches")),
    ("stats", "by agent"): Deviation(SAME_SECOND, field(DEV_FIRST, "branches")),
    ("filter-options", "filled"): Deviation(SAME_SECOND, field(BRANCH_LABELS, "branches")),
    ("session-detail", "limit 2"): Deviation(SAME_SECOND, rows("events", 27, 26)),
    ("session-detail", "limit not a number"): Deviation(
        "ours: the default limit", answer(200, {"session": AnyOf(dict), "events": Rows((5,), [])})
    ),
    ("string-metadata", "priority key too large: summary cut at the byte limit"): Deviation(
        "later: the two marks alone, which are still JSON",
        field('{"_truncated":true,"_original_bytes":18028}', "events", 0, "metadata"),
    ),
    ("string-metadata", "sessions list after the cut summary"): Deviation(NEVER_A_500, answer(200, SESSIONS)),
    ("string-metadata", "row"): Deviation(
        "later: a text is stored as a JSON text", field('"just text"', "events", 0, "metadata")
    ),
    ("string-metadata", "session detail after it"): Deviation(
        NEVER_A_500, answer(200, {"session": AnyOf(dict), "events": Rows((48,), [])})
    ),
    ("string-metadata", "sessions list after it"): Deviation(NEVER_A_500, answer(200, SESSIONS)),
    ("later", "health"): HEALTH,
    ("later", "stats carry live_sessions, active_agents, quota_monitor"): Deviation(
        "no client is started to ask for its quota; the usage monitor keeps the limits that its human set",
        all_of(lambda response: field(unknown_quotas(response), "quota_monitor")(response), OWN_LIMITS_IN_STATS),
    ),
    ("later", "usage-monitor is the same list"): Deviation(
        "the limits that its human set come first",
        lambda response: answer(200, [*OWN_LIMITS, *response["body"]])(response),
    ),
    ("later", "sessions list still works"): Deviation(SAME_SECOND, rows("sessions", "fx-str")),
}

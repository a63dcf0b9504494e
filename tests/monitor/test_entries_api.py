"""GET /api/sessions/{id}/entries and /api/entries/{id}: what a transcript says, in pages."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from monitor import queries_entries
from tests.monitor.entry_store import said, store_entries

HARD_ID = "a/b entries/\n?x=1"


@pytest.fixture(scope="module")
def stored(django_database: Path) -> Iterator[Path]:
    store_entries(
        django_database,
        # Not in the order of time; two of them at the same moment.
        said("third", key="c", after_ms=20, kind="tool_use", tool_name="Bash", tool_id="t-1"),
        said("first", key="a", kind="prompt"),
        said("second", key="b", after_ms=10, call_key="request:1"),
        said("fourth", key="d", after_ms=20, kind="tool_result", tool_id="t-1", is_error=True),
        said("of the agent", key="e", after_ms=15, subagent_id="a1"),
        project="shop",
    )
    store_entries(
        django_database, said("hard", key="h", session=HARD_ID), said("x" * 70_000, key="l", session="long")
    )
    yield django_database


def get(path: str, status: int = 200, **parameters: Any) -> Any:
    answer = Client().get(path, parameters)
    assert answer.status_code == status, answer.content
    return answer.json()


def entries(**parameters: Any) -> list[dict[str, Any]]:
    found = get("/api/sessions/s-1/entries", **parameters)["entries"]
    assert isinstance(found, list)
    return found


def texts(page: Any) -> list[str]:
    return [entry["text"] for entry in page["entries"]]


def test_entries_come_in_the_order_of_time_with_all_that_is_known(stored: Path) -> None:
    assert [entry["text"] for entry in entries()] == ["first", "second", "of the agent", "third", "fourth"]
    third = entries()[3]
    assert third.pop("position") == f"1800000000020-{third.pop('id')}"
    assert third == {
        "session_id": "s-1",
        "agent_type": "claude_code",
        "subagent_id": None,
        "kind": "tool_use",
        "at": "2027-01-15T08:00:00.020Z",
        "tool_name": "Bash",
        "tool_id": "t-1",
        "call_key": None,
        "is_error": False,
        "text": "third",
        "text_bytes": 5,
        "truncated": False,
    }


def test_filters(stored: Path) -> None:
    assert [entry["text"] for entry in entries(kind="prompt,tool_result")] == ["first", "fourth"]
    assert [entry["text"] for entry in entries(subagent_id="a1")] == ["of the agent"]
    assert entries(kind="compaction") == []


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 9])
def test_pages_from_either_end_hold_everything_once(stored: Path, limit: int) -> None:
    whole = [entry["text"] for entry in entries()]
    forward: list[str] = []
    place = ""
    while place is not None:
        page = get("/api/sessions/s-1/entries", limit=limit, after=place)
        forward += texts(page)
        place = page["next"]
    backward: list[str] = []
    place = "end"
    while place is not None:
        page = get("/api/sessions/s-1/entries", limit=limit, before=place)
        backward = texts(page) + backward
        place = page["previous"]
    assert (forward, backward) == (whole, whole)


def test_a_page_goes_on_from_any_entry(stored: Path) -> None:
    third = entries()[3]["position"]
    assert texts(get("/api/sessions/s-1/entries", after=third)) == ["fourth"]
    assert texts(get("/api/sessions/s-1/entries", before=third, limit=1)) == ["of the agent"]


def test_a_page_does_not_grow_beyond_what_can_be_read(stored: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries_entries, "LONGEST_PAGE_CHARACTERS", 12)
    page = get("/api/sessions/s-1/entries")
    assert texts(page) == ["first", "second"]
    assert texts(get("/api/sessions/s-1/entries", after=page["next"])) == ["of the agent"]


def test_a_cut_text_is_told_with_its_true_size(stored: Path) -> None:
    (entry,) = get("/api/sessions/long/entries")["entries"]
    assert (entry["text_bytes"], entry["truncated"]) == (70_000, True)
    assert len(entry["text"]) <= 64_000


def test_a_session_may_have_any_id(stored: Path) -> None:
    (entry,) = get("/api/sessions/a%2Fb%20entries%2F%0A%3Fx%3D1/entries")["entries"]
    assert entry["session_id"] == HARD_ID


def test_an_entry_has_an_address_of_its_own_and_tells_its_session(stored: Path) -> None:
    wanted = entries()[1]
    answer = get(f"/api/entries/{wanted['id']}")
    assert answer["entry"] == wanted
    assert (answer["session"]["id"], answer["session"]["project"]) == ("s-1", "shop")


@pytest.mark.parametrize("entry_id", ["0", "999999", "x", "-1", "9" * 30, "٣"])
def test_unknown_entries_are_not_found(stored: Path, entry_id: str) -> None:
    assert get(f"/api/entries/{entry_id}", 404) == {"error": "Entry not found"}


def test_unknown_sessions_are_not_found(stored: Path) -> None:
    assert get("/api/sessions/nobody/entries", 404) == {"error": "Session not found"}


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({"kind": "x"}, "kind"),
        ({"after": "x"}, "after"),
        ({"before": "1-"}, "before"),
        ({"before": "²-1"}, "before"),
    ],
)
def test_what_can_not_be_asked_is_refused_by_name(stored: Path, parameters: dict[str, str], field: str) -> None:
    assert get("/api/sessions/s-1/entries", 400, **parameters)["error"].startswith(f"{field}: ")


def test_the_routes_answer_reading_only(stored: Path) -> None:
    assert Client().post("/api/search?q=x").status_code == 405

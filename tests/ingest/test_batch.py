"""POST /api/events/batch, through both doors."""

from uuid import uuid4

import pytest

from tests.doors import Door, events_of, post_batch, send_json
from tests.serving import event


def test_each_event_stands_alone(door: Door, session_id: str) -> None:
    known = f"e-{uuid4()}"
    reply = post_batch(
        door,
        event(session_id, event_id=known),
        {"session_id": session_id},
        event(session_id, event_id=known),
        7,
        event(session_id, "plan_step"),
    )
    assert reply.status == 201
    assert (reply.body["received"], reply.body["duplicates"]) == (2, 1)
    assert [rejected["index"] for rejected in reply.body["rejected"]] == [1, 3]
    assert reply.body["rejected"][0]["errors"][0] == "agent_type: must be a string"
    assert reply.body["rejected"][1]["errors"] == ["body: must be a JSON object"]
    assert [row["id"] for row in events_of(door, session_id)] == reply.body["ids"]


def test_an_empty_list_is_accepted(door: Door) -> None:
    reply = post_batch(door)
    assert (reply.status, reply.body) == (201, {"received": 0, "ids": [], "duplicates": 0, "rejected": []})


def test_a_list_of_nothing_good_is_accepted_and_stores_nothing(door: Door) -> None:
    reply = post_batch(door, None, [], "x", {})
    assert reply.status == 201
    assert (reply.body["received"], len(reply.body["rejected"])) == (0, 4)


@pytest.mark.parametrize("value", [[], [1], {}, {"events": {}}, {"events": None}, {"Events": []}, "x", None, 3])
def test_without_a_list_of_events_it_is_refused(door: Door, value: object) -> None:
    reply = send_json(door, "/api/events/batch", value)
    assert (reply.status, reply.body) == (400, {"error": "Expected { events: [...] }"})


def test_ids_are_in_the_order_of_the_events(door: Door, session_id: str) -> None:
    tools = [f"tool-{number}" for number in range(20)]
    ids = post_batch(door, *(event(session_id, tool_name=tool) for tool in tools)).body["ids"]
    by_id = {row["id"]: row["tool_name"] for row in events_of(door, session_id)}
    assert [by_id[event_id] for event_id in ids] == tools


def test_ten_thousand_events_at_once_are_stored(door: Door, session_id: str) -> None:
    reply = post_batch(door, *(event(session_id) for _ in range(10_000)))
    assert reply.status == 201
    assert len(set(reply.body["ids"])) == 10_000
    assert door.send("GET", f"/api/sessions/{session_id}").body["session"]["event_count"] == 10_000


def test_ten_thousand_events_of_one_id_are_one(door: Door, session_id: str) -> None:
    reply = post_batch(door, *(event(session_id, event_id=f"e-{session_id}") for _ in range(5_000)))
    assert (reply.body["received"], reply.body["duplicates"]) == (1, 4_999)


def test_later_events_of_a_batch_see_what_earlier_ones_said(door: Door, session_id: str) -> None:
    post_batch(
        door, event(session_id, project="shop", branch="dev"), event(session_id), event(session_id, branch="x")
    )
    assert [row["branch"] for row in events_of(door, session_id)] == ["dev", "dev", "x"]


def test_new_sessions_of_a_batch_are_made_once(door: Door, session_id: str) -> None:
    post_batch(door, *(event(f"{session_id}-{number % 3}") for number in range(9)))
    for number in range(3):
        reply = door.send("GET", f"/api/sessions/{session_id}-{number}")
        assert reply.body["session"]["event_count"] == 3

"""Every recorded pair, in the order of the recording, against each server and each door."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_django

from tests.conftest import ServerFactory
from tests.contract.comparing import Period, differences
from tests.contract.deviations import DEVIATIONS
from tests.contract.pairs import Pair, recorded
from tests.contract.script import LATER, SEED, Step
from tests.doors import AsgiDoor, Door, NinjaDoor, Reply, post_event
from tests.serving import Server, wait_for_the_next_millisecond
from tests.storing import django_on

SCRIPTS = {"seed": SEED, "later": LATER}


def replay(door: Door, steps: list[Step]) -> list[str]:
    """Send everything; every difference that no deviation explains."""
    start = datetime.now(UTC)
    replies = [(step, _send(door, step)) for step in steps]
    period = Period(start, datetime.now(UTC))
    return [
        f"{step.file} / {step.name}: {difference}"
        for step, reply in replies
        if isinstance(step, Pair)
        for difference in _differences(step, reply, period)
    ]


def _send(door: Door, step: Step) -> Reply:
    # The order of sessions is that of their last events, as far as a millisecond can tell.
    wait_for_the_next_millisecond()
    if isinstance(step, Pair):
        return door.send(step.request["method"], step.request["path"], step.content, step.headers)
    reply = post_event(door, step)
    assert reply.status == 201, (step, reply)
    return reply


def _differences(pair: Pair, reply: Reply, period: Period) -> Iterator[str]:
    expected = DEVIATIONS[pair.label].ours(pair.response) if pair.label in DEVIATIONS else pair.response
    if reply.status != expected["status"]:
        yield f"status {reply.status}, recorded {expected['status']}: {reply.content[:200]!r}"
    elif reply.content_type != expected["content_type"]:
        yield f"content type {reply.content_type}, recorded {expected['content_type']}"
    else:
        yield from differences(reply.body, expected["body"], period)


CASES = [
    *((kind, "seed") for kind in ("serve", "runserver", "ninja")),
    *((kind, "later") for kind in ("serve", "ninja")),
]


@pytest.fixture
def fresh_door(
    request: pytest.FixtureRequest,
    serving: ServerFactory,
    database: Path,
    django_db_blocker: pytest_django.DjangoDbBlocker,
) -> Iterator[Door]:
    """A door to an empty database whose first event gets the id 1."""
    if request.param == "ninja":
        with django_on(database), django_db_blocker.unblock(), NinjaDoor.open() as door:
            yield door
    else:
        with serving(kind=request.param) as server:
            yield AsgiDoor(server.client, server.projects_dir)


@pytest.mark.parametrize(("fresh_door", "script"), CASES, indirect=["fresh_door"])
def test_the_recording_is_answered_as_recorded_or_as_a_named_deviation(fresh_door: Door, script: str) -> None:
    found = replay(fresh_door, SCRIPTS[script])
    assert not found, "\n".join(found)


def test_every_pair_is_replayed_once() -> None:
    replayed = [pair.label for steps in SCRIPTS.values() for pair in steps if isinstance(pair, Pair)]
    files = {file for file, _ in replayed}
    assert sorted(replayed) == sorted(pair.label for file in files for pair in recorded(file))


def test_every_deviation_is_one() -> None:
    pairs = {pair.label: pair for steps in SCRIPTS.values() for pair in steps if isinstance(pair, Pair)}
    for label, deviation in DEVIATIONS.items():
        assert deviation.reason
        assert deviation.ours(pairs[label].response) != pairs[label].response, label


@pytest.mark.parametrize("pair", recorded("static"), ids=lambda pair: pair.name)
def test_pages_have_the_recorded_status_and_are_html(server: Server, pair: Pair) -> None:
    response = server.client.get(pair.request["path"])
    assert response.status_code == pair.response["status"]
    assert response.headers["content-type"] == pair.response["content_type"]

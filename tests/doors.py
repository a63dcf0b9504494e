"""The two doors to the API, so that one suite can be held against both."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

import httpx
from django.conf import settings
from django.test import Client

from ingest import runtime

JSON = "application/json"


class Reply(NamedTuple):
    status: int
    content_type: str
    content: bytes
    headers: Mapping[str, str]

    @property
    def body(self) -> Any:
        """Decoded strictly: what is no JSON is a fault of the server."""
        return json.loads(self.content, parse_constant=_refuse)


def _refuse(name: str) -> None:
    raise AssertionError(f"{name} is not JSON")


class Door(Protocol):
    name: str
    projects_dir: Path

    def send(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply: ...


class AsgiDoor:
    """Real HTTP to a server process."""

    name = "asgi"

    def __init__(self, client: httpx.Client, projects_dir: Path) -> None:
        self._client, self.projects_dir = client, projects_dir

    def send(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        response = self._client.request(method, path, content=content or None, headers=headers)
        return Reply(
            response.status_code, response.headers.get("content-type", ""), response.content, response.headers
        )


class NinjaDoor:
    """Django's own way in, in this process, over the process's writer and a real SQLite file."""

    name = "ninja"

    def __init__(self) -> None:
        self._client = Client()
        self.projects_dir = settings.ENVIRONMENT.projects_dir

    @classmethod
    @contextmanager
    def open(cls) -> Iterator[Self]:
        """The writer lives as long as the door: the test database may be another one next time."""
        try:
            yield cls()
        finally:
            runtime.stop_writer()

    def send(
        self, method: str, path: str, content: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        named = dict(headers or {})
        content_type = named.pop("Content-Type", "")
        response = self._client.generic(method, path, content, content_type=content_type, headers=named)
        return Reply(
            response.status_code, response.headers.get("Content-Type", ""), response.content, response.headers
        )


def send_json(door: Door, path: str, value: object) -> Reply:
    return door.send("POST", path, json.dumps(value).encode(), {"Content-Type": JSON})


def post_event(door: Door, value: object) -> Reply:
    return send_json(door, "/api/events", value)


def post_batch(door: Door, *items: object) -> Reply:
    return send_json(door, "/api/events/batch", {"events": items})


def events_of(door: Door, session_id: str) -> list[dict[str, Any]]:
    """The stored rows of a session, oldest first."""
    reply = door.send("GET", f"/api/events?session_id={session_id}&limit=1000")
    assert reply.status == 200, reply
    return list(reversed(reply.body["events"]))

"""Every error under /api has one shape, whichever part of the server made it."""

import re
from collections.abc import Iterator

import httpx
import pytest
from django.test import Client

from config.api import api
from monitor import queries
from tests.serving import Server

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def routes() -> Iterator[tuple[str, set[str]]]:
    """Each path of the description, with a value for its parts, and its methods."""
    for path, operations in api.get_openapi_schema()["paths"].items():
        yield re.sub(r"{\w+}", "x", path), {method.upper() for method in operations}
    yield "/api/stream", {"GET"}


ROUTES = dict(routes())
# A path with a part that holds anything takes in the fixed ones beside it.
WRONG_METHODS = [(method, path) for path, methods in ROUTES.items() for method in METHODS if method not in methods]


def check_shape(response: httpx.Response) -> None:
    assert response.headers["content-type"] == "application/json; charset=utf-8"
    content = response.json()
    assert isinstance(content["error"], str)
    assert content["error"]
    assert content.keys() <= {"error", "details"}
    assert response.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(("method", "path"), WRONG_METHODS)
def test_a_wrong_method_is_405_in_json(server: Server, method: str, path: str) -> None:
    with server.client.stream(method, path, json={}) as response:
        assert response.status_code == 405
        response.read()
    check_shape(response)


@pytest.mark.parametrize(
    "path", ["/api/", "/api/nope", "/api/events/", "/api/stats/nope", "/api/sessions/", "/api/%FF"]
)
def test_an_unknown_path_is_404_in_json(server: Server, path: str) -> None:
    response = server.client.get(path)
    assert response.status_code == 404
    check_shape(response)


@pytest.mark.parametrize(
    "path",
    [
        "/api/events?since=x",
        "/api/events?until=x",
        "/api/stats?since=x",
        "/api/stats/cost?since=x",
        "/api/stats/tools?since=x",
        "/api/sessions?since=x",
        "/api/calls?since=x",
        "/api/calls?until=x",
        "/api/usage?since=x",
        "/api/usage?group_by=nope",
    ],
)
def test_a_bad_parameter_is_400_in_json_and_named(server: Server, path: str) -> None:
    response = server.client.get(path)
    assert response.status_code == 400
    check_shape(response)
    name = path.partition("?")[2].partition("=")[0]
    assert response.json()["error"].startswith(f"{name}: ")


@pytest.mark.parametrize("path", ["/api/sessions/none", "/api/sessions/none/transcript"])
def test_what_does_not_exist_is_404_in_json(server: Server, path: str) -> None:
    response = server.client.get(path)
    assert response.status_code == 404
    check_shape(response)


@pytest.mark.django_db
def test_a_fault_of_our_own_is_500_in_json_and_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("a secret")

    monkeypatch.setattr(queries, "list_agents", fail)
    response = Client(raise_request_exception=False).get("/api/agents")
    assert (response.status_code, response.json()) == (500, {"error": "Internal Server Error"})


def test_pages_keep_their_own_errors(server: Server) -> None:
    response = server.client.get("/nope")
    assert response.status_code == 404
    assert response.headers["content-type"].startswith("text/html")


def test_no_answer_has_cors_headers(server: Server) -> None:
    asked = {"Origin": "http://evil.example", "Access-Control-Request-Method": "POST"}
    for method, path in (("OPTIONS", "/api/events"), ("GET", "/api/stats"), ("GET", "/")):
        response = server.client.request(method, path, headers=asked)
        assert not [name for name in response.headers if name.startswith("access-control-")]

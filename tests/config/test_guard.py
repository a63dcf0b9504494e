"""Who may speak to the server, from where, and what every answer carries."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from config.guard import Guard
from tests.conftest import ServerFactory
from tests.serving import Server, event

Headers = list[tuple[bytes, bytes]]


def ask(
    headers: Headers,
    *,
    method: str = "GET",
    path: str = "/api/stats",
    hosts: tuple[str, ...] = (),
    token: str | None = None,
    scheme: str = "http",
) -> tuple[int, dict[bytes, bytes]]:
    """The status that the guard answers, 204 when it lets the request through, and the headers."""
    sent: list[dict[str, Any]] = []

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 204, "headers": [(b"X-Frame-Options", b"ALLOW")]})
        await send({"type": "http.response.body"})

    async def receive() -> dict[str, Any]:
        raise AssertionError("the guard reads no body")

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": headers, "scheme": scheme}
    asyncio.run(Guard(inside, hosts, token)(scope, receive, send))
    return sent[0]["status"], {name.lower(): value for name, value in sent[0]["headers"]}


def host(name: str) -> Headers:
    return [(b"host", name.encode("latin-1"))]


class TestHost:
    @pytest.mark.parametrize(
        "name",
        [
            "127.0.0.1",
            "127.0.0.1:3141",
            "localhost",
            "LOCALHOST:80",
            "[::1]",
            "[::1]:3141",
            "my.box",
            "My.Box:3141",
        ],
    )
    def test_of_this_machine_or_allowed_by_name_is_served(self, name: str) -> None:
        assert ask(host(name), hosts=("my.box",))[0] == 204

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "evil.example:3141",
            "localhost:evil",
            "localhost:",
            "127.0.0.2",
            "0.0.0.0",
            "[::2]",
            "::1",
            "localhost@evil.example",
            "my.box.evil.example",
            "\xff",
        ],
    )
    @pytest.mark.parametrize("path", ["/", "/api/health", "/api/stats", "/static/x.js", "/admin/"])
    def test_of_any_other_name_is_refused_on_every_path(self, name: str, path: str) -> None:
        assert ask(host(name), path=path, hosts=("my.box",))[0] == 400

    @pytest.mark.parametrize("headers", [[], host("localhost") * 2, host("localhost") + host("evil.example")])
    def test_that_is_missing_or_twice_is_refused(self, headers: Headers) -> None:
        assert ask(headers)[0] == 400


class TestOrigin:
    OWN = (b"origin", b"http://localhost:3141")

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"])
    def test_of_our_own_page_may_write(self, method: str) -> None:
        assert ask([*host("localhost:3141"), self.OWN], method=method)[0] == 204

    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
    def test_may_be_missing_as_agents_send_none(self, method: str) -> None:
        assert ask(host("localhost:3141"), method=method)[0] == 204

    @pytest.mark.parametrize(
        "origin",
        [
            "null",
            "",
            "http://evil.example",
            "https://localhost:3141",
            "http://localhost",
            "http://localhost:3142",
            "http://127.0.0.1:3141",
            "http://localhost:3141.evil.example",
            "http://localhost:3141/",
            "localhost:3141",
        ],
    )
    @pytest.mark.parametrize("path", ["/api/events", "/api/nope", "/admin/login/", "/"])
    def test_of_anything_else_may_not_write(self, origin: str, path: str) -> None:
        headers = [*host("localhost:3141"), (b"origin", origin.encode())]
        assert ask(headers, method="POST", path=path)[0] == 403

    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
    def test_does_not_matter_to_reads(self, method: str) -> None:
        assert ask([*host("localhost"), (b"origin", b"http://evil.example")], method=method)[0] == 204

    def test_is_compared_with_the_scheme_of_the_request(self) -> None:
        headers = [*host("localhost"), (b"origin", b"https://localhost")]
        assert ask(headers, method="POST", scheme="https")[0] == 204


class TestToken:
    @pytest.mark.parametrize("value", [b"Bearer s3cret", b"bearer s3cret", b"Bearer  s3cret "])
    def test_opens_the_api(self, value: bytes) -> None:
        assert ask([*host("localhost"), (b"authorization", value)], token="s3cret")[0] == 204

    @pytest.mark.parametrize(
        "value", [None, b"", b"Bearer", b"Bearer ", b"Bearer wrong", b"Basic s3cret", b"s3cret", b"\xff"]
    )
    @pytest.mark.parametrize("path", ["/api/stats", "/api/events", "/api/stream", "/api/docs", "/v1/logs"])
    def test_is_wanted_everywhere_under_the_api(self, value: bytes | None, path: str) -> None:
        given = [] if value is None else [(b"authorization", value)]
        status, headers = ask([*host("localhost"), *given], token="s3cret", path=path)
        assert (status, headers[b"www-authenticate"]) == (401, b"Bearer")

    @pytest.mark.parametrize("path", ["/api/health", "/", "/static/js/boot.js"])
    def test_is_not_wanted_for_health_and_the_shell(self, path: str) -> None:
        assert ask(host("localhost"), token="s3cret", path=path)[0] == 204

    def test_is_not_wanted_when_there_is_none(self) -> None:
        assert ask(host("localhost"))[0] == 204


@pytest.mark.parametrize("headers", [host("localhost"), host("evil.example")])
def test_every_answer_carries_the_security_headers_once(headers: Headers) -> None:
    carried = ask(headers)[1]
    assert carried[b"x-frame-options"] == b"DENY"
    assert carried[b"x-content-type-options"] == b"nosniff"
    assert carried[b"referrer-policy"] in {b"same-origin", b"no-referrer", b"strict-origin"}
    policy = dict(part.strip().split(" ", 1) for part in carried[b"content-security-policy"].decode().split(";"))
    assert policy["default-src"] == policy["script-src"] == policy["style-src"] == "'self'"
    assert policy["frame-ancestors"] == policy["object-src"] == "'none'"
    assert "unsafe" not in str(policy)


class TestOverHttp:
    """The guard stands before both doors, the stream and the page."""

    @pytest.fixture(scope="class")
    @classmethod
    def guarded(cls, serving: ServerFactory) -> Iterator[Server]:
        with serving(AGENTMONITOR_TOKEN="s3cret", AGENTMONITOR_ALLOWED_HOSTS="my.box, other.box") as server:
            yield server

    @pytest.mark.parametrize(
        "path", ["/api/events", "/api/stats", "/api/stream", "/api/nope", "/api/openapi.json"]
    )
    @pytest.mark.parametrize("method", ["GET", "POST"])
    def test_nothing_of_the_api_is_told_without_the_token(self, guarded: Server, method: str, path: str) -> None:
        response = guarded.client.request(method, path, json=event("s"))
        assert (response.status_code, list(response.json())) == (401, ["error"])

    def test_the_token_opens_both_doors(self, guarded: Server) -> None:
        headers = {"Authorization": "Bearer s3cret"}
        assert guarded.client.post("/api/events", json=event("s"), headers=headers).status_code == 201
        assert guarded.client.get("/api/events", headers=headers).json()["total"] == 1

    def test_health_is_open(self, guarded: Server) -> None:
        assert guarded.get("/api/health")["status"] == "ok"

    @pytest.mark.parametrize(("name", "status"), [("my.box", 200), ("other.box:99", 200), ("evil.example", 400)])
    def test_hosts_are_those_of_the_settings(self, guarded: Server, name: str, status: int) -> None:
        assert guarded.client.get("/api/health", headers={"Host": name}).status_code == status

    @pytest.mark.parametrize(
        "path", ["/api/events", "/api/events/batch", "/api/hooks/claude-code", "/api/stats", "/x"]
    )
    @pytest.mark.parametrize(
        "content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded"]
    )
    def test_a_foreign_page_writes_nothing(
        self, server: Server, session_id: str, path: str, content_type: str
    ) -> None:
        for origin in ("http://evil.example", "null"):
            headers = {"Origin": origin, "Content-Type": content_type}
            response = server.client.post(path, json=event(session_id), headers=headers)
            assert (response.status_code, list(response.json())) == (403, ["error"])
        assert server.get("/api/events", session_id=session_id)["total"] == 0

    def test_our_own_page_writes(self, server: Server, session_id: str) -> None:
        headers = {"Origin": server.url}
        assert server.client.post("/api/events", json=event(session_id), headers=headers).status_code == 201

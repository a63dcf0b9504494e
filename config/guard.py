"""Who may speak to the server, and under which rules a browser shows its answers. Plain ASGI, outermost.

Every path: the Host must be a loopback name or one that the user allowed (no DNS rebinding). Every write: no
Origin, or our own (no page elsewhere writes). With a token: everything under /api wants it. Every answer
carries the same security headers, whichever part of the server made it.
"""

import hmac
from collections.abc import Awaitable, Callable
from typing import Any, Final

from ingest.fastlane import send_answer
from ingest.gateway import Answer, error_answer

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "[::1]"})
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN_PATHS: Final = frozenset({"/api/health"})
CONTENT_SECURITY_POLICY: Final = (
    b"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    b"object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
SECURITY_HEADERS: Final = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
SECURITY_NAMES: Final = frozenset(name for name, _ in SECURITY_HEADERS)

BAD_HOST: Final = error_answer(400, "This Host is not served; add it to AGENTMONITOR_ALLOWED_HOSTS if it is yours")
BAD_ORIGIN: Final = error_answer(403, "Requests from other origins can't write")
UNAUTHORIZED: Final = error_answer(401, "A bearer token is required")._replace(
    headers=((b"www-authenticate", b"Bearer"),)
)


class Guard:
    """Wraps an application with the checks and the headers."""

    def __init__(self, application: Application, allowed_hosts: tuple[str, ...], token: str | None) -> None:
        self._application = application
        self._hosts = LOOPBACK | {host.lower() for host in allowed_hosts}
        self._token = token.encode() if token else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        refusal = self._refusal(scope)
        guarded = _with_headers(send)
        if refusal is not None:
            await send_answer(guarded, refusal)
        else:
            await self._application(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> Answer | None:
        host = origin = authorization = None
        for name, value in scope["headers"]:
            if name == b"host":
                if host is not None:
                    return BAD_HOST
                host = value
            elif name == b"origin":
                origin = value
            elif name == b"authorization":
                authorization = value
        if host is None or not self._host_is_ours(host):
            return BAD_HOST
        if origin is not None and scope["method"] not in SAFE_METHODS and not _is_own(origin, host, scope):
            return BAD_ORIGIN
        if self._token is not None and not self._is_authorized(scope["path"], authorization):
            return UNAUTHORIZED
        return None

    def _host_is_ours(self, host: bytes) -> bool:
        name: str = host.decode("latin-1").lower()
        if ":" in name and not name.endswith("]"):
            name, _, port = name.rpartition(":")
            if not port.isdigit():
                return False
        return name in self._hosts

    def _is_authorized(self, path: str, authorization: bytes | None) -> bool:
        if not path.startswith(("/api/", "/v1/")) or path in OPEN_PATHS:
            return True
        scheme, _, token = (authorization or b"").partition(b" ")
        if scheme.lower() != b"bearer":
            return False
        return bool(hmac.compare_digest(token.strip(), self._token or b""))


def _is_own(origin: bytes, host: bytes, scope: Scope) -> bool:
    own: bytes = scope.get("scheme", "http").encode() + b"://" + host.lower()
    return origin.lower() == own


def _with_headers(send: Send) -> Send:
    async def guarded(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            own = [pair for pair in message.get("headers", []) if pair[0].lower() not in SECURITY_NAMES]
            message = {**message, "headers": [*own, *SECURITY_HEADERS]}
        await send(message)

    return guarded

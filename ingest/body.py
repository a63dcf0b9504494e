"""Reading a request's body: bounded, also when it is compressed."""

import zlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

Receive = Callable[[], Awaitable[dict[str, Any]]]

MEGABYTE: Final = 1024 * 1024
EVENT_BODY_BYTES: Final = 1 * MEGABYTE
OTLP_BODY_BYTES: Final = 5 * MEGABYTE
ENCODINGS: Final = {b"gzip": 31, b"x-gzip": 31, b"deflate": 47}


class BodyTooLarge(Exception):
    """More than the limit, packed or unpacked (413)."""


class BodyUnreadable(Exception):
    """A compressed body that can't be unpacked, or an unknown encoding (400)."""


class ClientGone(Exception):
    """The client closed the connection before its body was complete."""


async def read_body(receive: Receive, headers: Iterable[tuple[bytes, bytes]], limit_bytes: int) -> bytes:
    """The whole body, unpacked. Raises BodyTooLarge, BodyUnreadable or ClientGone."""
    encoding = b""
    for name, value in headers:
        if name == b"content-encoding":
            encoding = value.strip().lower()
        elif name == b"content-length" and value.isdigit() and int(value) > limit_bytes:
            raise BodyTooLarge
    message = await receive()
    body = message.get("body", b"")
    if message.get("more_body"):
        body = await _rest(receive, body, limit_bytes)
    if message["type"] == "http.disconnect":
        raise ClientGone
    if len(body) > limit_bytes:
        raise BodyTooLarge
    return unpack(body, encoding, limit_bytes) if encoding else body


async def _rest(receive: Receive, first: bytes, limit_bytes: int) -> bytes:
    parts, size = [first], len(first)
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit_bytes:
            raise BodyTooLarge
        if not message.get("more_body"):
            return b"".join(parts)


def unpack(body: bytes, encoding: bytes, limit_bytes: int) -> bytes:
    """Undo a Content-Encoding; stops at the limit, so that a small body can't become a large one."""
    if encoding == b"identity":
        return body
    if encoding not in ENCODINGS:
        raise BodyUnreadable
    unpacker = zlib.decompressobj(ENCODINGS[encoding])
    try:
        content = unpacker.decompress(body, limit_bytes + 1)
    except zlib.error:
        raise BodyUnreadable from None
    if len(content) > limit_bytes:
        raise BodyTooLarge
    if not unpacker.eof:
        raise BodyUnreadable
    return content

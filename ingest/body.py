"""Reading a request's body: bounded, also when it is compressed."""

import zlib
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

Receive = Callable[[], Awaitable[dict[str, Any]]]

MEGABYTE: Final = 1024 * 1024
EVENT_BODY_BYTES: Final = 1 * MEGABYTE
OTLP_BODY_BYTES: Final = 5 * MEGABYTE
# How zlib is to read: with a gzip header, with either header, or with none.
GZIP, ANY_HEADER, NO_HEADER = 31, 47, -15
GZIP_ENCODINGS: Final = (b"gzip", b"x-gzip")
DEFLATE: Final = b"deflate"
# Concatenated gzip files are one body; thousands of empty ones are an attack.
MOST_MEMBERS: Final = 100


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
    if encoding in GZIP_ENCODINGS:
        window_bits = GZIP
    elif encoding == DEFLATE:
        window_bits = ANY_HEADER if _has_header(body) else NO_HEADER
    else:
        raise BodyUnreadable
    try:
        return _unpack_members(body, window_bits, limit_bytes)
    except zlib.error:
        raise BodyUnreadable from None


def _has_header(body: bytes) -> bool:
    """Whether it begins as zlib or gzip do: some who say deflate leave the header out (RFC 9110, 8.4.1.2)."""
    is_zlib = len(body) > 1 and body[0] & 15 == 8 and (body[0] << 8 | body[1]) % 31 == 0
    return is_zlib or body.startswith(b"\x1f\x8b")


def _unpack_members(body: bytes, window_bits: int, limit_bytes: int) -> bytes:
    parts, size_bytes = [], 0
    for _ in range(MOST_MEMBERS):
        unpacker = zlib.decompressobj(window_bits)
        parts.append(unpacker.decompress(body, limit_bytes - size_bytes + 1))
        size_bytes += len(parts[-1])
        if size_bytes > limit_bytes:
            raise BodyTooLarge
        if not unpacker.eof:
            raise BodyUnreadable
        # Zeros fill up the last block of what came from a tape.
        body = unpacker.unused_data.lstrip(b"\0")
        if not body:
            return b"".join(parts)
    raise BodyUnreadable

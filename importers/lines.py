"""The lines of a transcript, one at a time and bounded, whatever the file holds. Pure but for the reading."""

from collections.abc import Callable, Iterator
from typing import IO, Any, Final, NamedTuple

import msgspec

from ingest.contract import BodyFault, decode_json

# Real lines reach some 50 MB (pasted images); what is longer is not a line of a transcript.
LONGEST_LINE_BYTES: Final = 64 * 1024 * 1024
READ_BYTES: Final = 1024 * 1024
_decode_any = msgspec.json.Decoder().decode


class BadLine(Exception):
    """A line that is not understood; the text says why."""


class Line(NamedTuple):
    """`number` counts from 0; `content` is None for what is too long; a last line may lack its line feed.

    `size_bytes` is all of it, the line feed too.
    """

    number: int
    content: bytes | None
    ended: bool
    size_bytes: int


def read_lines(
    stream: IO[bytes],
    saw: Callable[[bytes], object],
    longest_bytes: int = LONGEST_LINE_BYTES,
    *,
    number: int = 0,
) -> Iterator[Line]:
    """Every line without its line feed, from where the stream stands, which is the line `number`.

    `saw` is told every byte, in order (for a digest of the whole).
    """
    parts: list[bytes] = []
    held_bytes = 0
    while block := stream.read(READ_BYTES):
        saw(block)
        *ended, rest = block.split(b"\n")
        for content in ended:
            size_bytes = held_bytes + len(content)
            if held_bytes:
                content = b"".join((*parts, content))
                parts.clear()
                held_bytes = 0
            yield Line(number, content if size_bytes <= longest_bytes else None, True, size_bytes + 1)
            number += 1
        held_bytes += len(rest)
        # Of a line that is too long nothing is kept.
        parts = [*parts, rest] if held_bytes <= longest_bytes else []
    if held_bytes:
        yield Line(number, b"".join(parts) if held_bytes <= longest_bytes else None, False, held_bytes)


def read_document(
    stream: IO[bytes], saw: Callable[[bytes], object], longest_bytes: int = LONGEST_LINE_BYTES
) -> Iterator[Line]:
    """The whole file as one line, for clients that rewrite one JSON document; nothing when it is empty."""
    content = stream.read(longest_bytes + 1)
    saw(content)
    if len(content) > longest_bytes:
        size_bytes = len(content)
        while rest := stream.read(READ_BYTES):
            saw(rest)
            size_bytes += len(rest)
        yield Line(0, None, True, size_bytes)
    elif content:
        yield Line(0, content, True, len(content))


def decode_line(content: bytes) -> dict[str, Any]:
    """The JSON object of a line. Bytes that are no UTF-8 cost their characters, not the line. Raises BadLine."""
    try:
        value = _decode_any(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        value = _decode_with_care(content)
    if isinstance(value, dict):
        return value
    raise BadLine("not a JSON object")


def _decode_with_care(content: bytes) -> Any:
    try:
        return decode_json(content.decode(errors="replace").encode())
    except BodyFault:
        raise BadLine("not JSON") from None

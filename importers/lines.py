"""The lines of a transcript, one at a time and bounded, whatever the file holds. Pure but for the reading."""

from collections.abc import Callable, Iterator
from typing import IO, Any, Final, NamedTuple

from ingest.contract import BodyFault, decode_json

# Real lines reach some 50 MB (pasted images); what is longer is not a line of a transcript.
LONGEST_LINE_BYTES: Final = 64 * 1024 * 1024
READ_BYTES: Final = 1024 * 1024


class BadLine(Exception):
    """A line that is not understood; the text says why."""


class Line(NamedTuple):
    """`number` counts from 0; `content` is None for what is too long; a last line may lack its line feed."""

    number: int
    content: bytes | None
    ended: bool


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
    while content := stream.readline(longest_bytes + 1):
        saw(content)
        ended = content.endswith(b"\n")
        if ended or len(content) <= longest_bytes:
            yield Line(number, content.removesuffix(b"\n"), ended)
        else:
            yield Line(number, None, _skip_to_line_end(stream, saw))
        number += 1


def read_document(
    stream: IO[bytes], saw: Callable[[bytes], object], longest_bytes: int = LONGEST_LINE_BYTES
) -> Iterator[Line]:
    """The whole file as one line, for clients that rewrite one JSON document; nothing when it is empty."""
    content = stream.read(longest_bytes + 1)
    saw(content)
    if len(content) > longest_bytes:
        while rest := stream.read(READ_BYTES):
            saw(rest)
        yield Line(0, None, True)
    elif content:
        yield Line(0, content, True)


def _skip_to_line_end(stream: IO[bytes], saw: Callable[[bytes], object]) -> bool:
    while content := stream.readline(READ_BYTES):
        saw(content)
        if content.endswith(b"\n"):
            return True
    return False


def decode_line(content: bytes) -> dict[str, Any]:
    """The JSON object of a line. Bytes that are no UTF-8 cost their characters, not the line. Raises BadLine."""
    try:
        value = decode_json(_valid_utf8(content))
    except BodyFault:
        raise BadLine("not JSON") from None
    if not isinstance(value, dict):
        raise BadLine("not a JSON object")
    return value


def _valid_utf8(content: bytes) -> bytes:
    if content.isascii():
        return content
    try:
        content.decode()
    except UnicodeDecodeError:
        return content.decode(errors="replace").encode()
    return content

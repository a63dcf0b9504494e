"""The few parts of the protobuf wire format that need no schema. Pure.

Walking a request by hand lets one unreadable record be refused alone: the library reads a message whole or
not at all.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from ingest.otlp.records import OtlpFault

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
LONGEST_VARINT: Final = 10


class Field(NamedTuple):
    """One field of a message: its number, its content when that is a text or message, all its bytes."""

    number: int
    content: memoryview | None
    raw: memoryview


def fields(message: memoryview) -> Iterator[Field]:
    """The fields in order. Raises OtlpFault for what is no message."""
    at, end = 0, len(message)
    while at < end:
        start = at
        tag, at = _varint(message, at)
        content = None
        kind = tag & 7
        if kind == BYTES:
            size, begin = _varint(message, at)
            at = begin + size
            content = message[begin:at]
        elif kind == VARINT:
            _, at = _varint(message, at)
        elif kind in (FIXED64, FIXED32):
            at += 8 if kind == FIXED64 else 4
        if tag >> 3 == 0 or kind not in (VARINT, FIXED64, BYTES, FIXED32) or at > end:
            raise OtlpFault("not a protobuf message, or cut short")
        yield Field(tag >> 3, content, message[start:at])


def parts(message: memoryview, number: int) -> Iterator[memoryview]:
    """The contents of the message's fields of that number. Raises OtlpFault."""
    for field in fields(message):
        if field.number == number and field.content is not None:
            yield field.content


def count_parts(message: memoryview, number: int) -> int:
    """How many contents of that number the message has: a flood is counted at the price of two numbers each."""
    at, end, count = 0, len(message), 0
    wanted = number << 3 | BYTES
    while at + 1 < end:
        tag, size = message[at], message[at + 1]
        # Anything but a text or message with a short number is left to the whole reading.
        if tag & 0x87 != BYTES or tag < 8:
            break
        if size < 0x80:
            at += 2 + size
        else:
            size, begin = _varint(message, at + 1)
            at = begin + size
        count += tag == wanted
    if at > end:
        raise OtlpFault("not a protobuf message, or cut short")
    return count + sum(1 for _ in parts(message[at:], number))


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    for place in range(at, min(at + LONGEST_VARINT, len(message))):
        byte = message[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place + 1
        shift += 7
    raise OtlpFault("not a protobuf message, or cut short")


def number_field(number: int, value: int) -> bytes:
    """A field that holds a non-negative integer; nothing for 0, which is the default."""
    return _encoded_varint(number << 3 | VARINT) + _encoded_varint(value) if value else b""


def bytes_field(number: int, content: bytes) -> bytes:
    """A field that holds a text or a message."""
    return _encoded_varint(number << 3 | BYTES) + _encoded_varint(len(content)) + content


def _encoded_varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)

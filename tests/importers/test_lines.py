"""Lines of a file, whatever it holds: bounded, numbered, none lost, none fatal."""

import io
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importers.lines import BadLine, Line, decode_line, read_lines


def lines_of(content: bytes, longest_bytes: int = 100) -> list[Line]:
    return list(read_lines(io.BytesIO(content), len, longest_bytes))


def test_lines_are_numbered_from_zero_and_lose_their_line_feed() -> None:
    assert lines_of(b"a\n\nb\n") == [Line(0, b"a", True, 2), Line(1, b"", True, 1), Line(2, b"b", True, 2)]


def test_a_last_line_without_a_line_feed_is_known_as_such() -> None:
    assert lines_of(b"a\nb")[-1] == Line(1, b"b", False, 1)


def test_an_empty_file_has_no_lines() -> None:
    assert lines_of(b"") == []


def test_a_line_that_is_too_long_is_skipped_and_the_next_one_read() -> None:
    assert lines_of(b"x" * 11 + b"\nb\n", longest_bytes=10) == [Line(0, None, True, 12), Line(1, b"b", True, 2)]


def test_a_line_of_exactly_the_limit_is_read() -> None:
    assert lines_of(b"x" * 10 + b"\n", longest_bytes=10) == [Line(0, b"x" * 10, True, 11)]


@given(content=st.binary(max_size=300), longest_bytes=st.integers(1, 40))
def test_every_byte_is_seen_and_every_line_counted(content: bytes, longest_bytes: int) -> None:
    digest = sha256()
    lines = list(read_lines(io.BytesIO(content), digest.update, longest_bytes))
    assert digest.digest() == sha256(content).digest()
    assert [line.number for line in lines] == list(range(len(lines)))
    assert len(lines) == content.count(b"\n") + (not content.endswith(b"\n") and content != b"")
    assert sum(line.size_bytes for line in lines) == len(content)
    assert all(line.content is None or len(line.content) <= longest_bytes for line in lines)


@pytest.mark.parametrize("content", [b"not json", b"[1]", b'"text"', b"7", b'{"a": NaN}', b"[" * 100_000])
def test_what_is_no_json_object_is_a_bad_line(content: bytes) -> None:
    with pytest.raises(BadLine):
        decode_line(content)


def test_bytes_that_are_no_utf8_cost_their_characters_only() -> None:
    assert decode_line(b'{"a": "x\xff", "b": 1}') == {"a": "x�", "b": 1}


def test_a_lone_surrogate_costs_nothing_else() -> None:
    assert decode_line(b'{"a": "\\ud800", "b": 1}')["b"] == 1


@given(content=st.binary(max_size=200))
def test_no_line_is_fatal(content: bytes) -> None:
    try:
        assert isinstance(decode_line(content), dict)
    except BadLine as fault:
        assert str(fault)

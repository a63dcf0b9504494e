"""The cap on metadata: exact at the limit, valid JSON always."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.metadata import EDIT_TOOLS, PRIORITY_KEYS, cap_metadata, title_of

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
NUMBERS = st.integers(-(2**63), 2**63) | st.floats(allow_nan=False, allow_infinity=False)
KEYS = ANY_TEXT | st.sampled_from(PRIORITY_KEYS)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
)


def compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def test_exactly_the_limit_fits_and_one_byte_more_does_not() -> None:
    value = {"content": "é" * 10}
    size = len(compact(value).encode())
    assert cap_metadata(value, size)[:2] == (compact(value), False)
    assert cap_metadata(value, size - 1).truncated


def test_priority_keys_are_kept_whole_and_in_their_order() -> None:
    value = {key: key for key in reversed(PRIORITY_KEYS)} | {"content": "x" * 1000}
    kept = json.loads(cap_metadata(value, 600).text)
    assert list(kept) == ["_truncated", "_original_bytes", *PRIORITY_KEYS]
    assert kept["_original_bytes"] == len(compact(value))


def test_marks_alone_stand_for_what_has_no_keys_or_keys_that_are_too_long() -> None:
    for value in (["x" * 1000], "x" * 1000, {"command": "x" * 1000}):
        marks = json.loads(cap_metadata(value, 100).text)
        assert marks == {"_truncated": True, "_original_bytes": len(compact(value))}


@pytest.mark.parametrize("limit_bytes", [0, 1, 10])
def test_nothing_is_left_when_not_even_the_marks_fit(limit_bytes: int) -> None:
    assert cap_metadata({"command": "x" * 100}, limit_bytes)[:2] == ("{}", True)


def test_an_empty_object_fits_any_limit() -> None:
    assert cap_metadata({}, 0)[:2] == ("{}", False)


@pytest.mark.parametrize("tool_name", sorted(EDIT_TOOLS))
def test_edited_file_is_told_for_tools_that_edit(tool_name: str) -> None:
    assert cap_metadata({"file_path": "a.py"}, 100, tool_name).edited_path == "a.py"


@pytest.mark.parametrize(
    ("tool_name", "path"), [("Read", "a.py"), (None, "a.py"), ("Edit", ""), ("Edit", None), ("Edit", ["a.py"])]
)
def test_edited_file_is_told_for_nothing_else(tool_name: str | None, path: object) -> None:
    assert cap_metadata({"file_path": path}, 100, tool_name).edited_path is None


@pytest.mark.parametrize(
    ("given_count", "counted"),
    [(3, 3), (2.0, 2), (0, 0), (-2, -2), ("3", 0), (None, 0), (True, 0), (1e300, 0), ([3], 0)],
)
def test_lines_are_whole_numbers_or_nothing(given_count: object, counted: int) -> None:
    capped = cap_metadata({"lines_added": given_count, "lines_removed": given_count}, 100)
    assert (capped.lines_added, capped.lines_removed) == (counted, counted)


@given(VALUES, st.integers(0, 200))
def test_any_value_gives_json_within_the_limit(value: Any, limit_bytes: int) -> None:
    capped = cap_metadata(value, limit_bytes, "Edit")
    encoded = capped.text.encode()
    assert "\0" not in (capped.edited_path or "")
    assert len(encoded) <= max(limit_bytes, len("{}"))
    decoded = json.loads(encoded)
    readable = json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")
    assert capped.truncated or decoded == json.loads(readable)


def test_numbers_that_json_has_no_word_for_become_null() -> None:
    assert cap_metadata([float("inf"), float("nan")], 100).text == "[null,null]"


@pytest.mark.parametrize(
    ("metadata", "title"),
    [
        ('{"message":"Fix the login\\nand the tests"}', "Fix the login"),
        ('{"message":"  "}', None),
        ('{"message":7}', None),
        ('"just text"', None),
        ('{"message":"' + "x" * 200 + '"}', "x" * 119 + "…"),
    ],
)
def test_a_session_is_called_by_the_first_line_of_its_prompt(metadata: str, title: str | None) -> None:
    assert title_of(metadata) == title

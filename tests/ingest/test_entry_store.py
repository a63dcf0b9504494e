"""The SQL of entries: each stored once, the longer copy kept, and the index true to what is stored."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.contract import SessionFacts
from ingest.entries import SAID_CHARACTERS, TOOL_CHARACTERS, NewEntry, cut, entry, input_text, utf8_bytes
from ingest.store import Batch, write_group
from tests.storing import START_MS, opened, rules, table

HOSTILE = ["a\0b", "\ud800 lone", "\x1b[31mred\x1b[0m", "\u202ertl", "<script>alert(1)</script>", "\U0010ffff", ""]


class Entries:
    """One database, and what its index finds."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self._connection, self._rules = connection, rules(path.parent / "projects")

    def store(self, *told: NewEntry) -> None:
        sessions = sorted({one.session_id for one in told})
        opening = [SessionFacts(session_id=name, agent_type="codex", sign_of_life=False) for name in sessions]
        write_group(self._connection, [Batch([], entries=list(told), opening=opening)], START_MS, self._rules)

    def texts(self) -> list[str]:
        return [row["text"] for row in self.rows("SELECT text FROM entries ORDER BY id")]

    def found(self, words: str) -> list[int]:
        return [row["rowid"] for row in self.rows("SELECT rowid FROM entry_search WHERE text MATCH ?", words)]

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        return table(self._connection, sql, *parameters)

    def check_index(self) -> None:
        """Raises when the index holds other words than the entries."""
        self._connection.execute("INSERT INTO entry_search (entry_search, rank) VALUES ('integrity-check', 1)")


@pytest.fixture
def entries(database: Path) -> Iterator[Entries]:
    with opened(database) as connection:
        yield Entries(database, connection)


def said(text: str, key: str = "m-1", session: str = "s", **more: Any) -> NewEntry:
    return entry(session, "codex", key, "answer", START_MS, text, **more)


def test_an_entry_told_again_is_stored_once(entries: Entries) -> None:
    entries.store(said("one"), said("one"))
    entries.store(said("one"))
    assert entries.texts() == ["one"]
    assert len(entries.found("one")) == 1


def test_what_has_grown_replaces_what_it_was_and_is_found_by_its_new_words_only(entries: Entries) -> None:
    entries.store(said("reading files"))
    entries.store(said("all files are written", tool_name="Bash"))
    assert entries.texts() == ["all files are written"]
    assert (entries.found("written"), entries.found("reading")) == ([1], [])
    assert entries.rows("SELECT id, tool_name FROM entries") == [{"id": 1, "tool_name": "Bash"}]
    entries.check_index()


def test_a_shorter_copy_changes_nothing_whenever_it_comes(entries: Entries) -> None:
    entries.store(said("short"), said("rather longer"), said("middling"))
    entries.store(said("short"))
    assert entries.texts() == ["rather longer"]
    entries.check_index()


def test_the_true_size_decides_even_where_both_are_cut(entries: Entries) -> None:
    entries.store(said("x" * (SAID_CHARACTERS + 10)))
    entries.store(said("y" * (SAID_CHARACTERS + 11)))
    (row,) = entries.rows("SELECT text, text_bytes FROM entries")
    assert (row["text"][0], row["text_bytes"]) == ("y", SAID_CHARACTERS + 11)


def test_one_key_in_two_sessions_is_two_entries(entries: Entries) -> None:
    entries.store(said("one"), said("one", session="t"))
    assert len(entries.texts()) == 2


def test_ids_follow_the_order_of_telling_and_none_is_given_twice(entries: Entries) -> None:
    entries.store(said("one", "a"), said("two", "b"))
    entries.store(said("one", "a"), said("three", "c"))
    assert entries.rows("SELECT id, text FROM entries ORDER BY id") == [
        {"id": 1, "text": "one"},
        {"id": 2, "text": "two"},
        {"id": 3, "text": "three"},
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_stored_so_that_every_read_works(entries: Entries, text: str) -> None:
    entries.store(said(text + " needle", "k"), said("other needle", "l"))
    first = entries.texts()[0]
    assert first.encode() and "\0" not in first and first.endswith(" needle")
    assert entries.found("needle") == [1, 2]
    entries.check_index()


def test_hostile_keys_and_ids_name_their_entry(entries: Entries) -> None:
    entries.store(said("one", "a\0b"), said("two", "a"), said("three", "b\ud7ff"))
    assert len(entries.texts()) == 3


@given(text=st.text(max_size=200), most=st.integers(60, 120))
def test_a_cut_text_is_no_longer_than_allowed_and_has_both_ends(text: str, most: int) -> None:
    kept = cut(text, most)
    assert len(kept) <= most
    assert kept == text if len(text) <= most else (kept[0], kept[-1]) == (text[0], text[-1])


def test_a_cut_text_says_how_much_is_missing() -> None:
    kept = cut("a" * 6000 + "b" * 94_000, TOOL_CHARACTERS)
    begin, mark, end = kept.split("\n")
    missing = int("".join(filter(str.isdigit, mark)))
    assert len(begin) + missing + len(end) == 100_000


def test_sizes_are_those_of_the_whole_text_in_utf8() -> None:
    long = "ä" * 70_000
    assert entry("s", "codex", "k", "answer", None, long).text_bytes == 140_000 == utf8_bytes(long)


def test_an_input_stays_json_when_its_texts_are_cut() -> None:
    value = {"a": "x" * 20_000, "b": ["y" * 20_000, 1, None], "c": {"d": True}}
    whole = input_text(value)
    stored = entry("s", "codex", "k", "tool_use", None, whole)
    shortened = json.loads(stored.text)
    assert shortened["b"][1:] == [1, None] and shortened["c"] == {"d": True}
    assert len(shortened["a"]) < 3000
    assert stored.text_bytes == len(whole.encode())

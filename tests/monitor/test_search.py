"""GET /api/search: what is found, in which order, and that no text a person types is taken for an operator."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor import search
from monitor.filters import FilterFault
from monitor.search import match_of, parts_of, words_of
from tests.monitor.entry_store import said, store_entries

MINUTE_MS = 60_000
HOSTILE = (
    "AND",
    "a AND",
    "NOT",
    "OR OR",
    "NEAR(a b)",
    "text:rounding",
    "^rounding",
    "rounding +",
    "(rounding",
    "rounding)",
    '"rounding',
    '""" "',
    "{a b} : c",
    "rounding'; DROP TABLE entries --",
    "a* b* *",
    "%s %(x)s %",
    "\x00rounding\x00",
    "\ud800",
    "-- -x",
)
SPECIAL = 'ab"*-^:(){}+., \n\0ANDORTé漢\ud800\ue000٣'


@pytest.fixture(scope="module")
def stored(django_database: Path) -> Iterator[Path]:
    store_entries(
        django_database,
        said("The rounding error is in the tax.", key="a", after_ms=1 * MINUTE_MS),
        said("Fix the rounding, please", key="b", kind="prompt", after_ms=2 * MINUTE_MS),
        said(
            "rounding.py: 3 passed",
            key="c",
            kind="tool_result",
            tool_id="t",
            after_ms=3 * MINUTE_MS,
            is_error=True,
        ),
        said(
            '{"command":"pytest rounding.py"}', key="d", kind="tool_use", tool_name="Bash", after_ms=4 * MINUTE_MS
        ),
        said("error rounding", key="e", after_ms=5 * MINUTE_MS, subagent_id="a1"),
        said("Grüße aus Köln", key="f", after_ms=6 * MINUTE_MS),
        project="shop",
        title="Tax",
    )
    store_entries(
        django_database,
        said("Rounding elsewhere", key="g", session="s-2", agent_type="codex", after_ms=0),
        said("Operators: AND OR NOT NEAR", key="h", session="s-2", agent_type="codex", after_ms=7 * MINUTE_MS),
        project="bank",
    )
    yield django_database


def ask(**parameters: Any) -> Any:
    answer = Client().get("/api/search", parameters)
    assert answer.status_code == 200, answer.content
    return answer.json()


def texts(**parameters: Any) -> list[str]:
    return ["".join(part["text"] for part in result["snippet"]) for result in ask(**parameters)["results"]]


def test_all_words_must_stand_in_an_entry_and_the_newest_comes_first(stored: Path) -> None:
    assert texts(q="rounding error") == ["error rounding", "The rounding error is in the tax."]


def test_case_and_diacritics_make_no_difference(stored: Path) -> None:
    assert texts(q="grusse koln") == []
    assert texts(q="GRÜßE koln") == ["Grüße aus Köln"]


def test_quoted_words_stand_next_to_each_other(stored: Path) -> None:
    assert texts(q='"rounding error"') == ["The rounding error is in the tax."]


def test_a_word_with_a_minus_must_not_stand_there(stored: Path) -> None:
    assert texts(q='rounding -error -"rounding.py" -elsewhere') == ["Fix the rounding, please"]


def test_a_star_leaves_the_end_of_a_word_open(stored: Path) -> None:
    assert texts(q="roun* ta*") == ["The rounding error is in the tax."]
    assert texts(q="roun") == []


def test_operators_are_words_like_others(stored: Path) -> None:
    assert texts(q="AND NOT NEAR") == ["Operators: AND OR NOT NEAR"]
    assert texts(q="rounding OR elsewhere") == []


def test_a_result_tells_its_place(stored: Path) -> None:
    (result,) = ask(q="error", session_id="s-1", kind="answer", limit=1)["results"]
    assert isinstance(result.pop("entry_id"), int)
    assert result == {
        "session_id": "s-1",
        "session_title": "Tax",
        "project": "shop",
        "agent_type": "claude_code",
        "subagent_id": "a1",
        "kind": "answer",
        "at": "2027-01-15T08:05:00.000Z",
        "tool_name": None,
        "is_error": False,
        "snippet": [{"text": "error", "is_match": True}, {"text": " rounding", "is_match": False}],
    }


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ({}, 6),
        ({"session_id": "s-2"}, 1),
        ({"session_id": "nobody"}, 0),
        ({"agent_type": "codex"}, 1),
        ({"project": "shop"}, 5),
        ({"project": "shop", "kind": "prompt,tool_use"}, 2),
        ({"tool_name": "Bash"}, 1),
        ({"since": "2027-01-15T08:04:00Z"}, 2),
        ({"until": "2027-01-15T08:01:00Z"}, 2),
        ({"since": "2027-01-15T08:01:00Z", "until": "2027-01-15T08:03:00Z"}, 3),
    ],
)
def test_filters(stored: Path, filters: dict[str, str], count: int) -> None:
    answer = ask(q="rounding", **filters)
    assert (answer["total"], len(answer["results"]), answer["is_complete"]) == (count, count, True)


def test_pages_follow_one_another_without_gap_or_repetition(stored: Path) -> None:
    whole = [result["entry_id"] for result in ask(q="rounding")["results"]]
    pages: list[list[int]] = []
    cursor = ""
    while cursor is not None:
        answer = ask(q="rounding", limit=2, cursor=cursor)
        assert answer["total"] == 6
        pages.append([result["entry_id"] for result in answer["results"]])
        cursor = answer["next"]
    assert [len(page) for page in pages] == [2, 2, 2]
    assert [entry_id for page in pages for entry_id in page] == whole


def test_more_matches_than_are_looked_at_are_said_to_be_more(
    stored: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MOST_MATCHES", 3)
    answer = ask(q="rounding")
    assert (answer["total"], answer["is_complete"]) == (3, False)
    assert ask(q="tax")["is_complete"]


@pytest.mark.parametrize(
    ("parameters", "field"),
    [
        ({}, "q"),
        ({"q": ""}, "q"),
        ({"q": " … *"}, "q"),
        ({"q": "-error"}, "q"),
        ({"q": "x" * 501}, "q"),
        ({"q": "a " * 21}, "q"),
        ({"q": "a", "kind": "shout"}, "kind"),
        ({"q": "a", "since": "soon"}, "since"),
        ({"q": "a", "cursor": "12"}, "cursor"),
        ({"q": "a", "cursor": f"1-{9**30}"}, "cursor"),
    ],
)
def test_what_can_not_be_asked_is_refused_by_name(stored: Path, parameters: dict[str, str], field: str) -> None:
    answer = Client().get("/api/search", parameters)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith(f"{field}: ")


@pytest.mark.parametrize("typed", HOSTILE)
def test_nothing_that_is_typed_breaks_the_query(stored: Path, typed: str) -> None:
    assert answers(typed)


@settings(max_examples=300, deadline=None)
@given(
    typed=st.text(st.sampled_from('ab"*-^:(){}+., \n\0ANDORTé漢\ud800\ue000٣'), max_size=40) | st.text(max_size=60)
)
def test_any_text_gets_results_or_the_documented_refusal(stored: Path, typed: str) -> None:
    assert answers(typed)


def answers(typed: str) -> bool:
    """Whether the query is refused by name, or runs; without a URL, since none holds a lone surrogate."""
    try:
        words = words_of(typed)
    except FilterFault as fault:
        return str(fault).startswith("q: ")
    found = search.search(words, search.SearchFilter(), 10)
    return found.total >= len(found.results)


@given(word=st.text('abcANDORT"*-^:(){}', min_size=1))
def test_a_query_holds_nothing_outside_of_quotes_but_our_own_words(word: str) -> None:
    """Once what stands between quotes is taken out, only our own syntax is left."""
    try:
        match = match_of(words_of(word))
    except FilterFault:
        return
    outside = "".join(match.replace('""', "").split('"')[::2])
    assert set(outside.replace("NOT", "").split()) <= {"(", ")", "*", "*)", "()"}


def test_text_that_looks_like_marks_or_markup_stays_text(stored: Path) -> None:
    hostile = "<b>zebra</b> [0[zebra]0] \x02zebra\x03 \u202ezebra \x1b[31m"
    store_entries(stored, said(hostile, key="z", session="s-9"))
    (result,) = ask(q="zebra", session_id="s-9")["results"]
    assert "".join(part["text"] for part in result["snippet"]) == hostile
    assert [part["text"] for part in result["snippet"] if part["is_match"]] == ["zebra"] * 4


def test_a_snippet_is_split_at_its_marks() -> None:
    parts = [(part.text, part.is_match) for part in parts_of("<a> b <c>", "<", ">")]
    assert parts == [("a", True), (" b ", False), ("c", True)]
    assert parts_of("", "<", ">") == []

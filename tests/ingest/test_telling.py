"""Which tellings are one event."""

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from ingest.completing import EventRecord
from ingest.telling import APART_MS, OTHER_TEXT_APART_MS, Told, event_id_of, of_prompt, of_tool, together

SOURCES = ("hook", "otel", "import")


def told(source: str, ref: str, at_ms: int, content: str | None = "text") -> Told:
    record = EventRecord(
        *(0, ref, "s", "gemini_cli", "user_prompt", None, "success", 0, 0, None, None, None, 0, at_ms, "{}", 0),
        *(None, None, 0, 0, source, None, 0, 0),
    )
    return Told(source, ref, at_ms, content, record)


def refs(groups: list[list[Told]]) -> set[frozenset[str]]:
    return {frozenset(one.ref for one in group) for group in groups}


def test_the_closest_of_different_sources_are_one_and_of_each_source_at_most_one() -> None:
    tellings = [
        told("hook", "h1", 0),
        told("hook", "h2", 5000),
        told("otel", "o2", 4000),
        told("import", "i1", 900),
    ]
    assert refs(together(tellings)) == {frozenset({"h1", "i1"}), frozenset({"h2", "o2"})}


def test_what_is_too_far_apart_is_not() -> None:
    tellings = [told("hook", "h", 0), told("otel", "o", APART_MS + 1)]
    assert refs(together(tellings)) == {frozenset({"h"}), frozenset({"o"})}


def test_another_text_is_the_same_prompt_only_at_the_same_moment() -> None:
    near, far = OTHER_TEXT_APART_MS, OTHER_TEXT_APART_MS + 1
    assert len(together([told("hook", "h", 0), told("otel", "o", near, "with the text of a file")])) == 1
    assert len(together([told("hook", "h", 0), told("otel", "o", far, "another")])) == 2
    assert len(together([told("hook", "h", 0), told("otel", "o", far, None)])) == 1


def test_the_clients_own_ids_tell_apart_and_join() -> None:
    apart = [told("hook", "cdx-prompt-1", 0), told("import", "cdx-prompt-2", 0)]
    assert len(together(apart)) == 2
    same = [told("hook", "cdx-prompt-1", 0), told("import", "cdx-prompt-1", 50), told("otel", "otel-1", 20)]
    assert len(together(same)) == 1
    assert event_id_of(same) == "cdx-prompt-1"


def test_what_has_no_time_or_no_arguments_joins_nothing() -> None:
    assert of_prompt("s", None, "Go") is None
    assert of_tool("s", None, "ls", {}) is None
    assert of_tool("s", 1, None, {}) is None
    assert of_tool("s", 1, "ls", None) is None
    assert of_tool("s", 1, "ls", {"a": 1, "b": 2}) == of_tool("s", 1, "ls", {"b": 2, "a": 1})


@given(
    st.lists(
        st.tuples(st.sampled_from(SOURCES), st.integers(0, 3 * APART_MS), st.sampled_from([None, "a", "b"])),
        max_size=5,
    )
)
def test_no_order_makes_a_difference(tellings: list[tuple[str, int, str | None]]) -> None:
    known = [told(source, f"r{number}", at_ms, said) for number, (source, at_ms, said) in enumerate(tellings)]
    expected = refs(together(known))
    for order in permutations(known):
        assert refs(together(order)) == expected
    for group in together(known):
        assert len({one.source for one in group}) == len(group)

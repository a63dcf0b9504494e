"""Each billed call of a Codex rollout is one row of the ledger: old counts, new records, forks and resumes."""

from collections.abc import Callable

from tests.importers.codex_writing import counts, event, line, meta, record, token_count, turn, uuid7
from tests.importers.importing import Home, Line, figures

Import = Callable[..., Home]
PARENT, CHILD = uuid7(0), uuid7(100)


def used(home: Home) -> list[tuple[int, int, int]]:
    """Uncached input, cache read, output of each call, in the order of time."""
    calls = sorted(home.calls(), key=lambda call: call["called_at"])
    return [(call["uncached_input_tokens"], call["cache_read_tokens"], call["output_tokens"]) for call in calls]


def test_input_is_stored_without_its_cached_part(import_codex: Import) -> None:
    home = import_codex([meta(PARENT), turn(1), token_count(2, (1000, 400, 50), (1000, 400, 50))])
    assert used(home) == [(600, 400, 50)]


def test_a_repeated_total_is_no_call(import_codex: Import) -> None:
    home = import_codex(
        [
            meta(PARENT),
            turn(1),
            token_count(2, (1000, 400, 50), (1000, 400, 50)),
            token_count(3, (1000, 400, 50), (1000, 400, 50)),
            token_count(4, (3000, 2000, 150), (2000, 1600, 100)),
        ]
    )
    assert used(home) == [(600, 400, 50), (400, 1600, 100)]


def test_a_total_without_the_last_call_tells_it_by_its_growth(import_codex: Import) -> None:
    home = import_codex([meta(PARENT), token_count(2, (1000, 400, 50)), token_count(4, (3000, 2000, 150))])
    assert used(home) == [(600, 400, 50), (400, 1600, 100)]


def test_a_smaller_total_was_restarted_and_takes_nothing_back(import_codex: Import) -> None:
    home = import_codex(
        [
            meta(PARENT),
            token_count(2, (5000, 0, 500), (5000, 0, 500)),
            token_count(3, (700, 0, 70), (700, 0, 70)),
            token_count(4, (1500, 0, 150)),
        ]
    )
    assert used(home) == [(5000, 0, 500), (700, 0, 70), (800, 0, 80)]


def test_restarts_to_the_same_total_are_calls_of_their_own(import_codex: Import) -> None:
    home = import_codex(
        [
            meta(PARENT),
            token_count(2, (700, 0, 70), (700, 0, 70)),
            token_count(3, (1400, 0, 140), (700, 0, 70)),
            token_count(4, (700, 0, 70), (700, 0, 70)),
            token_count(5, (1400, 0, 140), (700, 0, 70)),
        ]
    )
    assert used(home) == [(700, 0, 70)] * 4


def test_a_count_without_figures_carries_only_rate_limits(import_codex: Import) -> None:
    home = import_codex([meta(PARENT), event("token_count", 2, info=None, rate_limits={"primary": None})])
    assert used(home) == []


def test_a_total_that_grew_by_no_known_kind_is_no_call(import_codex: Import) -> None:
    home = import_codex([meta(PARENT), token_count(1, (5, 0, 5), (5, 0, 5)), token_count(2, (9, 0, 5), (0, 0, 0))])
    assert used(home) == [(5, 0, 5)]


def test_records_are_summed_and_the_counts_beside_them_left_out(import_codex: Import) -> None:
    first, second = counts((900, 800, 40)), counts((1000, 900, 60))
    home = import_codex(
        [
            meta(PARENT),
            turn(1, turn_id=uuid7(1)),
            record(2, first, "resp_1", thread_token_usage=first),
            token_count(3, (900, 800, 40), (900, 800, 40)),
            record(4, second, "resp_2", thread_token_usage=counts((1900, 1700, 100))),
            token_count(5, (1900, 1700, 100), (1000, 900, 60)),
        ]
    )
    assert used(home) == [(100, 800, 40), (100, 900, 60)]


def test_two_records_with_equal_figures_are_two_calls(import_codex: Import) -> None:
    home = import_codex([meta(PARENT), turn(1), *(record(n, counts((9, 0, 3)), f"resp_{n}") for n in (2, 3))])
    assert used(home) == [(9, 0, 3), (9, 0, 3)]


def test_a_session_that_an_older_version_began_has_both_forms(import_codex: Import) -> None:
    home = import_codex(
        [
            meta(PARENT),
            turn(1),
            token_count(2, (500, 0, 50), (500, 0, 50)),
            turn(10, turn_id=uuid7(10)),
            token_count(11, (500, 0, 50), (500, 0, 50)),
            record(12, counts((600, 0, 60)), "resp_1", thread_token_usage=counts((1100, 0, 110))),
            token_count(13, (1100, 0, 110), (600, 0, 60)),
        ]
    )
    assert used(home) == [(500, 0, 50), (600, 0, 60)]


def test_written_cache_is_apart_from_the_uncached_input(import_codex: Import) -> None:
    usage = counts((1000, 600, 50)) | {"cache_write_input_tokens": 300, "reasoning_output_tokens": 20}
    home = import_codex([meta(PARENT), turn(1), record(2, usage, "resp_1")])
    assert figures(home.calls()[0]) == (100, 600, 300, 0, 50, 20)


def test_reasoning_is_a_part_of_the_output(import_codex: Import) -> None:
    usage = counts((10, 0, 50)) | {"reasoning_output_tokens": 80}
    home = import_codex([meta(PARENT), turn(1), record(2, usage, "resp_1")])
    assert figures(home.calls()[0])[4:] == (50, 50)


def test_the_model_is_that_of_the_latest_turn(import_codex: Import) -> None:
    home = import_codex(
        [
            meta(PARENT),
            turn(1, "gpt-5.5"),
            token_count(2, (10, 0, 1), (10, 0, 1)),
            turn(3, "o3"),
            token_count(4, (30, 0, 3), (20, 0, 2)),
        ]
    )
    assert [call["model"] for call in sorted(home.calls(), key=lambda call: call["called_at"])] == [
        "gpt-5.5",
        "o3",
    ]


def parent_lines() -> list[Line]:
    return [
        meta(PARENT),
        turn(1, turn_id=uuid7(1)),
        token_count(2, (1000, 0, 100), (1000, 0, 100)),
        token_count(3, (2500, 0, 250), (1500, 0, 150)),
    ]


def replayed(lines: list[Line], second: float) -> list[Line]:
    """As a fork writes its history: at once, with the time of writing."""
    return [line | {"timestamp": meta(CHILD, second)["timestamp"]} for line in lines]


def fork_lines() -> list[Line]:
    return [
        meta(CHILD, 100, forked_from_id=PARENT),
        *replayed(parent_lines(), 100),
        turn(110, turn_id=uuid7(110)),
        token_count(111, (3200, 0, 320), (700, 0, 70)),
    ]


def by_session(home: Home) -> list[tuple[str, int]]:
    return sorted((call["session_id"], call["output_tokens"]) for call in home.calls())


EXPECTED_OF_FORK = sorted([(PARENT, 100), (PARENT, 150), (CHILD, 70)])


def test_a_fork_repeats_its_parents_calls_and_adds_its_own(import_codex: Import) -> None:
    import_codex(parent_lines(), name="parent")
    assert by_session(import_codex(fork_lines(), name="fork")) == EXPECTED_OF_FORK


def test_a_fork_that_is_read_before_its_parent_gives_the_same(import_codex: Import) -> None:
    import_codex(fork_lines(), name="fork")
    home = import_codex(parent_lines(), name="parent")
    assert by_session(home) == EXPECTED_OF_FORK
    assert sorted(call["called_at"] % 1_000_000 for call in home.calls()) == [2000, 3000, 111_000]


def test_a_fork_of_a_fork_still_repeats_nothing(import_codex: Import) -> None:
    grandchild = uuid7(200)
    lines = [
        meta(grandchild, 200, forked_from_id=CHILD),
        *replayed(fork_lines(), 200),
        turn(210, turn_id=uuid7(210)),
        token_count(211, (3300, 0, 330), (100, 0, 10)),
    ]
    import_codex(parent_lines(), name="parent")
    import_codex(lines, name="grandchild")
    home = import_codex(fork_lines(), name="fork")
    assert by_session(home) == sorted([*EXPECTED_OF_FORK, (grandchild, 10)])


def test_a_replay_without_turn_ids_is_left_out(import_codex: Import) -> None:
    old = [meta("parent-id"), turn(1), token_count(2, (1000, 0, 100), (1000, 0, 100))]
    child = [
        meta("child-id", 100, forked_from_id="parent-id"),
        *replayed(old, 100),
        turn(110),
        token_count(111, (1700, 0, 170), (700, 0, 70)),
    ]
    import_codex(old, name="parent")
    assert by_session(import_codex(child, name="child")) == [("child-id", 70), ("parent-id", 100)]


def test_a_quick_first_answer_of_an_ordinary_session_is_no_replay(import_codex: Import) -> None:
    home = import_codex([meta("plain-id"), turn(0.1), token_count(0.2, (10, 0, 1), (10, 0, 1))])
    assert by_session(home) == [("plain-id", 1)]


def test_a_sub_agents_calls_belong_to_the_session_at_the_root(import_codex: Import) -> None:
    source = {"subagent": {"thread_spawn": {"parent_thread_id": PARENT, "depth": 1}}}
    agent = [
        meta(CHILD, 100, session_id=PARENT, source=source, subagent_history_start_ordinal=3),
        *(line | {"ordinal": 1} for line in replayed(parent_lines(), 100)),
        turn(101, turn_id=uuid7(101)) | {"ordinal": 3},
        record(102, counts((70, 0, 7)), "resp_agent") | {"ordinal": 4},
    ]
    import_codex(agent, name="agent")
    assert by_session(import_codex(parent_lines(), name="parent")) == [(PARENT, 7), (PARENT, 100), (PARENT, 150)]


def test_a_response_that_is_replayed_with_its_record_counts_once(import_codex: Import) -> None:
    own = [meta(PARENT), turn(1, turn_id=uuid7(1)), record(2, counts((50, 0, 5)), "resp_1", thread_id=PARENT)]
    child = [meta(CHILD, 100, forked_from_id=PARENT), *replayed(own, 100)]
    import_codex(child, name="child")
    assert by_session(import_codex(own, name="parent")) == [(PARENT, 5)]


def test_a_file_without_its_first_line_is_known_by_its_name(import_codex: Import) -> None:
    home = import_codex([token_count(2, (10, 0, 1), (10, 0, 1))], name=f"rollout-2026-01-01T00-00-00-{PARENT}")
    assert by_session(home) == [(PARENT, 1)]


def test_lines_of_unknown_kinds_are_counted_and_cost_nothing(import_codex: Import) -> None:
    home = import_codex([meta(PARENT), line("brand_new", 1, x=1), token_count(2, (10, 0, 1))])
    assert used(home) == [(10, 0, 1)]

"""One billed call of Claude Code is one row of the ledger, whatever the number of its lines and copies."""

from collections.abc import Callable
from typing import Any

from tests.importers.claude_writing import answer, opening, prompt, tool, tool_result, usage
from tests.importers.importing import Home, Line, figures

Import = Callable[..., Home]


def outputs(home: Home) -> list[int]:
    return sorted(call["output_tokens"] for call in home.calls())


def copied(lines: list[Line], session: str) -> list[Line]:
    """As a fork writes them: everything the same but the session."""
    return [line | {"sessionId": session} for line in lines]


def test_the_lines_of_one_answer_are_one_call_with_the_largest_output(import_claude: Import) -> None:
    home = import_claude([answer(1, usage(6), stop=None), answer(2, usage(6), stop=None), answer(3, usage(383))])
    assert outputs(home) == [383]


def test_tool_results_between_the_lines_of_one_answer_do_not_split_it(import_claude: Import) -> None:
    home = import_claude(
        [
            answer(1, usage(332), content=[tool("Bash", "t-1")]),
            tool_result("t-1", 2),
            answer(3, usage(332), content=[tool("Bash", "t-2")]),
        ]
    )
    assert outputs(home) == [332]


def test_the_time_of_a_call_is_that_of_its_first_line(import_claude: Import) -> None:
    home = import_claude([answer(1, usage(6), stop=None), answer(9, usage(383))])
    (call,) = home.calls()
    assert call["called_at"] == 1_790_000_001_000


def test_equal_ids_in_several_files_are_one_call_of_the_session_that_made_it(import_claude: Import) -> None:
    lines = [opening(0, session="z"), prompt("Go", 1, session="z"), answer(2, usage(50), session="z")]
    import_claude(lines, session="z")
    fork = [opening(10, session="a"), *copied(lines[1:], "a"), answer(12, usage(7), request="req_2", session="a")]
    home = import_claude(fork, session="a")
    assert [(call["session_id"], call["output_tokens"]) for call in home.calls()] == [("z", 50), ("a", 7)]


def test_a_copied_call_counts_when_its_own_transcript_is_gone(import_claude: Import) -> None:
    lines = copied([answer(2, usage(50))], "fork")
    home = import_claude([opening(10, session="fork"), *lines], session="fork")
    assert [(call["session_id"], call["output_tokens"]) for call in home.calls()] == [("fork", 50)]


def test_a_copied_history_gives_its_session_no_prompts_and_no_tools(import_claude: Import) -> None:
    lines = [prompt("Go", 1), answer(2, usage(50), content=[tool("Bash", "t-1")]), tool_result("t-1", 3)]
    home = import_claude([opening(10, session="fork"), *copied(lines, "fork")], session="fork")
    assert [event["event_type"] for event in home.events()] == ["llm_response"]


def test_without_a_request_id_the_message_is_one_call_in_every_file(import_claude: Import) -> None:
    lines = [answer(1, usage(6), request=None, session="z"), answer(2, usage(9), request=None, session="z")]
    import_claude(lines, session="z")
    home = import_claude(copied(lines, "y"), session="y")
    assert outputs(home) == [9]


def test_without_any_id_the_same_time_and_usage_are_the_same_call(import_claude: Import) -> None:
    lines = [answer(1, usage(6), message=None, request=None), answer(2, usage(6), message=None, request=None)]
    home = import_claude([*lines, lines[0]])
    assert outputs(home) == [6, 6]


def test_a_gateway_with_one_message_id_for_all_makes_one_call_for_each_answer(import_claude: Import) -> None:
    same: dict[str, Any] = {"message": "msg_same", "request": None}
    home = import_claude(
        [
            prompt("Go", 1),
            answer(2, usage(10, input_tokens=100), content=[tool("Bash", "t-1")], **same),
            tool_result("t-1", 3),
            answer(4, usage(20, input_tokens=150), **same),
            answer(5, usage(25, input_tokens=150), **same),
            prompt("On", 6),
            answer(7, usage(30, input_tokens=150), **same),
        ]
    )
    assert outputs(home) == [10, 25, 30]


def test_a_gateway_with_one_message_id_keeps_sessions_apart(import_claude: Import) -> None:
    import_claude([answer(1, usage(5), message="msg_same", request=None, session="x")], session="x")
    home = import_claude([answer(2, usage(7), message="msg_same", request=None, session="y")], session="y")
    assert outputs(home) == [5, 7]


def test_a_gateway_with_one_pair_of_ids_makes_one_call_for_each_prompt(import_claude: Import) -> None:
    home = import_claude(
        [answer(1, usage(5, input_tokens=100)), prompt("On", 2), answer(3, usage(7, input_tokens=300))]
    )
    assert outputs(home) == [5, 7]


def test_one_request_id_under_two_messages_is_two_calls(import_claude: Import) -> None:
    home = import_claude([answer(1, usage(5), message="msg_a"), answer(2, usage(7), message="msg_b")])
    assert outputs(home) == [5, 7]


def test_a_sidechain_copy_with_another_request_id_is_the_parents_call(import_claude: Import) -> None:
    home = import_claude([answer(1, usage(50)), answer(1, usage(50), request="req_side", isSidechain=True)])
    (call,) = home.calls()
    assert (call["call_key"], call["output_tokens"]) == ("request:req_1", 50)


def test_a_sidechain_answer_of_its_own_is_a_call_of_its_own(import_claude: Import) -> None:
    home = import_claude(
        [answer(1, usage(50)), answer(2, usage(8), message="msg_2", request="req_2", isSidechain=True)]
    )
    assert outputs(home) == [8, 50]


def test_what_a_sub_agent_used_is_its_parents_sessions(import_claude: Import) -> None:
    agent = answer(3, usage(9), message="msg_a", request="req_a", isSidechain=True, agentId="a1")
    home = import_claude([answer(1, usage(50))], agents={"a1": [agent]})
    assert [(call["session_id"], call["output_tokens"]) for call in home.calls()] == [("s-1", 50), ("s-1", 9)]


def test_an_answer_of_a_sub_agent_that_its_parent_reports_too_counts_once(import_claude: Import) -> None:
    agent = answer(3, usage(9), message="msg_a", request="req_a", isSidechain=True, agentId="a1")
    progress = {
        "type": "progress",
        "sessionId": "s-1",
        "timestamp": agent["timestamp"],
        "data": {"type": "agent_progress", "agentId": "a1", "message": agent},
    }
    home = import_claude([answer(1, usage(50)), progress], agents={"a1": [agent]})
    assert outputs(home) == [9, 50]
    assert len(home.events()) == 2


def test_cache_writes_are_split_by_their_life_where_the_transcript_says_so(import_claude: Import) -> None:
    split = {"ephemeral_5m_input_tokens": 30, "ephemeral_1h_input_tokens": 70}
    home = import_claude([answer(1, usage(5, written=100, cache_creation=split))])
    assert figures(home.calls()[0]) == (10, 0, 30, 70, 5, 0)


def test_cache_writes_that_are_not_split_are_of_five_minutes(import_claude: Import) -> None:
    home = import_claude([answer(1, usage(5, read=7, written=100))])
    assert figures(home.calls()[0]) == (10, 7, 100, 0, 5, 0)


def test_searches_and_terms_out_of_the_ordinary_are_kept_on_the_call(import_claude: Import) -> None:
    used = usage(5, service_tier="standard", speed="fast", server_tool_use={"web_search_requests": 2})
    home = import_claude([answer(1, used)])
    assert home.rows("SELECT web_searches, service_tier, speed FROM calls") == [
        {"web_searches": 2, "service_tier": None, "speed": "fast"}
    ]


def test_a_call_is_priced_by_its_own_model_and_cache_classes(import_claude: Import) -> None:
    split = {"ephemeral_5m_input_tokens": 1_000_000, "ephemeral_1h_input_tokens": 1_000_000}
    used = usage(0, input_tokens=0, written=2_000_000, cache_creation=split)
    home = import_claude([answer(1, used, model="claude-haiku-4-5")])
    # $1 a million for input: 1.25 times that for 5 minutes, twice for an hour.
    assert home.calls()[0]["cost_nanos"] == 3_250_000_000


def test_an_unknown_model_has_no_cost_rather_than_none(import_claude: Import) -> None:
    home = import_claude([answer(1, usage(5), model="claude-next")])
    assert home.calls()[0]["cost_nanos"] is None


def test_errors_and_synthetic_answers_carry_no_bill(import_claude: Import) -> None:
    home = import_claude(
        [
            answer(1, usage(5), model="<synthetic>"),
            answer(2, usage(5), request="req_2", isApiErrorMessage=True),
        ]
    )
    assert home.calls() == []


def test_usage_that_is_no_number_counts_nothing_and_the_rest_counts(import_claude: Import) -> None:
    used = {"input_tokens": "many", "output_tokens": 5, "cache_read_input_tokens": -3, "cache_creation": 7}
    home = import_claude([answer(1, used)])
    assert figures(home.calls()[0]) == (0, 0, 0, 0, 5, 0)


def test_only_one_event_of_an_answer_shows_its_tokens(import_claude: Import) -> None:
    asking = answer(2, usage(40), content=[tool("Bash", "t-1")])
    home = import_claude([answer(1, usage(6), stop=None), asking, tool_result("t-1", 3)])
    assert [event["tokens_out"] for event in home.events()] == [40, 0]


def test_an_answer_whose_end_was_not_written_is_believed_less_than_telemetry(import_claude: Import) -> None:
    home = import_claude([answer(1, usage(6), stop=None)])
    assert home.calls()[0]["authority"] == 1


def test_a_line_without_ids_keeps_the_cost_that_it_states(import_claude: Import) -> None:
    plain = {
        "type": "assistant",
        "sessionId": "s-1",
        "timestamp": "2026-02-18T18:00:05.000Z",
        "costUSD": 0.25,
        "message": {"model": "claude-sonnet-4-5", "usage": usage(20)},
    }
    home = import_claude([plain])
    assert [(call["cost_nanos"], call["price"]) for call in home.calls()] == [(250_000_000, "client")]

"""/api/pricing: models without a price, and what becomes of their calls once somebody said one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.conftest import ServerFactory
from tests.serving import Server, event


@contextmanager
def filled(serving: ServerFactory) -> Iterator[Server]:
    """Two calls of one unknown model, one of another whose name is hard on paths, one priced, one nameless."""
    with serving() as running:
        running.post(
            call("anvil-9", 1_000_000, "2026-11-01T10:00:00Z"),
            call("anvil-9", 2_000_000, "2026-11-02T10:00:00Z", tokens_out=5, cache_read_tokens=7),
            call("maker/x y%2F?", 1, "2026-11-03T10:00:00Z"),
            call("o3", 1_000_000, "2026-11-03T10:00:00Z"),
            call(None, 3, "2026-11-04T10:00:00Z"),
        )
        yield running


@pytest.fixture
def server(serving: ServerFactory) -> Iterator[Server]:
    with filled(serving) as running:
        yield running


@pytest.fixture(scope="module")
def untouched(serving: ServerFactory) -> Iterator[Server]:
    """For tests that change nothing."""
    with filled(serving) as running:
        yield running


def call(model: str | None, tokens_in: int, when: str, **fields: Any) -> dict[str, Any]:
    return event("s", "llm_response", model=model, tokens_in=tokens_in, client_timestamp=when, **fields)


def say(server: Server, model: str, **said: Any) -> tuple[int, Any]:
    answer = server.client.post(f"/api/pricing/unknown/{model}", json=said)
    return answer.status_code, answer.json()


def costs(server: Server, **filters: str) -> list[float | None]:
    return [each["cost_usd"] for each in reversed(server.get("/api/calls", **filters)["calls"])]


def names(server: Server) -> list[str | None]:
    return [each["model"] for each in server.get("/api/pricing/unknown")["models"]]


def test_each_unknown_model_is_listed_with_what_it_used(untouched: Server) -> None:
    assert names(untouched) == ["anvil-9", None, "maker/x y%2F?"]
    assert untouched.get("/api/pricing/unknown")["models"][0] == {
        "model": "anvil-9",
        "calls": 2,
        "input_tokens": 3_000_000,
        "cache_read_tokens": 7,
        "cache_write_tokens": 0,
        "output_tokens": 5,
        "first_seen": "2026-11-01T10:00:00.000Z",
        "last_seen": "2026-11-02T10:00:00.000Z",
    }


def test_a_price_reprices_its_calls_their_events_and_the_sums_and_holds_for_the_next(server: Server) -> None:
    status, answer = say(server, "anvil-9", input_usd=1.5, output_usd=3, cache_read_usd=0)
    assert (status, answer["calls"], answer["after_usd"], answer["still_unknown"]) == (200, 2, 4.500015, False)
    server.post(call("anvil-9", 4_000_000, "2026-11-05T10:00:00Z"))

    assert costs(server, model="anvil-9") == [1.5, 3.000015, 6]
    assert [row["cost_usd"] for row in server.get("/api/events", model="anvil-9")["events"]] == [6, 3.000015, 1.5]
    assert server.get("/api/usage", model="anvil-9")["totals"]["cost_usd"] == 10.500015
    assert "anvil-9" not in names(server)


def test_a_name_is_mapped_to_a_known_model(server: Server) -> None:
    status, answer = say(server, "maker%2Fx%20y%252F%3F", same_as="o3")
    assert (status, answer["calls"], answer["after_usd"]) == (200, 1, 0.000002)
    assert names(server) == ["anvil-9", None]


def test_a_price_for_a_time_leaves_the_rest_unknown(server: Server) -> None:
    status, answer = say(server, "anvil-9", input_usd=1, output_usd=1, valid_from="2026-11-02")
    assert (status, answer["still_unknown"]) == (200, True)
    assert costs(server, model="anvil-9") == [None, 2.000012]


@pytest.mark.parametrize(
    ("model", "said", "status"),
    [
        ("anvil-9", {}, 400),
        ("anvil-9", {"same_as": "nobody-sells-this"}, 400),
        ("anvil-9", {"input_usd": -1, "output_usd": 1}, 400),
        ("anvil-9", {"input_usd": "1", "output_usd": 1}, 400),
        ("anvil-9", {"unheard_of": 1}, 400),
        ("o3", {"same_as": "gpt-4o"}, 404),
        ("nobody-called-this", {"same_as": "o3"}, 404),
    ],
)
def test_what_makes_no_price_is_refused_and_changes_nothing(
    untouched: Server, model: str, said: dict[str, Any], status: int
) -> None:
    before = untouched.get("/api/usage")
    got, answer = say(untouched, model, **said)
    assert (got, list(answer)) == (status, ["error"])
    assert untouched.get("/api/usage") == before
    assert len(names(untouched)) == 3


def remove(server: Server, override_id: object) -> tuple[int, Any]:
    answer = server.client.delete(f"/api/pricing/overrides/{override_id}")
    return answer.status_code, answer.json()


def test_own_prices_are_listed_and_one_taken_back_leaves_its_calls_unpriced(server: Server) -> None:
    _, priced = say(server, "anvil-9", input_usd=1.5, output_usd=3, note="the contract")
    _, mapped = say(server, "maker%2Fx%20y%252F%3F", same_as="o3")
    own = server.get("/api/pricing/overrides")["overrides"]
    assert [each["id"] for each in own] == [mapped["override_id"], priced["override_id"]]
    assert {"model": "maker/x y%2F?", "same_as": "o3", "input_usd": None}.items() <= own[0].items()
    assert {"model": "anvil-9", "same_as": None, "note": "the contract"}.items() <= own[1].items()

    status, answer = remove(server, priced["override_id"])

    assert status == 200
    assert answer == {"override_id": priced["override_id"], "calls": 2, "before_usd": 4.5000255, "after_usd": 0}
    assert costs(server, model="anvil-9") == [None, None]
    assert names(server) == ["anvil-9", None]
    assert [each["id"] for each in server.get("/api/pricing/overrides")["overrides"]] == [mapped["override_id"]]


@pytest.mark.parametrize("override_id", ["0", "x", "-1", "9" * 30, "²"])
def test_only_a_price_that_exists_is_taken_back(untouched: Server, override_id: str) -> None:
    assert remove(untouched, override_id) == (404, {"error": "There is no such price of your own"})


def test_the_book_shows_each_row_with_its_days_and_source_and_ones_own_first(server: Server) -> None:
    def rows(name: str) -> list[Any]:
        return [row for row in server.get("/api/pricing/rows")["rows"] if row["applies_to"] == name]

    assert [(row["valid_from"], row["valid_until"]) for row in rows("o3")] == [
        ("2025-06-10", None),
        (None, "2025-06-10"),
    ]
    assert all(row["source"] and row["checked_on"] for row in rows("o3"))
    _, priced = say(server, "anvil-9", input_usd=1.5, output_usd=3)
    say(server, "maker%2Fx%20y%252F%3F", same_as="o3")
    (own,) = rows("anvil-9")
    assert (own["price_id"], own["input_usd"], own["source"]) == (
        f"anvil-9@own-{priced['override_id']}",
        1.5,
        None,
    )
    assert {row["model"] for row in rows("maker/x y%2F?")} == {"o3"}


MIXED = {"tokens_in": 100_000, "cache_read_tokens": 200_000, "cache_write_tokens": 50_000, "tokens_out": 10_000}


@pytest.fixture(scope="module")
def compared(serving: ServerFactory) -> Iterator[Server]:
    """Calls before and after o3 became cheaper, one of a model without a price, one in another project."""
    with serving() as running:
        running.post(
            event("a", "llm_response", model="gpt-4o", client_timestamp="2025-06-09T23:00:00Z", **MIXED),
            event("a", "llm_response", model="gpt-4o", client_timestamp="2025-06-10T00:00:00Z", **MIXED),
            event("a", "llm_response", model="anvil-9", client_timestamp="2025-06-11T00:00:00Z", **MIXED),
            event("b", "llm_response", model="o3", client_timestamp="2025-06-12T00:00:00Z", project="p", **MIXED),
        )
        yield running


def what_if(server: Server, **parameters: str) -> list[Any]:
    answer = server.get("/api/pricing/what-if", **parameters)
    return [
        answer[name] for name in ("calls", "compared_calls", "compared_usd", "with_cache_usd", "without_cache_usd")
    ]


def test_calls_are_priced_on_another_model_at_their_own_time(compared: Server) -> None:
    cheap = 0.1 * 2 + 0.2 * 0.5 + 0.05 * 2 + 0.01 * 8
    cheap_uncached = 0.35 * 2 + 0.01 * 8
    old_uncached = 0.35 * 10 + 0.01 * 40
    found = what_if(compared, model="openai/o3", called_model="gpt-4o")
    assert found == pytest.approx([2, 2, *found[2:3], 2.0 + cheap, old_uncached + cheap_uncached])
    assert found[2] == compared.get("/api/usage", model="gpt-4o")["totals"]["cost_usd"]


def test_a_model_compared_with_itself_costs_the_same_and_the_unpriced_are_left_out(compared: Server) -> None:
    calls, both, was, would_be, uncached = what_if(compared, model="o3", project="p")
    assert (calls, both) == (1, 1)
    assert was == would_be < uncached
    assert what_if(compared, model="o3")[:2] == [4, 3]
    assert what_if(compared, model="o3", since="2025-06-11", until="2025-06-11T00:00:00Z")[:2] == [1, 0]


@pytest.mark.parametrize("query", ["", "?model=", "?model=nobody-sells-this"])
def test_the_other_model_must_have_a_price(compared: Server, query: str) -> None:
    answer = compared.client.get(f"/api/pricing/what-if{query}")
    assert (answer.status_code, answer.json()) == (400, {"error": "model: must be a model with a price"})

"""GET /api/usage and /api/calls: the ledger, summed and one by one."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from pathlib import Path
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ingest.store import Batch, write_group
from monitor.queries_usage import GROUPS, PERIODS, UsageFilter, list_calls, period_start, usage
from monitor.times import EARLIEST_MS, HOUR_MS, LATEST_MS, hour_of, iso_text, to_datetime
from tests.conftest import ServerFactory
from tests.serving import Server, event
from tests.storing import START_MS, Row, new_event, rules, table

SUMS: dict[str, Callable[[Row], int]] = {
    "calls": lambda row: 1,
    "input_tokens": lambda row: row["uncached_input_tokens"],
    "cache_read_tokens": lambda row: row["cache_read_tokens"],
    "cache_write_5m_tokens": lambda row: row["cache_write_5m_tokens"],
    "cache_write_1h_tokens": lambda row: row["cache_write_1h_tokens"],
    "output_tokens": lambda row: row["output_tokens"],
    "reasoning_tokens": lambda row: row["reasoning_tokens"],
    "cost_usd": lambda row: row["cost_nanos"] or 0,
    "unpriced_calls": lambda row: row["cost_nanos"] is None,
}


@pytest.fixture(scope="module")
def ledger(serving: ServerFactory) -> Iterator[Server]:
    """Six calls on three days, in two months, of two sessions."""

    def call(session_id: str, when: str, **fields: Any) -> dict[str, Any]:
        return event(session_id, "llm_response", client_timestamp=when, **fields)

    with serving() as server:
        server.post(
            call(
                "a", "2026-10-30T23:30:00Z", model="o3", tokens_in=1, cost_usd=0.5, project="shop", branch="main"
            ),
            call("a", "2026-10-31T23:30:00Z", model="o3", tokens_in=2, cost_usd=0.25),
            call("a", "2026-10-31T23:59:59.999Z", model="no-such-model", tokens_in=4, tokens_out=3),
            call("b", "2026-11-01T00:00:00Z", model="o3", tokens_in=8, cost_usd=1, agent_type="aider"),
            call("b", "2026-11-01T12:00:00Z", tokens_in=16, cache_read_tokens=5, cache_write_tokens=7),
            call("b", "2026-11-01T12:10:00Z", model="o3", tokens_in=32, cost_usd=0),
            event("b"),
        )
        yield server


def grouped(server: Server, group_by: str, **parameters: str) -> list[tuple[Any, ...]]:
    """The group's values, calls and input tokens of each row."""
    rows = server.get("/api/usage", group_by=group_by, **parameters)["rows"]
    return [(*(row[name] for name in group_by.split(",")), row["calls"], row["input_tokens"]) for row in rows]


class TestUsage:
    def test_totals_are_of_all_calls(self, ledger: Server) -> None:
        assert ledger.get("/api/usage")["totals"] == {
            "calls": 6,
            "input_tokens": 63,
            "cache_read_tokens": 5,
            "cache_write_5m_tokens": 7,
            "cache_write_1h_tokens": 0,
            "output_tokens": 3,
            "reasoning_tokens": 0,
            "cost_usd": 1.75,
            "unpriced_calls": 2,
        }

    @pytest.mark.parametrize(
        ("group_by", "expected"),
        [
            ("day", [("2026-10-30", 1, 1), ("2026-10-31", 2, 6), ("2026-11-01", 3, 56)]),
            ("week", [("2026-10-26", 6, 63)]),
            ("month", [("2026-10", 3, 7), ("2026-11", 3, 56)]),
            (
                "hour",
                [
                    ("2026-10-30T23:00:00Z", 1, 1),
                    ("2026-10-31T23:00:00Z", 2, 6),
                    ("2026-11-01T00:00:00Z", 1, 8),
                    ("2026-11-01T12:00:00Z", 2, 48),
                ],
            ),
            ("model", [("o3", 4, 43), (None, 1, 16), ("no-such-model", 1, 4)]),
            ("agent_type", [("aider", 1, 8), ("codex", 5, 55)]),
            ("project", [(None, 3, 56), ("shop", 3, 7)]),
            ("branch", [(None, 3, 56), ("main", 3, 7)]),
            ("session_id", [("b", 3, 56), ("a", 3, 7)]),
            (
                "month,model",
                [
                    ("2026-10", "o3", 2, 3),
                    ("2026-10", "no-such-model", 1, 4),
                    ("2026-11", "o3", 2, 40),
                    ("2026-11", None, 1, 16),
                ],
            ),
            ("session_id,month", [("b", "2026-11", 3, 56), ("a", "2026-10", 3, 7)]),
        ],
    )
    def test_is_summed_by_any_groups_in_the_order_of_time_or_cost(
        self, ledger: Server, group_by: str, expected: list[tuple[Any, ...]]
    ) -> None:
        assert grouped(ledger, group_by) == expected

    @pytest.mark.parametrize(
        ("tz", "expected"),
        [
            ("Europe/Berlin", [("2026-10-31", 1, 1), ("2026-11-01", 5, 62)]),
            ("America/New_York", [("2026-10-30", 1, 1), ("2026-10-31", 3, 14), ("2026-11-01", 2, 48)]),
            ("UTC", [("2026-10-30", 1, 1), ("2026-10-31", 2, 6), ("2026-11-01", 3, 56)]),
            ("", [("2026-10-30", 1, 1), ("2026-10-31", 2, 6), ("2026-11-01", 3, 56)]),
        ],
    )
    def test_has_the_days_of_a_zone(self, ledger: Server, tz: str, expected: list[tuple[Any, ...]]) -> None:
        assert grouped(ledger, "day", tz=tz) == expected

    @pytest.mark.parametrize(
        ("parameters", "calls"),
        [
            ({"session_id": "a"}, 3),
            ({"agent_type": "aider"}, 1),
            ({"model": "o3"}, 4),
            ({"project": "shop"}, 3),
            ({"branch": "main", "model": "o3"}, 2),
            ({"since": "2026-10-31T23:30:01Z"}, 4),
            ({"until": "2026-10-31T23:59:59Z"}, 3),
            ({"since": "2026-11-01", "until": "2026-11-01"}, 1),
            ({"since": "2026-10-31T23:59:59.500Z", "until": "2026-11-01T12:05:00+00:00"}, 3),
            ({"project": "none"}, 0),
            ({"unnamed": "model"}, 1),
            ({"unnamed": "project,branch"}, 3),
            ({"unnamed": "model", "session_id": "a"}, 0),
            ({"unpriced": "1"}, 2),
            ({"unpriced": "0"}, 6),
            ({"unpriced": "1", "until": "2026-11-01"}, 1),
            ({"received_since": "2026-10-01"}, 6),
            ({"received_since": "2126-10-01"}, 0),
        ],
    )
    def test_holds_its_filters_as_the_calls_do(
        self, ledger: Server, parameters: dict[str, str], calls: int
    ) -> None:
        answer = ledger.get("/api/usage", **parameters)
        assert answer["totals"]["calls"] == sum(row["calls"] for row in answer["rows"]) == calls
        assert ledger.get("/api/calls", **parameters)["total"] == calls

    @pytest.mark.parametrize(
        ("parameters", "error"),
        [
            ({"group_by": "nope"}, "group_by: "),
            ({"group_by": "day,nope"}, "group_by: "),
            ({"group_by": ","}, "group_by: "),
            ({"tz": "Nowhere/Town"}, "tz: "),
            ({"tz": "../../etc/passwd"}, "tz: "),
            ({"tz": "/etc/localtime"}, "tz: "),
            ({"tz": "Europe"}, "tz: "),
            ({"tz": "a\0b"}, "tz: "),
            ({"tz": "x" * 5000}, "tz: "),
            ({"since": "x"}, "since: "),
            ({"received_since": "x"}, "received_since: "),
            ({"unnamed": "session_id"}, "unnamed: "),
            ({"unpriced": "perhaps"}, "unpriced: "),
        ],
    )
    def test_refuses_what_it_does_not_know_by_name(
        self, ledger: Server, parameters: dict[str, str], error: str
    ) -> None:
        response = ledger.client.get("/api/usage", params=parameters)
        assert response.status_code == 400
        assert response.json()["error"].startswith(error)

    def test_names_each_group_once(self, ledger: Server) -> None:
        rows = ledger.get("/api/usage", group_by="model, model,day")["rows"]
        assert list(rows[0])[:2] == ["model", "day"]


class TestCalls:
    def test_come_newest_first_with_what_was_billed(self, ledger: Server) -> None:
        answer = ledger.get("/api/calls", limit=2)
        assert answer["total"] == 6
        assert [call["called_at"] for call in answer["calls"]] == [
            "2026-11-01T12:10:00.000Z",
            "2026-11-01T12:00:00.000Z",
        ]
        expected = {
            "session_id": "b",
            "agent_type": "codex",
            "model": None,
            "input_tokens": 16,
            "cache_read_tokens": 5,
            "cache_write_5m_tokens": 7,
            "output_tokens": 0,
            "cost_usd": None,
            "price": None,
            "project": None,
            "branch": None,
            "session_title": None,
            "provisional": True,
        }
        assert expected.items() <= answer["calls"][1].items()

    def test_of_one_event_have_one_witness(self, ledger: Server) -> None:
        (call,) = ledger.get("/api/calls", agent_type="aider")["calls"]
        assert [(witness["source"], witness["ref"]) for witness in call["witnesses"]] == [("api", "event 4")]

    def test_without_usage_are_none(self, server: Server, session_id: str) -> None:
        server.post(event(session_id, "llm_response", model="o3"))
        assert server.get("/api/calls", session_id=session_id) == {"calls": [], "total": 0}

    def test_pages_meet_without_gap(self, ledger: Server) -> None:
        pages = [ledger.get("/api/calls", limit=4, offset=offset)["calls"] for offset in (0, 4, 8)]
        ids = [call["id"] for page in pages for call in page]
        assert (len(ids), len(set(ids)), pages[2]) == (6, 6, [])


@pytest.mark.parametrize(
    ("name", "hour", "zone", "start"),
    [
        ("day", "2026-03-29T00:00:00", "Europe/Berlin", "2026-03-29"),
        ("day", "2026-03-28T23:00:00", "Europe/Berlin", "2026-03-29"),
        ("day", "2026-03-29T22:00:00", "Europe/Berlin", "2026-03-30"),
        ("day", "2026-10-25T22:00:00", "Europe/Berlin", "2026-10-25"),
        ("day", "2026-10-25T23:00:00", "Europe/Berlin", "2026-10-26"),
        ("week", "2026-11-22T23:00:00", "UTC", "2026-11-16"),
        ("week", "2026-11-22T23:00:00", "Europe/Berlin", "2026-11-23"),
        ("week", "2027-01-01T00:00:00", "UTC", "2026-12-28"),
        ("month", "2026-12-31T23:00:00", "Asia/Tokyo", "2027-01"),
        ("hour", "2026-12-31T23:00:00", "Asia/Tokyo", "2026-12-31T23:00:00Z"),
    ],
)
def test_periods_follow_the_calendar_of_the_zone(name: str, hour: str, zone: str, start: str) -> None:
    hour_ms = round(datetime.fromisoformat(hour).replace(tzinfo=UTC).timestamp() * 1000)
    assert period_start(name, hour_ms, ZoneInfo(zone)) == start


@given(
    hour_ms=st.integers(EARLIEST_MS // HOUR_MS, LATEST_MS // HOUR_MS).map(lambda hour: hour * HOUR_MS),
    zone=st.integers(-23 * 60, 23 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
    name=st.sampled_from(PERIODS),
)
@example(EARLIEST_MS, timezone(timedelta(hours=-12)), "week")
@example(LATEST_MS - LATEST_MS % HOUR_MS, timezone(timedelta(hours=12)), "day")
def test_every_hour_has_a_period_in_every_zone(hour_ms: int, zone: tzinfo, name: str) -> None:
    assert period_start(name, hour_ms, zone)[4] == "-"


def some_calls() -> Iterator[Any]:
    for number in range(120):
        yield new_event(
            f"s{number % 3}",
            agent_type=["codex", "claude_code"][number % 2],
            model=["o3", "no-such-model", None][number % 3],
            project=["shop", "pay", None][number % 3],
            tokens_in=number,
            tokens_out=number % 7,
            client_at_ms=START_MS + number * 37 * 60_000,
        )


RECEIVED = [START_MS, START_MS + 90 * 60_000, START_MS + 30 * HOUR_MS + 7]


@pytest.fixture(scope="module")
def calls(django_database: Path) -> list[Row]:
    connection.ensure_connection()
    raw = cast(Any, connection.connection)
    told = list(some_calls())
    for number, received_at in enumerate(RECEIVED):
        write_group(raw, [Batch(told[number::3])], received_at, rules(django_database.parent))
    return table(
        raw, "SELECT c.*, s.project, s.branch FROM calls c JOIN sessions s ON s.id = c.session_id ORDER BY c.id"
    )


MOMENTS = st.none() | st.integers(START_MS - HOUR_MS, START_MS + 80 * HOUR_MS)


def test_usage_is_the_sum_of_the_calls(calls: list[Row]) -> None:
    zones = [UTC, ZoneInfo("America/New_York"), ZoneInfo("Asia/Tokyo")]

    @settings(max_examples=80, deadline=None)
    @given(
        groups=st.lists(st.sampled_from([*PERIODS, *GROUPS]), min_size=1, max_size=3, unique=True),
        zone=st.sampled_from(zones),
        since_ms=MOMENTS,
        until_ms=MOMENTS,
        agent_type=st.sampled_from([None, "codex"]),
        project=st.sampled_from([None, "shop"]),
        received_since_ms=st.none() | st.sampled_from(RECEIVED).flatmap(lambda at: st.integers(at - 1, at + 1)),
        unnamed=st.sampled_from([(), ("model",), ("project",), ("model", "branch")]),
        unpriced=st.booleans(),
    )
    def holds(
        groups: list[str],
        zone: tzinfo,
        since_ms: int | None,
        until_ms: int | None,
        agent_type: str | None,
        project: str | None,
        received_since_ms: int | None,
        unnamed: tuple[str, ...],
        unpriced: bool,
    ) -> None:
        asked = UsageFilter(since_ms, until_ms, agent_type, None, project, None, None, received_since_ms, unnamed)
        asked.unpriced = unpriced
        answer = usage(asked, groups, zone)
        wanted = [
            row
            for row in calls
            if (since_ms is None or row["called_at"] >= since_ms)
            and (until_ms is None or row["called_at"] <= until_ms)
            and agent_type in (None, row["agent_type"])
            and project in (None, row["project"])
            and (received_since_ms is None or row["received_at"] >= received_since_ms)
            and all(row[name] is None for name in unnamed)
            and not (unpriced and row["cost_nanos"] is not None)
        ]
        assert {call.id for call in list_calls(asked, 1000, 0)[0]} == {row["id"] for row in wanted}
        by_group: dict[tuple[Any, ...], list[Row]] = defaultdict(list)
        for row in wanted:
            by_group[tuple(value_of(row, name, zone) for name in groups)].append(row)
        shown = {tuple(row[name] for name in groups): row for row in answer["rows"]}
        assert len(shown) == len(answer["rows"])
        assert {key: sums_of(row) for key, row in shown.items()} == {
            key: expected_sums(rows) for key, rows in by_group.items()
        }

    holds()


def value_of(row: Row, name: str, zone: tzinfo) -> Any:
    if name not in PERIODS:
        return row[name]
    if name == "hour":
        return iso_text(hour_of(row["called_at"]))[:19] + "Z"
    day = to_datetime(row["called_at"]).astimezone(zone).date()
    monday = day - timedelta(days=day.weekday())
    return {"day": f"{day}", "week": f"{monday}", "month": f"{day}"[:7]}[name]


def sums_of(row: Row) -> list[int]:
    return [round(row[name] * 10**9) if name == "cost_usd" else row[name] for name in SUMS]


def expected_sums(rows: list[Row]) -> list[int]:
    return [sum(value(row) for row in rows) for value in SUMS.values()]

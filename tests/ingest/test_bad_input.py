"""Whatever is sent: a 4xx that says why, or stored so that every read still works. Never a 5xx."""

import gzip
import json
import socket
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.doors import JSON, Door, Reply, events_of, post_batch, post_event
from tests.serving import Server, event

MEGABYTE = 1024 * 1024
NOT_AN_OBJECT = [{"field": "body", "message": "must be a JSON object"}]


def post_raw(door: Door, body: bytes, **headers: str) -> Reply:
    return door.send("POST", "/api/events", body, {"Content-Type": JSON} | headers)


def fields_at_fault(reply: Reply) -> list[str]:
    assert reply.status == 400, reply
    assert reply.body["error"] == "Invalid event payload"
    return [detail["field"] for detail in reply.body["details"]]


def check_reads(door: Door, session_id: str | None = None) -> None:
    """The pages still have all their data."""
    paths = [
        "/api/events?limit=5",
        "/api/sessions?limit=5",
        "/api/stats",
        "/api/stats/cost",
        "/api/filter-options",
    ]
    if session_id is not None:
        session = f"/api/sessions/{quote(session_id, safe='')}"
        paths += [session, f"{session}/transcript", f"/api/events?session_id={quote(session_id, safe='')}"]
    for path in paths:
        reply = door.send("GET", path)
        assert reply.status == 200, (path, reply)
        assert reply.body


class TestMalformed:
    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b" ",
            b"{",
            b"nul",
            b"{]}",
            b'{"session_id":',
            b'{"session_id":"a"} x',
            b"{'session_id':'a'}",
            b'{"session_id":"a",}',
            b"NaN",
            b"-",
            b"\x00",
            b"\xff\xfe{\x00}\x00",
            b'\xef\xbb\xbf{"session_id":"a"}',
            b'"{\\"session_id\\":"',
            b'"\\ud800"',
        ],
    )
    def test_json_is_refused(self, door: Door, body: bytes) -> None:
        reply = post_raw(door, body)
        assert (reply.status, reply.body["details"]) == (400, NOT_AN_OBJECT)

    @pytest.mark.parametrize("value", [None, True, 1, 1.5, "x", [], [{}]])
    def test_json_that_is_no_object_is_refused(self, door: Door, value: object) -> None:
        assert fields_at_fault(post_event(door, value)) == ["body"]

    @pytest.mark.parametrize("place", ["project", "metadata"])
    def test_utf8_is_refused(self, door: Door, session_id: str, place: str) -> None:
        body = json.dumps(event(session_id, **{place: "@"})).encode().replace(b"@", b"\xff\xfe")
        assert fields_at_fault(post_raw(door, body)) == ["body"]

    def test_content_types_are_refused(self, door: Door, session_id: str) -> None:
        body = json.dumps(event(session_id)).encode()
        for kind in ("application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml"):
            assert door.send("POST", "/api/events", body, {"Content-Type": kind}).status == 400
        assert events_of(door, session_id) == []


class TestWrongFields:
    def test_are_all_named_in_order(self, door: Door) -> None:
        value = {
            "session_id": 1,
            "agent_type": "",
            "event_type": [],
            "status": {},
            "event_id": 1,
            "tool_name": {},
            "branch": [],
            "project": True,
            "model": 0,
            "duration_ms": "1",
            "tokens_in": 1.5,
            "tokens_out": -1,
            "cache_read_tokens": "x",
            "cache_write_tokens": False,
            "cost_usd": "1",
            "client_timestamp": "yesterday",
            "source": 0,
        }
        named = fields_at_fault(post_event(door, value))
        assert named == ["session_id", "agent_type", "event_type", *list(value)[2:]]

    @pytest.mark.parametrize("value", [1.5, -1, "7", True, False, [], {}, 1e10 + 1, 2**63, 10**30, 1e300])
    @pytest.mark.parametrize("name", ["tokens_in", "tokens_out", "cache_read_tokens", "cache_write_tokens"])
    def test_counts_are_whole_and_bounded(self, door: Door, session_id: str, name: str, value: object) -> None:
        assert fields_at_fault(post_event(door, event(session_id) | {name: value})) == [name]

    @pytest.mark.parametrize("value", [-0.1, "1", True, [], 1e300, 2**63])
    def test_costs_are_numbers_and_bounded(self, door: Door, session_id: str, value: object) -> None:
        assert fields_at_fault(post_event(door, event(session_id, cost_usd=value))) == ["cost_usd"]

    @pytest.mark.parametrize("literal", ["NaN", "Infinity", "-Infinity"])
    @pytest.mark.parametrize("name", ["tokens_in", "cost_usd", "metadata"])
    def test_what_is_no_json_number_is_refused(self, door: Door, session_id: str, name: str, literal: str) -> None:
        body = json.dumps(event(session_id, **{name: "@"})).replace('"@"', literal).encode()
        assert fields_at_fault(post_raw(door, body)) == ["body"]

    @pytest.mark.parametrize("literal", ["1e999", "-1e999", "1" * 400, "1" * 5000])
    @pytest.mark.parametrize("name", ["tokens_in", "cost_usd", "duration_ms"])
    def test_numbers_beyond_all_bounds_are_refused(
        self, door: Door, session_id: str, name: str, literal: str
    ) -> None:
        body = json.dumps(event(session_id, **{name: "@"})).replace('"@"', literal).encode()
        assert fields_at_fault(post_raw(door, body)) in ([name], ["body"])

    @pytest.mark.parametrize("name", ["session_id", "agent_type", "event_id", "tool_name", "branch", "project"])
    @pytest.mark.parametrize("value", ["a\0b", "\ud800", "a\udfffb", "x" * 4097])
    def test_texts_that_no_database_holds_are_refused(
        self, door: Door, session_id: str, name: str, value: str
    ) -> None:
        assert fields_at_fault(post_event(door, event(session_id) | {name: value})) == [name]

    def test_the_longest_text_is_kept_whole(self, door: Door, session_id: str) -> None:
        assert post_event(door, event(session_id, project="é" * 4096)).status == 201
        assert events_of(door, session_id)[0]["project"] == "é" * 4096

    @pytest.mark.parametrize("value", ["not a date", "2026-13-01", "2026-02-30", "T", "99999-01-01", "1" * 4000])
    def test_times_have_to_be_times(self, door: Door, session_id: str, value: str) -> None:
        assert fields_at_fault(post_event(door, event(session_id, client_timestamp=value))) == ["client_timestamp"]


class TestOddMetadata:
    @pytest.mark.parametrize(
        "literal",
        [
            '"\\u0000"',
            '{"message":"a\\u0000b","\\u0000":1}',
            '{"message":"\\ud800","\\udfff":[1]}',
            '{"n":1e999}',
            f'{{"n":{"9" * 400}}}',
            f'{{"n":{"9" * 5000}}}',
            '{"file_path":"\\ud800\\u0000","lines_added":1e300,"lines_removed":"x"}',
            '{"file_path":5,"lines_added":-1e999}',
            '{"error":{"message":{"message":1}}}',
            '{"a":1,"a":2}',
            '{"":{"":""}}',
            "[" * 500 + "]" * 500,
            "[" * 100_000 + "]" * 100_000,
            '{"a":' * 50_000 + "1" + "}" * 50_000,
        ],
        ids=lambda literal: f"{literal[:30]}-{len(literal)}",
    )
    def test_is_refused_or_harms_nothing(self, door: Door, session_id: str, literal: str) -> None:
        given = event(session_id, "user_prompt", tool_name="Edit", metadata="@")
        reply = post_raw(door, json.dumps(given).replace('"@"', literal).encode())
        assert reply.status in (201, 400), reply
        check_reads(door, session_id if reply.status == 201 else None)
        for row in events_of(door, session_id):
            json.loads(row["metadata"])

    def test_does_not_cost_a_batch_its_good_events(self, door: Door, session_id: str) -> None:
        odd = event(session_id, metadata={"message": "\ud800"})
        reply = post_batch(door, event(session_id), odd, event("\ud800"), event(session_id, tokens_in=2**70))
        assert reply.status == 201
        assert [item["index"] for item in reply.body["rejected"]] == [2, 3]
        assert len(events_of(door, session_id)) == 2


class TestSize:
    def test_of_a_megabyte_is_taken_and_one_byte_more_is_413(self, door: Door, session_id: str) -> None:
        body = json.dumps(event(session_id)).encode()
        assert post_raw(door, body + b" " * (MEGABYTE - len(body))).status == 201
        reply = post_raw(door, body + b" " * (MEGABYTE + 1 - len(body)))
        assert (reply.status, list(reply.body)) == (413, ["error"])

    def test_of_a_packed_body_is_held_unpacked(self, door: Door, session_id: str) -> None:
        body = json.dumps(event(session_id)).encode() + b" " * (100 * MEGABYTE)
        for packed in (gzip.compress(body, 9), zlib.compress(body, 9)):
            encoding = "gzip" if packed[:2] == b"\x1f\x8b" else "deflate"
            assert post_raw(door, packed, **{"Content-Encoding": encoding}).status == 413
        assert events_of(door, session_id) == []

    @pytest.mark.parametrize(
        ("encoding", "damage"),
        [
            ("gzip", lambda packed: packed[:-9]),
            ("gzip", lambda packed: packed[:10] + b"\0\0" + packed[12:]),
            ("gzip", lambda packed: b"{}"),
            ("br", lambda packed: packed),
            ("gzip, gzip", lambda packed: packed),
        ],
        ids=["cut", "damaged", "not packed", "unknown", "twice"],
    )
    def test_that_cannot_be_told_since_nothing_can_be_unpacked_is_400(
        self, door: Door, session_id: str, encoding: str, damage: Any
    ) -> None:
        packed = damage(gzip.compress(json.dumps(event(session_id)).encode()))
        reply = post_raw(door, packed, **{"Content-Encoding": encoding})
        assert (reply.status, list(reply.body)) == (400, ["error"])


def test_a_body_in_pieces_is_put_together(server: Server, session_id: str) -> None:
    def pieces() -> Iterator[bytes]:
        for byte in json.dumps(event(session_id)).encode():
            yield bytes([byte])

    response = server.client.post("/api/events", content=pieces(), headers={"Content-Type": JSON})
    assert response.status_code == 201


def test_a_body_in_pieces_is_refused_when_it_passes_the_limit(server: Server) -> None:
    pieces = (b" " * 65536 for _ in range(32))
    response = server.client.post("/api/events", content=pieces, headers={"Content-Type": JSON})
    assert response.status_code == 413


def test_a_body_that_is_announced_as_too_large_is_not_waited_for(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
        head = "POST /api/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {10**12}\r\n\r\n".encode())
        assert connection.recv(4096).startswith(b"HTTP/1.1 413 ")


def test_a_client_that_goes_away_in_the_middle_harms_nobody(server: Server, session_id: str) -> None:
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
            head = "POST /api/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            connection.sendall(f"{head}Content-Length: 1000\r\n\r\n{{".encode())
    assert server.post(event(session_id))


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=10,
)
NAMES = [
    *("event_id", "status", "tool_name", "branch", "project", "model", "source", "client_timestamp"),
    *("tokens_in", "tokens_out", "cache_read_tokens", "cache_write_tokens", "duration_ms", "cost_usd"),
    *("metadata", "nonsense"),
]
NEAR_EVENT = st.builds(
    lambda least, more: {**least, **more},
    st.fixed_dictionaries(
        {
            "session_id": st.just("fuzz") | ANY_TEXT,
            "agent_type": st.sampled_from(["claude_code", "codex"]) | ANY_TEXT,
            "event_type": st.sampled_from(["user_prompt", "error", "session_end", "llm_response"]) | ANY_TEXT,
        }
    ),
    st.dictionaries(st.sampled_from(NAMES), ANY_JSON, max_size=6),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(value=ANY_JSON | NEAR_EVENT)
def test_any_json_is_stored_or_refused_and_every_read_still_works(door: Door, value: Any) -> None:
    reply = post_event(door, value)
    assert reply.status in (200, 201, 400), reply
    in_batch = post_batch(door, value)
    assert in_batch.status == 201
    assert (reply.status == 400) == bool(in_batch.body["rejected"])
    check_reads(door, value["session_id"].strip() if reply.status == 201 else None)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.binary(max_size=40))
def test_any_bytes_are_refused_or_stored(door: Door, body: bytes) -> None:
    assert post_raw(door, body).status in (200, 201, 400)

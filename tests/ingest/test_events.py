"""POST /api/events, through both doors."""

import gzip
import json
import zlib
from typing import Any
from uuid import uuid4

import pytest

from tests.doors import JSON, Door, events_of, post_event
from tests.serving import event

LIMIT_BYTES = 10 * 1024


def stored(door: Door, session_id: str, **fields: Any) -> dict[str, Any]:
    """Post one event that is accepted; its row."""
    reply = post_event(door, event(session_id, **fields))
    assert reply.status == 201, reply
    return events_of(door, session_id.strip())[-1]


def session(door: Door, session_id: str) -> dict[str, Any]:
    reply = door.send("GET", f"/api/sessions/{session_id}")
    assert reply.status == 200
    return dict(reply.body["session"])


def test_the_least_event_gets_the_defaults(door: Door, session_id: str) -> None:
    row = stored(door, session_id)
    expected = {
        "event_id": None,
        "schema_version": 1,
        "session_id": session_id,
        "agent_type": "codex",
        "event_type": "response",
        "tool_name": None,
        "status": "success",
        "tokens_in": 0,
        "tokens_out": 0,
        "branch": None,
        "project": None,
        "duration_ms": None,
        "client_timestamp": None,
        "metadata": "{}",
        "payload_truncated": 0,
        "model": None,
        "cost_usd": None,
        "cache_read_tokens": 0,
        "cache_write_tokens": 0,
        "source": "api",
    }
    assert {name: row[name] for name in expected} == expected


def test_ids_only_grow(door: Door, session_id: str) -> None:
    ids = [post_event(door, event(session_id)).body["ids"][0] for _ in range(3)]
    assert ids == sorted(set(ids))


def test_an_error_event_has_status_error_unless_it_says_otherwise(door: Door, session_id: str) -> None:
    assert stored(door, session_id, event_type="error")["status"] == "error"
    assert stored(door, session_id, event_type="error", status="timeout")["status"] == "timeout"


def test_status_is_not_trimmed(door: Door, session_id: str) -> None:
    assert post_event(door, event(session_id, status=" success")).status == 400


def test_texts_are_trimmed_and_empty_ones_are_missing(door: Door, session_id: str) -> None:
    row = stored(door, f"  {session_id} ", agent_type=" aider ", tool_name=" \t", project=" p ", event_id="  ")
    assert (row["session_id"], row["agent_type"]) == (session_id, "aider")
    assert (row["tool_name"], row["project"], row["event_id"]) == (None, "p", None)


def test_a_client_can_set_neither_id_nor_time_of_receipt(door: Door, session_id: str) -> None:
    row = stored(door, session_id, id=1, created_at="2000-01-01", schema_version=7, cost_nanos=5)
    assert row["id"] != 1 or row["created_at"] > "2001"
    assert (row["schema_version"], row["cost_usd"]) == (1, None)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2026-02-18T18:06:41.231Z", "2026-02-18T18:06:41.231Z"),
        ("2026-02-18T20:06:41+02:00", "2026-02-18T18:06:41.000Z"),
        ("2026-02-18", "2026-02-18T00:00:00.000Z"),
        ("Wed, 18 Feb 2026 18:06:41 GMT", "2026-02-18T18:06:41.000Z"),
        ("", None),
        (None, None),
    ],
)
def test_client_timestamp_is_shown_as_utc_with_milliseconds(
    door: Door, session_id: str, given: str | None, shown: str | None
) -> None:
    assert stored(door, session_id, client_timestamp=given)["client_timestamp"] == shown


def test_a_duration_of_zero_is_a_duration(door: Door, session_id: str) -> None:
    assert stored(door, session_id, duration_ms=0)["duration_ms"] == 0


def test_the_source_is_stored_as_it_comes(door: Door, session_id: str) -> None:
    assert stored(door, session_id, source=" otel ")["source"] == "otel"
    assert stored(door, session_id, source="my-own")["source"] == "my-own"


def test_text_is_kept_beyond_ascii(door: Door, session_id: str) -> None:
    row = stored(door, session_id, project="проект", metadata={"message": "naïve 日本 🎉"})
    assert row["project"] == "проект"
    assert json.loads(row["metadata"]) == {"message": "naïve 日本 🎉"}
    assert "日本" in row["metadata"]


class TestCost:
    def test_is_computed_from_all_four_classes_of_tokens(self, door: Door, session_id: str) -> None:
        row = stored(
            door,
            session_id,
            model="claude-sonnet-4-5",
            tokens_in=118,
            tokens_out=460,
            cache_read_tokens=1000,
            cache_write_tokens=200,
        )
        assert row["cost_usd"] == pytest.approx(0.008304, abs=1e-12)

    def test_cache_tokens_alone_are_priced(self, door: Door, session_id: str) -> None:
        row = stored(door, session_id, model="claude-sonnet-4-5", cache_read_tokens=100_000)
        assert row["cost_usd"] == pytest.approx(0.03, abs=1e-12)

    @pytest.mark.parametrize("given", [0, 0.25, 1e-9])
    def test_that_the_client_states_is_kept(self, door: Door, session_id: str, given: float) -> None:
        row = stored(door, session_id, model="claude-sonnet-4-5", tokens_in=10, cost_usd=given)
        assert row["cost_usd"] == given

    @pytest.mark.parametrize("model", ["no-such-model", None])
    def test_is_null_without_a_known_model(self, door: Door, session_id: str, model: str | None) -> None:
        assert stored(door, session_id, model=model, tokens_in=10)["cost_usd"] is None

    def test_is_null_without_tokens(self, door: Door, session_id: str) -> None:
        assert stored(door, session_id, model="claude-sonnet-4-5")["cost_usd"] is None


class TestDuplicate:
    def test_is_answered_200_and_not_stored(self, door: Door, session_id: str) -> None:
        body = event(session_id, event_id=f"e-{uuid4()}")
        assert post_event(door, body).status == 201
        again = post_event(door, body)
        assert (again.status, again.body) == (200, {"received": 0, "ids": [], "duplicates": 1})
        assert len(events_of(door, session_id)) == 1

    def test_is_known_by_its_event_id_alone(self, door: Door, session_id: str) -> None:
        event_id = f"e-{uuid4()}"
        stored(door, session_id, event_id=event_id)
        other = event(f"{session_id}-other", "error", agent_type="aider", event_id=f" {event_id} ")
        assert post_event(door, other).body["duplicates"] == 1

    def test_changes_nothing_of_its_session(self, door: Door, session_id: str) -> None:
        body = event(session_id, event_id=f"e-{uuid4()}", project="one", branch="main")
        post_event(door, body)
        post_event(door, event(session_id, "session_end"))
        before = session(door, session_id)
        post_event(door, body | {"project": "two"})
        post_event(door, body | {"session_id": f"{session_id}-new"})
        assert session(door, session_id) == before
        assert before["status"] == "ended"
        assert door.send("GET", f"/api/sessions/{session_id}-new").status == 404


class TestPlace:
    def test_comes_from_the_session_when_the_event_has_none(self, door: Door, session_id: str) -> None:
        stored(door, session_id, project="shop", branch="dev")
        row = stored(door, session_id)
        assert (row["project"], row["branch"]) == ("shop", "dev")

    def test_of_the_event_replaces_that_of_the_session(self, door: Door, session_id: str) -> None:
        stored(door, session_id, project="shop", branch="dev")
        stored(door, session_id, branch="main")
        kept = session(door, session_id)
        assert (kept["project"], kept["branch"]) == ("shop", "main")

    def test_branch_is_read_from_the_git_directory_of_the_project(self, door: Door, session_id: str) -> None:
        project = f"repository-{uuid4()}"
        git = door.projects_dir / project / ".git"
        git.mkdir(parents=True)
        (git / "HEAD").write_text("ref: refs/heads/feature/x\n")
        assert stored(door, session_id, project=project)["branch"] == "feature/x"
        assert session(door, session_id)["branch"] == "feature/x"

    def test_branch_of_a_project_outside_the_directory_is_not_looked_for(
        self, door: Door, session_id: str
    ) -> None:
        (door.projects_dir.parent / ".git").mkdir(exist_ok=True)
        (door.projects_dir.parent / ".git" / "HEAD").write_text("ref: refs/heads/secret\n")
        for project in ("..", "../", "../..", "a/../../b", "/etc"):
            assert stored(door, f"{session_id}-{len(project)}", project=project)["branch"] is None


class TestMetadata:
    def test_of_exactly_the_limit_is_kept_whole(self, door: Door, session_id: str) -> None:
        value = {"content": "x" * (LIMIT_BYTES - len('{"content":""}'))}
        row = stored(door, session_id, metadata=value)
        assert (json.loads(row["metadata"]), row["payload_truncated"]) == (value, 0)
        assert len(row["metadata"]) == LIMIT_BYTES

    def test_above_the_limit_keeps_the_priority_keys_in_their_order(self, door: Door, session_id: str) -> None:
        value = {"type": "w", "content": "é" * LIMIT_BYTES, "message": "m", "command": "ls", "other": 1}
        row = stored(door, session_id, metadata=value)
        size = len(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
        kept = {"_truncated": True, "_original_bytes": size, "command": "ls", "message": "m", "type": "w"}
        assert row["payload_truncated"] == 1
        assert row["metadata"] == json.dumps(kept, separators=(",", ":"))

    def test_counts_lines_and_files_also_when_it_is_cut(self, door: Door, session_id: str) -> None:
        value = {"file_path": "a.py", "lines_added": 3, "lines_removed": 1, "content": "x" * LIMIT_BYTES}
        stored(door, session_id, tool_name="Edit", metadata=value)
        counted = session(door, session_id)
        assert (counted["files_edited"], counted["lines_added"], counted["lines_removed"]) == (1, 3, 1)

    @pytest.mark.parametrize("value", ["text", 5, 1.5, True, False, [], [1, {"a": None}], {"a": {"b": []}}])
    def test_is_any_json_and_stays_json(self, door: Door, session_id: str, value: object) -> None:
        assert json.loads(stored(door, session_id, metadata=value)["metadata"]) == value


class TestWireForms:
    @pytest.mark.parametrize(
        "content_type",
        [
            "application/json",
            "application/json; charset=utf-8",
            "text/plain",
            "Application/JSON",
            "application/x+json",
        ],
    )
    def test_content_types_that_are_taken(self, door: Door, session_id: str, content_type: str) -> None:
        body = json.dumps(event(session_id)).encode()
        assert door.send("POST", "/api/events", body, {"Content-Type": content_type}).status == 201

    def test_json_that_was_encoded_twice_is_taken(self, door: Door, session_id: str) -> None:
        body = json.dumps(json.dumps(event(session_id))).encode()
        assert door.send("POST", "/api/events", body, {"Content-Type": JSON}).status == 201

    @pytest.mark.parametrize(
        ("encoding", "pack"),
        [("gzip", gzip.compress), ("x-gzip", gzip.compress), ("GZIP", gzip.compress), ("deflate", zlib.compress)],
    )
    def test_a_packed_body_is_unpacked(self, door: Door, session_id: str, encoding: str, pack: Any) -> None:
        body = pack(json.dumps(event(session_id)).encode())
        headers = {"Content-Type": JSON, "Content-Encoding": encoding}
        assert door.send("POST", "/api/events", body, headers).status == 201
        assert len(events_of(door, session_id)) == 1

    def test_whole_numbers_may_be_written_as_floats(self, door: Door, session_id: str) -> None:
        row = stored(door, session_id, tokens_in=7.0, duration_ms=1e3)
        assert (row["tokens_in"], row["duration_ms"]) == (7, 1000)
        assert not isinstance(row["tokens_in"], float)

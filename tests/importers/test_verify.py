"""manage.py verify: the ledger held against the transcripts on disk."""

import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_django
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings

from importers.files import CLAUDE, CODEX, GEMINI, Source
from ingest.contract import NewCall
from ingest.ledger import OTLP
from ingest.store import Batch
from pricing.usage import Usage
from tests.importers.claude_writing import BEGAN_MS, MODEL, answer, opening, prompt, usage
from tests.importers.importing import Home, Line, write_lines
from tests.importers.test_recorded import CODEX_FOLDERS, each_recording
from tests.ingest.otlp.test_captures import log_events
from tests.storing import django_on, new_event

Verify = Callable[[], dict[str, Any]]
# What the fixture calls the directories of each client.
DIRECTORIES = {CLAUDE.name: "claude", CODEX.name: "codex", GEMINI.name: "gemini"}
LINES = [
    opening(),
    prompt("Go", 1, promptId="p-1"),
    answer(2, usage(40, read=1000), message="m-1", request="r-1"),
    answer(9, usage(7, read=2000, written=5), message="m-2", request="r-2"),
]


@pytest.fixture
def folder(tmp_path: Path, home: Home) -> Path:
    """One session of two calls, imported."""
    write(tmp_path, LINES)
    home.run(CLAUDE, tmp_path / "claude")
    return tmp_path


def write(folder: Path, lines: list[Line], name: str = "s-1") -> Path:
    return write_lines(folder / "claude" / "projects" / "-home-u-shop" / f"{name}.jsonl", lines)


@pytest.fixture
def on_home(tmp_path: Path, home: Home, django_db_blocker: pytest_django.DjangoDbBlocker) -> Callable[..., Any]:
    """Django reads the database of `home`, and the clients' directories are those of the test."""

    @contextmanager
    def opened(**directories: Path) -> Iterator[None]:
        environment = replace(
            settings.ENVIRONMENT,
            claude_dirs=(directories.get("claude", tmp_path / "claude"),),
            codex_home=directories.get("codex", tmp_path / "codex"),
            gemini_cli_home=tmp_path,
        )
        if "gemini" in directories:
            (tmp_path / ".gemini").symlink_to(directories["gemini"])
        with (
            override_settings(ENVIRONMENT=environment),
            django_on(tmp_path / "home" / "agentmonitor.db"),
            django_db_blocker.unblock(),
        ):
            yield

    return opened


@pytest.fixture
def verify(on_home: Callable[..., Any]) -> Verify:
    def run(**directories: Path) -> dict[str, Any]:
        written = io.StringIO()
        with on_home(**directories):
            try:
                call_command("verify", "--json", stdout=written)
            except CommandError as fault:
                told: dict[str, Any] = json.loads(written.getvalue())
                assert fault.returncode == 1
                assert not told["agrees"]
                return told
        told = json.loads(written.getvalue())
        assert told["agrees"]
        return told

    return run


def kinds(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [(finding["kind"], finding["call_key"]) for finding in told["findings"]]


class TestAgreement:
    def test_what_was_imported_agrees(self, folder: Path, verify: Verify) -> None:
        told = verify()

        assert (told["calls_on_disk"], told["calls_in_ledger"], told["confirmed"], told["elsewhere"]) == (
            2,
            2,
            2,
            0,
        )
        assert told["findings"] == told["sessions"] == told["unreadable"] == []

    @each_recording
    def test_what_real_clients_wrote_agrees(
        self, home: Home, verify: Callable[..., dict[str, Any]], source: Source, folder: Path
    ) -> None:
        home.run(source, folder)

        told = verify(**{DIRECTORIES[source.name]: folder})

        assert told["confirmed"] == told["calls_on_disk"] == told["calls_in_ledger"] > 0

    def test_telemetry_that_joined_its_calls_is_no_fault(
        self, home: Home, verify: Callable[..., dict[str, Any]]
    ) -> None:
        recorded = CODEX_FOLDERS[-1]
        home.store(Batch(log_events("codex")))
        home.run(CODEX, recorded)

        told = verify(codex=recorded)

        assert told["confirmed"] == told["calls_on_disk"] == told["calls_in_ledger"] > 0

    def test_a_call_whose_transcript_is_gone_stays_and_is_no_fault(self, folder: Path, verify: Verify) -> None:
        next(folder.rglob("s-1.jsonl")).unlink()

        told = verify()

        assert (told["calls_on_disk"], told["elsewhere"]) == (0, 2)

    def test_copies_in_other_files_are_one_call(self, folder: Path, home: Home, verify: Verify) -> None:
        write(folder, [*LINES], name="s-2")
        home.run(CLAUDE, folder / "claude")

        assert verify()["confirmed"] == 2


class TestFaults:
    def test_a_call_that_the_ledger_lacks_is_named_with_its_cost(
        self, folder: Path, home: Home, verify: Verify
    ) -> None:
        (call,) = home.rows("SELECT cost_nanos FROM calls WHERE call_key = 'request:r-2'")
        home.connection.execute("DELETE FROM calls WHERE call_key = 'request:r-2'")

        (finding,) = verify()["findings"]

        assert (finding["kind"], finding["call_key"], finding["call_id"]) == ("missing", "request:r-2", None)
        assert (finding["ledger_nanos"], finding["right_nanos"]) == (0, call["cost_nanos"])
        assert finding["where"].endswith("s-1.jsonl:4")

    def test_a_line_that_was_never_imported_is_missing(self, folder: Path, verify: Verify) -> None:
        write(folder, [*LINES, answer(20, usage(1), message="m-3", request="r-3")])

        assert kinds(verify()) == [("missing", "request:r-3")]

    def test_a_second_row_of_the_same_lines_is_double(self, folder: Path, home: Home, verify: Verify) -> None:
        home.connection.execute("UPDATE calls SET call_key = 'other' WHERE call_key = 'request:r-1'")

        assert kinds(verify()) == [("missing", "request:r-1"), ("double", "other")]

    def test_telemetry_of_a_call_under_another_key_is_double(
        self, folder: Path, home: Home, verify: Verify
    ) -> None:
        used = Usage(uncached_input_tokens=10, output_tokens=40, cache_read_tokens=1000)
        tell(home, "request:x", used, BEGAN_MS + 4000)
        tell(home, "request:later", used, BEGAN_MS + 4_000_000)

        told = verify()

        assert kinds(told) == [("double", "request:x")]
        assert told["findings"][0]["right_nanos"] == 0
        assert "request:r-1" in told["findings"][0]["note"]

    @pytest.mark.parametrize(
        ("change", "field", "pair"),
        [
            ("output_tokens = 41", "output_tokens", [41, 40]),
            ("cache_write_1h_tokens = 3", "cache_write_1h_tokens", [3, 0]),
            ("model = 'o3'", "model", ["o3", MODEL]),
        ],
    )
    def test_other_tokens_and_another_model_are_named(
        self, folder: Path, home: Home, verify: Verify, change: str, field: str, pair: list[Any]
    ) -> None:
        home.connection.execute(f"UPDATE calls SET {change} WHERE call_key = 'request:r-1'")

        differing = [finding for finding in verify()["findings"] if finding["kind"] == "differs"]

        assert [(finding["call_key"], finding["differences"]) for finding in differing] == [
            ("request:r-1", {field: pair})
        ]

    def test_another_price_is_named_with_both_amounts(self, folder: Path, home: Home, verify: Verify) -> None:
        (call,) = home.rows("SELECT cost_nanos FROM calls WHERE call_key = 'request:r-1'")
        home.connection.execute("UPDATE calls SET cost_nanos = 5 WHERE call_key = 'request:r-1'")

        (finding,) = verify()["findings"]

        assert (finding["kind"], finding["ledger_nanos"], finding["right_nanos"]) == (
            "price",
            5,
            call["cost_nanos"],
        )

    def test_a_file_that_cannot_be_read_is_no_agreement(self, folder: Path, verify: Verify) -> None:
        (folder / "claude" / "projects" / "gone.jsonl").symlink_to(folder / "nowhere")

        (file,) = verify()["unreadable"]

        assert file["path"].endswith("gone.jsonl")


class TestConflicts:
    """Transcript and telemetry name the same request, and disagree."""

    USED = Usage(uncached_input_tokens=10, output_tokens=41, cache_read_tokens=1000)

    @pytest.mark.parametrize("telemetry_first", [True, False])
    def test_what_cannot_be_settled_is_kept_and_named_with_both_words(
        self, tmp_path: Path, home: Home, verify: Verify, *, telemetry_first: bool
    ) -> None:
        write(tmp_path, LINES)
        steps = [
            lambda: tell(home, "request:r-1", self.USED, BEGAN_MS + 4000),
            lambda: home.run(CLAUDE, tmp_path / "claude"),
        ]
        for step in steps if telemetry_first else steps[::-1]:
            step()

        told = verify()

        (finding,) = told["findings"]
        assert (finding["kind"], finding["call_key"]) == ("conflict", "request:r-1")
        assert finding["differences"] == {"output_tokens": [40, 41]}
        assert finding["right_nanos"] > finding["ledger_nanos"]
        assert not told["agrees"]
        assert home.rows("SELECT output_tokens FROM calls WHERE call_key = 'request:r-1'") == [
            {"output_tokens": 40}
        ]

    @each_recording
    def test_the_recorded_clients_never_contradict_themselves(
        self, home: Home, verify: Callable[..., dict[str, Any]], source: Source, folder: Path
    ) -> None:
        client = DIRECTORIES[source.name]
        home.store(Batch(log_events(client)))
        home.run(source, folder)

        assert [finding for finding in verify(**{client: folder})["findings"] if finding["kind"] != "price"] == []

    def test_an_answer_that_the_transcript_left_unfinished_is_none(
        self, tmp_path: Path, home: Home, verify: Verify
    ) -> None:
        lines = [*LINES[:2], answer(2, usage(4, read=1000), message="m-1", request="r-1", stop=None)]
        write(tmp_path, lines)
        home.run(CLAUDE, tmp_path / "claude")
        tell(home, "request:r-1", self.USED, BEGAN_MS + 4000)

        assert verify()["findings"] == []


class TestMending:
    """What verify names, the commands that it points to put right."""

    def test_recalculated_costs_agree_again(
        self, folder: Path, home: Home, verify: Verify, on_home: Callable[..., Any]
    ) -> None:
        home.connection.execute("UPDATE calls SET cost_nanos = 5 WHERE call_key = 'request:r-1'")
        home.connection.execute("UPDATE calls SET cost_nanos = NULL, price = NULL WHERE call_key = 'request:r-2'")
        assert kinds(verify()) == [("price", "request:r-1"), ("price", "request:r-2")]

        with on_home():
            call_command("recalculate_costs", "--dry-run", stdout=io.StringIO())
        assert len(verify()["findings"]) == 2
        with on_home():
            call_command("recalculate_costs", stdout=io.StringIO())

        assert verify()["agrees"]

    def test_an_import_brings_back_what_is_missing(self, folder: Path, home: Home, verify: Verify) -> None:
        home.connection.execute("DELETE FROM calls WHERE call_key = 'request:r-2'")
        assert kinds(verify()) == [("missing", "request:r-2")]

        home.run(CLAUDE, folder / "claude", force=True)

        assert verify()["agrees"]


class TestDirectories:
    def test_those_that_are_named_are_read_and_no_others_of_that_client(
        self, tmp_path: Path, home: Home, on_home: Callable[..., Any]
    ) -> None:
        for number, name in enumerate(("one", "two", "three")):
            path = tmp_path / name / "projects" / "p" / f"s-{number}.jsonl"
            ids = {"message": f"m-{number}", "request": f"r-{number}", "session": f"s-{number}"}
            write_lines(path, [answer(2, usage(40 + number), **ids)])
            home.run(CLAUDE, tmp_path / name)
        home.connection.execute("UPDATE calls SET output_tokens = 1")
        written = io.StringIO()
        named = [option for name in ("one", "two") for option in ("--claude-dir", str(tmp_path / name))]

        with on_home(claude=tmp_path / "three"), pytest.raises(CommandError, match="disagree"):
            call_command("verify", "--json", *named, stdout=written)

        told = json.loads(written.getvalue())
        assert (told["files"], told["elsewhere"]) == (2, 1)
        assert [key for kind, key in kinds(told) if kind == "differs"] == ["request:r-0", "request:r-1"]

    @pytest.mark.parametrize("option", ["--claude-dir", "--codex-dir", "--gemini-dir"])
    def test_one_that_is_not_there_is_a_fault(
        self, tmp_path: Path, home: Home, on_home: Callable[..., Any], option: str
    ) -> None:
        with on_home(), pytest.raises(CommandError, match=f"No such directory: .*{option}"):
            call_command("verify", option, str(tmp_path / "nowhere"))


def tell(home: Home, key: str, used: Usage, at_ms: int, *, stated_nanos: int | None = None) -> None:
    """One record of telemetry; the client states its cost as an estimate."""
    event_id = f"otel-{key}-{at_ms}"
    call = NewCall(key=key, usage=used, model=MODEL, called_at_ms=at_ms, authority=OTLP, ref=event_id)
    told = new_event(
        "s-1",
        "llm_response",
        agent_type="claude_code",
        event_id=event_id,
        source="otel",
        model=MODEL,
        client_at_ms=at_ms,
        tokens_in=used.uncached_input_tokens,
        cache_read_tokens=used.cache_read_tokens,
        cache_write_tokens=used.cache_write_5m_tokens + used.cache_write_1h_tokens,
        tokens_out=used.output_tokens,
        cost_nanos=stated_nanos,
        call=call,
    )
    home.store(Batch([told]))


class TestStatedCosts:
    USED = Usage(uncached_input_tokens=10, output_tokens=40, cache_read_tokens=1000)

    def test_a_session_whose_client_states_another_cost_is_named(
        self, folder: Path, home: Home, verify: Verify
    ) -> None:
        (call,) = home.rows("SELECT id, cost_nanos FROM calls WHERE call_key = 'request:r-1'")
        tell(home, "request:r-1", self.USED, BEGAN_MS + 4000, stated_nanos=call["cost_nanos"] + 2_000)

        told = verify()

        assert told["findings"] == []
        assert told["sessions"] == [
            {
                "session_id": "s-1",
                "calls": 1,
                "stated_nanos": call["cost_nanos"] + 2_000,
                "our_nanos": call["cost_nanos"],
                "difference_nanos": 2_000,
                "apart": [
                    {
                        "call_id": call["id"],
                        "call_key": "request:r-1",
                        "stated_nanos": call["cost_nanos"] + 2_000,
                        "our_nanos": call["cost_nanos"],
                    }
                ],
            }
        ]

    def test_what_a_float_can_lose_is_no_disagreement(self, folder: Path, home: Home, verify: Verify) -> None:
        (call,) = home.rows("SELECT cost_nanos FROM calls WHERE call_key = 'request:r-1'")
        tell(home, "request:r-1", self.USED, BEGAN_MS + 4000, stated_nanos=call["cost_nanos"] + 1_000)

        assert verify()["sessions"] == []

    def test_a_stated_cost_that_was_kept_is_held_against_the_book(
        self, folder: Path, home: Home, verify: Verify
    ) -> None:
        posted = new_event("s-9", "llm_response", model="o3", tokens_in=1_000_000, cost_nanos=1)
        home.store(Batch([posted]))

        (session,) = verify()["sessions"]

        assert (session["session_id"], session["stated_nanos"], session["our_nanos"]) == ("s-9", 1, 2_000_000_000)


class TestWithTelemetry:
    """Telemetry that confirmed a call doesn't vouch for figures that the transcript never had."""

    @pytest.mark.parametrize(
        "change", ["output_tokens = 41", "cache_write_5m_tokens = 0, cache_write_1h_tokens = 5"]
    )
    def test_other_figures_than_the_transcript_s_are_named(
        self, folder: Path, home: Home, verify: Verify, change: str
    ) -> None:
        tell(home, "request:r-2", Usage(10, 2000, 5, 0, 7), BEGAN_MS + 9000)
        home.connection.execute(f"UPDATE calls SET {change} WHERE call_key = 'request:r-2'")

        assert ("differs", "request:r-2") in kinds(verify())

    def test_the_rest_of_an_answer_that_its_transcript_left_unfinished_is_none(
        self, tmp_path: Path, home: Home, verify: Verify
    ) -> None:
        write(tmp_path, [answer(2, usage(1, read=2000, written=5), message="m-1", request="r-1", stop=None)])
        home.run(CLAUDE, tmp_path / "claude")
        tell(home, "request:r-1", Usage(10, 2000, 5, 0, 900), BEGAN_MS + 4000)

        assert verify()["confirmed"] == 1

    @pytest.mark.parametrize("client", ["claude", "codex", "gemini"])
    def test_what_telemetry_alone_told_agrees_until_somebody_changes_it(
        self, home: Home, verify: Verify, client: str
    ) -> None:
        home.store(Batch(log_events(client)))
        assert [finding for finding in verify()["findings"] if finding["kind"] != "price"] == []
        (call,) = home.rows("SELECT id, output_tokens FROM calls ORDER BY id LIMIT 1")
        home.connection.execute("UPDATE calls SET output_tokens = output_tokens + 1 WHERE id = ?", (call["id"],))

        (found,) = (finding for finding in verify()["findings"] if finding["kind"] == "differs")

        assert (found["call_id"], found["note"]) == (call["id"], "telemetry told otherwise")
        assert found["differences"] == {"output_tokens": [call["output_tokens"] + 1, call["output_tokens"]]}

    def test_a_copy_that_is_gone_may_have_known_more(self, folder: Path, home: Home, verify: Verify) -> None:
        fuller = [answer(9, usage(900, read=2000, written=5), message="m-2", request="r-2")]
        path = write(folder, fuller, "s-0")
        home.run(CLAUDE, folder / "claude")
        path.unlink()

        told = verify()

        assert (told["confirmed"], told["findings"]) == (2, [])


class TestWords:
    def test_agreement_is_told_in_figures(self, folder: Path, on_home: Callable[..., Any]) -> None:
        written = io.StringIO()
        with on_home():
            call_command("verify", stdout=written)

        assert "Calls in ledger    2" in written.getvalue()
        assert "counted twice: 0" in written.getvalue()

    def test_each_fault_is_a_line_with_its_amounts(
        self, folder: Path, home: Home, on_home: Callable[..., Any]
    ) -> None:
        home.connection.execute("UPDATE calls SET output_tokens = 41, cost_nanos = 5")
        written = io.StringIO()

        with on_home(), pytest.raises(CommandError, match="disagree"):
            call_command("verify", stdout=written)

        (line,) = (line for line in written.getvalue().splitlines() if "41 → 40" in line)
        assert "cost $0.000000005 → $0." in line
        assert "s-1.jsonl:3" in line

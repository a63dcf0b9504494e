"""The recordings hold what the oracle says was billed, and nothing of the machine they were made on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .claude_scenarios import COMMAND_HOOK_EVENTS, HTTP_HOOK_EVENTS
from .codex_scenarios import HOOK_EVENTS
from .gemini_scenarios import HOOK_EVENTS as GEMINI_HOOK_EVENTS

RECORDINGS = Path(__file__).parent.parent / "fixtures" / "clients"
FOLDERS = sorted(folder for folder in RECORDINGS.iterdir() if folder.is_dir())
CLAUDE = [folder for folder in FOLDERS if folder.name.startswith("claude-")]
GEMINI = [folder for folder in FOLDERS if folder.name.startswith("gemini-")]
CODEX = [folder for folder in FOLDERS if folder.name.startswith("codex-")]


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def transcript_lines(folder: Path, tree: str) -> Iterator[Any]:
    for path in sorted((folder / tree).rglob("*.jsonl")):
        yield from lines(path)


def billed(folder: Path) -> list[Any]:
    return [call for call in lines(folder / "oracle.jsonl") if call["delivered"]]


@pytest.mark.parametrize("folder", CLAUDE, ids=lambda folder: folder.name)
def test_claude_transcripts_have_every_answer_but_checks_and_compactions(folder: Path) -> None:
    written = {(line["message"]["id"], line.get("requestId")) for line in transcript_lines(folder, "projects")
               if line["type"] == "assistant" and line["message"]["model"] != "<synthetic>"}  # fmt: skip
    said = {
        (call["message_id"], call["request_id"]) for call in billed(folder) if call["kind"] in ("main", "agent")
    }
    assert written == said


@pytest.mark.parametrize("folder", CODEX, ids=lambda folder: folder.name)
def test_codex_rollouts_have_every_answer_once(folder: Path) -> None:
    records = [line["payload"] for line in transcript_lines(folder, "sessions")
               if line["type"] == "token_usage_record"]  # fmt: skip
    assert sorted(record["response_id"] for record in records) == sorted(
        call["message_id"] for call in billed(folder)
    )


@pytest.mark.parametrize("folder", GEMINI, ids=lambda folder: folder.name)
def test_gemini_chats_have_the_tokens_of_every_answer_but_checks(folder: Path) -> None:
    answers = {line["id"]: line["tokens"] for line in transcript_lines(folder, "tmp") if line.get("tokens")}
    assert sorted(
        (t["input"] - t["cached"], t["cached"], t["output"] + t["thoughts"]) for t in answers.values()
    ) == sorted(
        (call["input_tokens"], call["cache_read_tokens"], call["output_tokens"])
        for call in billed(folder)
        if call["kind"] == "main"
    )


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_answer_has_its_own_id_and_figures(folder: Path) -> None:
    calls = lines(folder / "oracle.jsonl")
    figures = {(call["input_tokens"], call["cache_read_tokens"], call["output_tokens"]) for call in calls}
    assert len({call["message_id"] for call in calls}) == len(figures) == len(calls) > 0


@pytest.mark.parametrize(
    ("folder", "known"),
    [(folder, {*COMMAND_HOOK_EVENTS, *HTTP_HOOK_EVENTS}) for folder in CLAUDE]
    + [(folder, {*HOOK_EVENTS, "notify"}) for folder in CODEX]
    + [(folder, set(GEMINI_HOOK_EVENTS)) for folder in GEMINI],
)
def test_hooks_carry_the_event_they_were_registered_for(folder: Path, known: set[str]) -> None:
    for hook in lines(folder / "hooks.jsonl"):
        assert hook["event"] in known
        assert hook["body"].get("hook_event_name", "notify") == hook["event"]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_otlp_body_is_in_the_index(folder: Path) -> None:
    index = json.loads((folder / "otlp" / "index.json").read_text())
    files = {path.name for path in (folder / "otlp").iterdir()} - {"index.json"}
    assert {entry["file"] for entry in index} == files
    assert {entry["path"] for entry in index} == {"/v1/logs", "/v1/metrics", "/v1/traces"}

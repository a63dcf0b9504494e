"""Which transcripts there are: all levels, each file once, what can't be read counted."""

import os
from pathlib import Path

import pytest

from importers.files import CLAUDE, CODEX, configured_model, discover, path_facts


def touch(path: Path, modified: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("{}\n")
    os.utime(path, (modified, modified))
    return path


def names(root: Path, *exclude: str) -> list[str]:
    return [file.path.name for file in discover(CLAUDE, [root], exclude).files]


def test_all_levels_are_found_with_the_newest_last(tmp_path: Path) -> None:
    touch(tmp_path / "projects/b/new.jsonl", 300)
    touch(tmp_path / "projects/a/old.jsonl", 100)
    touch(tmp_path / "projects/a/old/subagents/deep/agent-1.jsonl", 200)
    assert names(tmp_path) == ["old.jsonl", "agent-1.jsonl", "new.jsonl"]


@pytest.mark.parametrize("name", ["journal.jsonl", "agent-1.meta.json", "notes.txt"])
def test_what_is_no_transcript_is_left_out(tmp_path: Path, name: str) -> None:
    touch(tmp_path / "projects/a" / name)
    assert names(tmp_path) == []


def test_codex_keeps_them_in_two_folders(tmp_path: Path) -> None:
    touch(tmp_path / "sessions/2026/01/rollout-1.jsonl")
    touch(tmp_path / "archived_sessions/rollout-2.jsonl", 1)
    touch(tmp_path / "history.jsonl")
    found = discover(CODEX, [tmp_path])
    assert [file.path.name for file in found.files] == ["rollout-1.jsonl", "rollout-2.jsonl"]


def test_the_folder_itself_may_be_given(tmp_path: Path) -> None:
    touch(tmp_path / "projects/a/s.jsonl")
    assert names(tmp_path / "projects") == ["s.jsonl"]


def test_a_directory_that_is_not_there_has_no_files(tmp_path: Path) -> None:
    found = discover(CLAUDE, [tmp_path / "nowhere"])
    assert (found.files, found.unreadable) == ([], [])


@pytest.mark.parametrize("pattern", ["secret.jsonl", "projects/a/*", "*/projects/a/secret*", "sec*"])
def test_patterns_leave_files_out(tmp_path: Path, pattern: str) -> None:
    touch(tmp_path / "projects/a/secret.jsonl")
    touch(tmp_path / "projects/b/open.jsonl")
    assert names(tmp_path, pattern) == ["open.jsonl"]


def test_a_pattern_leaves_a_whole_folder_out(tmp_path: Path) -> None:
    touch(tmp_path / "projects/private/s.jsonl")
    assert names(tmp_path, "private") == []


def test_links_that_lead_back_are_counted_and_end(tmp_path: Path) -> None:
    touch(tmp_path / "projects/a/s.jsonl")
    (tmp_path / "projects/a/loop").symlink_to(tmp_path / "projects", target_is_directory=True)
    found = discover(CLAUDE, [tmp_path])
    assert [file.path.name for file in found.files] == ["s.jsonl"]
    assert found.loops == 1


def test_one_file_under_two_names_is_read_once(tmp_path: Path) -> None:
    file = touch(tmp_path / "projects/a/s.jsonl")
    (tmp_path / "projects/a/t.jsonl").symlink_to(file)
    (tmp_path / "other").symlink_to(tmp_path, target_is_directory=True)
    assert len(discover(CLAUDE, [tmp_path, tmp_path / "other"]).files) == 1


def test_a_link_to_nothing_is_unreadable(tmp_path: Path) -> None:
    touch(tmp_path / "projects/a/s.jsonl")
    (tmp_path / "projects/a/gone.jsonl").symlink_to(tmp_path / "gone")
    found = discover(CLAUDE, [tmp_path])
    assert [(file.path.name, file.reason) for file in found.unreadable] == [
        ("gone.jsonl", "No such file or directory")
    ]


def test_what_is_no_regular_file_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "projects").mkdir()
    os.mkfifo(tmp_path / "projects/pipe.jsonl")
    (file,) = discover(CLAUDE, [tmp_path]).unreadable
    assert file.reason == "not a regular file"


def test_a_directory_named_like_a_transcript_is_looked_into(tmp_path: Path) -> None:
    touch(tmp_path / "projects/odd.jsonl/s.jsonl")
    assert names(tmp_path) == ["s.jsonl"]


def test_the_place_of_a_file_names_its_session_and_agent(tmp_path: Path) -> None:
    touch(tmp_path / "projects/a/s/subagents/x/agent-a1.jsonl", 1)
    touch(tmp_path / "projects/a/s.jsonl", 2)
    agent, session = (path_facts(CLAUDE, file, None) for file in discover(CLAUDE, [tmp_path]).files)
    assert (agent.agent_id, session.agent_id, session.name) == ("a1", None, "s")


def test_a_rollout_is_named_by_the_id_at_its_end(tmp_path: Path) -> None:
    thread = "01a20fa5-badf-7941-9495-19b7e372e851"
    touch(tmp_path / f"sessions/rollout-2026-11-24T22-20-49-{thread}.jsonl")
    (file,) = discover(CODEX, [tmp_path]).files
    assert path_facts(CODEX, file, None).name == thread


@pytest.mark.parametrize(("written", "model"), [('model = "o3"', "o3"), ("model = 7", None), ("not toml [", None)])
def test_the_model_of_the_configuration_is_read_or_not(tmp_path: Path, written: str, model: str | None) -> None:
    (tmp_path / "config.toml").write_text(written)
    assert configured_model(CODEX, tmp_path) == model


def test_without_a_configuration_there_is_no_model(tmp_path: Path) -> None:
    assert configured_model(CODEX, tmp_path) is None

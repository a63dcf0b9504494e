"""Branches of real repositories, without starting git."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest import git as git_module
from ingest.git import CACHE_SECONDS, BranchLookup, branch_of

Git = Callable[..., str]


@pytest.fixture
def git(tmp_path: Path) -> Git:
    """Runs git; the configuration of this machine's user plays no part."""

    def run(directory: Path, *arguments: str) -> str:
        env = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
        identity = ("-c", "user.name=t", "-c", "user.email=t@localhost", "-c", "init.defaultBranch=main")
        command = ["git", *identity, *arguments]
        done = subprocess.run(command, cwd=directory, env=env, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    return run


@pytest.fixture
def repository(tmp_path: Path, git: Git) -> Path:
    path = tmp_path / "projects" / "shop"
    path.mkdir(parents=True)
    git(path, "init", "-q")
    git(path, "commit", "-q", "--allow-empty", "-m", "first")
    return path


def as_git_says(git: Git, directory: Path) -> str:
    return git(directory, "rev-parse", "--abbrev-ref", "HEAD")


@pytest.mark.parametrize("branch", ["main", "feature/auth", "a/b/c", "größe"])
def test_the_branch_is_the_one_that_git_names(repository: Path, git: Git, branch: str) -> None:
    git(repository, "checkout", "-q", "-B", branch)
    assert branch_of(repository) == branch == as_git_says(git, repository)


def test_a_detached_head_is_called_head(repository: Path, git: Git) -> None:
    git(repository, "checkout", "-q", "--detach")
    assert branch_of(repository) == "HEAD" == as_git_says(git, repository)


def test_a_directory_inside_a_repository_is_on_its_branch(repository: Path, git: Git) -> None:
    inside = repository / "src" / "deep"
    inside.mkdir(parents=True)
    assert branch_of(inside) == "main" == as_git_says(git, inside)


def test_a_worktree_has_a_branch_of_its_own(repository: Path, git: Git) -> None:
    tree = repository.parent / "shop-fix"
    git(repository, "worktree", "add", "-q", "-b", "fix", str(tree))
    assert branch_of(tree) == "fix" == as_git_says(git, tree)
    assert branch_of(repository) == "main"


def test_what_is_no_repository_has_no_branch(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "empty" / ".git").mkdir(parents=True)
    (tmp_path / "empty" / ".git" / "HEAD").write_text("")
    assert branch_of(tmp_path / "file") is None
    assert branch_of(tmp_path / "nowhere") is None
    assert branch_of(tmp_path / "empty") is None


class TestLookup:
    def test_finds_projects_by_name(self, repository: Path) -> None:
        assert BranchLookup(repository.parent).branch("shop") == "main"

    @pytest.mark.parametrize("project", ["..", ".", "shop/../shop", "/etc", "a\\b", "a\0b", "x" * 300, ""])
    def test_finds_nothing_for_what_is_no_plain_name(self, repository: Path, project: str) -> None:
        (repository.parent / ".git").mkdir()
        (repository.parent / ".git" / "HEAD").write_text("ref: refs/heads/not-yours\n")
        assert BranchLookup(repository.parent).branch(project) is None

    def test_asks_the_disk_once_a_minute(
        self, repository: Path, git: Git, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now = [1000.0]
        monkeypatch.setattr(git_module, "monotonic", lambda: now[0])
        lookup = BranchLookup(repository.parent)
        assert (lookup.branch("shop"), lookup.branch("later")) == ("main", None)
        git(repository, "checkout", "-q", "-b", "dev")
        (repository.parent / "later" / ".git").mkdir(parents=True)
        (repository.parent / "later" / ".git" / "HEAD").write_text("ref: refs/heads/new\n")
        now[0] += CACHE_SECONDS - 1
        assert (lookup.branch("shop"), lookup.branch("later")) == ("main", None)
        now[0] += 2
        assert (lookup.branch("shop"), lookup.branch("later")) == ("dev", "new")

    def test_forgets_rather_than_grow_without_end(self, tmp_path: Path) -> None:
        lookup = BranchLookup(tmp_path)
        for number in range(3 * git_module.MOST_CACHED):
            lookup.branch(f"p{number}")
        assert len(lookup._known) <= git_module.MOST_CACHED

    def test_is_not_disturbed_by_what_cannot_be_read(self, tmp_path: Path) -> None:
        (tmp_path / "p" / ".git" / "HEAD").mkdir(parents=True)
        (tmp_path / "q").mkdir()
        (tmp_path / "q" / ".git").write_bytes(b"gitdir: \xff\0\n")
        (tmp_path / "r").symlink_to(tmp_path / "r")
        lookup = BranchLookup(tmp_path)
        assert [lookup.branch(name) for name in "pqr"] == [None, None, None]

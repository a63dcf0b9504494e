"""Where the clients keep their transcripts, and which of them there are."""

import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import Final, NamedTuple

from importers.claude import ClaudeReader
from importers.codex import CodexReader
from importers.fields import text
from importers.gemini import GeminiReader
from importers.lines import BadLine, decode_line
from importers.reader import PathFacts, ReaderFactory
from ingest.metadata import DEFAULT_LIMIT_BYTES

LINES: Final = ".jsonl"
DOCUMENT: Final = ".json"
# Deeper trees are no client's; the limit ends what a chain of links can make of one.
DEEPEST: Final = 40
CHATS: Final = "chats"
# Beside the chats: which directory they are about. Older versions name the folder by a hash alone.
PROJECT_ROOT: Final = ".project_root"
ROLLOUT_ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$")


@dataclass(frozen=True, slots=True)
class Source:
    """One client: its name in import_state, what it calls its places, and who reads its files."""

    name: str
    title: str
    agent_type: str
    folders: tuple[str, ...]
    reader: ReaderFactory
    is_transcript: Callable[[Path], bool]


CLAUDE: Final = Source(
    name="claude-code",
    title="Claude Code",
    agent_type="claude_code",
    folders=("projects",),
    reader=ClaudeReader,
    is_transcript=lambda path: path.suffix == LINES and path.name != "journal.jsonl",
)
CODEX: Final = Source(
    name="codex",
    title="Codex",
    agent_type="codex",
    folders=("sessions", "archived_sessions"),
    reader=CodexReader,
    is_transcript=lambda path: path.suffix == LINES,
)
GEMINI: Final = Source(
    name="gemini-cli",
    title="Gemini CLI",
    agent_type="gemini_cli",
    folders=("tmp",),
    reader=GeminiReader,
    is_transcript=lambda path: path.suffix in {LINES, DOCUMENT} and CHATS in path.parts,
)
SOURCES: Final = (CLAUDE, CODEX, GEMINI)


class FoundFile(NamedTuple):
    """A transcript on disk; `root` is the client's configuration directory that it was found below."""

    path: Path
    root: Path
    size_bytes: int
    modified_ns: int
    identity: str


class Unreadable(NamedTuple):
    path: Path
    reason: str


@dataclass(slots=True)
class Discovery:
    """What a walk found: files with the newest last, what could not be looked at, and links that led back."""

    files: list[FoundFile] = field(default_factory=list)
    unreadable: list[Unreadable] = field(default_factory=list)
    loops: int = 0


def discover(source: Source, roots: Iterable[Path], exclude: Sequence[str] = ()) -> Discovery:
    """All transcripts below the configuration directories `roots`, each file once, however it is linked."""
    walk = _Walk(source, exclude)
    for root in roots:
        for folder in folders_of(source, root):
            walk.visit(folder, root, depth=0)
    walk.found.files.sort(key=lambda file: (file.modified_ns, str(file.path)))
    return walk.found


def transcripts_of(
    source: Source, roots: Iterable[Path], paths: Iterable[Path], exclude: Sequence[str] = ()
) -> list[FoundFile]:
    """Those of the paths that a walk over the roots would find, in their order."""
    folders = [(folder, root) for root in roots for folder in folders_of(source, root)]
    found = (_transcript_at(source, folders, path, exclude) for path in sorted(paths))
    return [file for file in found if file is not None]


def _transcript_at(
    source: Source, folders: Sequence[tuple[Path, Path]], path: Path, exclude: Sequence[str]
) -> FoundFile | None:
    folder, root = next((place for place in folders if path.is_relative_to(place[0])), (None, path))
    if folder is None or not source.is_transcript(path):
        return None
    below = [path, *(parent for parent in path.parents if parent != folder and parent.is_relative_to(folder))]
    if any(_is_excluded(part, root, exclude) for part in below):
        return None
    try:
        status = path.stat()
    except OSError:
        return None
    return found_file(path, root, status) if S_ISREG(status.st_mode) else None


def found_file(path: Path, root: Path, status: os.stat_result) -> FoundFile:
    return FoundFile(path, root, status.st_size, status.st_mtime_ns, identity_of(status))


def identity_of(status: os.stat_result) -> str:
    """Which file a path names, however long it stays there: device and inode."""
    return f"{status.st_dev}:{status.st_ino}"


def folders_of(source: Source, root: Path) -> list[Path]:
    """The client's folders in a configuration directory, or the directory itself when it is one of them."""
    folders = [root / name for name in source.folders if (root / name).is_dir()]
    return folders or ([root] if root.name in source.folders else [])


def path_facts(
    source: Source, file: FoundFile, model: str | None, limit_bytes: int = DEFAULT_LIMIT_BYTES
) -> PathFacts:
    """What the place of a file says: the session of a main file, the agent of a sub-agent's."""
    stem, agent_id, cwd = file.path.stem, None, None
    session, agent = stem, AgentMeta()
    if source is CLAUDE and "subagents" in file.path.parts and stem.startswith("agent-"):
        agent_id, agent = stem.removeprefix("agent-"), _agent_meta(file.path)
    elif source is CODEX and (found := ROLLOUT_ID.search(stem)):
        session = found[0]
    elif source is GEMINI:
        cwd = _project_root(file.path)
        if file.path.parent.name != CHATS:
            # A sub-agent's chat lies in a folder that is named by its parent's session.
            session, agent_id = file.path.parent.name, stem
    return PathFacts(
        path=str(file.path),
        name=text(session) or "unknown",
        agent_id=agent_id,
        agent_kind=agent.kind,
        agent_description=agent.description,
        default_model=model,
        cwd=cwd,
        payload_limit_bytes=limit_bytes,
    )


class AgentMeta(NamedTuple):
    """What Claude Code writes beside a sub-agent's transcript when it sends it out."""

    kind: str | None = None
    description: str | None = None


def _agent_meta(path: Path) -> AgentMeta:
    try:
        told = decode_line(path.with_name(f"{path.stem}.meta.json").read_bytes())
    except (OSError, BadLine):
        return AgentMeta()
    return AgentMeta(text(told.get("agentType")), text(told.get("description")))


def _project_root(path: Path) -> str | None:
    chats = next(folder for folder in path.parents if folder.name == CHATS)
    try:
        return text((chats.parent / PROJECT_ROOT).read_text(errors="replace"))
    except OSError:
        return None


def configured_model(source: Source, root: Path) -> str | None:
    """The model of Codex's configuration: a guess, for rollouts older than the records that name one."""
    if source is not CODEX:
        return None
    try:
        return text(tomllib.loads((root / "config.toml").read_text(errors="replace")).get("model"))
    except (OSError, tomllib.TOMLDecodeError):
        return None


class _Walk:
    """One walk over any number of folders; remembers what it saw by device and inode."""

    def __init__(self, source: Source, exclude: Sequence[str]) -> None:
        self._source, self._exclude = source, exclude
        self._seen: set[tuple[int, int]] = set()
        self.found = Discovery()

    def visit(self, folder: Path, root: Path, depth: int) -> None:
        try:
            entries = sorted(_entries(folder), key=lambda entry: entry.name)
        except OSError as error:
            self._fail(folder, error)
            return
        for entry in entries:
            path = folder / entry.name
            if _is_excluded(path, root, self._exclude):
                continue
            try:
                status = entry.stat()
            except OSError as error:
                if self._source.is_transcript(path) or entry.is_symlink():
                    self._fail(path, error)
                continue
            if S_ISDIR(status.st_mode):
                self._descend(path, root, status, depth)
            elif self._source.is_transcript(path):
                self._add(path, root, status)

    def _descend(self, path: Path, root: Path, status: os.stat_result, depth: int) -> None:
        if depth >= DEEPEST or not self._is_first(status):
            self.found.loops += 1
        else:
            self.visit(path, root, depth + 1)

    def _add(self, path: Path, root: Path, status: os.stat_result) -> None:
        if not S_ISREG(status.st_mode):
            self.found.unreadable.append(Unreadable(path, "not a regular file"))
        elif self._is_first(status):
            self.found.files.append(found_file(path, root, status))

    def _is_first(self, status: os.stat_result) -> bool:
        identity = (status.st_dev, status.st_ino)
        if identity in self._seen:
            return False
        self._seen.add(identity)
        return True

    def _fail(self, path: Path, error: OSError) -> None:
        self.found.unreadable.append(Unreadable(path, error.strerror or type(error).__name__))


def _is_excluded(path: Path, root: Path, exclude: Sequence[str]) -> bool:
    """A pattern may mean a name, a path below the root, or a whole path."""
    if not exclude:
        return False
    forms = (path.name, path.relative_to(root).as_posix(), path.as_posix())
    return any(fnmatch(form, pattern) for pattern in exclude for form in forms)


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from entries

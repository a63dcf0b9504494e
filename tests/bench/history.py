"""A generated history of Claude Code: what a person who works with agents all day has on disk.

The text is that of Python's own library, so that words, lengths and punctuation are those of real code. The mix of
lines follows what the client writes: each answer one line for each of its blocks, each tool's result twice in its
line (for the model and for the screen), the whole file beside each edit, book-keeping between.
"""

import json
import random
import sysconfig
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID

Line = dict[str, Any]
MODELS: Final = ("claude-opus-4-8", "claude-opus-4-8", "claude-haiku-4-5")
BEGAN: Final = datetime(2026, 1, 5, 8, tzinfo=UTC)
SHELL: Final = ("pytest -q", "git status --short", "rg -n needle src", "make lint", "ls -la", "npm test")


class Library:
    """Pieces of real source text."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
        self._text = "".join(path.read_text(encoding="utf-8", errors="replace") for path in files)

    def piece(self, characters: int) -> str:
        start = self._chance.randrange(len(self._text) - characters)
        return self._text[start : start + characters]

    def about(self, characters: int) -> str:
        """A length like those of real outputs: many short, few long."""
        return self.piece(min(60_000, max(20, int(self._chance.lognormvariate(0, 1.2) * characters))))


class SessionWriter:
    """The lines of one transcript."""

    def __init__(
        self, chance: random.Random, library: Library, session: str, began: datetime, agent: str | None
    ) -> None:
        self._chance, self._library, self._now = chance, library, began
        self._parent: str | None = None
        self._prompt_id = self._uuid()
        self._common: Line = {
            "userType": "external",
            "entrypoint": "cli",
            "cwd": f"/home/u/src/project-{chance.randint(1, 12)}",
            "sessionId": session,
            "version": "2.1.197",
            "gitBranch": chance.choice(("main", "main", "feature/rounding")),
        }
        self._agent: Line = {"isSidechain": agent is not None} | ({"agentId": agent} if agent else {})
        self._cached = 12_000

    def lines(self) -> Iterator[Line]:
        """For ever: turns of a prompt and some calls."""
        while True:
            yield self._snapshot()
            yield self._user("text", self._library.about(400))
            for _ in range(self._chance.randint(2, 14)):
                yield from self._call()
            yield self._common | {"type": "system", "subtype": "turn_duration", "durationMs": 4200} | self._stamp()

    def _uuid(self) -> str:
        return str(UUID(int=self._chance.getrandbits(128), version=4))

    def _stamp(self) -> Line:
        self._now += timedelta(milliseconds=self._chance.randint(50, 20_000))
        uuid = self._uuid()
        stamp = {"parentUuid": self._parent, "uuid": uuid, "timestamp": f"{self._now.isoformat()[:23]}Z"}
        self._parent = uuid
        return stamp

    def _snapshot(self) -> Line:
        return {
            "type": "file-history-snapshot",
            "messageId": self._uuid(),
            "snapshot": {"trackedFileBackups": {}, "timestamp": f"{self._now.isoformat()[:23]}Z"},
            "isSnapshotUpdate": False,
        }

    def _user(self, kind: str, said: str) -> Line:
        self._prompt_id = self._uuid()
        message = {"role": "user", "content": said if kind == "text" else []}
        return (
            self._agent
            | {"promptId": self._prompt_id, "type": "user", "message": message}
            | self._stamp()
            | self._common
        )

    def _call(self) -> Iterator[Line]:
        """One billed call: thinking, text, one or two tools, and the tools' results."""
        chance = self._chance
        tools = [self._tool() for _ in range(chance.choice((1, 1, 1, 2)))]
        blocks: list[Line] = []
        if chance.random() < 0.3:
            blocks.append({"type": "thinking", "thinking": self._library.about(500), "signature": "c2ln" * 120})
        if chance.random() < 0.5:
            blocks.append({"type": "text", "text": self._library.about(350)})
        blocks += [use for use, _, _ in tools]
        written = chance.randint(300, 9000)
        usage = {
            "input_tokens": chance.randint(1, 900),
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": self._cached,
            "output_tokens": chance.randint(40, 3000),
            "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
            "service_tier": "standard",
            "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": written},
            "inference_geo": "",
            "iterations": [],
            "speed": "standard",
        }
        self._cached = (self._cached + written) % 180_000
        message_id, request_id = f"msg_{chance.getrandbits(80):020x}", f"req_{chance.getrandbits(80):020x}"
        model = chance.choice(MODELS)
        for block in blocks:
            message = {
                "id": message_id,
                "type": "message",
                "role": "assistant",
                "model": model,
                "content": [block],
                "stop_reason": "tool_use",
                "stop_sequence": None,
                "usage": usage,
            }
            yield (
                self._agent
                | {"message": message, "requestId": request_id, "type": "assistant"}
                | self._stamp()
                | self._common
            )
        for use, content, shown in tools:
            yield self._result(use["id"], content, shown)

    def _tool(self) -> tuple[Line, str, Line]:
        """A tool's use, its result for the model, and the result as the client shows it."""
        chance, library = self._chance, self._library
        path = f"{self._common['cwd']}/src/module_{chance.randint(1, 40)}.py"
        kind = chance.choice(("Bash", "Bash", "Read", "Read", "Read", "Edit", "Grep"))
        match kind:
            case "Read":
                text = library.about(3500)
                numbered = "\n".join(f"{n:>6}→{line}" for n, line in enumerate(text.split("\n"), 1))
                given: Line = {"file_path": path}
                shown: Line = {
                    "type": "text",
                    "file": {"filePath": path, "content": text, "numLines": 90, "startLine": 1, "totalLines": 90},
                }
                content = numbered
            case "Edit":
                old, new, whole = library.about(300), library.about(400), library.about(9000)
                given = {"file_path": path, "old_string": old, "new_string": new, "replace_all": False}
                content = f"The file {path} has been updated. Here's the result of running `cat -n`:\n{new}"
                patch = [{"oldStart": 1, "oldLines": 9, "newStart": 1, "newLines": 12, "lines": new.split("\n")}]
                shown = given | {"originalFile": whole, "structuredPatch": patch, "userModified": False}
            case "Grep":
                content = library.about(1200)
                given = {"pattern": "def [a-z_]+", "path": path, "output_mode": "content"}
                shown = {"mode": "content", "numFiles": 0, "filenames": [], "content": content, "numLines": 30}
            case _:
                content = library.about(1500)
                given = {"command": chance.choice(SHELL), "description": "Look at the state of the work"}
                shown = {"stdout": content, "stderr": "", "interrupted": False, "isImage": False}
        use = {"type": "tool_use", "id": f"toolu_{chance.getrandbits(80):020x}", "name": kind, "input": given}
        return use, content, shown

    def _result(self, tool_id: str, content: str, shown: Line) -> Line:
        failed = self._chance.random() < 0.04
        block = {"tool_use_id": tool_id, "type": "tool_result", "content": content, "is_error": failed}
        return (
            self._agent
            | {"promptId": self._prompt_id, "type": "user", "message": {"role": "user", "content": [block]}}
            | self._stamp()
            | {"toolUseResult": shown, "sourceToolAssistantUUID": self._parent}
            | self._common
        )


def write_history(root: Path, total_bytes: int, files: int, seed: int = 1) -> None:
    """Transcripts below `root/projects`, of `total_bytes` together; one in six is a sub-agent's."""
    chance = random.Random(seed)
    library = Library(chance)
    began, session = BEGAN, ""
    for number in range(files):
        began += timedelta(hours=chance.randint(1, 9))
        is_agent = number % 6 == 5
        agent = f"a{chance.getrandbits(64):016x}" if is_agent else None
        session = session if is_agent else str(UUID(int=chance.getrandbits(128), version=4))
        folder = root / "projects" / f"-home-u-src-project-{number % 12}"
        path = folder / session / "subagents" / f"agent-{agent}.jsonl" if is_agent else folder / f"{session}.jsonl"
        path = path if not is_agent else _beside(root, session) / f"agent-{agent}.jsonl"
        write_file(path, SessionWriter(chance, library, session, began, agent), total_bytes // files)


def _beside(root: Path, session: str) -> Path:
    parent = next((root / "projects").glob(f"*/{session}.jsonl"))
    return parent.with_suffix("") / "subagents"


def write_file(path: Path, writer: SessionWriter, size_bytes: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with path.open("wb") as stream:
        for line in writer.lines():
            written += stream.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n")
            if written >= size_bytes:
                return

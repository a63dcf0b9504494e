"""Laws over generated histories: any order of files, any repetition, any cut gives the ledger that was billed.

And the same entries: each thing that was said once, whatever forks and growing messages repeat.
"""

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from importers.files import CLAUDE, CODEX, GEMINI, Source
from ingest.dates import parse_date
from monitor.times import iso_text
from tests.importers import claude_writing as claude
from tests.importers import codex_writing as codex
from tests.importers import gemini_writing as gemini
from tests.importers.importing import Home, Line, figures, home_in

law = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
Figures = tuple[int, ...]
MODELS = ("claude-opus-4-8", "claude-haiku-4-5", "claude-unheard-of")
CONSTANT_ID = "msg_of_a_gateway"


@dataclass
class History:
    """Files by their path below the configuration directory, and what was billed.

    Of each call: session, sub-agent or "", model, figures.
    """

    files: dict[str, list[Line]] = field(default_factory=dict)
    billed: list[tuple[str, str, str, Figures]] = field(default_factory=list)
    # Session, sub-agent, parent or "", kind, description.
    sent_out: list[tuple[str, str, str, str, str]] = field(default_factory=list)


def uuid(chance: random.Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


class ClaudeWriter:
    """Writes sessions, their forks and their sub-agents, and keeps the bill.

    Of each session's answers some or all have requests and message ids, or a gateway gives one id to all.
    """

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.second, self.history = chance, 0.0, History()
        self.has_requests = self.has_constant_id = 0.0

    def later(self) -> float:
        self.second += self.chance.randint(1, 100)
        return self.second

    def write(self, sessions: int) -> History:
        for _ in range(sessions):
            session = uuid(self.chance)
            self.has_requests = self.chance.choice((0.0, 0.7, 1.0))
            self.has_constant_id = self.chance.choice((0.0, 0.3, 1.0))
            lines = [claude.opening(self.later(), session=session), *self.turns(session)]
            if self.chance.random() < 0.5:
                lines = [*lines, *self.helper(session, "a1", lines)]
            self.keep(f"projects/p/{session}.jsonl", lines)
            if self.chance.random() < 0.6:
                self.fork(lines)
        return self.history

    def helper(self, session: str, agent_id: str, so_far: list[Line], **parent: Any) -> list[Line]:
        """A sub-agent with a file of its own, which may send out another; the lines of its parent.

        Some begin with their parent's conversation, under requests of their own.
        """
        kind, asked, tool_id = self.chance.choice(("Explore", "Plan")), f"Look {agent_id}", uuid(self.chance)
        self.history.sent_out.append((session, agent_id, parent.get("agentId", ""), kind, asked))
        order = claude.tool("Agent", tool_id, description=asked, subagent_type=kind)
        sent = self.call(session, order, **parent)
        fields = {"agentId": agent_id, "isSidechain": True}
        own = self.repeated(so_far, **fields) if self.chance.random() < 0.6 else []
        own += [claude.prompt("Look", self.later(), session=session, **fields), *self.turns(session, **fields)]
        if self.chance.random() < 0.4 and not parent:
            own = [*own, *self.helper(session, f"{agent_id}-1", own, **fields)]
        self.keep(f"projects/p/{session}/subagents/agent-{agent_id}.jsonl", own)
        answer = {"agentId": agent_id, "agentType": kind, "status": "completed"}
        told = claude.tool_result(tool_id, self.later(), session=session, toolUseResult=answer, **parent)
        return [*sent[:-1], told]

    def keep(self, path: str, lines: list[Line]) -> None:
        self.history.files[path] = lines

    def repeated(self, lines: list[Line], **agent: Any) -> list[Line]:
        requests: dict[str, str | None] = {}
        kept_requests, later_ms = self.chance.random() < 0.2, self.chance.choice((0, 700))
        copies = []
        for line in lines:
            copy = line | agent | {"uuid": uuid(self.chance)}
            if line.get("message", {}).get("id"):
                copy["timestamp"] = iso_text((parse_date(line["timestamp"]) or 0) + later_ms)
            if "requestId" in line and not kept_requests:
                known = requests.setdefault(line["requestId"], self.request(0.8))
                copy = {name: value for name, value in copy.items() if name != "requestId"}
                copy |= {} if known is None else {"requestId": known}
            copies.append(copy)
        return copies

    def request(self, share: float) -> str | None:
        return f"req_{self.chance.getrandbits(60)}" if self.chance.random() < share else None

    def fork(self, lines: list[Line]) -> None:
        session = uuid(self.chance)
        kept = lines[: self.chance.randint(1, len(lines))] if self.chance.random() < 0.3 else lines
        copies = [line | {"sessionId": session} for line in kept[1:]]
        own = self.turns(session)
        self.keep(f"projects/p/{session}.jsonl", [claude.opening(self.later(), session=session), *copies, *own])

    def turns(self, session: str, **fields: Any) -> list[Line]:
        lines: list[Line] = []
        for _ in range(self.chance.randint(1, 3)):
            lines.append(claude.prompt("Go", self.later(), session=session, promptId=uuid(self.chance), **fields))
            for _ in range(self.chance.randint(1, 3)):
                lines += self.call(session, **fields)
        return lines

    def said(self) -> list[Line]:
        word = f"word{self.chance.randint(0, 9)}"
        said = [{"type": "thinking", "thinking": word}, {"type": "text", "text": word * 40}]
        return self.chance.sample(said, self.chance.randint(0, 2))

    def call(self, session: str, order: dict[str, Any] | None = None, **fields: Any) -> list[Line]:
        """One to four lines of one answer, with tool results between them at times; the last may be an order."""
        chance = self.chance
        model, request = chance.choice(MODELS), self.request(self.has_requests)
        message = CONSTANT_ID if chance.random() < self.has_constant_id else f"msg_{chance.getrandbits(60)}"
        named = None if request is None and chance.random() < 0.2 else message
        five, hour = chance.randint(0, 9) * 100, chance.randint(0, 9) * 100
        split = {"ephemeral_5m_input_tokens": five, "ephemeral_1h_input_tokens": hour}
        given = chance.randint(1, 10**6)
        read, final = chance.randint(0, 10**5), chance.randint(1, 10**5)
        lines: list[Line] = []
        # Nothing holds the lines of an answer without any id together.
        for part in range(parts := chance.randint(1, 4) if named else 1):
            is_last = part == parts - 1
            output = final if is_last else chance.randint(1, final)
            outputs = [line["message"]["usage"]["output_tokens"] for line in lines if line["type"] == "assistant"]
            used = claude.usage(max([output, *outputs]), given, read, five + hour, cache_creation=split)
            tool_id = f"toolu_{chance.getrandbits(60)}"
            lines.append(
                claude.answer(
                    self.later(),
                    used,
                    message=named,
                    request=request,
                    model=model,
                    session=session,
                    stop="tool_use" if is_last or chance.random() < 0.5 else None,
                    content=[
                        *self.said(),
                        order if order and is_last else claude.tool("Bash", tool_id, command="ls"),
                    ],
                    **fields,
                )
            )
            # The next call follows only after the last tool's result.
            if is_last or chance.random() < 0.5:
                lines.append(claude.tool_result(tool_id, self.later(), session=session, **fields))
        self.history.billed.append(
            (session, fields.get("agentId", ""), model, (given, read, five, hour, final, 0))
        )
        return lines


class CodexWriter:
    """Writes threads in the old or the new form, resumed and forked, and keeps the bill."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.second, self.history = chance, 0.0, History()

    def later(self) -> float:
        self.second += self.chance.randint(2, 100)
        return self.second

    def write(self, threads: int) -> History:
        for _ in range(threads):
            began = self.later()
            thread = codex.uuid7(began, self.chance.getrandbits(32))
            lines = [codex.meta(thread, began), *self.turns(thread, [0, 0, 0])]
            self.history.files[f"sessions/2026/rollout-{thread}.jsonl"] = lines
            if self.chance.random() < 0.6:
                self.fork(thread, lines)
            if self.chance.random() < 0.5:
                self.helper(thread, thread, lines)
        return self.history

    def helper(self, root: str, parent: str, lines: list[Line]) -> None:
        """A sub-agent's thread, at times with its parent's lines before its own, at times with a child."""
        began, role = self.later(), self.chance.choice(("explorer", "worker"))
        thread = codex.uuid7(began, self.chance.getrandbits(32))
        spawn = {"parent_thread_id": parent, "depth": 1, "agent_nickname": f"N{began}", "agent_role": role}
        meta = codex.meta(thread, began, session_id=root, source={"subagent": {"thread_spawn": spawn}})
        replay, total = [], [0, 0, 0]
        if self.chance.random() < 0.5:
            replay, total = self.replayed(lines, meta["timestamp"])
            meta["payload"]["forked_from_id"] = parent
        agent = "" if parent == root else parent
        self.history.sent_out.append((root, thread, agent, role, f"N{began}"))
        own = [meta, *replay, *self.turns(root, total, thread)]
        self.history.files[f"sessions/2026/rollout-{thread}.jsonl"] = own
        if parent == root and self.chance.random() < 0.5:
            self.helper(root, thread, own)

    def replayed(self, lines: list[Line], stamp: str) -> tuple[list[Line], list[int]]:
        """The lines of a parent as they are written again, and the total that its child goes on from."""
        counts = [line for line in lines if line["payload"].get("type") == "token_count"]
        total = [0, 0, 0]
        if counts:
            last = counts[-1]["payload"]["info"]["total_token_usage"]
            total = [last["input_tokens"], last["cached_input_tokens"], last["output_tokens"]]
        return [line | {"timestamp": stamp} for line in lines], total

    def fork(self, parent: str, lines: list[Line]) -> None:
        began = self.later()
        thread = codex.uuid7(began, self.chance.getrandbits(32))
        replay, total = self.replayed(lines, codex.meta(thread, began)["timestamp"])
        own = [codex.meta(thread, began, forked_from_id=parent), *replay, *self.turns(thread, total)]
        self.history.files[f"archived_sessions/rollout-{thread}.jsonl"] = own

    def turns(self, session: str, total: list[int], agent: str = "") -> list[Line]:
        lines: list[Line] = []
        for _ in range(self.chance.randint(1, 3)):
            began = self.later()
            model = self.chance.choice(("gpt-5.5", "o3", "gpt-unheard-of"))
            turn_id = codex.uuid7(began, self.chance.getrandbits(32))
            lines.append(codex.turn(began, model, turn_id))
            lines += self.said("user", "Go")
            if self.chance.random() < 0.2:
                total[:] = [0, 0, 0]
            has_records = self.chance.random() < 0.5
            for _ in range(self.chance.randint(1, 3)):
                lines += self.call(session, agent, turn_id, model, total, has_records=has_records)
        return lines

    def call(
        self, session: str, agent: str, turn_id: str, model: str, total: list[int], *, has_records: bool
    ) -> list[Line]:
        chance, thread = self.chance, agent or session
        cached, output = chance.randint(0, 10**5), chance.randint(1, 10**4)
        last = (cached + chance.randint(1, 10**5), cached, output)
        total[:] = [before + more for before, more in zip(total, last, strict=True)]
        whole = (total[0], total[1], total[2])
        self.history.billed.append((session, agent, model, (last[0] - cached, cached, 0, 0, output, 0)))
        lines = self.said("assistant", f"word{chance.randint(0, 3)}")
        lines += self.tool(f"call_{chance.getrandbits(60)}")
        if has_records:
            names = {"thread_id": thread, "turn_id": turn_id, "thread_token_usage": codex.counts(whole)}
            lines.append(codex.record(self.later(), codex.counts(last), f"resp_{chance.getrandbits(60)}", **names))
        repeats = chance.randint(1, 3)
        return lines + [codex.token_count(self.later(), whole, last) for _ in range(repeats)]

    def said(self, role: str, said: str) -> list[Line]:
        """As an event, as a response item, or as both in either order."""
        chance = self.chance
        name = f"msg_{chance.getrandbits(60)}" if chance.random() < 0.5 else None
        forms = [codex.said_event(self.later(), role, said), codex.said_item(self.later(), role, said, name)]
        return chance.sample(forms, chance.randint(1, 2))

    def tool(self, call_id: str) -> list[Line]:
        lines = [
            codex.function_call(self.later(), "exec_command", '{"cmd": "ls"}', call_id),
            codex.event(
                "exec_command_end", self.later(), call_id=call_id, command=["ls"], aggregated_output="a.py"
            ),
            codex.output(self.later(), "Exit code: 0\nOutput:\na.py", call_id),
        ]
        return lines[1:2] if self.chance.random() < 0.3 else lines


class GeminiWriter:
    """Writes chats whose messages repeat as they grow, and keeps the bill."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.second, self.history = chance, 0.0, History()

    def write(self, chats: int) -> History:
        for _ in range(chats):
            session = uuid(self.chance)
            lines: list[Line] = [gemini.header(session)]
            for number in range(self.chance.randint(1, 4)):
                lines += [gemini.typed(f"u{number}", number, "Go"), *self.message(session, number)]
            self.history.files[f"tmp/p/chats/session-{session}.jsonl"] = lines
        return self.history

    def message(self, session: str, number: int) -> list[Line]:
        chance = self.chance
        cached, output, thoughts = chance.randint(0, 10**5), chance.randint(1, 10**4), chance.randint(0, 99)
        given, name = cached + chance.randint(1, 10**5), f"m{number}"
        self.history.billed.append(
            (session, "", "gemini-2.5-pro", (given - cached, cached, 0, 0, output + thoughts, thoughts))
        )
        last = gemini.tokens(given, cached, output, thoughts)
        earlier = [None, gemini.tokens(given, cached, output // 2, thoughts), last][: chance.randint(0, 3)]
        tools = [gemini.tool_call(f"{session}-{name}", "read_file")]
        said = "word " * chance.randint(1, 50)
        return [
            *(gemini.answer(name, number, used, content=said[: 5 * n]) for n, used in enumerate(earlier)),
            gemini.answer(name, number, last, content=said, toolCalls=tools if chance.random() < 0.5 else []),
        ]


def claude_history(seed: int, sessions: int) -> History:
    return ClaudeWriter(random.Random(seed)).write(sessions)


def codex_history(seed: int, threads: int) -> History:
    return CodexWriter(random.Random(seed)).write(threads)


def gemini_history(seed: int, chats: int) -> History:
    return GeminiWriter(random.Random(seed)).write(chats)


def put(root: Path, files: dict[str, list[Line]], names: Sequence[str], part: float = 1.0) -> None:
    """Write the named files, the first `part` of their bytes."""
    for name in names:
        content = "".join(json.dumps(line) + "\n" for line in files[name]).encode()
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content[: round(len(content) * part)])


def stored(home: Home) -> list[tuple[str, str, str, Figures]]:
    return sorted(
        (call["session_id"], call["subagent_id"] or "", call["model"], figures(call)) for call in home.calls()
    )


def tree(home: Home) -> list[tuple[str, str, str, str, str]]:
    return [
        (row["session_id"], row["subagent_id"], row["parent_subagent_id"] or "", row["kind"], row["description"])
        for row in home.subagents()
    ]


def check_laws(source: Source, history: History, chance: random.Random, template: Path) -> None:
    names = list(history.files)
    chance.shuffle(names)
    with (
        TemporaryDirectory() as folder,
        home_in(Path(folder) / "home", template) as home,
        home_in(Path(folder) / "at_once", template) as at_once,
    ):
        root = Path(folder) / "client"
        for number, name in enumerate(names):
            if chance.random() < 0.5:
                put(root, history.files, [name], chance.random())
                home.run(source, root)
            put(root, history.files, [name])
            if chance.random() < 0.5 or number == len(names) - 1:
                home.run(source, root, reverse=chance.random() < 0.5, force=chance.random() < 0.3)
        assert stored(home) == sorted(history.billed)
        assert tree(home) == sorted(history.sent_out)
        at_once.run(source, root)
        assert home.entries() == at_once.entries() != []
        ledger, entries = home.ledger(), home.entries()
        home.run(source, root, force=True, reverse=True)
        assert home.ledger() == ledger
        assert home.entries() == entries
        assert sorted(home.found("word*")) == sorted(row["text"] for row in entries if "word" in row["text"])
        assert_sums_agree(home)


def assert_sums_agree(home: Home) -> None:
    """The sums over sessions and over hours are those of the calls."""
    sums = "sum(uncached_input_tokens) + sum(cache_read_tokens) AS input, sum(output_tokens) AS output"
    totals = [home.rows(f"SELECT {sums} FROM {table}") for table in ("calls", "sessions", "usage_hours")]
    assert totals[0] == totals[1] == totals[2]


@law
@given(seed=st.integers(0, 2**32), sessions=st.integers(1, 4), order=st.integers(0, 2**32))
def test_claude_code(seed: int, sessions: int, order: int, migrated_database: Path) -> None:
    check_laws(CLAUDE, claude_history(seed, sessions), random.Random(order), migrated_database)


@law
@given(seed=st.integers(0, 2**32), threads=st.integers(1, 4), order=st.integers(0, 2**32))
def test_codex(seed: int, threads: int, order: int, migrated_database: Path) -> None:
    check_laws(CODEX, codex_history(seed, threads), random.Random(order), migrated_database)


@law
@given(seed=st.integers(0, 2**32), chats=st.integers(1, 4), order=st.integers(0, 2**32))
def test_gemini_cli(seed: int, chats: int, order: int, migrated_database: Path) -> None:
    check_laws(GEMINI, gemini_history(seed, chats), random.Random(order), migrated_database)


def check_appends(source: Source, history: History, chance: random.Random, template: Path) -> None:
    """Every file cut anywhere into appends, in any order among the files, each import a start of its own."""
    contents = {
        name: "".join(json.dumps(line) + "\n" for line in lines).encode() for name, lines in history.files.items()
    }
    cuts = [(name, chance.randint(0, len(content))) for name, content in contents.items() for _ in range(3)]
    cuts.sort(key=lambda cut: (cut[1] + chance.randint(0, 500), cut[0]))
    with (
        TemporaryDirectory() as folder,
        home_in(Path(folder) / "grown", template) as grown,
        home_in(Path(folder) / "whole", template) as whole,
    ):
        root = Path(folder) / "client"
        for name, end in [*cuts, *((name, len(content)) for name, content in contents.items())]:
            append_up_to(root / name, contents[name], end)
            grown.run(source, root)
        whole.run(source, root)
        assert grown.ledger() == whole.ledger()
        assert grown.entries() == whole.entries()
        assert events_of(grown) == events_of(whole)
        assert {report.outcome for report in grown.run(source, root)} == {"SKIP"}


def append_up_to(path: Path, content: bytes, end: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as stream:
        stream.write(content[stream.tell() : end])


def events_of(home: Home) -> dict[str, Line]:
    """Whole events by their ids, but for the row's own; the order of metadata's keys says nothing."""
    return {
        event["event_id"]: event | {"id": 0, "metadata": json.loads(event["metadata"])} for event in home.events()
    }


@law
@given(seed=st.integers(0, 2**32), order=st.integers(0, 2**32))
def test_any_split_of_claude_code_into_appends(seed: int, order: int, migrated_database: Path) -> None:
    check_appends(CLAUDE, claude_history(seed, 2), random.Random(order), migrated_database)


@law
@given(seed=st.integers(0, 2**32), order=st.integers(0, 2**32))
def test_any_split_of_codex_into_appends(seed: int, order: int, migrated_database: Path) -> None:
    check_appends(CODEX, codex_history(seed, 2), random.Random(order), migrated_database)


@law
@given(seed=st.integers(0, 2**32), order=st.integers(0, 2**32))
def test_any_split_of_gemini_cli_into_appends(seed: int, order: int, migrated_database: Path) -> None:
    check_appends(GEMINI, gemini_history(seed, 2), random.Random(order), migrated_database)

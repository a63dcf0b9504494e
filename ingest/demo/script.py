"""One invented session, step by step, in the forms in which agents tell of themselves. Pure.

Claude Code speaks through its hook bodies, the others through API events; facts are what an importer knows.
Times are offsets from the session's start, in ms.
"""

from random import Random
from typing import Any, NamedTuple

from ingest.contract import SessionFacts
from ingest.demo.cast import ANSWERS, CLAUDE, COMMANDS, FAILURES, Agent, Project
from monitor.lifecycle import PERMISSION, QUESTION, TOOL, TURN_ENDED, WORKING

SECOND_MS = 1000
MINUTE_MS = 60 * SECOND_MS
# System prompt and tools, which every first call sends.
FIRST_CONTEXT_TOKENS = 15_000


class Told(NamedTuple):
    """Something that happened `offset_ms` after the start: a hook body, an event body, or facts."""

    offset_ms: int
    hook: dict[str, Any] | None = None
    event: dict[str, Any] | None = None
    facts: SessionFacts | None = None


class Script:
    """Writes one session. The same random state gives the same session."""

    def __init__(self, random: Random, number: int, agent: Agent, project: Project) -> None:
        self.random, self.agent, self.project = random, agent, project
        self.task = random.choice(project.tasks)
        self.session_id = f"demo-{number:03}-{agent.agent_type.replace('_', '-')}"
        self.branch = random.choice(project.branches)
        self.model = random.choices(list(agent.models), list(agent.models.values()))[0]
        self.told: list[Told] = []
        self.at_ms = 0
        self._context_tokens = FIRST_CONTEXT_TOKENS
        self._numbers = 0

    @property
    def _speaks_hooks(self) -> bool:
        return self.agent is CLAUDE

    def _pause(self, least_ms: int, most_ms: int) -> int:
        lasted_ms = self.random.randint(least_ms, most_ms)
        self.at_ms += lasted_ms
        return lasted_ms

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers

    def _hook(self, name: str, **fields: Any) -> None:
        body = {"session_id": self.session_id, "cwd": self.project.cwd, "permission_mode": "default"}
        self.told.append(Told(self.at_ms, hook={**body, "hook_event_name": name, **fields}))

    def _event(self, event_type: str, **fields: Any) -> None:
        body = {
            "session_id": self.session_id,
            "agent_type": self.agent.agent_type,
            "event_type": event_type,
            "event_id": f"{self.session_id}-{self._number()}",
            "project": self.project.name,
            "branch": self.branch,
            "source": "otel",
        }
        self.told.append(Told(self.at_ms, event={**body, **fields}))

    def _facts(self, **known: Any) -> None:
        facts = SessionFacts(session_id=self.session_id, agent_type=self.agent.agent_type, **known)
        self.told.append(Told(self.at_ms, facts=facts))

    def start(self) -> None:
        self._facts(
            title=self.task.title,
            project=self.project.name,
            branch=self.branch,
            cwd=self.project.cwd,
            model=self.model,
            client_version=self.agent.version,
        )
        if self._speaks_hooks:
            self._hook("SessionStart", source="startup", model=self.model)
        else:
            self._event("session_start", metadata={"cwd": self.project.cwd})

    def prompt(self, text: str) -> None:
        self._pause(2 * SECOND_MS, 40 * SECOND_MS)
        if self._speaks_hooks:
            self._hook("UserPromptSubmit", prompt=text, prompt_id=f"{self.session_id}-{self._number()}")
        else:
            self._event("user_prompt", metadata={"message": text})
            self._facts(state=WORKING)

    def turn(self, text: str, steps: int) -> None:
        """A prompt, the agent's work, and its answer."""
        self.prompt(text)
        for _ in range(steps):
            if self.random.random() < 0.01:
                self._event("error", metadata={"error": "overloaded; tried again after 4 s"})
            self.model_call()
            self.tool_use()
        self.answer()

    def model_call(self) -> None:
        """One billed call: what was read before comes from the cache."""
        lasted_ms = self._pause(2 * SECOND_MS, 14 * SECOND_MS)
        grown = self.random.randint(150, 4000)
        uses_cache_writes = self._speaks_hooks
        self._event(
            "llm_response",
            model=self.model,
            duration_ms=lasted_ms,
            tokens_in=self.random.randint(3, 40) if uses_cache_writes else grown,
            cache_write_tokens=grown if uses_cache_writes else 0,
            cache_read_tokens=self._context_tokens,
            tokens_out=self.random.randint(60, 1500),
        )
        self._context_tokens += grown

    def tool_use(self) -> None:
        tool, tool_input = self._tool()
        self.begin_tool(tool, tool_input)
        lasted_ms = self._pause(30, 25 * SECOND_MS if tool == self.agent.shell_tool else 400)
        failed = self.random.random() < 0.06
        error = self.random.choice(FAILURES)
        if self._speaks_hooks:
            self._hook(
                "PostToolUseFailure" if failed else "PostToolUse",
                tool_name=tool,
                tool_input=tool_input,
                tool_use_id=f"{self.session_id}-{self._number()}",
                duration_ms=lasted_ms,
                **({"error": error} if failed else {}),
            )
            return
        lines = {"lines_added": self.random.randint(1, 30)} if tool == self.agent.edit_tool else {}
        self._event(
            "tool_use",
            tool_name=tool,
            status="error" if failed else "success",
            duration_ms=lasted_ms,
            metadata={**tool_input, **lines, **({"error": error} if failed else {})},
        )
        self._facts(state=WORKING)

    def _tool(self) -> tuple[str, dict[str, str]]:
        file_path = f"{self.project.cwd}/{self.random.choice(self.project.files)}"
        act = self.random.choice(("shell", "read", "search", "edit", "edit"))
        if act == "shell":
            command = self.random.choice((self.project.test_command, *COMMANDS))
            return self.agent.shell_tool, {"command": command}
        if self.agent.shell_tool == self.agent.read_tool and act in ("read", "search"):
            return self.agent.read_tool, {"command": f"sed -n 1,120p {file_path}"}
        if act == "read":
            return self.agent.read_tool, {"file_path": file_path}
        if act == "search":
            return self.agent.search_tool, {"pattern": self.random.choice(("TODO", "def retry", "total\\("))}
        old, new = self.random.randint(1, 12), self.random.randint(1, 25)
        return self.agent.edit_tool, {
            "file_path": file_path,
            "old_string": "old line\n" * old,
            "new_string": "new line\n" * new,
        }

    def begin_tool(self, tool: str, tool_input: dict[str, str]) -> None:
        """What the agent does now; it becomes an event when it is done."""
        self._pause(100, 900)
        if self._speaks_hooks:
            self._hook("PreToolUse", tool_name=tool, tool_input=tool_input)
        else:
            detail = tool_input.get("command") or tool_input.get("file_path") or tool_input.get("pattern")
            self._facts(state=TOOL, state_detail=f"{tool}: {detail}")

    def answer(self) -> None:
        self.model_call()
        text = self.random.choice(ANSWERS)
        if self._speaks_hooks:
            self._hook("Stop", last_assistant_message=text)
        else:
            self._event("response", metadata={"content_preview": text})
            self._facts(state=TURN_ENDED)

    def ask_permission(self, command: str) -> None:
        self.begin_tool(self.agent.shell_tool, {"command": command})
        if self._speaks_hooks:
            self._hook("PermissionRequest", tool_name=self.agent.shell_tool, tool_input={"command": command})
        else:
            self._facts(state=PERMISSION, state_detail=f"{self.agent.shell_tool}: {command}")

    def ask_question(self, question: str) -> None:
        self.model_call()
        self._facts(state=QUESTION, state_detail=question)

    def commit(self) -> None:
        self._event("git_commit", metadata={"message": self.task.title})

    def end(self) -> None:
        self._pause(20 * SECOND_MS, 6 * MINUTE_MS)
        if self._speaks_hooks:
            self._hook("SessionEnd", reason="prompt_input_exit")
        else:
            self._event("session_end")

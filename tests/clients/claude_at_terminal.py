"""Claude Code with a person at the terminal: permission prompts, waiting, Esc, /clear, /exit, kill -9."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from . import claude_scenarios as ask
from .run import Finished, Place, claude_env
from .sink import Sink
from .terminal import Terminal

IDLE_NOTIFICATION_MS = 1500


def prepare(place: Place) -> None:
    """Answer the questions of a first start: theme, API key, trust in the project's folder."""
    settings = place.claude / ".claude.json"
    known = json.loads(settings.read_text()) if settings.exists() else {}
    projects = known.get("projects", {})
    trusted = {"hasTrustDialogAccepted": True, "hasCompletedProjectOnboarding": True}
    projects[str(place.project)] = {**projects.get(str(place.project), {}), **trusted}
    answers = {
        "hasCompletedOnboarding": True,
        "lastOnboardingVersion": "99.0.0",
        "theme": "dark",
        "messageIdleNotifThresholdMs": IDLE_NOTIFICATION_MS,
        "customApiKeyResponses": {"approved": ["sk-ant-fake"], "rejected": []},
        "projects": projects,
    }
    settings.write_text(json.dumps({**known, **answers}))


class Conversation:
    """The keys a person presses, each after what it answers has come."""

    def __init__(self, terminal: Terminal, sink: Sink, opened: int) -> None:
        self.terminal, self.sink = terminal, sink
        self._from = opened

    def say(self, text: str) -> None:
        self.terminal.type(text)
        self.terminal.wait_for_text(text)
        self._from = len(self.sink.received)
        self.terminal.type("\r")

    def wait_for_hook(self, event: str, **fields: Any) -> None:
        """Wait for a hook with these fields that came since the last thing said."""
        self.terminal.wait_for(lambda: any(self._is(i, event, fields) for i in range(self._from, self._seen())))

    def wait_for_transcript(self, text: str) -> None:
        """Wait until the transcript, which is written with some delay, contains `text`."""
        path = Path(json.loads(self.sink.body(self.sink.received[-1]))["transcript_path"])
        self.terminal.wait_for(lambda: path.exists() and text in path.read_text())

    def _seen(self) -> int:
        return len(self.sink.received)

    def _is(self, index: int, event: str, fields: Mapping[str, Any]) -> bool:
        received = self.sink.received[index]
        if not received.path.endswith(f"/{event}"):
            return False
        body = json.loads(self.sink.body(received))
        return all(body.get(key) == value for key, value in fields.items())


def converse(
    cli: Path,
    place: Place,
    server_url: str,
    sink: Sink,
    env: Mapping[str, str],
    talk: Callable[[Conversation], None],
) -> Finished:
    """Start the client, wait for its prompt, let `talk` happen; a client that still runs then is killed."""
    prepare(place)
    opened = len(sink.received)
    with Terminal(
        [cli, "--permission-mode", "default"], place.project, {**claude_env(place, server_url), **env}
    ) as terminal:
        terminal.wait_for_text("for shortcuts")
        talk(Conversation(terminal, sink, opened))
        status = terminal.wait_for_end() if terminal.is_leaving else terminal.kill()
    return Finished(status, "", "")


def asked_and_interrupted(person: Conversation) -> None:
    """A permission is asked for and given, the agent waits, an answer is stopped with Esc, /clear, /exit."""
    person.say(ask.ASKED)
    person.wait_for_hook("PermissionRequest")
    person.wait_for_hook("Notification", notification_type="permission_prompt")
    person.terminal.type("1")
    person.wait_for_hook("Stop")
    person.wait_for_hook("Notification", notification_type="idle_prompt")
    person.say(ask.STORY)
    person.terminal.wait_for_text("Chapter 3")
    person.terminal.type("\x1b")
    person.terminal.wait_for_text("Interrupted")
    person.say("/clear")
    person.wait_for_hook("SessionStart", source="clear")
    person.say(ask.CLEARED)
    person.wait_for_hook("Stop")
    person.say("/exit")
    person.terminal.is_leaving = True


def killed(person: Conversation) -> None:
    """kill -9 while a tool runs: no PostToolUse, no Stop, no SessionEnd."""
    person.say(ask.KILLED)
    person.wait_for_hook("PreToolUse")
    person.wait_for_transcript('"tool_use"')

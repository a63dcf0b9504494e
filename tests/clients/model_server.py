"""A fake model server for real coding agents: answers by script and logs what each answer billed.

It speaks the Anthropic Messages API, the OpenAI Responses API and Gemini's generateContent. The log of
billed answers is the oracle that imports, OTLP and totals are compared with.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import msgspec

from . import anthropic_wire, gemini_wire, openai_wire
from .loopback import Handler, LoopbackServer, serving, unpacked
from .script import COMPACTION, SIDE, Asked, Position, Think, Threads, Turn, Usage, position_in, turn_at, usage_of
from .tool_names import fitted

# Only these frames tell the final usage.
END_FRAMES = frozenset({"message_delta", "response.completed"})
MESSAGE_PREFIXES = {"claude_code": "msg", "codex": "resp", "gemini_cli": "gem"}


Frame = tuple[str, dict[str, Any]]


class Dropped(ConnectionError):
    """The script says that this stream breaks off."""


class BilledCall(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the oracle. `kind`: main, agent, check or compaction; `at` is UTC when the answer ended.

    Not `delivered`: the client went away before the end, so that it never saw these figures.
    """

    client: str
    kind: str
    model: str
    request_id: str
    message_id: str
    session_hint: str | None
    prompt: str | None
    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int
    web_searches: int
    at: str
    delivered: bool


class Seen(msgspec.Struct, frozen=True):
    """A request as it came, for tests and for looking at what clients ask."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Answer(msgspec.Struct, frozen=True):
    turn: Turn
    usage: Usage
    number: int
    asked: Asked
    position: Position | None
    is_dropped: bool = False

    @property
    def model(self) -> str:
        return self.asked.model

    @property
    def request_id(self) -> str:
        return f"req_fake{self.number:06}"

    @property
    def message_id(self) -> str:
        return f"{MESSAGE_PREFIXES[self.asked.client]}_fake{self.number:06}"


class ModelServer:
    """State of one fake: the script, what was seen, and the oracle. Use it through `model_server`."""

    def __init__(self, threads: Threads, main_prompts: Iterable[str], pause_s: float) -> None:
        self.threads = dict(threads)
        self.main_prompts = set(main_prompts)
        self.pause_s = pause_s
        self.url = ""
        self.billed: list[BilledCall] = []
        self.seen: list[Seen] = []
        self._failed: set[Position] = set()
        self._dropped: set[Position] = set()
        self._count = 0
        self._lock = threading.Condition()

    def failure(self, asked: Asked) -> int | None:
        """The status of a scripted failure, if this attempt at the turn has to fail."""
        position = self._position(asked)
        if position is None:
            return None
        turn = turn_at(self.threads, position)
        with self._lock:
            first = position not in self._failed
            self._failed.add(position)
        return turn.fail_always or (turn.fail_once if first else None)

    def answer(self, asked: Asked) -> Answer:
        position = self._position(asked)
        unscripted = COMPACTION if asked.side_kind == "compaction" else SIDE
        turn = fitted(turn_at(self.threads, position) if position else unscripted, asked.tools)
        with self._lock:
            self._count += 1
            number = self._count
            drops = position is not None and turn.drops_once and position not in self._dropped
            self._dropped |= {position} if position else set()
        return Answer(turn, _usage(number, turn, asked.client), number, asked, position, drops)

    def bill(self, answer: Answer, *, delivered: bool = True) -> None:
        usage, asked, position = answer.usage, answer.asked, answer.position
        call = BilledCall(
            client=asked.client,
            kind=self._kind(asked, position),
            model=asked.model,
            request_id=answer.request_id,
            message_id=answer.message_id,
            session_hint=asked.session_hint,
            prompt=position.prompt if position else None,
            input_tokens=usage.input_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_5m_tokens=usage.cache_write_5m_tokens,
            cache_write_1h_tokens=usage.cache_write_1h_tokens,
            output_tokens=usage.output_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            web_searches=answer.turn.web_searches,
            at=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            delivered=delivered,
        )
        with self._lock:
            self.billed.append(call)
            self._lock.notify_all()

    def wait_for_bills(self, count: int, timeout_s: float) -> None:
        """Wait until so many answers are billed: one that a client left is noticed some moments later."""
        with self._lock:
            if not self._lock.wait_for(lambda: len(self.billed) >= count, timeout_s):
                raise TimeoutError(f"{len(self.billed)} of {count} answers billed")

    def is_billed(self, answer: Answer) -> bool:
        return any(call.message_id == answer.message_id for call in self.billed)

    def paced(self, frames: Iterable[Frame], answer: Answer) -> Iterator[bytes]:
        """The frames as server-sent events, at the pace of a model; bills when the final usage goes out."""
        for frame in frames:
            ends = frame[0] in END_FRAMES
            if pause_s := answer.turn.late_end_s if ends else self.pause_s:
                time.sleep(pause_s)
            if ends and answer.is_dropped:
                raise Dropped
            if ends:
                self.bill(answer)
            yield _event(frame)

    def _position(self, asked: Asked) -> Position | None:
        return None if asked.side_kind else position_in(self.threads, asked.messages)

    def _kind(self, asked: Asked, position: Position | None) -> str:
        if asked.side_kind or position is None:
            return asked.side_kind or "check"
        return "main" if position.prompt in self.main_prompts else "agent"


@contextmanager
def model_server(
    threads: Threads, *, main_prompts: Iterable[str] | None = None, pause_s: float = 0.0
) -> Iterator[ModelServer]:
    """Serve `threads` on loopback. Prompts outside `main_prompts` (default: all) belong to sub-agents."""
    state = ModelServer(threads, threads if main_prompts is None else main_prompts, pause_s)
    handler = type("ModelHandler", (_ModelHandler,), {"state": state})
    with serving(LoopbackServer(("127.0.0.1", 0), handler)) as url:
        state.url = url
        yield state


class _ModelHandler(Handler):
    state: ModelServer

    def do_HEAD(self) -> None:
        self._note(b"")
        self.answer(b"", "application/json")

    def do_GET(self) -> None:
        self._note(b"")
        self.answer_json(_models() if self.path.split("?")[0].endswith("/models") else {})

    def do_POST(self) -> None:
        body = unpacked(self.read_body(), self.headers.get("Content-Encoding"))
        self._note(body)
        path = self.path.split("?")[0]
        if path.endswith("/v1/messages"):
            self._anthropic(json.loads(body))
        elif path.endswith("/count_tokens"):
            self.answer_json({"input_tokens": len(body) // 4})
        elif path.endswith("/responses"):
            self._openai(json.loads(body))
        elif found := re.search(r"/models/([^/:]+):(\w+)$", path):
            self._gemini(json.loads(body), found.group(1), found.group(2))
        else:
            self.answer_json({})

    do_PUT = do_POST

    def _note(self, body: bytes) -> None:
        self.state.seen.append(Seen(self.command, self.path, self._headers(), body))

    def _headers(self) -> dict[str, str]:
        return {name.lower(): value for name, value in self.headers.items()}

    def _anthropic(self, body: dict[str, Any]) -> None:
        asked = anthropic_wire.read_request(body, self._headers())
        if status := self.state.failure(asked):
            self.answer_json(anthropic_wire.error(status), status, [("request-id", "req_fake_failed")])
            return
        answer = self.state.answer(asked)
        parts = (answer.turn, answer.usage, answer.model, answer.message_id)
        if asked.stream:
            self._stream(answer, anthropic_wire.frames(*parts), "request-id")
        else:
            self.state.bill(answer)
            self.answer_json(anthropic_wire.message(*parts), headers=[("request-id", answer.request_id)])

    def _openai(self, body: dict[str, Any]) -> None:
        asked = openai_wire.read_request(body, self._headers())
        if status := self.state.failure(asked):
            self.answer_json(openai_wire.error(status), status)
            return
        answer = self.state.answer(asked)
        frames = openai_wire.frames(answer.turn, answer.usage, answer.model, answer.message_id)
        self._stream(answer, frames, "x-request-id")

    def _stream(self, answer: Answer, frames: Iterable[Frame], id_header: str) -> None:
        try:
            self.answer_events(self.state.paced(frames, answer), [(id_header, answer.request_id)])
        except ConnectionError:
            self.close_connection = True
            if not self.state.is_billed(answer):
                self.state.bill(answer, delivered=False)

    def _gemini(self, body: dict[str, Any], model: str, method: str) -> None:
        if method == "countTokens":
            self.answer_json({"totalTokens": len(json.dumps(body)) // 4})
            return
        asked = gemini_wire.read_request(body, model, stream=method == "streamGenerateContent")
        if status := self.state.failure(asked):
            self.answer_json(gemini_wire.error(status), status)
            return
        answer = self.state.answer(asked)
        parts = (answer.turn, answer.usage, model, answer.message_id)
        self.state.bill(answer)
        if asked.stream:
            chunks = gemini_wire.chunks(*parts)
            self.answer_events(f"data: {json.dumps(chunk)}\n\n".encode() for chunk in chunks)
        else:
            self.answer_json(gemini_wire.whole(*parts))


def _usage(number: int, turn: Turn, client: str) -> Usage:
    """Only Anthropic knows one-hour cache writes; OpenAI and Gemini bill writes where the script says so."""
    usage = usage_of(number, has_thinking=any(isinstance(block, Think) for block in turn.blocks))
    if client == "claude_code":
        return usage
    written = usage.cache_write_5m_tokens if turn.writes_cache else 0
    return msgspec.structs.replace(usage, cache_write_5m_tokens=written, cache_write_1h_tokens=0)


def _event(frame: Frame) -> bytes:
    name, body = frame
    return f"event: {name}\ndata: {json.dumps({'type': name, **body})}\n\n".encode()


def _models() -> dict[str, Any]:
    return {"object": "list", "data": [], "models": [], "has_more": False}

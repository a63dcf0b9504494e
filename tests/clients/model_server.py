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
from .script import SIDE, Asked, Position, Think, Threads, Turn, Usage, position_in, turn_at, usage_of


class BilledCall(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the oracle. `kind`: main, agent, check or compaction; `at` is UTC when the answer ended."""

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

    @property
    def model(self) -> str:
        return self.asked.model


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
        self._count = 0
        self._lock = threading.Lock()

    def failure(self, asked: Asked) -> int | None:
        """The status of a scripted failure, once for each turn that has one."""
        position = self._position(asked)
        if position is None:
            return None
        status = turn_at(self.threads, position).fail_once
        with self._lock:
            if status is None or position in self._failed:
                return None
            self._failed.add(position)
        return status

    def answer(self, asked: Asked) -> Answer:
        position = self._position(asked)
        turn = turn_at(self.threads, position) if position else SIDE
        with self._lock:
            self._count += 1
            number = self._count
        has_thinking = any(isinstance(block, Think) for block in turn.blocks)
        return Answer(turn, usage_of(number, has_thinking=has_thinking), number, asked, position)

    def bill(self, answer: Answer, request_id: str, message_id: str) -> None:
        usage, asked, position = answer.usage, answer.asked, answer.position
        writes = asked.client == "claude_code"
        call = BilledCall(
            client=asked.client,
            kind=self._kind(asked, position),
            model=asked.model,
            request_id=request_id,
            message_id=message_id,
            session_hint=asked.session_hint,
            prompt=position.prompt if position else None,
            input_tokens=usage.input_tokens,
            cache_read_tokens=usage.cache_read_tokens,
            cache_write_5m_tokens=usage.cache_write_5m_tokens if writes else 0,
            cache_write_1h_tokens=usage.cache_write_1h_tokens if writes else 0,
            output_tokens=usage.output_tokens,
            reasoning_tokens=usage.reasoning_tokens,
            web_searches=answer.turn.web_searches,
            at=datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        )
        with self._lock:
            self.billed.append(call)

    def paced(self, events: Iterable[bytes]) -> Iterator[bytes]:
        """The events with the pause of a model that thinks between them."""
        for event in events:
            if self.pause_s:
                time.sleep(self.pause_s)
            yield event

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
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.state.seen.append(Seen(self.command, self.path, headers, body))

    def _anthropic(self, body: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = anthropic_wire.read_request(body, headers)
        if status := self.state.failure(asked):
            self.answer_json(anthropic_wire.error(status), status, [("request-id", "req_fake_failed")])
            return
        answer = self.state.answer(asked)
        request_id, message_id = f"req_fake{answer.number:06}", f"msg_fake{answer.number:06}"
        sent = [("request-id", request_id)]
        self.state.bill(answer, request_id, message_id)
        if asked.stream:
            frames = anthropic_wire.frames(answer.turn, answer.usage, answer.model, message_id)
            self.answer_events(self.state.paced(map(_event, frames)), sent)
        else:
            self.answer_json(
                anthropic_wire.message(answer.turn, answer.usage, answer.model, message_id), headers=sent
            )

    def _openai(self, body: dict[str, Any]) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = openai_wire.read_request(body, headers)
        if status := self.state.failure(asked):
            self.answer_json(openai_wire.error(status), status)
            return
        answer = self.state.answer(asked)
        request_id, response_id = f"req_fake{answer.number:06}", f"resp_fake{answer.number:06}"
        self.state.bill(answer, request_id, response_id)
        frames = openai_wire.frames(answer.turn, answer.usage, answer.model, response_id)
        self.answer_events(self.state.paced(map(_event, frames)), [("x-request-id", request_id)])

    def _gemini(self, body: dict[str, Any], model: str, method: str) -> None:
        if method == "countTokens":
            self.answer_json({"totalTokens": len(json.dumps(body)) // 4})
            return
        asked = gemini_wire.read_request(body, model, stream=method == "streamGenerateContent")
        answer = self.state.answer(asked)
        response_id = f"gem_fake{answer.number:06}"
        self.state.bill(answer, response_id, response_id)
        if asked.stream:
            chunks = gemini_wire.chunks(answer.turn, answer.usage, model, response_id)
            self.answer_events(self.state.paced(f"data: {json.dumps(c)}\n\n".encode() for c in chunks))
        else:
            self.answer_json(gemini_wire.whole(answer.turn, answer.usage, model, response_id))


def _event(frame: tuple[str, dict[str, Any]]) -> bytes:
    name, body = frame
    return f"event: {name}\ndata: {json.dumps({'type': name, **body})}\n\n".encode()


def _models() -> dict[str, Any]:
    return {"object": "list", "data": [], "models": [], "has_more": False}

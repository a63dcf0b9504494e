"""What the fake model says: turns keyed by the prompt they answer, and the usage each answer bills."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


class Say(msgspec.Struct, frozen=True):
    text: str


class Think(msgspec.Struct, frozen=True):
    text: str


class Call(msgspec.Struct, frozen=True):
    """One tool call; `arguments` is a JSON object, or raw text for free-form tools. Codex groups some tools."""

    name: str
    arguments: dict[str, Any] | str
    namespace: str | None = None


Block = Say | Think | Call


class Turn(msgspec.Struct, frozen=True):
    """One answer of the model.

    `fail_once` is an HTTP status that the first attempt gets instead, `fail_always` one for every attempt.
    `late_end_s` delays the end of the stream, which carries the final usage, after the last block.
    `writes_cache` makes an OpenAI answer bill cache writes; Anthropic answers always do.
    `drops_once` ends the first attempt's stream in its middle, without its last usage.
    """

    blocks: tuple[Block, ...]
    fail_once: int | None = None
    fail_always: int | None = None
    late_end_s: float = 0.0
    writes_cache: bool = False
    web_searches: int = 0
    drops_once: bool = False


class Message(msgspec.Struct, frozen=True):
    """One message of a request, reduced to who spoke and the text in it."""

    by_model: bool
    text: str


class Asked(msgspec.Struct, frozen=True):
    """A model request as far as scripts care. `side_kind` marks requests outside the conversation.

    `tools` are the names of those that the client offers: versions call them differently.
    """

    client: str
    model: str
    messages: tuple[Message, ...]
    stream: bool = True
    side_kind: str | None = None
    session_hint: str | None = None
    tools: frozenset[str] = frozenset()


class Position(msgspec.Struct, frozen=True):
    prompt: str
    index: int


class Usage(msgspec.Struct, frozen=True):
    """Tokens of one answer. `input_tokens` is uncached; `reasoning_tokens` is a part of `output_tokens`."""

    input_tokens: int
    cache_read_tokens: int
    cache_write_5m_tokens: int
    cache_write_1h_tokens: int
    output_tokens: int
    reasoning_tokens: int


Threads = Mapping[str, Sequence[Turn]]

FALLBACK = Turn((Say("Done."),))
# What a compaction leaves of a conversation; a script may go on from here as from a prompt.
COMPACTED = "The shop is half done; the rest is to be finished."
COMPACTION = Turn((Say(COMPACTED),))
# What small requests ask for: Claude Code a title, Gemini CLI how hard a prompt is.
SIDE_ANSWER = {"title": "Shop work", "isNewTopic": False, "complexity_reasoning": "Small.", "complexity_score": 10}
SIDE = Turn((Say(json.dumps(SIDE_ANSWER)),))


def position_in(threads: Threads, messages: Sequence[Message]) -> Position | None:
    """Which scripted prompt was asked last, and how many answers it already got."""
    answers = 0
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if message.by_model:
            answers += index == 0 or not messages[index - 1].by_model
            continue
        spoken = [prompt for prompt in threads if prompt in message.text]
        if spoken:
            return Position(max(spoken, key=message.text.rindex), answers)
    return None


def turn_at(threads: Threads, position: Position) -> Turn:
    turns = threads[position.prompt]
    return turns[position.index] if position.index < len(turns) else FALLBACK


def usage_of(number: int, *, has_thinking: bool) -> Usage:
    """Usage of the n-th billed answer: the same in every run, irregular, so that errors never cancel."""
    draw = hashlib.sha256(f"answer {number}".encode()).digest()
    pick = [int.from_bytes(draw[i : i + 2], "big") for i in range(0, 16, 2)]
    output = 40 + pick[4] % 900
    return Usage(
        input_tokens=3 + pick[0] % 700,
        cache_read_tokens=pick[1] % 30_000 if number > 1 else 0,
        cache_write_5m_tokens=100 + pick[2] % 5_000,
        cache_write_1h_tokens=pick[3] % 4_000 if number % 3 else 0,
        output_tokens=output,
        reasoning_tokens=1 + pick[5] % (output - 1) if has_thinking else 0,
    )

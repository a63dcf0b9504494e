"""Which lines of a Claude Code transcript are one billed call, and what the call used. Pure.

An answer is written as one line for each content block, each with the usage so far; resumed and forked
sessions copy lines into other files. The key of a call must be the same for every copy in every file, and
never the same for two calls:

- `requestId` where there is one. A request has one answer, so it stands for the pair (message.id, requestId),
  and telemetry, which knows no message id, comes to the same key. Should a gateway repeat a request id under
  another message id, the key holds both.
- Without it `message.id` and the time of the first line: an id alone is not enough where a gateway sends one
  constant id for all answers.
- Without either, the time and the usage: the same time and the same usage are the same call.
"""

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import msgspec

from importers.fields import count, mapping, text, tokens_of
from ingest.contract import NewCall
from ingest.ledger import STATED, TRANSCRIPT
from ingest.otlp.keys import claude_answer_mark, claude_call_key
from pricing.usage import Usage, unusual

# A line that was written before its stream ended knows only the first tokens of the answer (stop_reason is
# null): it is believed until telemetry, or a later copy, knows the whole.
UNFINISHED: Final = STATED


def usage_of(usage: dict[str, Any]) -> Usage:
    """The usage of an answer; cache writes that are not split by their life are of 5 minutes."""
    written = count(usage.get("cache_creation_input_tokens"))
    split = mapping(usage.get("cache_creation"))
    written_1h = count(split.get("ephemeral_1h_input_tokens"))
    written_5m = count(split.get("ephemeral_5m_input_tokens"))
    return Usage(
        uncached_input_tokens=count(usage.get("input_tokens")),
        cache_read_tokens=count(usage.get("cache_read_input_tokens")),
        cache_write_5m_tokens=max(written_5m, written - written_1h),
        cache_write_1h_tokens=written_1h,
        output_tokens=count(usage.get("output_tokens")),
        web_searches=count(mapping(usage.get("server_tool_use")).get("web_search_requests")),
        service_tier=unusual(text(usage.get("service_tier"))),
        speed=unusual(text(usage.get("speed"))),
    )


class AnswerLine(msgspec.Struct, gc=False):
    """What one assistant line says of its call. `line_id` names the line where nothing else does."""

    message_id: str | None
    request_id: str | None
    line_id: str
    at_ms: int | None
    model: str | None
    usage: Usage | None
    is_finished: bool
    is_copy: bool
    # The sub-agent that wrote it, "" for the main conversation.
    chain: str


class _Place(NamedTuple):
    """How many user lines, and of them prompts, came before in a chain."""

    user_lines: int = 0
    prompts: int = 0


@dataclass(slots=True)
class Run:
    """One call as the lines so far tell it."""

    key: str
    message_id: str | None
    called_at_ms: int | None
    model: str | None
    usage: Usage | None
    authority: int
    is_copy: bool
    # Of the line that began it: a sub-agent that repeats its parent's answers made none of them.
    chain: str
    seen_at: "_Place"

    def take(self, line: AnswerLine) -> None:
        """The larger output is the later word of the same stream; a finished line outranks an unfinished one."""
        authority = TRANSCRIPT if line.is_finished else UNFINISHED
        self.model = self.model or line.model
        if line.usage is None:
            return
        known = -1 if self.usage is None else self.usage.output_tokens
        if (authority, line.usage.output_tokens) >= (self.authority, known):
            self.usage, self.authority = line.usage, authority

    def call(self, ref: str) -> NewCall | None:
        """The witness for the ledger; None for an answer without usage.

        Of equal times the ledger can't know the older one. A line that a fork copied therefore steps back by
        a millisecond, and the session that made the call keeps it.
        """
        if self.usage is None:
            return None
        at_ms = self.called_at_ms
        return NewCall(
            key=self.key,
            usage=self.usage,
            model=self.model,
            called_at_ms=at_ms + 1 if at_ms is not None and self.is_copy else at_ms,
            authority=self.authority,
            ref=ref,
            subagent_id=self.chain or None,
            answer_mark=claude_answer_mark(self.message_id, self.usage, of_subagent=bool(self.chain)),
        )


class CallRuns:
    """The calls of one file, found again for each further line of theirs."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str | None, str | None], Run] = {}
        self._message_of_request: dict[str, str | None] = {}
        self._main_runs: dict[str, Run] = {}
        self._places: dict[str, _Place] = {}

    def note_user_line(self, chain: str, *, is_prompt: bool) -> None:
        """Something that is no answer came between: tool results, or a prompt."""
        place = self._place(chain)
        self._places[chain] = _Place(place.user_lines + 1, place.prompts + is_prompt)

    def _place(self, chain: str) -> _Place:
        return self._places.get(chain, _Place())

    def take(self, line: AnswerLine) -> Run:
        """The call that a line belongs to, with what the line says of it."""
        run = self._find(line) or self._begin(line)
        run.take(line)
        run.seen_at = self._place(line.chain)
        return run

    def _find(self, line: AnswerLine) -> Run | None:
        if line.message_id is None and line.request_id is None:
            return None
        run = self._runs.get((line.message_id, line.request_id))
        if run is not None and self._continues(run, line):
            return run
        return self._parent_run(line) if line.chain else None

    def _parent_run(self, line: AnswerLine) -> Run | None:
        """A sub-agent that starts from its parent's conversation repeats the parent's answers."""
        run = self._main_runs.get(line.message_id or "")
        same = (
            run is not None
            and run.usage
            and line.usage
            and _prompt_figures(run.usage) == _prompt_figures(line.usage)
        )
        return run if same else None

    def _continues(self, run: Run, line: AnswerLine) -> bool:
        """Whether one stream can have written both; else a gateway repeats its ids, and this is another call."""
        place = self._place(line.chain)
        if run.seen_at == place or run.usage is None or line.usage is None:
            return True
        if _prompt_figures(run.usage) != _prompt_figures(line.usage):
            return False
        if line.request_id is not None or line.at_ms == run.called_at_ms:
            return True
        return run.seen_at.prompts == place.prompts and line.usage.output_tokens >= run.usage.output_tokens

    def _begin(self, line: AnswerLine) -> Run:
        identity = (line.message_id, line.request_id)
        run = Run(
            key=self._key(line, is_repeated=identity in self._runs),
            message_id=line.message_id,
            called_at_ms=line.at_ms,
            model=line.model,
            usage=None,
            authority=UNFINISHED,
            is_copy=line.is_copy,
            chain=line.chain,
            seen_at=self._place(line.chain),
        )
        if identity != (None, None):
            self._runs[identity] = run
        if line.message_id is not None and not line.chain:
            self._main_runs[line.message_id] = run
        return run

    def _key(self, line: AnswerLine, *, is_repeated: bool) -> str:
        if line.request_id is not None:
            owner = self._message_of_request.setdefault(line.request_id, line.message_id)
            key = claude_call_key(None, line.request_id) or line.line_id
            key = key if owner == line.message_id else f"{key}:{line.message_id}"
            return f"{key}@{line.at_ms}" if is_repeated else key
        if line.message_id is not None:
            return f"message:{line.message_id}@{line.at_ms}"
        if line.at_ms is None or line.usage is None:
            return line.line_id
        return f"at:{line.at_ms}:{':'.join(map(str, tokens_of(line.usage)))}"


def _prompt_figures(usage: Usage) -> tuple[int, int, int]:
    """What stays the same from the first line of a stream to its last; the split of writes may come late."""
    written = usage.cache_write_5m_tokens + usage.cache_write_1h_tokens
    return usage.uncached_input_tokens, usage.cache_read_tokens, written

"""What each billed call of a Codex rollout used, and under which key. Pure.

`token_usage_record` is one line for each call and names its response. Versions without it report `token_count`
with a cumulative total: a call is what changed the total since the line before (repeats are common). A total
that is smaller than before was restarted, it is no correction.

The key is the response's id; without it the turn's id and the total after the call, since a fork repeats both;
without a turn id the thread, how often its total was restarted, and the total.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

from importers.fields import TOKEN_KINDS, count, mapping, text, tokens_of
from pricing.usage import Usage


def usage_of(counts: dict[str, Any]) -> Usage:
    """Input includes its cached and written parts, output its reasoning; each token counts in one class here."""
    given, cached = count(counts.get("input_tokens")), count(counts.get("cached_input_tokens"))
    written = count(counts.get("cache_write_input_tokens"))
    output = count(counts.get("output_tokens"))
    return Usage(
        uncached_input_tokens=max(0, given - cached - written),
        cache_read_tokens=cached,
        cache_write_5m_tokens=written,
        output_tokens=output,
        reasoning_tokens=min(output, count(counts.get("reasoning_output_tokens"))),
    )


NOTHING = Usage()


@dataclass(frozen=True, slots=True)
class CodexCall:
    """One call. `is_counted` is true when it comes from `token_count`, which the contract numbers."""

    key: str
    usage: Usage
    is_counted: bool


class TokenCounter:
    """Finds the calls among the usage lines of one rollout, in their order."""

    def __init__(self) -> None:
        self.total = NOTHING
        self._restarts = 0
        self._turn_with_records: str | None = None
        self._has_total = False

    def record(self, payload: dict[str, Any], turn_id: str | None, thread_id: str) -> CodexCall | None:
        """A `token_usage_record`."""
        self._turn_with_records = turn_id or thread_id
        total = mapping(payload.get("thread_token_usage"))
        if total:
            self._note_total(usage_of(total))
        usage = usage_of(mapping(payload.get("usage")))
        if usage == NOTHING:
            return None
        return CodexCall(
            text(payload.get("response_id")) or self._key(turn_id, thread_id), usage, is_counted=False
        )

    def count(self, payload: dict[str, Any], turn_id: str | None, thread_id: str) -> CodexCall | None:
        """An `event_msg` of type `token_count`; None when it tells of no further call."""
        info = mapping(payload.get("info"))
        last = mapping(info.get("last_token_usage"))
        total = mapping(info.get("total_token_usage")) or last
        if not total:
            return None
        before, had_total, now = self.total, self._has_total, usage_of(total)
        self._note_total(now)
        if self._turn_with_records == (turn_id or thread_id) or (had_total and now == before):
            return None
        usage = usage_of(last) if last else _growth(before, now)
        return None if usage == NOTHING else CodexCall(self._key(turn_id, thread_id), usage, is_counted=True)

    def _note_total(self, now: Usage) -> None:
        self._restarts += self._has_total and _is_smaller(now, self.total)
        self.total, self._has_total = now, True

    def _key(self, turn_id: str | None, thread_id: str) -> str:
        figures = ":".join(map(str, tokens_of(self.total)))
        return f"turn:{turn_id}:{figures}" if turn_id else f"thread:{thread_id}:{self._restarts}:{figures}"


def _is_smaller(now: Usage, before: Usage) -> bool:
    return now.prompt_tokens + now.output_tokens < before.prompt_tokens + before.output_tokens


def _growth(before: Usage, now: Usage) -> Usage:
    """What was added to a total that came without the last call's own figures."""
    if _is_smaller(now, before):
        return now
    growth = (max(0, after - earlier) for after, earlier in zip(tokens_of(now), tokens_of(before), strict=True))
    return msgspec.convert(dict(zip(TOKEN_KINDS, growth, strict=True)), Usage)

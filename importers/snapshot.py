"""A reader's memory as bytes, so that the next import goes on where this one stopped.

The bytes are a pickle, because it keeps what is shared between the parts of a reader. It can build nothing but the
classes of the readers: what else a damaged or foreign database holds is refused, and the file is read anew. So is
what another version of the readers wrote.
"""

import pickle
import zlib
from collections import Counter, deque
from functools import lru_cache
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from importers import (
    buffer,
    claude,
    claude_calls,
    claude_entries,
    claude_lines,
    claude_plain,
    claude_prompts,
    claude_sessions,
    claude_subagents,
    claude_tools,
    codex,
    codex_calls,
    codex_entries,
    codex_events,
    codex_threads,
    codex_toollog,
    codex_tools,
    fields,
    gemini,
    gemini_entries,
    gemini_messages,
    reader,
)
from importers.reader import Reader
from ingest import contract, entries
from pricing import usage

READERS: Final = (
    buffer,
    claude,
    claude_calls,
    claude_entries,
    claude_lines,
    claude_plain,
    claude_prompts,
    claude_sessions,
    claude_subagents,
    claude_tools,
    codex,
    codex_calls,
    codex_entries,
    codex_events,
    codex_threads,
    codex_toollog,
    codex_tools,
    fields,
    gemini,
    gemini_entries,
    gemini_messages,
    reader,
)
VALUES: Final = (contract, entries, usage)
ALLOWED: Final[dict[tuple[str, str], type]] = {
    (kind.__module__, kind.__name__): kind
    for module in (*READERS, *VALUES)
    for kind in vars(module).values()
    if isinstance(kind, type) and kind.__module__ == module.__name__
} | {("collections", "deque"): deque, ("collections", "Counter"): Counter}
PROTOCOL: Final = 5
FASTEST: Final = 1
# A larger memory costs more to keep than the file costs to be read again.
MOST_BYTES: Final = 8 * 1024 * 1024


class Resumed(NamedTuple):
    """A reader that has read `lines` lines."""

    reader: Reader
    lines: int


def struct(kind: type[msgspec.Struct], values: dict[str, Any]) -> msgspec.Struct:
    """A value again from its fields: msgspec's own form names a function that is not ours to allow."""
    return kind(**values)


class _Pickler(pickle.Pickler):
    def reducer_override(self, value: Any) -> Any:
        if isinstance(value, msgspec.Struct):
            return struct, (type(value), msgspec.structs.asdict(value))
        return NotImplemented


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == (__name__, struct.__name__):
            return struct
        kind = ALLOWED.get((module, name))
        if kind is None:
            raise pickle.UnpicklingError(f"{module}.{name} is no part of a reader")
        return kind


def freeze(reader: Reader, lines: int) -> bytes | None:
    """The memory of a reader after `lines` lines; None when it is too large to keep."""
    memory = BytesIO()
    _Pickler(memory, PROTOCOL).dump((reader, lines))
    content = zlib.compress(memory.getbuffer(), FASTEST)
    return version() + content if len(content) <= MOST_BYTES else None


def thaw(content: bytes) -> Resumed | None:
    """The reader again; None for what is damaged, foreign, or of another version of the readers."""
    if not content.startswith(version()):
        return None
    try:
        return Resumed(*_Unpickler(BytesIO(zlib.decompress(content[len(version()) :]))).load())
    except (pickle.UnpicklingError, zlib.error, EOFError, AttributeError, TypeError, ValueError, IndexError):
        return None


@lru_cache(1)
def version() -> bytes:
    """Changes with any line of the readers."""
    digest = sha256()
    for module in (*READERS, *VALUES):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.digest()[:16]

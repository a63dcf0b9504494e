"""Fields of a transcript's lines as they should be, whatever stands in them. Pure.

Transcripts are other programs' files: any field may be missing or of another type. Each function takes the
value as it came and gives one that can be stored, or None.
"""

from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, Final

from ingest.contract import LONGEST_MS, LONGEST_TEXT, MOST_TOKENS
from ingest.dates import parse_date
from ingest.metadata import clean_text
from pricing.usage import Usage

PREVIEW_CHARACTERS: Final = 500
COMMAND_CHARACTERS: Final = 200
# Longer prompts would lose their text to the cap of the metadata, which keeps keys whole or not at all.
PROMPT_CHARACTERS: Final = 2000


# In the order in which keys of calls name them: it never changes.
TOKEN_KINDS: Final = (
    "uncached_input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
)
tokens_of: Callable[[Usage], tuple[int, ...]] = attrgetter(*TOKEN_KINDS)


def text(value: object) -> str | None:
    """A trimmed text that is not empty, fit for a column."""
    if not isinstance(value, str):
        return None
    if value.isalnum() and value.isascii() and len(value) <= LONGEST_TEXT:
        return value
    trimmed = value.strip()[:LONGEST_TEXT]
    if trimmed.isascii() and "\0" not in trimmed:
        return trimmed or None
    return clean_text(trimmed)


def mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def blocks(value: object) -> list[dict[str, Any]]:
    """The objects of a list of content blocks; a bare text is one text block."""
    if isinstance(value, str):
        return [{"type": "text", "text": value}]
    return [block for block in value if isinstance(block, dict)] if isinstance(value, list) else []


def joined_text(value: object) -> str:
    """The text of content that is a text, or a list of blocks of which some are text."""
    parts = [block["text"] for block in blocks(value) if isinstance(block.get("text"), str)]
    return "\n".join(parts)


def count(value: object, most: int = MOST_TOKENS) -> int:
    """A whole number of tokens; what is none counts 0."""
    if type(value) is int and 0 <= value <= most:
        return value
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
        return 0
    return int(value)


def duration(value: object) -> int | None:
    """Milliseconds, or None for what is no duration."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= LONGEST_MS:
        return None
    return int(value)


def moment(value: object) -> int | None:
    """Milliseconds since 1970, from any form of date that clients write."""
    return parse_date(value) if isinstance(value, str) and len(value) < 100 else None


def project_of(cwd: object) -> str | None:
    """The last part of a working directory, of either kind of path."""
    return _last_part(cwd) if isinstance(cwd, str) else None


@lru_cache(256)
def _last_part(path: str) -> str | None:
    windows = "\\" in path and "/" not in path
    return text((PureWindowsPath(path) if windows else PurePosixPath(path)).name)

"""What a patch in the form of Codex's apply_patch changes. Pure."""

import re
from typing import Final, NamedTuple

FILE_LINE: Final = re.compile(r"^\*\*\* (?:Update|Add|Delete) File: *(.+)$", re.MULTILINE)


class Patch(NamedTuple):
    """The first of its files, and lines over all of them."""

    file_path: str
    lines_added: int
    lines_removed: int


def parse_patch(patch: object) -> Patch | None:
    """None for what is no patch of a file."""
    found = FILE_LINE.search(patch) if isinstance(patch, str) else None
    if found is None or not isinstance(patch, str):
        return None
    lines = patch.split("\n")
    return Patch(
        found[1].strip(),
        sum(line.startswith("+") and not line.startswith("+++") for line in lines),
        sum(line.startswith("-") and not line.startswith("---") for line in lines),
    )

"""The spellings under which agents report one model."""

import re
from collections.abc import Iterator

PROVIDER_PREFIXES = ("anthropic/", "openai/", "google/")

# Claude Code appends it to the model's name when the long context window is switched on.
LONG_CONTEXT_SUFFIX = "[1m]"

_MONTH, _DAY = r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_RELEASE_SUFFIX = re.compile(rf"(?:[-@]20\d\d{_MONTH}{_DAY}|-20\d\d-{_MONTH}-{_DAY}|-latest)\Z")


def spellings(model: str) -> Iterator[str]:
    """The names to look for, the most exact first: as given, without window, without release."""
    name = without_provider(model.strip())
    yield name
    if name.endswith(LONG_CONTEXT_SUFFIX):
        name = name.removesuffix(LONG_CONTEXT_SUFFIX)
        yield name
    release = _RELEASE_SUFFIX.search(name)
    if release:
        yield name[: release.start()]


def without_provider(name: str) -> str:
    """`name` without one leading provider; a second one is part of the name."""
    for prefix in PROVIDER_PREFIXES:
        if name.startswith(prefix):
            return name.removeprefix(prefix)
    return name

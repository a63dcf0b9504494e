"""Whether a file is as the last import left it, has grown since, or has to be read from its beginning."""

import os
from hashlib import file_digest, sha256
from typing import IO, Final

from importers.files import FoundFile, identity_of
from importers.state import FileState

# Of what precedes the offset this much is checked, at both ends: a file of up to twice the size is checked whole.
CHECKED_BYTES: Final = 64 * 1024


def is_untouched(known: FileState, file: FoundFile) -> bool:
    """The same file, not written since: nothing needs to be opened."""
    return (known.identity, known.size_bytes, known.modified_ns) == (
        file.identity,
        file.size_bytes,
        file.modified_ns,
    )


def has_same_content(known: FileState, file: FoundFile) -> bool:
    """Touched, moved back or copied: equal to the byte all the same."""
    if known.size_bytes != file.size_bytes:
        return False
    with file.path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest() == known.digest


def has_grown(known: FileState, stream: IO[bytes]) -> bool:
    """Whether an open file goes on after what was read of it, which still stands there."""
    status = os.fstat(stream.fileno())
    return (
        0 < known.offset_bytes <= status.st_size
        and known.size_bytes < status.st_size
        and known.identity == identity_of(status)
        and known.prefix_check == prefix_check(stream, known.offset_bytes)
    )


def prefix_check(stream: IO[bytes], offset_bytes: int) -> str:
    """A digest of the beginning and the end of what precedes an offset. Moves the stream."""
    digest = sha256(str(offset_bytes).encode())
    stream.seek(0)
    digest.update(stream.read(min(CHECKED_BYTES, offset_bytes)))
    stream.seek(max(0, offset_bytes - CHECKED_BYTES))
    digest.update(stream.read(min(CHECKED_BYTES, offset_bytes)))
    return digest.hexdigest()

"""What was read before: import_state, and whether there is a database to read it from."""

from typing import NamedTuple

from django.core.management import call_command
from django.db import connection

from importers.files import Source
from monitor.models import ImportState


class FileState(NamedTuple):
    digest: str
    size_bytes: int


def read_states(source: Source) -> dict[str, FileState]:
    """By path: the digest and the size that each file had when it was read."""
    rows = ImportState.objects.filter(source=source.name).values_list("file_path", "file_hash", "file_size")
    return {path: FileState(digest, size_bytes) for path, digest, size_bytes in rows}


def ensure_database() -> None:
    """Make the tables when they are missing, so that an import can be the first command on a machine."""
    if ImportState._meta.db_table not in connection.introspection.table_names():
        call_command("migrate", verbosity=0, interactive=False)

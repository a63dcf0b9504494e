"""What was read before: import_state, and whether there is a database to read it from."""

from collections.abc import Iterable
from typing import NamedTuple

from django.core.management import call_command
from django.db import connection

from importers.files import Source
from monitor.models import ImportState


class FileState(NamedTuple):
    """How far a file was read; the fields are those of ImportState. The reader's memory is fetched when needed."""

    digest: str
    size_bytes: int
    events: int = 0
    identity: str = ""
    modified_ns: int = 0
    offset_bytes: int = 0
    prefix_check: str = ""


COLUMNS = (
    "file_hash",
    "file_size",
    "events_imported",
    "identity",
    "modified_ns",
    "offset_bytes",
    "prefix_check",
)


def read_states(source: Source, paths: Iterable[str] | None = None) -> dict[str, FileState]:
    """What is known of the files of a client, or of some of them, by path."""
    rows = ImportState.objects.filter(source=source.name)
    if paths is not None:
        rows = rows.filter(file_path__in=list(paths))
    return {path: FileState(*values) for path, *values in rows.values_list("file_path", *COLUMNS)}


def saved_reader(path: str) -> bytes | None:
    """What the reader of a file must remember to go on."""
    found = ImportState.objects.filter(file_path=path).values_list("reader_state", flat=True).first()
    return None if found is None else bytes(found)


def ensure_database() -> None:
    """Make the tables when they are missing, so that an import can be the first command on a machine."""
    if ImportState._meta.db_table not in connection.introspection.table_names():
        call_command("migrate", verbosity=0, interactive=False)

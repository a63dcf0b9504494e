from django.db import models

from monitor.models.fields import MillisField


class ImportState(models.Model):
    """How far a transcript on disk was read, and what its reader must remember to go on from there."""

    file_path = models.TextField(primary_key=True)
    file_hash = models.TextField()
    file_size = models.BigIntegerField()
    source = models.TextField()
    events_imported = models.BigIntegerField(default=0)
    imported_at = MillisField()
    # Device and inode: whether the path still names the file that was read.
    identity = models.TextField(default="")
    modified_ns = models.BigIntegerField(default=0)
    # Bytes of whole lines that were read, and a digest of their beginning and end.
    offset_bytes = models.BigIntegerField(default=0)
    prefix_check = models.TextField(default="")
    # Last: rows are read without it, and what is behind a long value costs its length.
    reader_state = models.BinaryField(null=True)

    class Meta:
        db_table = "import_state"

    def __str__(self) -> str:
        return self.file_path

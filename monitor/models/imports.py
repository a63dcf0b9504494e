from django.db import models

from monitor.models.fields import MillisField


class ImportState(models.Model):
    """How far a transcript on disk was read."""

    file_path = models.TextField(primary_key=True)
    file_hash = models.TextField()
    file_size = models.BigIntegerField()
    source = models.TextField()
    events_imported = models.BigIntegerField(default=0)
    imported_at = MillisField()

    class Meta:
        db_table = "import_state"

    def __str__(self) -> str:
        return self.file_path

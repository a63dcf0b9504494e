from typing import ClassVar

from django.db import models

from monitor.models.fields import MillisField


class Telling(models.Model):
    """What one source told of a prompt or a tool use that has no id of its own in all sources.

    Tellings of one `match_key` within moments are one event (ingest/telling.py); `told` are the columns of the
    event as this source alone would have it.
    """

    id = models.BigAutoField(primary_key=True)
    match_key = models.TextField()
    source = models.TextField()
    # The id that this source alone gives the event.
    ref = models.TextField()
    at = MillisField()
    content = models.TextField(null=True)
    told = models.TextField()

    class Meta:
        db_table = "tellings"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["match_key", "source", "ref"], name="tellings_key"),
        ]
        indexes: ClassVar = [models.Index(fields=["match_key", "at"], name="tellings_at")]

    def __str__(self) -> str:
        return f"{self.source} {self.ref}"

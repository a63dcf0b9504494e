from typing import ClassVar

from django.db import models

from monitor.models.fields import MillisField
from monitor.models.session import Session


class Event(models.Model):
    """One thing that happened, as its witnesses told it (ingest/completing.py). Facts, later perhaps pruned.

    `created_at` is when we received it, `client_timestamp` when the client says that it happened.
    `id` only grows, in the order of commits, and is the `id` of the live stream's frames.
    """

    id = models.BigAutoField(primary_key=True)
    event_id = models.TextField(null=True)
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="events", db_index=False)
    agent_type = models.TextField()
    event_type = models.TextField()
    tool_name = models.TextField(null=True)
    status = models.TextField()
    tokens_in = models.BigIntegerField(default=0)
    tokens_out = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    branch = models.TextField(null=True)
    project = models.TextField(null=True)
    duration_ms = models.BigIntegerField(null=True)
    created_at = MillisField()
    client_timestamp = MillisField(null=True)
    metadata = models.TextField(default="{}")
    payload_truncated = models.BooleanField(default=False)
    model = models.TextField(null=True)
    cost_nanos = models.BigIntegerField(null=True)
    source = models.TextField()
    # Derived from the metadata before the cap cuts it, so that sums never read JSON.
    edited_path = models.TextField(null=True)
    lines_added = models.BigIntegerField(default=0)
    lines_removed = models.BigIntegerField(default=0)

    class Meta:
        db_table = "events"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["event_id"], name="events_event_id", condition=models.Q(event_id__isnull=False)
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["created_at"], name="events_created_at"),
            models.Index(fields=["session", "created_at"], name="events_session"),
            # Each index costs every write some pages. The feed's other filters are narrowed to the hours that
            # hold matches (monitor/queries.py).
            models.Index(fields=["event_type", "created_at"], name="events_event_type"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.event_type}"

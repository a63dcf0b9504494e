from typing import ClassVar

from django.db import models

from monitor.models.agent import Agent
from monitor.models.fields import MillisField


class Status(models.TextChoices):
    ACTIVE = "active"
    IDLE = "idle"
    ENDED = "ended"


class Session(models.Model):
    """One conversation with an agent, with its state now and the sums of its events and calls.

    The sums are rollups: the writer keeps them in the transaction that stores what they count, and
    `manage.py rebuild_rollups` computes them anew from events and calls.
    """

    id = models.TextField(primary_key=True)
    agent = models.ForeignKey(Agent, on_delete=models.PROTECT, related_name="sessions", db_index=False)
    agent_type = models.TextField()
    project = models.TextField(null=True)
    branch = models.TextField(null=True)
    status = models.TextField(choices=Status.choices, default=Status.ACTIVE)
    started_at = MillisField()
    ended_at = MillisField(null=True)
    last_event_at = MillisField()
    metadata = models.TextField(default="{}")

    cwd = models.TextField(null=True)
    title = models.TextField(null=True)
    model = models.TextField(null=True)
    client_version = models.TextField(null=True)
    permission_mode = models.TextField(null=True)
    transcript_path = models.TextField(null=True)
    # Not a foreign key: a child may be heard of before its parent, or the parent never.
    parent_id = models.TextField(null=True)

    # What the agent does now (working, tool, permission, question, turn_ended), or how it ended (ended, died);
    # and since when.
    state = models.TextField(null=True)
    state_detail = models.TextField(null=True)
    state_at = MillisField(null=True)
    # Who of its sub-agents waits, beneath the state (monitor/doing.py).
    waits = models.TextField(null=True)
    # When its process was last seen to run, and when a human last looked at what it did.
    alive_at = MillisField(null=True)
    seen_at = MillisField(null=True)

    event_count = models.BigIntegerField(default=0)
    files_edited = models.BigIntegerField(default=0)
    lines_added = models.BigIntegerField(default=0)
    lines_removed = models.BigIntegerField(default=0)
    call_count = models.BigIntegerField(default=0)
    unpriced_calls = models.BigIntegerField(default=0)
    uncached_input_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cost_nanos = models.BigIntegerField(default=0)

    class Meta:
        db_table = "sessions"
        indexes: ClassVar = [
            models.Index(fields=["status", "last_event_at"], name="sessions_status_last"),
            models.Index(
                fields=["parent_id"], name="sessions_parent", condition=models.Q(parent_id__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.id

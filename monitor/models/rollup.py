"""Rollups: sums by hour, so that no page ever adds up events or calls.

Kept by the writer in the transaction that stores what they count; `manage.py rebuild_rollups` computes the
same numbers anew. A missing text is "" here, since a key can't hold null.
"""

from typing import ClassVar

from django.db import models

from monitor.models.session import Session


class EventHour(models.Model):
    """Events by hour of receipt, hour of happening, and everything that the feed filters by."""

    received_hour = models.BigIntegerField()
    happened_hour = models.BigIntegerField()
    agent_type = models.TextField()
    event_type = models.TextField()
    tool_name = models.TextField()
    model = models.TextField()
    project = models.TextField()
    branch = models.TextField()
    source = models.TextField()
    events = models.BigIntegerField(default=0)
    errors = models.BigIntegerField(default=0)
    timed_events = models.BigIntegerField(default=0)
    duration_total_ms = models.BigIntegerField(default=0)

    KEY: ClassVar = (
        "received_hour",
        "happened_hour",
        "agent_type",
        "event_type",
        "tool_name",
        "model",
        "project",
        "branch",
        "source",
    )

    class Meta:
        db_table = "event_hours"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=[
                    "received_hour",
                    "happened_hour",
                    "agent_type",
                    "event_type",
                    "tool_name",
                    "model",
                    "project",
                    "branch",
                    "source",
                ],
                name="event_hours_key",
            )
        ]


class UsageHour(models.Model):
    """Calls by hour of receipt, hour of the call, session, agent type and model."""

    received_hour = models.BigIntegerField()
    called_hour = models.BigIntegerField()
    session = models.ForeignKey(Session, on_delete=models.PROTECT, db_index=False, related_name="+")
    agent_type = models.TextField()
    model = models.TextField()
    calls = models.BigIntegerField(default=0)
    unpriced_calls = models.BigIntegerField(default=0)
    uncached_input_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_5m_tokens = models.BigIntegerField(default=0)
    cache_write_1h_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    reasoning_tokens = models.BigIntegerField(default=0)
    cost_nanos = models.BigIntegerField(default=0)

    class Meta:
        db_table = "usage_hours"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["received_hour", "called_hour", "session", "agent_type", "model"],
                name="usage_hours_key",
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["called_hour"], name="usage_hours_called"),
            models.Index(fields=["session"], name="usage_hours_session"),
        ]


class SessionFile(models.Model):
    """A file that a session edited: once each, with the number of edits."""

    session = models.ForeignKey(Session, on_delete=models.PROTECT, db_index=False, related_name="files")
    path = models.TextField()
    edits = models.BigIntegerField(default=0)

    class Meta:
        db_table = "session_files"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "path"], name="session_files_key"),
        ]

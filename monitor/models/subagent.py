from typing import ClassVar

from django.db import models

from monitor.models.fields import MillisField
from monitor.models.session import Session


class Subagent(models.Model):
    """One helper that an agent sent out within a session. What it spent stands in its calls.

    Filled from transcripts and hooks in any order (ingest/subagent_store.py): the earliest start, the latest
    sign of life and end, and of names whatever was told. Null is what nobody told.
    """

    id = models.BigAutoField(primary_key=True)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="subagents", db_index=False)
    subagent_id = models.TextField()
    # Null for a child of the main conversation. Not a foreign key: a child may be heard of before its parent.
    parent_subagent_id = models.TextField(null=True)
    kind = models.TextField(null=True)
    description = models.TextField(null=True)
    started_at = MillisField(null=True)
    last_at = MillisField(null=True)
    ended_at = MillisField(null=True)

    class Meta:
        db_table = "subagents"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "subagent_id"], name="subagents_key"),
        ]
        # From the filter of calls to the sessions that it means.
        indexes: ClassVar = [models.Index(fields=["subagent_id"], name="subagents_id")]

    def __str__(self) -> str:
        return self.subagent_id


class Compaction(models.Model):
    """One moment when a conversation of a session was replaced by its summary, as its transcript tells it."""

    id = models.BigAutoField(primary_key=True)
    session = models.ForeignKey(Session, on_delete=models.CASCADE, related_name="compactions", db_index=False)
    # What the line is known by, in whatever order and how often files are read.
    line_id = models.TextField()
    # Whose conversation it was; null for the main one.
    subagent_id = models.TextField(null=True)
    at = MillisField()
    trigger = models.TextField(null=True)
    pre_tokens = models.BigIntegerField(null=True)

    class Meta:
        db_table = "compactions"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["session", "line_id"], name="compactions_key"),
        ]

    def __str__(self) -> str:
        return self.line_id

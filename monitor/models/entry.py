from typing import ClassVar

from django.db import models

from monitor.models.fields import MillisField
from monitor.models.session import Session


class Kind(models.TextChoices):
    PROMPT = "prompt"
    ANSWER = "answer"
    THINKING = "thinking"
    TOOL_USE = "tool_use"
    TOOL_RESULT = "tool_result"
    COMPACTION = "compaction"
    NOTICE = "notice"


class Entry(models.Model):
    """One thing that was said or done, as its transcript has it: what the reader shows and the search finds.

    `text` is cut at a limit (ingest/entries.py), `text_bytes` is its true size; a tool's input is JSON text.
    The words are also in `entry_search`, an FTS5 index over `text` that the writer keeps (migration 0005).
    """

    id = models.BigAutoField(primary_key=True)
    # A hash of what names the entry in its client (ingest/entries.py): 8 bytes instead of some 80.
    entry_key = models.BigIntegerField()
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="entries", db_index=False)
    agent_type = models.TextField()
    # The sub-agent that it belongs to; null in the main conversation.
    subagent_id = models.TextField(null=True)
    kind = models.TextField(choices=Kind.choices)
    at = MillisField()
    tool_name = models.TextField(null=True)
    # What a tool's use and its result share.
    tool_id = models.TextField(null=True)
    # The call that it is a part of (calls.call_key).
    call_key = models.TextField(null=True)
    is_error = models.BooleanField(default=False)
    text_bytes = models.BigIntegerField(default=0)
    # Last: rows are listed without it, and what is behind a long value costs its length.
    text = models.TextField(default="")

    class Meta:
        db_table = "entries"
        constraints: ClassVar = [models.UniqueConstraint(fields=["entry_key"], name="entries_key")]
        indexes: ClassVar = [models.Index(fields=["session", "at"], name="entries_session")]

    def __str__(self) -> str:
        return f"{self.id} {self.kind}"

from typing import ClassVar

from django.db import models

from monitor.models.fields import MillisField
from monitor.models.session import Session


class Call(models.Model):
    """The ledger: one billed model call, however many witnesses told us of it.

    `call_key` is what all witnesses of one call share (see ingest/ledger.py). `output_tokens` includes
    `reasoning_tokens`. `cost_nanos` is null when no price is known; it is never 0 for want of one.
    `called_at` is the client's time; `received_at` is ours (for an import: the client's too, since the
    moment of reading a file says nothing about the call).
    """

    id = models.BigAutoField(primary_key=True)
    agent_type = models.TextField()
    call_key = models.TextField()
    session = models.ForeignKey(Session, on_delete=models.PROTECT, related_name="calls", db_index=False)
    # The sub-agent that made the call; null for the main conversation, and where nobody said.
    subagent_id = models.TextField(null=True)
    # By which a sub-agent's copy of an answer is known for one: ingest/otlp/keys.py, ingest/joining.py.
    answer_mark = models.BigIntegerField(null=True)
    model = models.TextField(null=True)
    called_at = MillisField()
    received_at = MillisField()
    uncached_input_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_5m_tokens = models.BigIntegerField(default=0)
    cache_write_1h_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    reasoning_tokens = models.BigIntegerField(default=0)
    # Billed beside tokens, and terms that are not the standard ones.
    web_searches = models.BigIntegerField(default=0)
    service_tier = models.TextField(null=True)
    speed = models.TextField(null=True)
    cost_nanos = models.BigIntegerField(null=True)
    # The row of the price book that was applied, or "client" when the client stated the cost.
    price = models.TextField(null=True)
    # What of the call that row has no price for, such as "speed=fast"; billed as if it were ordinary.
    unpriced_terms = models.TextField(null=True)
    # How much the best witness knows; a better one replaces the usage (ingest/ledger.py).
    authority = models.SmallIntegerField(default=0)
    # JSON list of {"source", "ref", "at"}: who told us, where, and when.
    witnesses = models.TextField(default="[]")

    class Meta:
        db_table = "calls"
        constraints: ClassVar = [
            # The key first: an index that begins with the agent type would lure the planner into reading all
            # calls of an agent where a few hours of them are asked for.
            models.UniqueConstraint(fields=["call_key", "agent_type"], name="calls_key"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["session", "called_at"], name="calls_session"),
            models.Index(fields=["called_at"], name="calls_called_at"),
            models.Index(fields=["received_at"], name="calls_received_at"),
            models.Index(fields=["model", "called_at"], name="calls_model"),
            models.Index(
                fields=["session", "subagent_id"],
                name="calls_subagent",
                condition=models.Q(subagent_id__isnull=False),
            ),
            models.Index(
                fields=["answer_mark"], name="calls_answer", condition=models.Q(answer_mark__isnull=False)
            ),
            # Calls that only a record of telemetry tells of, for transcripts that come later.
            models.Index(
                fields=["agent_type", "called_at"],
                name="calls_nameless",
                condition=models.Q(call_key__gte="otlp:", call_key__lt="otlp;"),
            ),
        ]

    def __str__(self) -> str:
        return self.call_key

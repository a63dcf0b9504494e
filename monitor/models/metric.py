from typing import ClassVar

from django.db import models

from monitor.models.fields import MillisField


class MetricMark(models.Model):
    """A metric point that was counted, or the last total of a growing series: telling it again adds nothing."""

    key = models.TextField(primary_key=True)
    total = models.BigIntegerField(null=True)
    at = MillisField(null=True)

    class Meta:
        db_table = "metric_marks"

    def __str__(self) -> str:
        return self.key


class MetricHour(models.Model):
    """What metrics told of one session and model in one hour (ms), whether or not calls tell of it too.

    `is_paid`: tokens whose cost came in the same body. What the ledger takes of it: ingest/metric_ledger.py.
    """

    id = models.BigAutoField(primary_key=True)
    session_id = models.TextField()
    agent_type = models.TextField()
    model = models.TextField()
    hour = models.BigIntegerField()
    is_paid = models.BooleanField()
    uncached_input_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_5m_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    cost_nanos = models.BigIntegerField(default=0)
    last_at = MillisField()

    class Meta:
        db_table = "metric_hours"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["session_id", "agent_type", "model", "hour", "is_paid"], name="metric_hours_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.session_id} {self.model} {self.hour}"

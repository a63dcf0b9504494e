from django.db import models

from monitor.models.fields import MillisField


class Agent(models.Model):
    """One kind of coding agent on this machine; its id is `<agent_type>-default`."""

    id = models.TextField(primary_key=True)
    agent_type = models.TextField()
    name = models.TextField(null=True)
    registered_at = MillisField()
    last_seen_at = MillisField()

    class Meta:
        db_table = "agents"

    def __str__(self) -> str:
        return self.id

from django.db import models


class Marker(models.Model):
    """A fact about this database as a whole, such as that it holds a demo."""

    key = models.TextField(primary_key=True)
    value = models.TextField()

    class Meta:
        db_table = "markers"

    def __str__(self) -> str:
        return self.key

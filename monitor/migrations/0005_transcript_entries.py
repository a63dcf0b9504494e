import django.db.models.deletion
from django.db import migrations, models

import monitor.models.fields

# The words are indexed, the text itself stands once, in `entries`.
CREATE_SEARCH = """
CREATE VIRTUAL TABLE entry_search USING fts5(
    text, content='entries', content_rowid='id', tokenize="unicode61 remove_diacritics 2"
)
"""
# Merging later and more at once writes a third less; a search looks into at most 16 parts of the index on each level.
MERGE_LATER = "INSERT INTO entry_search (entry_search, rank) VALUES ('automerge', 16)"


class Migration(migrations.Migration):
    dependencies = [
        ("monitor", "0004_call_terms"),
    ]

    operations = [
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("entry_key", models.BigIntegerField()),
                (
                    "session",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="monitor.session",
                    ),
                ),
                ("agent_type", models.TextField()),
                ("subagent_id", models.TextField(null=True)),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("prompt", "Prompt"),
                            ("answer", "Answer"),
                            ("thinking", "Thinking"),
                            ("tool_use", "Tool Use"),
                            ("tool_result", "Tool Result"),
                            ("compaction", "Compaction"),
                            ("notice", "Notice"),
                        ]
                    ),
                ),
                ("at", monitor.models.fields.MillisField()),
                ("tool_name", models.TextField(null=True)),
                ("tool_id", models.TextField(null=True)),
                ("call_key", models.TextField(null=True)),
                ("is_error", models.BooleanField(default=False)),
                ("text_bytes", models.BigIntegerField(default=0)),
                ("text", models.TextField(default="")),
            ],
            options={
                "db_table": "entries",
                "indexes": [models.Index(fields=["session", "at"], name="entries_session")],
                "constraints": [models.UniqueConstraint(fields=("entry_key",), name="entries_key")],
            },
        ),
        migrations.RunSQL(CREATE_SEARCH, "DROP TABLE entry_search"),
        migrations.RunSQL(MERGE_LATER, migrations.RunSQL.noop),
    ]

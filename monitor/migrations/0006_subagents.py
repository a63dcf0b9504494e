import django.db.models.deletion
from django.db import migrations, models

import monitor.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("monitor", "0005_transcript_entries"),
    ]

    operations = [
        migrations.CreateModel(
            name="Compaction",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("line_id", models.TextField()),
                ("subagent_id", models.TextField(null=True)),
                ("at", monitor.models.fields.MillisField()),
                ("trigger", models.TextField(null=True)),
                ("pre_tokens", models.BigIntegerField(null=True)),
            ],
            options={
                "db_table": "compactions",
            },
        ),
        migrations.CreateModel(
            name="Subagent",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("subagent_id", models.TextField()),
                ("parent_subagent_id", models.TextField(null=True)),
                ("kind", models.TextField(null=True)),
                ("description", models.TextField(null=True)),
                ("started_at", monitor.models.fields.MillisField(null=True)),
                ("last_at", monitor.models.fields.MillisField(null=True)),
                ("ended_at", monitor.models.fields.MillisField(null=True)),
            ],
            options={
                "db_table": "subagents",
            },
        ),
        migrations.AddField(
            model_name="call",
            name="subagent_id",
            field=models.TextField(null=True),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                condition=models.Q(("subagent_id__isnull", False)),
                fields=["session", "subagent_id"],
                name="calls_subagent",
            ),
        ),
        migrations.AddField(
            model_name="compaction",
            name="session",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="compactions",
                to="monitor.session",
            ),
        ),
        migrations.AddField(
            model_name="subagent",
            name="session",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="subagents",
                to="monitor.session",
            ),
        ),
        migrations.AddConstraint(
            model_name="compaction",
            constraint=models.UniqueConstraint(fields=("session", "line_id"), name="compactions_key"),
        ),
        migrations.AddIndex(
            model_name="subagent",
            index=models.Index(fields=["subagent_id"], name="subagents_id"),
        ),
        migrations.AddConstraint(
            model_name="subagent",
            constraint=models.UniqueConstraint(fields=("session", "subagent_id"), name="subagents_key"),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("monitor", "0006_subagents"),
    ]

    operations = [
        migrations.AddField(
            model_name="call",
            name="answer_mark",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name="call",
            index=models.Index(
                condition=models.Q(("answer_mark__isnull", False)), fields=["answer_mark"], name="calls_answer"
            ),
        ),
    ]

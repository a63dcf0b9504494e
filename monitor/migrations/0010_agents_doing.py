from django.db import migrations, models

import monitor.models.fields


class Migration(migrations.Migration):
    dependencies = [
        ("monitor", "0009_metric_sums"),
    ]

    operations = [
        migrations.AddField(
            model_name="session",
            name="alive_at",
            field=monitor.models.fields.MillisField(null=True),
        ),
        migrations.AddField(
            model_name="session",
            name="seen_at",
            field=monitor.models.fields.MillisField(null=True),
        ),
        migrations.AddField(
            model_name="session",
            name="waits",
            field=models.TextField(null=True),
        ),
    ]

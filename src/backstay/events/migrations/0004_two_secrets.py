"""A webhook keeps the secret before its own, which signs too for a while."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('events', '0003_sequence_of_deliveries'),
    ]

    operations = [
        migrations.AddField(
            model_name='webhook',
            name='former_secret',
            field=models.CharField(blank=True, db_default='', editable=False, max_length=300),
        ),
        migrations.AddField(
            model_name='webhook',
            name='former_until',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
    ]

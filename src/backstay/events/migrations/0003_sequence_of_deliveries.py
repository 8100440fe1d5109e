"""Deliveries are numbered by what each target was sent of an object."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('events', '0002_one_due'),
    ]

    operations = [
        migrations.AddField(
            model_name='delivery',
            name='sequence',
            field=models.PositiveBigIntegerField(blank=True, editable=False, null=True),
        ),
    ]

"""A lookup value of any length; two columns that are no longer used get a default."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ('resources', '0001_initial'),
    ]

    operations = [
        migrations.AlterField(
            model_name='idempotencykey',
            name='lookup',
            field=models.TextField(blank=True),
        ),
        # Processes of the version before name these columns in their INSERTs, later ones do not.
        # A migration of the version after may drop them.
        migrations.AlterField(
            model_name='idempotencykey',
            name='headers',
            field=models.JSONField(default=dict, db_default={}),
        ),
        migrations.AlterField(
            model_name='idempotencykey',
            name='rights',
            field=models.CharField(blank=True, max_length=64, db_default=''),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField(model_name='idempotencykey', name='headers'),
                migrations.RemoveField(model_name='idempotencykey', name='rights'),
            ]
        ),
    ]

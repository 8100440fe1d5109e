"""Of each object and target only the first queued delivery has a time at which it is tried next.

The column is made anew instead of being changed: old deliveries, of which there may be millions,
would be written one by one only to lose a time that means nothing any more.
"""

from typing import Any

from django.db import migrations, models
from django.db.models import Min, Q


def let_first_ones_lead(apps: Any, _editor: Any) -> None:
    deliveries = apps.get_model('events', 'Delivery').objects
    queued = deliveries.filter(state='queued')
    first = queued.values('target', 'subject').annotate(first=Min('pk')).values('first')
    deliveries.filter(pk__in=first).update(next_at=models.F('was_next_at'))


def let_all_be_due(apps: Any, _editor: Any) -> None:
    apps.get_model('events', 'Delivery').objects.filter(next_at__isnull=False).update(
        was_next_at=models.F('next_at')
    )


class Migration(migrations.Migration):
    dependencies = [('events', '0001_initial')]

    operations = [
        migrations.RemoveIndex(model_name='delivery', name='events_due'),
        migrations.RemoveIndex(model_name='delivery', name='events_waiting'),
        migrations.RenameField(model_name='delivery', old_name='next_at', new_name='was_next_at'),
        migrations.AddField(
            model_name='delivery',
            name='next_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.RunPython(let_first_ones_lead, let_all_be_due),
        migrations.RemoveField(model_name='delivery', name='was_next_at'),
        migrations.AddIndex(
            model_name='delivery',
            index=models.Index(
                condition=Q(('next_at__isnull', False)),
                fields=['target', 'next_at', 'id'],
                name='events_due',
            ),
        ),
        migrations.AddConstraint(
            model_name='delivery',
            constraint=models.UniqueConstraint(
                condition=Q(('next_at__isnull', False)),
                fields=('target', 'subject'),
                name='events_one_due',
            ),
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [('tasks', '0001_jobs')]

    operations = [
        migrations.RemoveIndex(model_name='job', name='tasks_job_finished'),
        migrations.AddIndex(
            model_name='job',
            index=models.Index(
                condition=models.Q(('state__in', ('done', 'dead', 'merged'))),
                fields=['state', 'finished_at'],
                name='tasks_job_ended',
            ),
        ),
    ]

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name='DemoLoad',
            fields=[
                (
                    'id',
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name='ID'
                    ),
                ),
                ('service', models.CharField(max_length=100, unique=True)),
                ('loaded_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name='SeededChunk',
            fields=[
                (
                    'id',
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name='ID'
                    ),
                ),
                ('model', models.CharField(max_length=200)),
                ('number', models.PositiveIntegerField()),
                ('rows', models.PositiveIntegerField()),
                ('checksum', models.CharField(max_length=64)),
                ('size', models.CharField(max_length=40)),
                ('seed', models.BigIntegerField()),
                ('until', models.DateTimeField()),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(
                        fields=('model', 'number'), name='seeding_one_chunk_once'
                    )
                ],
            },
        ),
    ]

from typing import Any

from django.db import migrations, models

from backstay.engine import engine_of
from services.codereview.migrations import _triggers_of_postgresql


def _create_anew(_apps: Any, editor: Any) -> None:
    """The functions, as they read now; SQLite's triggers are what they were."""
    if engine_of(editor.connection).name == 'postgresql':
        for statement in (*_triggers_of_postgresql.DROP, *_triggers_of_postgresql.CREATE):
            editor.execute(statement, params=None)


class Migration(migrations.Migration):
    dependencies = [('codereview', '0002_triggers')]

    operations = [
        migrations.RemoveIndex('tally', 'codereview_tally_day'),
        migrations.AddIndex(
            'tally',
            models.Index(
                fields=[
                    'repository',
                    'day',
                    'analyzer',
                    'analyzer_check',
                    'first',
                    'last',
                    'publishable',
                ],
                name='codereview_tally_sums',
            ),
        ),
        migrations.RunPython(_create_anew, migrations.RunPython.noop),
    ]

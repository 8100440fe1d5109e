"""Triggers of the database that count. A later migration that alters one of their tables on SQLite,
where that makes a new table, has to drop them before and create them after."""

from typing import Any

from django.db import migrations

from backstay.engine import engine_of
from services.codereview.migrations import _triggers_of_postgresql, _triggers_of_sqlite


def _run(statements: str) -> Any:
    def run(_apps: Any, editor: Any) -> None:
        of = {'postgresql': _triggers_of_postgresql, 'sqlite': _triggers_of_sqlite}
        for statement in getattr(of[engine_of(editor.connection).name], statements):
            editor.execute(statement, params=None)

    return run


class Migration(migrations.Migration):
    dependencies = [('codereview', '0001_initial')]

    operations = [migrations.RunPython(_run('CREATE'), _run('DROP'))]

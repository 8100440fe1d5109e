"""End the sessions that were stored under their own keys, which now open nothing."""

from typing import Any

from django.db import migrations


def end_sessions(apps: Any, _editor: Any) -> None:
    """Delete them and what belongs to them: people and apps sign in once more."""
    names = ('identity.TokenPair', 'usersessions.UserSession', 'sessions.Session')
    for name in names:
        apps.get_model(name).objects.all().delete()


class Migration(migrations.Migration):
    dependencies = (
        ('identity', '0004_email_changes'),
        ('sessions', '0001_initial'),
        ('usersessions', '0001_initial'),
    )

    operations = (migrations.RunPython(end_sessions, migrations.RunPython.noop),)

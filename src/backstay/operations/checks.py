"""System checks of a deployment: who is believed, and who may read the database."""

import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core import checks

#: Readers of a file besides its owner.
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def check_deployment(**_: Any) -> Iterator[checks.CheckMessage]:
    """Yield what makes a deployed site believe strangers, or shows them its database."""
    environment = settings.BACKSTAY
    for name, value, then in (
        ('ALLOWED_HOSTS', environment.allowed_hosts, 'links in mails lead where a client says'),
        ('BACKSTAY_TRUSTED_PROXIES', environment.trusted_proxies, 'clients choose their address'),
    ):
        if '*' in value:
            yield checks.Error(f'{name}: with * in it, {then}.', 'Name them.', id='backstay.E060')
    database = settings.DATABASES['default']
    path = Path(str(database['NAME']))
    if not database['ENGINE'].endswith('sqlite3') or not path.is_file():
        return
    if path.stat().st_mode & _OTHERS:
        yield checks.Warning(
            f'DATABASE_URL: others than the owner may open {path}.',
            f'chmod 600 {path}*',
            id='backstay.W060',
        )

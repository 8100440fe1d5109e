"""System checks of the scopes that services name: they exist and have four columns."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db.models import OuterRef
from django.utils.module_loading import import_string

from backstay.services import mounted

_HINT = 'Return a query set with values_list(over, id, level, read_only).'


def check_scopes(**_: Any) -> Iterator[CheckMessage]:
    """Yield every mistake in the scopes of every mounted service."""
    paths = (
        (service, path)
        for service in mounted()
        for path in (service.scopes, service.scopes_in_python)
        if path
    )
    for service, path in paths:
        try:
            provider = import_string(path)
        except ImportError as error:
            yield Error(f'{service.name}: {error}', id='backstay.E050')
            continue
        if path == service.scopes:
            columns = getattr(provider(OuterRef('pk')), '_fields', None) or ()
            if len(columns) != 4:
                wrong = f'{service.name}: {path} does not give four columns.'
                yield Error(wrong, _HINT, id='backstay.E051')

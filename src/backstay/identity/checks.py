"""System checks: what services say of scopes is there, and has the form that statements need."""

from collections.abc import Iterator
from typing import Any

from django.core.checks import CheckMessage, Error
from django.db.models import OuterRef
from django.utils.module_loading import import_string

from backstay.services import Service, mounted

_HINT = 'Return a query set with values_list(over, id, level, read_only).'


def check_scopes(**_: Any) -> list[CheckMessage]:
    """Every mistake of every mounted service."""
    return [message for service in mounted() for message in _check(service)]


def _check(service: Service) -> Iterator[CheckMessage]:
    for path in filter(None, (service.scopes, service.scopes_in_python)):
        try:
            provider = import_string(path)
        except ImportError as error:
            yield Error(f'{service.name}: {error}', id='backstay.E050')
            continue
        if path == service.scopes and len(_columns(provider)) != 4:
            yield Error(
                f'{service.name}: {path} does not give four columns.', _HINT, id='backstay.E051'
            )


def _columns(provider: Any) -> Any:
    """The columns of the query set that the function gives for an expression."""
    return getattr(provider(OuterRef('pk')), '_fields', None) or ()

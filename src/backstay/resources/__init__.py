"""Resources: declared once on a model, answered by one SQL statement."""

from typing import TYPE_CHECKING, Any

from backstay.resources.declaration.fields import Array, Computed, InPython, Many, One, Parent, Url
from backstay.resources.declaration.grants import (
    ALL,
    CallerValue,
    Grant,
    Scope,
    anyone,
    level,
    signed_in,
    trusted,
)
from backstay.resources.declaration.resource import Resource
from backstay.resources.errors import DeclarationError

if TYPE_CHECKING:
    from backstay.resources.http.router import ResourceRouter, view_set_of
    from backstay.resources.http.view_set import ResourceViewSet

__all__ = [
    'ALL',
    'Array',
    'CallerValue',
    'Computed',
    'DeclarationError',
    'Grant',
    'InPython',
    'Many',
    'One',
    'Parent',
    'Resource',
    'ResourceRouter',
    'ResourceViewSet',
    'Scope',
    'Url',
    'anyone',
    'level',
    'signed_in',
    'trusted',
    'view_set_of',
]

_OVER_HTTP = {
    'ResourceRouter': 'backstay.resources.http.router',
    'ResourceViewSet': 'backstay.resources.http.view_set',
    'view_set_of': 'backstay.resources.http.router',
}


def __getattr__(name: str) -> Any:
    """What DRF stands behind is imported when first asked for: it needs settings, this does not."""
    from importlib import import_module

    if module := _OVER_HTTP.get(name):
        return getattr(import_module(module), name)
    raise AttributeError(f'module {__name__!r} has no attribute {name!r}')

"""Resources: declared once on a model, answered by one SQL statement."""

from typing import TYPE_CHECKING

from backstay.faces import imported_later
from backstay.resources.declaration.conditions import CallerValue, Scope
from backstay.resources.declaration.fields import (
    Array,
    Computed,
    InPython,
    Many,
    One,
    Parent,
    Through,
    Url,
)
from backstay.resources.declaration.grants import (
    ALL,
    Grant,
    Who,
    anyone,
    level,
    level_somewhere,
    own_level,
    signed_in,
    trusted,
)
from backstay.resources.declaration.hooks import Hooks
from backstay.resources.declaration.resource import Resource
from backstay.resources.errors import DeclarationError, FilterError

if TYPE_CHECKING:
    from backstay.resources.admin.deleting import DeletesInSteps
    from backstay.resources.execute import Rows
    from backstay.resources.http.router import ResourceRouter, view_set_of
    from backstay.resources.http.view_set import ResourceViewSet
    from backstay.resources.openapi.answered_rows import schema_of
    from backstay.resources.reading import read_rows
    from backstay.resources.write.change import Change

__all__ = [
    'ALL',
    'Array',
    'CallerValue',
    'Change',
    'Computed',
    'DeclarationError',
    'DeletesInSteps',
    'FilterError',
    'Grant',
    'Hooks',
    'InPython',
    'Many',
    'One',
    'Parent',
    'Resource',
    'ResourceRouter',
    'ResourceViewSet',
    'Rows',
    'Scope',
    'Through',
    'Url',
    'Who',
    'anyone',
    'level',
    'level_somewhere',
    'own_level',
    'read_rows',
    'schema_of',
    'signed_in',
    'trusted',
    'view_set_of',
]

__getattr__ = imported_later(
    __name__,
    {
        'Change': 'write.change',
        'DeletesInSteps': 'admin.deleting',
        'ResourceRouter': 'http.router',
        'ResourceViewSet': 'http.view_set',
        'Rows': 'execute',
        'read_rows': 'reading',
        'schema_of': 'openapi.answered_rows',
        'view_set_of': 'http.router',
    },
)

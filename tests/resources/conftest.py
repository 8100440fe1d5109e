"""Resources that live for one test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import models

from backstay.resources import Resource
from backstay.resources.declaration.registry import _registry
from tests.bookshop.resources import OPEN

Declare = Callable[..., type[Resource]]


@pytest.fixture
def declare() -> Iterator[Declare]:
    """Declares a resource for one test: its model, fields, and what else it is made of."""
    known = dict(_registry)

    def make(model: type[models.Model], *fields: str, **declared: Any) -> type[Resource]:
        options = {'model': model, 'fields': fields, 'lookup': fields[0], 'ordering': ('pk',)}
        meta = type('Meta', (), options)
        return type(
            f'{model.__name__}ForATest', (Resource,), {'Meta': meta, 'grants': OPEN, **declared}
        )

    yield make
    _registry.clear()
    _registry.update(known)

"""Which declared orders no index serves: of such a list the database sorts every row for a page."""

from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage
from django.db import connections, models

from backstay.engine import Engine, engine_of
from backstay.resources.declaration.indexes import IndexColumn, indexes_of
from backstay.resources.declaration.registry import resources
from backstay.resources.declaration.resource import Resource
from backstay.resources.errors import DeclarationError
from backstay.resources.write.members import columns_of


def check_orders(**_: Any) -> list[CheckMessage]:
    """Return a warning for every resource whose declared order no index serves."""
    if root := getattr(settings, 'ROOT_URLCONF', ''):
        import_module(root)  # which knows them all
    found: list[CheckMessage] = []
    for resource in resources():
        with suppress(DeclarationError):  # which another check tells
            found += check_order(resource)
    return found


def check_order(resource: type[Resource]) -> Iterator[CheckMessage]:
    """Find a declared order that no index serves (`backstay.W054`).

    Orders through relations and of computed values have none. On SQLite, which sorts NULL first,
    an ascending order by a column that may be NULL has none either; that is not told.
    """
    options = resource.options
    if options.short_lists or not options.model._meta.managed:
        return
    engine = engine_of(connections['default'])
    wanted = declared_order(resource, engine)
    if wanted is None or not any(each.serves(wanted) for each in indexes_of(options.model, engine)):
        spelled = ', '.join(options.ordering)
        yield checks.Warning(
            f'No index serves Meta.ordering ({spelled}): each page sorts all rows of its list.',
            hint='Add one to the model, with Bytewise(F(…)) of texts on PostgreSQL; or say '
            '`short_lists = True` where the lists are short, however large the table is.',
            obj=f'{resource.__module__}.{resource.__qualname__}',
            id='backstay.W054',
        )


def declared_order(resource: type[Resource], engine: Engine) -> tuple[IndexColumn, ...] | None:
    """Return the columns of the declared order; None where one of its keys is no column."""
    model, found = resource.options.model, []
    for key in resource.options.ordering:
        field = resource.fields().get(key.removeprefix('-'))
        computing: Any = getattr(field and field.declared, 'expression', None)
        is_alias = type(computing) is models.F  # a column by another name
        attname = computing.name if is_alias else field.attname if field else 'pk'
        column = model._meta.pk if attname == 'pk' else columns_of(model).get(attname)
        if column is None:
            return None
        is_text = field is not None and field.kind.is_bytewise
        found.append(
            IndexColumn(
                name=str(column.column),
                descending=key.startswith('-'),
                bytewise=is_text and not engine.sorts_text_bytewise,
            )
        )
    return tuple(found)

"""System checks of every declared resource: a mistake stops the start, with a text that helps.

RR1-RR5 are the relation rules of the commerce contract, section 4.5.
"""

import re
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import connections, models

from backstay.engine import engine_of
from backstay.resources.declaration.fields import Array, InPython, Many, Url
from backstay.resources.declaration.grants import ALL
from backstay.resources.declaration.registry import resources
from backstay.resources.declaration.resource import Resource
from backstay.resources.declaration.shape import Relation
from backstay.resources.errors import DeclarationError, MaskError
from backstay.resources.query.mask import parse
from backstay.resources.write.checks import check_writes


def check_resources(**_: Any) -> list[CheckMessage]:
    """Every mistake of every resource; they are known once the site's routes are."""
    if root := getattr(settings, 'ROOT_URLCONF', ''):
        import_module(root)
    return [message for resource in resources() for message in _check(resource)]


def _check(resource: type[Resource]) -> Iterator[CheckMessage]:
    try:
        resource.fields()
        for relation in resource.relations().values():
            _ = relation.target
        resource.hops()
    except DeclarationError as error:
        yield _error(resource, 'E001', str(error))
        return
    for check in _CHECKS:
        yield from check(resource)


def _error(resource: type[Resource], number: str, text: str, hint: str = '') -> Error:
    name = f'{resource.__module__}.{resource.__qualname__}'
    return Error(text, hint=hint or None, obj=name, id=f'backstay.{number}')


def _check_names(resource: type[Resource]) -> Iterator[Error]:
    fields, options = resource.fields(), resource.options
    for option in ('filterable', 'orderable'):
        for name in getattr(resource.Meta, option, ()):
            if name not in fields:
                yield _error(resource, 'E002', f'Meta.{option} names `{name}`, which is no field.')
    for name in options.ordering:
        if name.lstrip('-') not in {*fields, 'pk'}:
            yield _error(resource, 'E003', f'Meta.ordering names `{name}`, which is no field.')
    if options.lookup not in fields:
        yield _error(resource, 'E004', f'Meta.lookup is `{options.lookup}`, which is no field.')
    if not 1 <= options.page_size <= options.max_page_size:
        yield _error(resource, 'E005', 'Meta.page_size must lie between 1 and max_page_size.')
    for name in {*fields} & {*resource.relations(), *resource.hops()}:
        yield _error(resource, 'E006', f'`{name}` is both a field and a relation.')


def _check_grants(resource: type[Resource]) -> Iterator[Error]:
    """What nobody may read was forgotten, rather than meant."""
    if not resource.grants:
        yield _error(
            resource,
            'E040',
            f'{resource.__name__} grants nothing to anybody.',
            'Declare grants; to open it to all: grants = (Grant(anyone, read=ALL),).',
        )
    names = {*resource.fields(), *resource.relations()}
    for grant in resource.grants:
        for verb in ('read', 'write', 'create'):
            granted = getattr(grant, verb)
            for name in () if granted is ALL else granted:
                if name not in names:
                    yield _error(
                        resource, 'E041', f'A grant to {verb} names `{name}`, which is not there.'
                    )


def _check_default_mask(resource: type[Resource]) -> Iterator[Error]:
    """RR1, RR3, RR6: to-many relations never stand in a default mask."""
    if not resource.options.default_mask:
        return
    try:
        mask = parse(resource.options.default_mask)
    except MaskError as error:
        yield _error(resource, 'E010', f'Meta.default_mask cannot be read: {error.detail}')
        return
    relations = resource.relations()
    for name, below in mask.entries:
        if name not in resource.fields() and name not in relations:
            yield _error(resource, 'E011', f'Meta.default_mask names `{name}`, which is not there.')
        elif name in relations and not relations[name].is_shown:
            yield _error(
                resource, 'E017', f'Meta.default_mask shows the parent `{name}`; show its id (RR4).'
            )
        elif name in relations and relations[name].many:
            yield _error(
                resource,
                'E012',
                f'Meta.default_mask shows the list `{name}`.',
                'Lists come only when a client asks for them (RR1, RR3).',
            )
        elif below is not None:
            yield _error(
                resource, 'E013', f'Meta.default_mask goes into `{name}`.', 'Name it only.'
            )


def _check_recursion(resource: type[Resource]) -> Iterator[Error]:
    """RR4, RR5: no path of relations may come back."""
    for path in _cycles(resource, ()):
        yield _error(
            resource,
            'E014',
            f'The relations {" -> ".join(path)} lead back to {resource.__name__}.',
            'A child shows the id of its parent, not the parent (RR4).',
        )
    for relation in _shown(resource):
        for back in _shown(relation.target):
            if _is_inverse(resource, relation, back):
                yield _error(
                    resource,
                    'E015',
                    f'`{relation.name}` leads to {relation.target.__name__}, whose `{back.name}` '
                    f'leads back.',
                    'A child shows the id of its parent, not the parent (RR4, RR5).',
                )


def _shown(resource: type[Resource]) -> list[Relation]:
    return [relation for relation in resource.relations().values() if relation.is_shown]


def _cycles(
    start: type[Resource], path: tuple[str, ...], at: type[Resource] | None = None
) -> Iterator[tuple[str, ...]]:
    for relation in _shown(at or start):
        step = (*path, relation.name)
        if relation.target is start:
            yield step
        elif len(step) < 9:  # masks go no deeper
            yield from _cycles(start, step, relation.target)


def _is_inverse(resource: type[Resource], there: Relation, back: Relation) -> bool:
    """Whether two relations run over the same column or table, in opposite directions."""
    if back.target.options.model is not resource.options.model:
        return False
    if there.many_to_many:
        return back.many_to_many and back.source == there.back
    return (back.back, back.local) == (there.local, there.back)


def _check_parent_ids(resource: type[Resource]) -> Iterator[Error]:
    """RR4: a child always shows the id of its parent."""
    for relation in resource.relations().values():
        if not relation.many or relation.many_to_many:
            continue
        target = relation.target
        default = target.options.default_mask
        shown = dict(parse(default).entries) if default else target.fields()
        attnames = {field.attname for name, field in target.fields().items() if name in shown}
        if relation.back not in attnames:
            yield _error(
                target,
                'E016',
                f'{target.__name__} is a child of {resource.__name__} and does not show '
                f'`{relation.back}` by default.',
                'Add it to Meta.fields and to Meta.default_mask (RR4).',
            )


def _check_declared(resource: type[Resource]) -> Iterator[Error]:
    fields = resource.fields()
    for name, declared in resource.declared.items():
        if isinstance(declared, InPython):
            unknown = [need for need in declared.needs if need not in fields]
            if unknown:
                yield _error(resource, 'E020', f'`{name}` needs {unknown}, which are no fields.')
        elif isinstance(declared, Url):
            yield from _check_url(resource, name, declared)
        elif isinstance(declared, Array) and not _holds_arrays(fields[name].model_field):
            yield _error(resource, 'E022', f'`{name}` is an Array over a field that holds none.')
        elif isinstance(declared, Many) and declared.cap < 1:
            yield _error(resource, 'E023', f'The cap of `{name}` must be at least 1.')


def _check_url(resource: type[Resource], name: str, declared: Url) -> Iterator[Error]:
    fields = resource.fields()
    for part in re.findall(r'\{(\w+)\}', declared.path):
        field = fields.get(part)
        safe = field and (
            field.kind.is_safe_in_url or isinstance(field.model_field, models.SlugField)
        )
        if not safe:
            yield _error(
                resource,
                'E021',
                f'The URL `{name}` is made of `{part}`, which is not an integer, UUID or slug.',
            )


def _holds_arrays(field: models.Field) -> bool:
    return isinstance(field, models.JSONField) or field.get_internal_type() == 'ArrayField'


def _check_engine(resource: type[Resource]) -> Iterator[Error]:
    if engine_of(connections['default']).has_arrays:
        return
    for field in resource.fields().values():
        if field.model_field.get_internal_type() == 'ArrayField':
            yield _error(
                resource,
                'E030',
                f'`{field.name}` is a PostgreSQL array, and the database is SQLite.',
                'Use a JSONField, declared as Array().',
            )


_CHECKS: tuple[Callable[[type[Resource]], Iterator[Error]], ...] = (
    _check_names,
    _check_grants,
    _check_default_mask,
    _check_recursion,
    _check_parent_ids,
    _check_declared,
    _check_engine,
    check_writes,
)

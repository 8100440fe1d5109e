"""System checks of what resources declare about writes."""

from collections.abc import Iterator
from typing import Any, get_args

from django.core.checks import Error
from django.db import models

from backstay.resources.declaration.grants import ALL
from backstay.resources.declaration.resource import Resource
from backstay.resources.declaration.shape import Relation
from backstay.resources.write.granting import Right, all_names
from backstay.resources.write.members import (
    columns_of,
    parent_links,
    writable,
    writable_relations,
)
from backstay.resources.write.uniqueness import names_one_row

#: Actions that may require an Idempotency-Key.
_WITH_KEY = frozenset({'create', 'update', 'destroy', 'restore', 'bulk'})


def check_writes(resource: type[Resource]) -> Iterator[Error]:
    """Yield every mistake in what a resource declares about writes."""
    for check in (_check_grants, _check_relations, _check_options, _check_natural_key):
        yield from check(resource)


def _error(resource: type[Resource], number: str, text: str, hint: str = '') -> Error:
    name = f'{resource.__module__}.{resource.__qualname__}'
    return Error(text, hint=hint or None, obj=name, id=f'backstay.{number}')


def _check_grants(resource: type[Resource]) -> Iterator[Error]:
    able = {*writable(resource), *writable_relations(resource)}
    # E043 says more about these.
    links = {link.attname for link in parent_links(resource.options.model)}
    unable = {*resource.fields(), *resource.relations()} - able - links
    for grant in resource.grants:
        for verb in ('write', 'create'):
            names = getattr(grant, verb)
            for name in () if names is ALL else names:
                if name in unable:
                    yield _error(
                        resource, 'E061', f'A grant to {verb} names `{name}`, which nobody can.'
                    )
    given = {name for right in get_args(Right) for name in all_names(resource, right)}
    for name in sorted(given & writable(resource).keys() - links):
        member = writable(resource)[name]
        if isinstance(member.column, models.ForeignKey) and member.reference is None:
            yield _error(
                resource,
                'E060',
                f'`{name}` may be written, and no relation says through which resource it is '
                f'looked up.',
                'Declare One or, if it is not to be shown, Parent: what the caller may not see '
                'cannot be referred to.',
            )


def _check_relations(resource: type[Resource]) -> Iterator[Error]:
    for name, relation in writable_relations(resource).items():
        if relation.forward:
            yield _error(
                resource,
                'E062',
                f'`{name}` is writable, and leads to what the row belongs to.',
                f'Let `{relation.local}` be written instead.',
            )
        elif relation.many_to_many and not _is_plain(resource, relation):
            yield _error(
                resource,
                'E063',
                f'`{name}` is writable, and its links have a model of their own.',
                'Declare that model as a resource, and a Many to it.',
            )
        elif not relation.many_to_many and (
            relation.target.options.lookup not in relation.target.fields()
        ):
            yield _error(
                resource, 'E064', f'`{name}` is writable, and its rows do not show their key.'
            )


def _is_plain(resource: type[Resource], relation: Relation) -> bool:
    edge: Any = resource.options.model._meta.get_field(relation.declared.source or relation.name)
    forward = isinstance(edge, models.ManyToManyField)
    through = edge.remote_field.through if forward else edge.through
    return bool(through._meta.auto_created)


def _check_options(resource: type[Resource]) -> Iterator[Error]:
    options, fields = resource.options, resource.fields()
    columns = columns_of(options.model)
    for option in ('sensitive', 'natural_key'):
        for name in getattr(options, option):
            if name not in fields:
                yield _error(resource, 'E065', f'Meta.{option} names `{name}`, which is no field.')
    if options.tenant and options.tenant not in fields:
        yield _error(resource, 'E065', f'Meta.tenant is `{options.tenant}`, which is no field.')
    version = columns.get(options.version)
    counts = isinstance(version, models.IntegerField) and not version.null
    if options.version and (options.version not in fields or not counts):
        yield _error(
            resource,
            'E066',
            f'Meta.version is `{options.version}`, which is no integer field that is never null.',
            'Add PositiveIntegerField(default=1), and its name to Meta.fields.',
        )
    deleted_at = columns.get(options.soft_delete)
    if options.soft_delete and not (
        isinstance(deleted_at, models.DateTimeField) and deleted_at.null
    ):
        yield _error(
            resource,
            'E067',
            f'Meta.soft_delete is `{options.soft_delete}`, which is no nullable date and time.',
        )
    for name in set(options.require_idempotency_key) - _WITH_KEY:
        yield _error(
            resource,
            'E068',
            f'Meta.require_idempotency_key names `{name}`, which is none of '
            f'{", ".join(sorted(_WITH_KEY))}.',
        )


def _check_natural_key(resource: type[Resource]) -> Iterator[Error]:
    fields = resource.fields()
    names = resource.options.natural_key
    if not names or any(name not in fields for name in names):
        return
    attributes = {fields[name].attname for name in names}
    if not names_one_row(resource, attributes):
        yield _error(
            resource,
            'E069',
            f'Meta.natural_key is {", ".join(names)}, which may be the same on two rows.',
            'Make them unique together.',
        )

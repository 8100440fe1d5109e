"""Every position of a request in which a field of a resource can be named, or decides.

Each position is a function that makes questions about one field, or says why there are none.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from functools import cached_property
from typing import Any
from uuid import UUID

from django.db import models
from django.utils.duration import duration_iso_string

from backstay.resources import Array, Resource

Path = str
#: Why a field has no question in a position.
Reason = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request, without who makes it."""

    path: Path
    method: str = 'GET'
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    #: Pages that are read, by following `next`.
    pages: int = 1
    #: Whether it is asked again with the ETag of its first answer.
    again: bool = False

    def __hash__(self) -> int:
        return hash(repr(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A field of a resource, with values that some row has, had, or is to have."""

    resource: type[Resource]
    name: str
    values: Sequence[Any]
    #: Primary keys of rows that questions should look at.
    keys: Sequence[Any] = ()


class Site:
    """The collections of a site, and the ways that lead to each resource."""

    def __init__(self, collections: Mapping[Path, type[Resource]]) -> None:
        self.collections = collections

    def of(self, resource: type[Resource]) -> list[Path]:
        """The collections of a resource."""
        return [path for path, each in self.collections.items() if each is resource]

    def below(self, resource: type[Resource], *, many: bool) -> list[tuple[Path, list[str]]]:
        """Relations that masks may go through to the resource, the last to many or to one."""
        return self._below.get((resource, many), [])

    def beside(self, resource: type[Resource]) -> list[tuple[Path, str, bool]]:
        """Relations by which filters reach the resource, and whether each leads to many."""
        return [
            (path, name, relation.many)
            for path, root in self.collections.items()
            for name, relation in root.relations().items()
            if relation.target is resource
        ]

    def behind(self, resource: type[Resource]) -> list[tuple[Path, str]]:
        """What filters name that lies two relations away."""
        return [
            (path, name)
            for path, root in self.collections.items()
            for name, hop in root.hops().items()
            if hop.target is resource
        ]

    @cached_property
    def _below(self) -> dict[tuple[type[Resource], bool], list[tuple[Path, list[str]]]]:
        found: dict[tuple[type[Resource], bool], list[tuple[Path, list[str]]]] = {}
        waiting: list[tuple[Path, type[Resource], list[str]]]
        waiting = [(path, resource, []) for path, resource in self.collections.items()]
        while waiting:
            path, resource, chain = waiting.pop(0)
            for name, relation in resource.relations().items():
                if relation.is_shown and len(chain) < 3:
                    found.setdefault((relation.target, relation.many), []).append(
                        (path, [*chain, name])
                    )
                    waiting.append((path, relation.target, [*chain, name]))
        return found


#: Questions, or why there are none.
Found = list[Question] | Reason
Position = Callable[[Site, Subject], Found]


# Reading.


def shown(site: Site, subject: Subject) -> Found:
    """The field in the mask of a list."""
    return [
        Question(path=path, headers={'X-Fields': mask}, parameters={'limit': '100'})
        for path in site.of(subject.resource)
        for mask in (subject.name, '*')
    ]


def strictly(site: Site, subject: Subject) -> Found:
    """The field in a mask whose unknown names are an error."""
    headers = {'X-Fields': subject.name, 'Prefer': 'handling=strict'}
    return [Question(path=path, headers=headers) for path in site.of(subject.resource)]


def one_object(site: Site, subject: Subject) -> Found:
    """The field in the mask of one object."""
    return [
        Question(path=f'{path}{key}/', headers={'X-Fields': mask})
        for path, key in _objects(site, subject)
        for mask in (subject.name, '*')
    ]


def not_modified(site: Site, subject: Subject) -> Found:
    """An object, and a list, asked for again with `If-None-Match`."""
    headers = {'X-Fields': '*'}
    objects = [f'{path}{key}/' for path, key in _objects(site, subject)]
    return [
        Question(path=path, headers=headers, again=True)
        for path in (*objects, *site.of(subject.resource))
    ]


def nested_one(site: Site, subject: Subject) -> Found:
    """The field of a row behind a relation to one."""
    return _nested(site, subject, many=False)


def nested_many(site: Site, subject: Subject) -> Found:
    """The field of rows in a nested list."""
    return _nested(site, subject, many=True)


def _nested(site: Site, subject: Subject, *, many: bool) -> Found:
    return [
        Question(path=path, headers={'X-Fields': _mask_through(chain, name)})
        for path, chain in site.below(subject.resource, many=many)
        for name in (subject.name, '*')
    ] or f'no relation to {"many" if many else "one"} leads to it'


def as_csv(site: Site, subject: Subject) -> Found:
    """The field as a column of CSV."""
    return [
        Question(path=path, headers={'Accept': 'text/csv', 'X-Fields': mask})
        for path in site.of(subject.resource)
        for mask in (subject.name, '*')
    ]


def deleted(site: Site, subject: Subject) -> Found:
    """The field of rows that are asked for with deleted ones."""
    if not subject.resource.options.soft_delete:
        return 'its rows are not deleted softly'
    asked = {'include_deleted': 'true'}
    return [
        Question(path=path, headers={'X-Fields': subject.name}, parameters=asked)
        for path in site.of(subject.resource)
    ]


# Filters.


def parameter(site: Site, subject: Subject) -> Found:
    """A filter as parameters."""
    if not _filterable(subject):
        return 'takes no filter'
    return [
        Question(path=path, parameters={subject.name + suffix: text})
        for path in site.of(subject.resource)
        for suffix, text in _parameters(subject)
    ]


def filter_spec(site: Site, subject: Subject) -> Found:
    """A filter as JSON, and its complement."""
    if not _filterable(subject):
        return 'takes no filter'
    return [
        Question(path=path, parameters={'filter': json.dumps(spec)})
        for path in site.of(subject.resource)
        for leaf in _leaves(subject)
        for spec in (leaf, {'not': [leaf]})
    ]


def posted(site: Site, subject: Subject) -> Found:
    """A filter in a body."""
    if not _filterable(subject):
        return 'takes no filter'
    return [
        Question(path=f'{path}query/', method='POST', body={'filter': leaf, 'fields': '*'})
        for path in site.of(subject.resource)
        for leaf in _leaves(subject)
    ]


def related(site: Site, subject: Subject) -> Found:
    """A filter of the rows beside it, by a relation."""
    beside = site.beside(subject.resource)
    if not beside:
        return 'no relation leads to it'
    if not _filterable(subject):
        return 'takes no filter'
    return [
        Question(path=path, parameters={f'{relation}.{subject.name}{suffix}': text})
        for path, relation, _ in beside
        for suffix, text in _parameters(subject)
    ]


def through(site: Site, subject: Subject) -> Found:
    """A filter of rows two relations away."""
    behind = site.behind(subject.resource)
    if not behind:
        return 'nothing leads through to it'
    if not _filterable(subject):
        return 'takes no filter'
    return [
        Question(path=path, parameters={f'{hop}.{subject.name}{suffix}': text})
        for path, hop in behind
        for suffix, text in _parameters(subject)
    ]


def some_or_none(site: Site, subject: Subject) -> Found:
    """A filter of the rows beside it, by whether there is some or none, or any at all."""
    beside = site.beside(subject.resource)
    if not beside:
        return 'no relation leads to it'
    if not _filterable(subject):
        return 'takes no filter'
    model = subject.resource.options.name
    return [
        Question(
            path=path,
            parameters={'filter': json.dumps({word: {'model': model, 'where': where}})},
        )
        for path, _, _ in beside
        for word in ('some', 'none')
        for where in ([], *([leaf] for leaf in _leaves(subject)))
    ]


# Orders, pages, counts.


def order(site: Site, subject: Subject) -> Found:
    """An order by it, or by it through a relation to one."""
    if not _orderable(subject):
        return 'takes no order'
    named = [(path, subject.name) for path in site.of(subject.resource)]
    named += [
        (path, f'{relation}.{subject.name}')
        for path, relation, many in site.beside(subject.resource)
        if not many
    ]
    return [
        Question(path=path, parameters={word: sign + name, 'fields': _key(site, path)})
        for path, name in named
        for word, sign in (('ordering', ''), ('sort', '-'))
    ]


def cursor(site: Site, subject: Subject) -> Found:
    """Pages by cursor in an order by it."""
    if not _orderable(subject):
        return 'takes no order'
    return [
        Question(
            path=path,
            parameters={'ordering': sign + subject.name, 'cursor': '', 'limit': '1'},
            pages=3,
        )
        for path in site.of(subject.resource)
        for sign in ('', '-')
    ]


def exact_count(site: Site, subject: Subject) -> Found:
    """A count of what a filter by it leaves."""
    return _counts(site, subject, 'exact')


def estimate(site: Site, subject: Subject) -> Found:
    """An estimate of what a filter by it leaves."""
    return _counts(site, subject, 'estimate')


def _counts(site: Site, subject: Subject, count: str) -> Found:
    asked: list[Mapping[str, str]] = [{}]
    if _filterable(subject):
        asked += [{subject.name + suffix: text} for suffix, text in _parameters(subject)]
    return [
        Question(path=path, parameters={**each, 'count': count, 'limit': '0'})
        for path in site.of(subject.resource)
        for each in asked
    ]


# Writing.


def write(site: Site, subject: Subject) -> Found:
    """A change of it, which may be refused."""
    if not _writes(subject.resource, 'write'):
        return 'nobody may change it'
    patches = [
        {subject.name: value} for value in (*map(_plain, subject.values), None, {'no': 'value'})
    ]
    return [
        Question(path=f'{path}{key}/', method='PATCH', body=patch, headers={'X-Fields': '*'})
        for path, key in _objects(site, subject)
        for patch in patches
    ]


def stale_write(site: Site, subject: Subject) -> Found:
    """A change and a deletion of a version that is not there."""
    if not _writes(subject.resource, 'write'):
        return 'nobody may change it'
    stale = {'If-Match': '"0-0"', 'X-Fields': '*'}
    return [
        Question(path=f'{path}{key}/', method=method, body=body, headers=stale)
        for path, key in _objects(site, subject)
        for method, body in (('PATCH', {subject.name: None}), ('DELETE', None))
    ]


def creation(site: Site, subject: Subject) -> Found:
    """A new row that has it and nothing else."""
    if not _writes(subject.resource, 'create'):
        return 'nobody may create such rows'
    return [
        Question(path=path, method='POST', body={subject.name: value})
        for path in site.of(subject.resource)
        for value in (*map(_plain, subject.values), None)
    ]


def deletion(site: Site, subject: Subject) -> Found:
    """A deletion of the row that has it."""
    if not _writes(subject.resource, 'delete'):
        return 'nobody may delete such rows'
    return [
        Question(path=f'{path}{key}/', method='DELETE') for path, key in _objects(site, subject)
    ]


POSITIONS: Mapping[str, Position] = {
    'list': shown,
    'strict mask': strictly,
    'object': one_object,
    'ETag': not_modified,
    'one': nested_one,
    'many': nested_many,
    'CSV': as_csv,
    'deleted': deleted,
    'parameter': parameter,
    'filter': filter_spec,
    'POST query': posted,
    'related': related,
    'through': through,
    'some, none': some_or_none,
    'order': order,
    'cursor': cursor,
    'count': exact_count,
    'estimate': estimate,
    'write': write,
    'If-Match': stale_write,
    'create': creation,
    'delete': deletion,
}


# What they are made of.


def _objects(site: Site, subject: Subject) -> Iterator[tuple[Path, Any]]:
    """Objects by their lookup: the rows in question, and one that is not there."""
    lookup = subject.resource.fields()[subject.resource.options.lookup].attname
    rows = subject.resource.options.model._base_manager.filter(pk__in=subject.keys)
    for path in site.of(subject.resource):
        for key in rows.values_list(lookup, flat=True):
            yield path, key


def _key(site: Site, path: Path) -> str:
    return site.collections[path].options.lookup


def _mask_through(chain: Sequence[str], name: str) -> str:
    return '{'.join((*chain, name)) + '}' * len(chain)


def _filterable(subject: Subject) -> bool:
    declared = subject.resource.fields().get(subject.name)
    return declared is not None and declared.filterable


def _orderable(subject: Subject) -> bool:
    declared = subject.resource.fields().get(subject.name)
    return declared is not None and declared.orderable


def _writes(resource: type[Resource], right: str) -> bool:
    return any(getattr(grant, right) for grant in resource.grants)


def _parameters(subject: Subject) -> Iterator[tuple[str, str]]:
    """Suffixes of parameters with what follows them."""
    yield '__isnull', 'true'
    if _is_array(subject):
        yield from (('__any', _text(each)) for value in subject.values for each in value or ())
        return
    for value in subject.values:
        match value:
            case dict():
                yield from ((f'.{key}', _text(each)) for key, each in value.items())
                yield from ((f'.{key}__isnull', 'true') for key in value)
            case bool():
                yield '', _text(value)
            case None:
                pass
            case _:
                yield '', _text(value)
                yield '__ne', _text(value)
                yield '__in', _text(value)
                yield ('__istartswith' if isinstance(value, str) else '__gte'), _text(value)


def _leaves(subject: Subject) -> Iterator[dict[str, Any]]:
    """Comparisons as JSON."""
    yield {'field': subject.name, 'op': 'is_null'}
    for value in subject.values:
        match value:
            case list():
                yield from (
                    {'field': subject.name, 'op': 'any', 'value': _plain(each)} for each in value
                )
            case dict():
                yield from (
                    {'field': f'{subject.name}.{key}', 'op': '==', 'value': _plain(each)}
                    for key, each in value.items()
                )
            case None:
                pass
            case _:
                yield {'field': subject.name, 'op': '==', 'value': _plain(value)}
                yield {'field': subject.name, 'op': 'not_in', 'value': [_plain(value)]}


def _is_array(subject: Subject) -> bool:
    return isinstance(subject.resource.declared.get(subject.name), Array)


def _text(value: Any) -> str:
    plain = _plain(value)
    return str(plain).lower() if isinstance(plain, bool) else str(plain)


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    match value:
        case datetime() | date() | time():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
        case models.Model():
            return value.pk
        case memoryview() | bytes():
            return bytes(value).hex()
        case list() | dict() | str() | int() | float() | None:
            return value
    if hasattr(value, 'total_seconds'):
        return duration_iso_string(value)
    return str(value)

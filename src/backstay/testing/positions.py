"""Every position of a request in which a field of a resource can be named, or decides.

Each position is a function that makes questions about one field, or says why there are none.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from backstay.resources import Resource
from backstay.resources.declaration.grants import named
from backstay.testing.questions import Question, Subject, comparisons, plain, suffixes
from backstay.testing.sites import Path, Site

#: Why a field has no question in a position.
Reason = str
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
        _by_key(site, path, {subject.name + suffix: text})
        for path in site.of(subject.resource)
        for suffix, text in suffixes(subject)
    ]


def filter_spec(site: Site, subject: Subject) -> Found:
    """A filter as JSON, and its complement."""
    if not _filterable(subject):
        return 'takes no filter'
    return [
        _by_key(site, path, {'filter': json.dumps(spec)})
        for path in site.of(subject.resource)
        for leaf in comparisons(subject)
        for spec in (leaf, {'not': [leaf]})
    ]


def posted(site: Site, subject: Subject) -> Found:
    """A filter in a body."""
    if not _filterable(subject):
        return 'takes no filter'
    return [
        Question(path=f'{path}query/', method='POST', body={'filter': leaf, 'fields': '*'})
        for path in site.of(subject.resource)
        for leaf in comparisons(subject)
    ]


def related(site: Site, subject: Subject) -> Found:
    """A filter of the rows beside it, by a relation."""
    beside = site.beside(subject.resource)
    if not beside:
        return 'no relation leads to it'
    if not _filterable(subject):
        return 'takes no filter'
    return [
        _by_key(site, path, {f'{relation}.{subject.name}{suffix}': text})
        for path, relation, _ in beside
        for suffix, text in suffixes(subject)
    ]


def through(site: Site, subject: Subject) -> Found:
    """A filter of rows two relations away."""
    behind = site.behind(subject.resource)
    if not behind:
        return 'nothing leads through to it'
    if not _filterable(subject):
        return 'takes no filter'
    return [
        _by_key(site, path, {f'{hop}.{subject.name}{suffix}': text})
        for path, hop in behind
        for suffix, text in suffixes(subject)
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
        _by_key(site, path, {'filter': json.dumps({word: {'model': model, 'where': where}})})
        for path, _, _ in beside
        for word in ('some', 'none')
        for where in ([], *([leaf] for leaf in comparisons(subject)))
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
        _by_key(site, path, {word: sign + name})
        for path, name in named
        for word, sign in (('ordering', ''), ('sort', '-'))
    ]


def cursor(site: Site, subject: Subject) -> Found:
    """Pages by cursor in an order by it."""
    if not _orderable(subject):
        return 'takes no order'
    return [
        _by_key(site, path, {'ordering': sign + subject.name, 'cursor': '', 'limit': '1'}, pages=3)
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
        asked += [{subject.name + suffix: text} for suffix, text in suffixes(subject)]
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
        {subject.name: value} for value in (*map(plain, subject.values), None, {'no': 'value'})
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
        for value in (*map(plain, subject.values), None)
    ]


def deletion(site: Site, subject: Subject) -> Found:
    """A deletion of the row that has it."""
    if not _writes(subject.resource, 'delete'):
        return 'nobody may delete such rows'
    return [
        Question(path=f'{path}{key}/', method='DELETE') for path, key in _objects(site, subject)
    ]


def restoring(site: Site, subject: Subject) -> Found:
    """A restoration of the row that has it."""
    if not subject.resource.options.soft_delete:
        return 'its rows are not deleted softly'
    if not _writes(subject.resource, 'delete'):
        return 'nobody may delete such rows'
    return [
        Question(path=f'{path}{key}/restore/', method='POST')
        for path, key in _objects(site, subject)
    ]


def bulk(site: Site, subject: Subject) -> Found:
    """Changes and deletions of several rows in one request, each apart and all or none."""
    if not _writes(subject.resource, 'write'):
        return 'nobody may change it'
    keys = [plain(each) for each in subject.lookups]
    values = [*map(plain, subject.values), None]
    changes = [
        {'op': 'update', 'id': key, 'body': {subject.name: value}}
        for key in keys
        for value in values
    ]
    deletions = [{'op': 'delete', 'id': key} for key in keys]
    return [
        Question(
            path=f'{path}bulk/',
            method='POST',
            headers={'Idempotency-Key': 'non-interference'},
            body={'operations': each, 'atomic': atomic},
        )
        for path in site.of(subject.resource)
        for each in (changes[:1], [*deletions, *changes[-1:]])
        for atomic in (True, False)
    ]


def reference(site: Site, subject: Subject) -> Found:
    """A new row that refers to it, like one that there is, and a row that shall refer to it."""
    if subject.name != subject.resource.options.lookup:
        return 'rows are referred to by their key'
    found = [
        question
        for path, referring in site.collections.items()
        for column in referring.options.model._meta.concrete_fields
        if column.related_model is subject.resource.options.model
        for value in subject.values
        for question in _referring(path, referring, column.attname, plain(value))
    ]
    return found or 'nothing that can be written refers to it'


def _referring(
    path: Path, resource: type[Resource], attname: str, value: Any
) -> Iterator[Question]:
    fields = resource.fields()
    rows = [*resource.options.model._base_manager.order_by('pk')[:3]]
    for grant in resource.grants:
        names = [each for each in fields if named(grant.create, each) and fields[each].attname]
        if attname in names:
            for row in rows[:1]:
                like = {name: plain(getattr(row, fields[name].attname)) for name in names}
                yield Question(path=path, method='POST', body={**like, attname: value})
        if attname in fields and named(grant.write, attname):
            for row in rows:
                key = getattr(row, fields[resource.options.lookup].attname)
                yield Question(path=f'{path}{key}/', method='PATCH', body={attname: value})


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
    'restore': restoring,
    'bulk': bulk,
    'reference': reference,
}


# What they are made of.


def _objects(site: Site, subject: Subject) -> Iterator[tuple[Path, Any]]:
    """The rows in question by their lookup."""
    for path in site.of(subject.resource):
        for key in subject.lookups:
            yield path, key


def _by_key(site: Site, path: Path, parameters: Mapping[str, str], pages: int = 1) -> Question:
    """A question about which rows there are, and in which order: it shows nothing but a key."""
    headers = {'X-Fields': site.collections[path].options.lookup}
    return Question(path=path, parameters=parameters, headers=headers, pages=pages)


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

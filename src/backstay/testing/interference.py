"""Non-interference: a change that a caller may not see changes no answer that the caller gets.

Each caller asks many questions. Then the database is changed in a way that leaves all that the
caller may know as it was, and the same questions are asked again: status, headers and body must
be the same bytes. A check is one question before and after one change. Changes are undone.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from unittest.mock import patch
from urllib.parse import urlencode

import pytest
from django.db import DataError, IntegrityError, models, transaction
from django.db.models.deletion import ProtectedError, RestrictedError
from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.test import APIClient

from backstay.caller import GUEST, Caller
from backstay.identity.callers import caller_of_account
from backstay.resources import Resource
from backstay.testing.api import address_of, resource_at
from backstay.testing.callers import Who, user_of
from backstay.testing.knowledge import Resources, knowledge_of, reachable

Callers = Mapping[str, Who]
#: What no two answers share.
_IGNORED = frozenset({'server-timing', 'x-request-id'})
#: Questions that one caller asks before and after each change.
_QUESTIONS = 40
#: Changes after which other questions are asked.
_CHANGES = 20
#: Changes that are tried for one caller; a quarter without a hidden one, and there is none.
_TRIES = 800


def non_interference(
    *paths: str,
    rows: Callable[[], Any],
    callers: Callers | Callable[[], Callers],
    checks: int = 1_000,
    seed: int = 0,
) -> Callable[[], None]:
    """A test for pytest that these callers learn nothing of what they may not see.

        test_nothing_leaks = non_interference('/books/', rows=make_rows, callers=CALLERS)

    `paths` are collections of resources; without any it is every one that the site serves. `rows`
    stores a few rows of each kind; some of them, or some of their fields, must be hidden from
    somebody. `callers` are by name; where they need keys of rows, it is a function, called after
    `rows`. `checks` bounds the work, in all.
    """

    @pytest.mark.django_db
    def test() -> None:
        rows()
        named = callers() if callable(callers) else callers
        collections = paths or (*collections_of_the_site(),)
        made = sum(
            _check_caller(name, who, collections, Random(f'{seed} {name}'), checks // len(named))  # noqa: S311
            for name, who in named.items()
        )
        if not made:
            raise AssertionError('nothing is hidden from any of the callers: nothing was checked')

    return test


def collections_of_the_site() -> Iterator[str]:
    """The path of every collection of a resource that needs no value in its path."""
    yield from sorted({*_collections(get_resolver().url_patterns, '/')})


def _collections(patterns: list[Any], prefix: str) -> Iterator[str]:
    for each in patterns:
        path = prefix + str(each.pattern).removeprefix('^').removesuffix('$')
        if isinstance(each, URLResolver):
            yield from _collections(each.url_patterns, path)
        elif isinstance(each, URLPattern) and not {*'(<\\'} & {*path}:
            actions = getattr(each.callback, 'actions', None) or {}
            has_resource = hasattr(getattr(each.callback, 'cls', None), 'resource')
            if has_resource and actions.get('get') == 'list':
                yield path


@dataclass(frozen=True, slots=True)
class Question:
    """One request, without who makes it."""

    path: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    #: How many pages are read, by following `next`.
    pages: int = 1


def _check_caller(name: str, who: Who, paths: tuple[str, ...], random: Random, checks: int) -> int:
    """Ask, change, ask again, in rounds, until there were so many checks; how many there were."""
    questions = [question for path in paths for question in questions_of(path)]
    resources = reachable(resource_at(path) for path in paths)
    client = APIClient()
    if user := user_of(who):
        client.force_authenticate(user)
    made = 0
    with patch('backstay.resources.query.cursor.time.time', lambda: 1_800_000_000.0):
        known = knowledge_of(_caller(who), resources)
        for attempt in range(_TRIES):
            if made >= checks or (attempt == _TRIES // 4 and not made):
                break
            if attempt % _CHANGES == 0:
                asked = random.sample(questions, min(_QUESTIONS, len(questions)))
                before = [(each, _answers(client, each)) for each in asked]
            with transaction.atomic():
                change = _change(random, resources)
                if change and knowledge_of(_caller(who), resources) == known:
                    for question, answers in before:
                        if _answers(client, question) != answers:
                            raise AssertionError(f'{name} learns of {change} by {question}')
                    made += len(before)
                transaction.set_rollback(True)
    return made


def _caller(who: Who) -> Caller:
    if who is None:
        return GUEST
    if isinstance(who, Caller):
        return who
    return caller_of_account(type(who)._default_manager.get(pk=who.pk))


def _answers(client: APIClient, question: Question) -> list[tuple[Any, ...]]:
    """What a client sees of the answer, and of those for the pages behind it."""
    address = f'{question.path}?{urlencode(question.parameters)}'
    found = []
    for _ in range(question.pages):
        headers = {**question.headers, 'X-Request-Id': 'non-interference'}
        response: Any = client.get(address, headers=headers)
        body = response.getvalue()
        shown = sorted(each for each in response.items() if each[0].lower() not in _IGNORED)
        found.append((response.status_code, shown, body))
        following = json.loads(body).get('next') if question.pages > 1 else None
        if following is None:
            break
        address = following
    return found


# Questions: every position in which a name or a value may leak.


def questions_of(path: str) -> Iterator[Question]:
    """What can be asked of a collection, by names and values that the caller may see or not."""
    resource = resource_at(path)
    everything = {'X-Fields': '*'}
    yield Question(path)
    yield Question(path, headers=everything)
    yield Question(path, {'count': 'estimate', 'limit': '1', 'offset': '1'})
    yield Question(path, headers={'Accept': 'text/csv', **everything})
    for row in resource.options.model._base_manager.order_by('pk')[:20]:
        yield Question(address_of(path, row), headers=everything)
    for name in resource.fields():
        yield Question(path, headers={'X-Fields': f'{{{name}}}'})
    for name, field_of in _paths(resource):
        yield from _questions_about(path, name, field_of)
    for name, relation in resource.relations().items():
        inner = ['*', *(f'{each}{{*}}' for each in relation.target.relations())]
        yield Question(path, headers={'X-Fields': f'*,{name}{{{",".join(inner)}}}'})


def _paths(resource: type[Resource]) -> Iterator[tuple[str, tuple[type[Resource], str]]]:
    """The fields of a resource and of those beside it, as filters name them."""
    for name in resource.fields():
        yield name, (resource, name)
    for relation in resource.relations().values():
        for name in relation.target.fields():
            yield f'{relation.name}.{name}', (relation.target, name)


def _questions_about(
    path: str, name: str, field_of: tuple[type[Resource], str]
) -> Iterator[Question]:
    resource, inner = field_of
    declared = resource.fields()[inner]
    for sign in ('', '-'):
        yield Question(path, {'ordering': f'{sign}{name}'})
    yield Question(path, {'ordering': name, 'cursor': '', 'limit': '1'}, pages=3)
    yield Question(path, {f'{name}__isnull': 'true'})
    if not declared.attname or not declared.kind.is_filterable or declared.kind.has_parts:
        return
    stored = resource.options.model._base_manager.order_by().distinct()
    values = stored.exclude(**{declared.attname: None}).values_list(declared.attname, flat=True)
    for value in values[:3]:
        text = value.isoformat() if hasattr(value, 'isoformat') else str(value)
        for lookup in ('', '__ne', '__gte'):
            yield Question(path, {name + lookup: text})


# Changes.


def _change(random: Random, resources: Resources) -> str:
    """Make any change of one row, and say which; empty where the database refuses it."""
    model = random.choice(sorted({each.options.model for each in resources}, key=str))
    keys = [*model._base_manager.order_by('pk').values_list('pk', flat=True)]
    if not keys:
        return ''
    row = model._base_manager.get(pk=random.choice(keys))
    make = random.choice((_remove, _copy, _set, _set, _set, _set, _set, _set))
    try:
        with transaction.atomic():
            return make(random, row)
    except (IntegrityError, DataError, ProtectedError, RestrictedError):
        return ''


def _remove(_: Random, row: models.Model) -> str:
    type(row)._base_manager.filter(pk=row.pk).delete()
    return f'{row!r} that goes'


def _copy(_: Random, row: models.Model) -> str:
    key = row.pk
    row.pk = None
    type(row)._base_manager.bulk_create([row])
    return f'a copy of {type(row).__name__} {key}'


def _set(random: Random, row: models.Model) -> str:
    columns = [
        each for each in row._meta.concrete_fields if not (each.primary_key or each.generated)
    ]
    column = random.choice(columns)
    value = _another(random, row, column)
    if value == getattr(row, column.attname):
        return ''
    type(row)._base_manager.filter(pk=row.pk).update(**{column.attname: value})
    return f'{column.name} of {row!r}, which becomes {value!r}'


def _another(random: Random, row: models.Model, column: models.Field) -> Any:
    """Another value for a column: one that it has elsewhere, one made up, or none."""
    source = type(row)._base_manager
    name = column.attname
    if isinstance(column, models.ForeignKey):
        source, name = column.related_model._base_manager, column.target_field.attname
    values = [*source.order_by('pk').values_list(name, flat=True)[:50]]
    now = getattr(row, column.attname)
    match now:
        case bool():
            values.append(not now)
        case int() if not column.is_relation:
            values += [now + 1, now + 1_000]
        case str() if not (column.choices or column.is_relation):
            values.append((now + 'x')[: column.max_length])
    values += [choice for choice, _ in column.flatchoices]
    values += [None] if column.null else []
    return random.choice(values or [now])

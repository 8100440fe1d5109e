"""Requests made at random, for every position in which a name or a value may leak."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlencode, urlsplit

from django.http.response import HttpResponseBase, StreamingHttpResponse
from django.test import RequestFactory
from django.urls import resolve

from backstay.resources import Many, Resource, kinds
from backstay.resources.declaration.shape import Relation
from backstay.resources.kinds.operators import OF_MEMBERS
from tests.rights.oracle import View, target
from tests.rights.questions import any_mask, mask_text, plain, values_for
from tests.rights.resources import SERVED

SITE = 'tests.rights.site'
#: What no two answers share.
_IGNORED = frozenset({'server-timing'})
_LOOKUPS = {'==': '', '!=': '__ne', '>': '__gt', '<': '__lt', '>=': '__gte', '<=': '__lte'}
_LOOKUPS |= {'in': '__in', 'is_null': '__isnull', 'any': '__any', 'not_any': '__not_any'}


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, without who makes it."""

    path: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    #: How many pages are read, by following `next`.
    pages: int = 1


@dataclass(frozen=True, slots=True)
class Answer:
    """What a client sees of a response."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def answers(asked: Asked, word: str) -> tuple[Answer, ...]:
    """The answers to a request and to those for the pages behind it."""
    found = [_answer(asked, word, asked.path, asked.parameters)]
    for _ in range(asked.pages - 1):
        following = json.loads(found[-1].body).get('next') if found[-1].status == 200 else None
        if following is None:
            break
        parts = urlsplit(following)
        found.append(_answer(asked, word, f'{parts.path}?{parts.query}', {}))
    return tuple(found)


def _answer(asked: Asked, word: str, path: str, parameters: Mapping[str, str]) -> Answer:
    if parameters:
        path += '?' + urlencode(parameters)
    headers = {**asked.headers, 'Authorization': f'Caller {word}'}
    if asked.body is None:
        request = RequestFactory().get(path, headers=headers)
    else:
        text = json.dumps(asked.body)
        request = RequestFactory().post(path, text, 'application/json', headers=headers)
    match = resolve(urlsplit(path).path, SITE)
    return answer_of(match.func(request, *match.args, **match.kwargs))


def answer_of(response: HttpResponseBase) -> Answer:
    """What a client sees of a response."""
    if hasattr(response, 'render'):
        response.render()
    is_streamed = isinstance(response, StreamingHttpResponse)
    body = b''.join(response.streaming_content) if is_streamed else response.content  # type: ignore[attr-defined]
    headers = [each for each in response.items() if each[0].lower() not in _IGNORED]
    return Answer(response.status_code, tuple(sorted(headers)), body)


def any_request(random: Random, view: View) -> Asked:
    """A request in any of the positions; names are those of the resource, readable or not."""
    prefix = random.choice([*SERVED])
    return random.choice(_POSITIONS)(random, view, f'/{prefix}/', SERVED[prefix])


def _listed(random: Random, _view: View, path: str, resource: type[Resource]) -> Asked:
    count = random.choice(('exact', 'exact', 'estimate', 'none'))
    limit = str(random.choice((0, 1, 2, 20)))
    return Asked(path, {'count': count, 'limit': limit, 'offset': str(random.choice((0, 1)))})


def _masked(random: Random, _view: View, path: str, resource: type[Resource]) -> Asked:
    mask = mask_text(any_mask(random, resource, random.choice((1, 2, 4))))
    headers = {'X-Fields': random.choice(('*', mask, mask, mask))}
    if random.random() < 0.2:
        headers['Prefer'] = 'handling=strict'
    return Asked(path, {}, headers)


def _filtered(random: Random, view: View, path: str, resource: type[Resource]) -> Asked:
    spec = _spec(random, view, resource, 2)
    parameters = {'filter': json.dumps(spec)}
    return Asked(path, parameters, {'X-Fields': '*'} if random.random() < 0.2 else {})


def _looked_up(random: Random, view: View, path: str, resource: type[Resource]) -> Asked:
    parameters = {}
    for _ in range(random.choice((1, 1, 2))):
        leaf = _leaf(random, view, resource)
        name = leaf['field']
        if 'model' in leaf:
            names = {each.target.options.name: each.name for each in _asked_about(resource)}
            name = f'{names[leaf["model"]]}.{name}'
        value = leaf.get('value', 'true')
        text = ','.join(map(str, value)) if isinstance(value, list) else str(value)
        parameters[name + _LOOKUPS.get(leaf['op'], '')] = text
    return Asked(path, parameters)


def _posted(random: Random, view: View, path: str, resource: type[Resource]) -> Asked:
    body: dict[str, Any] = {'filter': _spec(random, view, resource, 2)}
    if random.random() < 0.5:
        body['sort'] = _order(random, resource)
    if random.random() < 0.5:
        body['fields'] = mask_text(any_mask(random, resource, 1))
    return Asked(f'{path}query/', {}, {}, body)


def _sorted(random: Random, _view: View, path: str, resource: type[Resource]) -> Asked:
    return Asked(path, {random.choice(('sort', 'ordering')): _order(random, resource)})


def _walked(random: Random, view: View, path: str, resource: type[Resource]) -> Asked:
    parameters = {'cursor': '', 'limit': random.choice(('1', '2'))}
    if random.random() < 0.7:
        parameters['sort'] = _order(random, resource)
    if random.random() < 0.3:
        parameters['filter'] = json.dumps(_spec(random, view, resource, 1))
    return Asked(path, parameters, pages=3)


def _one(random: Random, view: View, path: str, resource: type[Resource]) -> Asked:
    keys = [*view.world.rows[resource.options.model], 99]
    headers = {'X-Fields': '*'} if random.random() < 0.5 else {}
    return Asked(f'{path}{random.choice(keys)}/', {}, headers)


def _as_csv(random: Random, view: View, path: str, resource: type[Resource]) -> Asked:
    mask = mask_text(any_mask(random, resource, 2))
    parameters = {'sort': _order(random, resource)} if random.random() < 0.3 else {}
    return Asked(path, parameters, {'Accept': 'text/csv', 'X-Fields': mask})


_POSITIONS = (
    _listed,
    _masked,
    _masked,
    _filtered,
    _filtered,
    _filtered,
    _looked_up,
    _posted,
    _sorted,
    _walked,
    _walked,
    _one,
    _as_csv,
)


def _order(random: Random, resource: type[Resource]) -> str:
    names = [*_orderable(resource)]
    chosen = random.sample(names, random.choice((1, 1, 2)) if len(names) > 1 else 1)
    return ','.join(random.choice(('', '-')) + name for name in chosen)


def _orderable(resource: type[Resource]) -> Iterator[str]:
    yield from (name for name, each in resource.fields().items() if each.orderable)
    for name in resource.relations():
        if not isinstance(resource.declared[name], Many):
            fields = target(resource, name).fields().items()
            yield from (f'{name}.{inner}' for inner, each in fields if each.orderable)


def _asked_about(resource: type[Resource]) -> list[Relation]:
    """The relations that a filter may name, those behind others too."""
    return [*resource.relations().values(), *resource.hops().values()]


def _spec(random: Random, view: View, resource: type[Resource], depth: int) -> Any:
    kind = random.random()
    if depth and kind < 0.3:
        parts = [_spec(random, view, resource, depth - 1) for _ in range(2)]
        return {random.choice(('and', 'or')): parts}
    if depth and kind < 0.5:
        return {'not': [_spec(random, view, resource, depth - 1)]}
    if depth and kind < 0.7 and resource.relations():
        inner = random.choice(_asked_about(resource)).target
        where = [_leaf(random, view, inner)] if random.random() < 0.8 else []
        return {random.choice(('some', 'none')): {'model': inner.options.name, 'where': where}}
    return _leaf(random, view, resource)


def _leaf(random: Random, view: View, resource: type[Resource]) -> dict[str, Any]:
    leaf: dict[str, Any] = {}
    if resource.relations() and random.random() < 0.3:
        resource = random.choice(_asked_about(resource)).target
        leaf['model'] = resource.options.name
    fields = {name: each for name, each in resource.fields().items() if each.filterable}
    name = random.choice([*fields])
    member = fields[name].kind is kinds.JSON
    taken = sorted(op.value for op in (OF_MEMBERS if member else fields[name].kind.operators))
    leaf |= {'field': f'{name}.color' if member else name, 'op': random.choice(taken)}
    if 'null' not in leaf['op']:
        values = ['red', 'new'] if member else values_for(view, resource, name)
        value = plain(random.choice(values or [1]))
        value = value[0] if isinstance(value, list) and value else value
        leaf['value'] = [value] if leaf['op'] in ('in', 'not_in') else value or 'new'
    return leaf

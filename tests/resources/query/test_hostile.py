"""Requests that mean harm: each is a clear 4xx, after no more work than reading it."""

import json
from collections.abc import Iterator
from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstay.errors import Problem
from backstay.resources.query.asked import Asked
from backstay.resources.query.json_text import load_json
from backstay.resources.query.parameters import read_query
from tests.catalogue.resources import GaugeResource, ProductResource

#: What one request may cost, in seconds of this process.
MAX_SECONDS = 0.05

HUGE = ['9' * 4_000, '-' + '9' * 4_000, '1e999999', '1e-999999', '1E+99999999999999999999']
STRANGE = [
    '\0',
    'a\0b',
    '\ud800',
    '\udfff\ud800',
    '\u202e',
    '😀' * 300,
    '\x7f',
    '\n',
    "'",
    '"',
    '\\',
]
NAMES = [
    '',
    '*',
    'pk',
    'cost',
    'password_hash',
    '__mapper__',
    '__class__',
    '_state',
    '_meta',
    'objects',
    'product__cost',
    'category__products__cost',
    'variants__product__cost',
    'id;DROP TABLE product',
    "id' OR '1'='1",
    'id) OR (1=1',
    'id--',
    'metadata.',
    'metadata.$[0]',
    "metadata.a'b",
    'metadata.a"b',
    'metadata.' + 'k' * 65,
    'labels.0',
    *STRANGE,
]
BAD_IDS: list[Any] = [
    None,
    True,
    1.5,
    2**63,
    -(2**63) - 1,
    10**999,
    'x',
    '',
    [],
    {},
    [[]],
    *STRANGE,
]


def bombs() -> Iterator[str]:
    """Texts that nest."""
    for depth in (65, 1_000, 100_000):
        for opening, closing in (('[', ']'), ('{"not":[', ']}'), ('{"or":[', ']}'), ('{"a":', '}')):
            yield opening * depth
            yield opening * depth + closing * depth


def masks() -> Iterator[str]:
    """Masks that cannot be read."""
    yield from ('{' * n for n in (1, 9, 4_096, 100_000))
    yield from ('}' * n for n in (1, 9, 4_096, 100_000))
    yield from (',' * n for n in (1, 9, 4_096, 100_000))
    yield from ('a{' * n + 'b' + '}' * n for n in (9, 100, 2_000, 50_000))
    yield from ('a{' * n for n in (1, 8, 9, 1_000, 100_000))
    yield from ('x' * n for n in (4_097, 10**6))
    yield from ('é' * n for n in (2_049, 10**6))
    yield from ('a,' * n for n in (257, 2_000, 10**6))
    yield from ('a ' * n for n in (257, 2_000))
    yield from ('a{}' * n for n in (257, 1_000))
    yield from ('a,,b', ',a', 'a{,}', 'a{b', 'a}b', '{a}b', '{a},{b}', '{{a}}', 'a{b}{c}', 'a{{b}}')
    yield from (f'{strange},,' for strange in STRANGE)
    yield from (f'a{{{strange}' for strange in STRANGE)


def filters() -> Iterator[str]:
    """Texts of `filter` that are refused."""
    yield from bombs()
    yield from (f'{{"field":"id","value":{huge}}}' for huge in HUGE)
    yield from (f'{{"field":"price","value":{huge}}}' for huge in HUGE)
    yield from (f'{{"field":"price","value":"{huge}"}}' for huge in HUGE)
    yield from (json.dumps({'field': name, 'value': 'x'}) for name in NAMES)
    yield from (json.dumps({'field': 'id', 'value': value}) for value in BAD_IDS if value != None)  # noqa: E711
    yield from (json.dumps({'field': 'id', 'op': 'in', 'value': [value]}) for value in BAD_IDS)
    yield from (
        json.dumps({'field': 'id', 'op': 'in', 'value': value}) for value in BAD_IDS if value != []
    )
    yield from (json.dumps({'field': 'id', 'op': name, 'value': 1}) for name in NAMES if name)
    yield from (json.dumps({'model': name, 'field': 'id', 'value': 1}) for name in NAMES)
    yield from (json.dumps({'some': {'model': name, 'where': []}}) for name in NAMES)
    yield from (json.dumps({name: 1, 'field': 'id', 'value': 1}) for name in NAMES)
    yield from (json.dumps(value) for value in BAD_IDS if value != [] and value != [[]])
    yield from ('{', '[', '"', 'nul', 'NaN', '[Infinity]', '{"a":1,"a":2}', '\ufeff[]', "{'a':1}")
    yield '{"field":"id","value":1,"field":"cost"}'
    yield '{"field":"name","value":"a\0b"}'
    yield json.dumps([{'field': 'id', 'value': 1}] * 101)
    yield json.dumps({'field': 'id', 'op': 'in', 'value': [1] * 501})
    yield json.dumps([{'none': {'model': 'Variant', 'where': []}}] * 5)
    yield '[' + ' ' * 10**6 + ']'
    yield '"' + '\\"' * 500_000


def sorts() -> Iterator[str]:
    """Texts of `sort` that are refused."""
    yield from (f'[{bomb}' for bomb in bombs())
    yield from (name for name in NAMES if name)
    yield from (f'id,-{name}' for name in NAMES)
    yield from (json.dumps({'field': name, 'direction': 'asc'}) for name in NAMES)
    yield from (json.dumps({'field': 'id', 'direction': name}) for name in NAMES)
    yield from (json.dumps({'model': name, 'field': 'id', 'direction': 'asc'}) for name in NAMES)
    yield from (json.dumps([value]) for value in BAD_IDS)
    yield from (',' * n for n in (1, 5, 10**6))
    yield from ('-' * n for n in (1, 5, 10**6))
    yield from ('variants.qty', 'category.parent.name', 'id,id,id,id,id,id', '-', '{', '["id"]')


def numbers() -> Iterator[str]:
    """Texts of `limit` and `offset` that are refused."""
    yield from HUGE
    yield from STRANGE
    yield from (
        '-1',
        '1.5',
        '1e1',
        '0x10',
        '1_0',
        '\uff11',
        ' 1',
        '+1',
        'None',
        'true',
        '[]',
        '10001',
    )


def requests() -> Iterator[dict[str, list[str]]]:
    """Query strings that are refused."""
    yield from ({'fields': [text]} for text in masks())
    yield from ({'filter': [text]} for text in filters())
    yield from ({'sort': [text]} for text in sorts())
    yield from ({'limit': [text]} for text in numbers())
    yield from ({'offset': [text]} for text in numbers())
    yield from ({'count': [text]} for text in (*HUGE, *STRANGE, '', 'EXACT'))
    yield from ({'cursor': [text]} for text in (*HUGE, *STRANGE, 'A' * 10**6, '~', '.~~', 'a~b~c'))
    yield from ({name: ['1']} for name in NAMES)
    yield from ({f'{name}__in': ['1']} for name in NAMES)
    yield from ({f'id__{name}': ['1']} for name in NAMES)
    yield from ({f'category.{name}': ['1']} for name in NAMES)
    yield from ({'id': [text]} for text in (*HUGE, *STRANGE))
    yield from ({'price__gte': [text]} for text in (*HUGE, *STRANGE))
    yield from ({'released_on': [text]} for text in (*HUGE, *STRANGE, '2026-02-30', '0000-00-00'))
    yield from ({name: ['1', '2']} for name in ('filter', 'limit', 'id', 'id__in', 'nope'))
    yield {'id__in': [','.join(['1'] * 501)]}
    yield {'id__in': [',' * 10**6]}
    yield {'name__contains': ['%' * 10**6]}


REQUESTS = list(requests())


def test_there_are_more_than_500_of_them() -> None:
    assert len(REQUESTS) > 500


@pytest.mark.parametrize(
    'parameters',
    [
        pytest.param(each, id=f'{ascii(next(iter(each)))[1:20]}-{index}')
        for index, each in enumerate(REQUESTS)
    ],
)
def test_a_hostile_query_string_is_refused(parameters: dict[str, list[str]]) -> None:
    began = process_time()
    with pytest.raises(Problem) as raised:
        read_query(Asked(resource=ProductResource, parameters=parameters), 'key')
    spent = process_time() - began

    assert 400 <= raised.value.answer_status < 500
    assert spent < MAX_SECONDS
    text = json.dumps(raised.value.body(''), ensure_ascii=False)
    text.encode()
    assert len(text) < 4_000


@pytest.mark.parametrize('bomb', list(bombs()))
def test_a_bomb_in_a_body_is_refused(bomb: str) -> None:
    began = process_time()
    with pytest.raises(Problem):
        load_json(f'{{"filter": {bomb}}}')

    assert process_time() - began < MAX_SECONDS


TEXT = st.text(max_size=30)
NAME = st.sampled_from(
    ['filter', 'sort', 'ordering', 'fields', 'limit', 'offset', 'cursor', 'count', 'id', 'text']
    + [
        f'{field}__{lookup}'
        for field in GaugeResource.fields()
        for lookup in ('in', 'gte', 'range')
    ]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


@given(
    parameters=st.dictionaries(NAME | TEXT, st.lists(TEXT, max_size=2), max_size=4),
    header=st.none() | TEXT,
    body=st.none() | st.dictionaries(NAME | TEXT, ANYTHING, max_size=4),
)
def test_any_request_is_a_query_or_a_problem(
    parameters: dict[str, list[str]], header: str | None, body: dict[str, Any] | None
) -> None:
    try:
        query = read_query(
            Asked(resource=GaugeResource, parameters=parameters, mask=header, body=body), 'key'
        )
    except Problem as problem:
        refusal = problem
    else:
        hash(query.shape)
        return
    assert 400 <= refusal.answer_status < 500
    json.dumps(refusal.body(''), ensure_ascii=False).encode()

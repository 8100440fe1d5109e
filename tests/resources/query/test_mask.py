"""Masks: grammar, limits, and what they leave of plain data (rules M4, M12 and M13)."""

from time import process_time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstay.resources.errors import MaskError, MaskParseError, MaskTooLarge
from backstay.resources.query.mask import apply, parse
from backstay.resources.query.nodes import Mask
from tests.resources.contract import cases, document

DATA = document('mask_data_cases')['data']


@pytest.mark.parametrize('case', cases('mask_data_cases'))
class TestDataCases:
    def test_canonical_text(self, case: dict[str, Any]) -> None:
        assert str(parse(case['mask'])) == case['canonical']

    def test_missing_names_are_left_out(self, case: dict[str, Any]) -> None:
        left = apply(DATA, parse(case['mask']))

        assert left == case['skip']
        assert list(left) == list(case['skip'])

    def test_missing_names_are_null(self, case: dict[str, Any]) -> None:
        left = apply(DATA, parse(case['mask']), skip=False)

        assert left == case['keep']
        assert list(left) == list(case['keep'])


@pytest.mark.parametrize('case', cases('mask_http_cases'))
def test_masks_of_the_http_cases(case: dict[str, Any]) -> None:
    """Those that do not fit a resource are texts all the same: the plan refuses them."""
    text = case['body']['message'] if case['status'] == 400 else ''
    if text.startswith('Mask parse error'):
        with pytest.raises(MaskParseError) as raised:
            parse(case['mask'])
        assert raised.value.detail == text
    elif case['mask']:
        assert isinstance(parse(case['mask']), Mask)


@pytest.mark.parametrize(
    ('text', 'canonical'),
    [
        ('a,a{b}', '{a{b}}'),
        ('a{b},a', '{a}'),
        ('a{b},a{c}', '{a{c}}'),
        ('b,a,b{c}', '{b{c},a}'),
        ('a{b}c', '{a{b},c}'),
        ('a,', '{a}'),
        ('a{b,}', '{a{b}}'),
        ('"id"."name"', '{id,name}'),
        ("id/name|slug;'x'", '{id,name,slug,x}'),
        ('id\tname', '{id,name}'),
        ('na\r\nme', '{na,me}'),
        ('\n{\nid\n}\n', '{id}'),
        ('{}', '{}'),
        ('...', '{}'),
        ('name{}', '{name{}}'),
        ('naïve,名前', '{naïve,名前}'),
        ('**,*a', '{**,*a}'),
    ],
)
def test_grammar(text: str, canonical: str) -> None:
    assert str(parse(text)) == canonical


@pytest.mark.parametrize(
    ('text', 'error'),
    [
        ('a,,b', 'Unexpected comma'),
        (',a', 'Unexpected comma'),
        ('a{,b}', 'Unexpected comma'),
        ('{,}', 'Unexpected comma'),
        ('{{a}}', 'Unexpected opening bracket'),
        ('a{b}{c}', 'Unexpected opening bracket'),
        ('a,{b}', 'Unexpected opening bracket'),
        ('a}', 'Unexpected closing bracket'),
        ('{a},{b}', 'Unexpected closing bracket'),
        ('}', 'Unexpected closing bracket'),
        ('a{b', 'Missing closing bracket'),
        ('{', 'Missing closing bracket'),
        ('{a', 'Missing closing bracket'),
        ('{a{b}', 'Missing closing bracket'),
        ('{a} x', 'Missing closing bracket'),
    ],
)
def test_errors(text: str, error: str) -> None:
    with pytest.raises(MaskParseError) as raised:
        parse(text)

    assert raised.value.detail == f'Mask parse error: {error}'
    assert raised.value.answer_code == 'mask-parse-error'


@pytest.mark.parametrize(
    'text',
    [
        'x' * 4_097,
        'é' * 2_049,
        ','.join(f'n{index}' for index in range(257)),
        'x,' * 257,
        'a{' * 9 + 'b' + '}' * 9,
        '{' * 100_000,
        'a{' * 100_000,
    ],
)
def test_what_is_too_large_is_refused_at_once(text: str) -> None:
    began = process_time()
    with pytest.raises(MaskTooLarge) as raised:
        parse(text)

    assert raised.value.answer_code == 'mask-too-large'
    assert process_time() - began < 0.05


@pytest.mark.parametrize(
    'text',
    [
        'x' * 4_096,
        'é' * 2_048,
        ','.join(f'n{index}' for index in range(256)),
        'a{' * 8 + 'b' + '}' * 8,
        '{' + 'a{' * 8 + 'b' + '}' * 8 + '}',
    ],
)
def test_what_is_just_large_enough_is_read(text: str) -> None:
    assert parse(text).entries


@pytest.mark.parametrize(
    ('data', 'mask', 'left'),
    [
        ({'color': 'blue'}, 'color{x}', {'color': 'blue'}),
        (None, 'color', None),
        (3, 'color', 3),
        ([{'a': 1}, None, 2], 'a', [{'a': 1}, None, 2]),
        ({'a': None}, 'a{b}', {}),
        ({'a': None}, 'a{b},*', {'a': None}),
        ({'a': [1, {'b': 2, 'c': 3}, [{'b': 4}]]}, 'a{b}', {'a': [1, {'b': 2}, [{'b': 4}]]}),
        ({'a': 1, 'b': 2}, 'b,*', {'b': 2, 'a': 1}),
        ({'*': 1}, '*', {'*': 1}),
    ],
)
def test_plain_data(data: Any, mask: str, left: Any) -> None:
    assert apply(data, parse(mask)) == left


def test_data_may_nest_deeper_than_the_stack() -> None:
    data: Any = {'a': 1, 'b': 2}
    for _ in range(50_000):
        data = [data]

    left = apply(data, parse('a'))

    while isinstance(left, list):
        (left,) = left
    assert left == {'a': 1}


def test_the_data_itself_is_left_alone() -> None:
    data = {'a': {'b': 1, 'c': 2}}

    apply(data, parse('a{b}'))

    assert data == {'a': {'b': 1, 'c': 2}}


def test_equal_texts_give_one_mask() -> None:
    assert parse('id, name') == parse('{id name}')
    assert hash(parse('id, name')) == hash(parse('{id name}'))


@given(st.text(alphabet='ab*{}, :-\n;é', max_size=60) | st.text(max_size=60))
def test_any_text_is_a_mask_or_an_error(text: str) -> None:
    try:
        mask = parse(text)
    except MaskError:
        return
    assert parse(str(mask)) == mask
    assert str(parse(str(mask))) == str(mask)

"""Reading JSON strictly, and showing it briefly."""

from decimal import Decimal
from time import process_time

import pytest

from backstay.errors import Problem
from backstay.resources.query.json_text import is_deeper_than, load_json, shown


@pytest.mark.parametrize(
    ('text', 'value'),
    [
        ('{"a": [1, -2, "x", true, null]}', {'a': [1, -2, 'x', True, None]}),
        ('0.1', Decimal('0.1')),
        ('1e2', Decimal('1e2')),
        ('9007199254740993.0000000000000001', Decimal('9007199254740993.0000000000000001')),
        ('123456789012345678901234567890', 123456789012345678901234567890),
        ('"\\ud83d\\ude00"', '😀'),
        ('"\\\\ud83d"', '\\ud83d'),
        (b'"\xc3\xa9"', 'é'),
    ],
)
def test_what_is_json_is_read_exactly(text: str | bytes, value: object) -> None:
    assert load_json(text) == value


@pytest.mark.parametrize(
    ('text', 'reason'),
    [
        ('{', 'line 1, column 2'),
        ('', 'line 1, column 1'),
        ("{'a': 1}", 'line 1, column 2'),
        ('[1,]', 'line 1'),
        ('1 2', 'extra data'),
        ('\ufeff1', 'line 1'),
        ('"a\x00b"', 'control character'),
        ('NaN', 'NaN is not a number'),
        ('[Infinity]', 'Infinity is not a number'),
        ('[-Infinity]', '-Infinity is not a number'),
        ('{"a": 1, "b": 2, "a": 3}', 'the member `a` is there twice'),
        ('{"x": {"a": 1, "a": 1}}', 'the member `a` is there twice'),
        ('9' * 1_001, 'more than 1000 digits'),
        ('0.' + '9' * 1_000, 'more than 1000 digits'),
        ('1e99999999999999999999', 'exponent'),
        ('"\\ud800"', 'surrogate'),
        ('{"\\udfff": 1}', 'surrogate'),
        ('"\ud800"', 'surrogate'),
        (b'"\xff"', 'not UTF-8'),
        (b'"\xed\xa0\x80"', 'not UTF-8'),
        ('[' * 65 + ']' * 65, 'at most 64 deep'),
    ],
)
def test_what_is_not_json_says_why(text: str | bytes, reason: str) -> None:
    with pytest.raises(Problem) as raised:
        load_json(text)

    assert raised.value.answer_status == 400
    assert raised.value.answer_code == 'malformed-json'
    assert reason in raised.value.detail
    raised.value.detail.encode()


def test_64_levels_are_read() -> None:
    assert load_json('[' * 64 + ']' * 64) is not None


@pytest.mark.parametrize(
    ('text', 'deeper'),
    [
        ('[[]]', False),
        ('[[[]]]', True),
        ('[{"a":[]}]', True),
        ('[[],[],[],[]]', False),
        ('[["[[[["]]', False),
        ('[["\\"[[[["]]', False),
        ('[["\\\\",[1]]]', True),
        ('[["[[[', False),
        (']]]][[', False),
    ],
)
def test_only_brackets_outside_strings_nest(text: str, deeper: bool) -> None:
    assert is_deeper_than(2, text) is deeper


@pytest.mark.parametrize('text', ['[' * 1_000_000, '"\\' * 500_000, '[["' + '\\"' * 500_000])
def test_depth_is_found_in_linear_time(text: str) -> None:
    began = process_time()

    is_deeper_than(64, text + '[' * 65)

    assert process_time() - began < 0.5


@pytest.mark.parametrize(
    ('value', 'text'),
    [
        (None, 'None'),
        ('x', 'x'),
        (True, 'True'),
        (Decimal('1.50'), '1.50'),
        (1 << 300, 'a huge number'),
        ([1, 2, 3, 4], '[1, 2, 3, ...]'),
        ('a\ud800', 'a\\ud800'),
        (object(), 'object'),
    ],
)
def test_what_a_client_sent_is_shown_briefly(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_list_of_any_depth_is_shown() -> None:
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]

    assert len(shown(deep)) < 70

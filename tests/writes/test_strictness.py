"""Bodies are read as strictly as filters: nothing is taken for another value than it is."""

from decimal import Decimal
from typing import Any

import pytest

from backstay.resources.declaration.readable import Readable
from backstay.resources.errors import FilterError
from backstay.resources.query.values import read
from tests.bookshop.resources import SpecimenResource
from tests.writes.json_values import MEMBERS

#: What Django REST Framework takes for another value, by the name of the column.
TAKEN_FOR_ANOTHER: dict[str, list[Any]] = {
    'integer': ['\u0661\u0662', '12_3', '7.0', Decimal('7.0'), True, ' 7', '+7'],
    'real': ['\u0661.5', '1_0', True, ' 1.5', 'nan', 'Infinity'],
    'money': ['\u0661.50', '1_0', ' 1.50', True, '\uff11'],
    'truth': ['yes', 'true', 'on', 'f', 1, 0, '1', Decimal(1)],
    'day': [
        '2024-W01-1',
        '20240101',
        '2024-1-1',
        '\u0662\u0660\u0662\u0664-01-01',
        '2024-01-01T00:00',
    ],
    'clock': ['14:05:00.123456789', '140500', '14:05:00Z', '14:05:00,5', '1\u0664:05:00'],
    'moment': [
        '2024-01-01T14:05:00.123456789Z',
        '2024-W01-1T14:05:00Z',
        '20240101T140500Z',
        '2024-01-01T14:05:00,5Z',
        '2024-01-01T1\u0664:05:00Z',
    ],
    'span': ['00:00:01.123456789', 'PT1.1234567S', '\u0661 00:00:00', 5, Decimal('1.5')],
    'uuid': [
        5,
        '0123456789abcdef0123456789abcdef',
        'urn:uuid:01234567-89ab-cdef-0123-456789abcdef',
    ],
    'ip': ['fe80::1%eth0', '1.2.3', '0x7f.1', 2130706433],
    'text': [5, Decimal('1.5')],
    'long_text': [5],
    'choice': [5],
}


@pytest.mark.parametrize(
    ('name', 'raw'), [(name, raw) for name, every in TAKEN_FOR_ANOTHER.items() for raw in every]
)
def test_what_a_filter_refuses_a_body_refuses_too(name: str, raw: Any) -> None:
    field = Readable(SpecimenResource).fields[name]
    with pytest.raises(FilterError):
        read(field, raw)

    value, faults = MEMBERS[f'Specimen.{name}'].clean(raw)

    assert [fault.code for fault in faults] in (
        ['invalid'], ['invalid-choice'], ['max-string-length']
    ), value  # fmt: skip


@pytest.mark.parametrize(
    ('name', 'raw'),
    [
        ('integer', 7),
        ('integer', '-7'),
        ('real', Decimal('1e-7')),
        ('real', '1.5'),
        ('money', '12.50'),
        ('money', 12),
        ('truth', False),
        ('day', '2024-01-01'),
        ('clock', '14:05'),
        ('moment', '2024-01-01T14:05:00.123456+02:00'),
        ('span', '1 00:00:00.5'),
        ('span', 'P1DT2H'),
        ('uuid', '01234567-89AB-cdef-0123-456789abcdef'),
        ('ip', '::ffff:10.0.0.1'),
        ('text', 'x' * 200),
        ('choice', 'a'),
        ('document', {'a': [5, 'yes']}),
    ],
)
def test_what_is_written_as_it_should_be_is_taken(name: str, raw: Any) -> None:
    assert MEMBERS[f'Specimen.{name}'].clean(raw)[1] == []


@pytest.mark.parametrize('name', [*TAKEN_FOR_ANOTHER])
def test_null_is_taken_where_the_column_takes_it(name: str) -> None:
    assert MEMBERS[f'Specimen.{name}'].clean(None) == (None, [])

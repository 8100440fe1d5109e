"""What each kind of field takes (rule F7)."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from time import process_time
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backstay.resources.declaration.readable import Readable
from backstay.resources.errors import FilterError
from backstay.resources.query.values import escaped, read
from tests.catalogue.resources import GaugeResource

UID = UUID('01234567-89ab-cdef-0123-456789abcdef')


@pytest.mark.parametrize(
    ('name', 'raw', 'value'),
    [
        ('text', 'x', 'x'),
        ('text', '', ''),
        ('text', 'é' * 256, 'é' * 256),
        ('note', "'; DROP TABLE product;--", "'; DROP TABLE product;--"),
        ('colour', 'red', 'red'),
        ('colour', '', ''),
        ('tiny', 32_767, 32_767),
        ('tiny', '-32768', -32_768),
        ('whole', '007', 7),
        ('count', -1, -1),
        ('big', 2**63 - 1, 2**63 - 1),
        ('big', str(-(2**63)), -(2**63)),
        ('seo_id', 2**63 - 1, 2**63 - 1),
        ('real', 1, 1.0),
        ('real', Decimal('0.1'), 0.1),
        ('real', '1e300', 1e300),
        ('real', 0.1, 0.1),
        ('amount', 12, Decimal(12)),
        ('amount', Decimal('12.50'), Decimal('12.50')),
        ('amount', '-12.50', Decimal('-12.50')),
        ('amount', 0.1, Decimal('0.1')),
        ('amount', '1e3', Decimal(1000)),
        ('amount', '9' * 38, Decimal('9' * 38)),
        ('yes', True, True),
        ('day', '2026-02-28', date(2026, 2, 28)),
        ('clock', '14:05', time(14, 5)),
        ('clock', '14:05:06.000007', time(14, 5, 6, 7)),
        ('moment', '2026-01-31T14:05:00Z', datetime(2026, 1, 31, 14, 5, tzinfo=UTC)),
        ('moment', '2026-01-31t14:05:00z', datetime(2026, 1, 31, 14, 5, tzinfo=UTC)),
        ('moment', '2026-01-31T14:05:00+02:00', datetime(2026, 1, 31, 12, 5, tzinfo=UTC)),
        ('moment', '2026-01-31 14:05', datetime(2026, 1, 31, 14, 5, tzinfo=UTC)),
        ('moment', '2026-01-31T14:05:00.5+02:00', datetime(2026, 1, 31, 12, 5, 0, 500_000, UTC)),
        ('moment', '2026-01-31', datetime(2026, 1, 31, tzinfo=UTC)),
        (
            'moment',
            '2026-01-31T14:05:00.000007Z',
            datetime(2026, 1, 31, 14, 5, 0, 7, tzinfo=UTC),
        ),
        ('span', '1 02:03:04', timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ('span', 'P1DT2H3M4S', timedelta(days=1, hours=2, minutes=3, seconds=4)),
        ('uid', str(UID), UID),
        ('uid', str(UID).upper(), UID),
        ('address', '10.0.0.1', '10.0.0.1'),
        ('address', '2001:DB8::0:1', '2001:db8::1'),
        ('address', '::ffff:10.0.0.1', '::ffff:10.0.0.1'),
        ('address_v4', '::ffff:10.0.0.1', '10.0.0.1'),
        ('tags', 'sale', 'sale'),
        ('tags', 3, 3),
        ('tags', Decimal('1.5'), 1.5),
        ('tags', True, True),
    ],
)
def test_what_fits_is_read(gauges: Readable, name: str, raw: object, value: object) -> None:
    found = read(gauges.fields[name], raw)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ('name', 'raw'),
    [
        ('text', 1),
        ('text', None),
        ('text', ['x']),
        ('text', 'a\0b'),
        ('text', 'a\ud800'),
        ('text', 'x' * 257),
        ('colour', 'green'),
        ('colour', 'RED'),
        ('colour', None),
        ('colour', []),
        ('tiny', 32_768),
        ('whole', 2**31),
        ('count', 2**31),
        ('big', 2**63),
        ('big', -(2**63) - 1),
        ('big', '9' * 300),
        ('seo_id', 2**63),
        ('whole', True),
        ('whole', 1.0),
        ('whole', Decimal(1)),
        ('whole', '1.0'),
        ('whole', ''),
        ('whole', '-'),
        ('whole', '--1'),
        ('whole', '+1'),
        ('whole', ' 1'),
        ('whole', '1_0'),
        ('whole', '\uff11'),
        ('whole', '0x1'),
        ('whole', {}),
        ('real', 'nan'),
        ('real', 'inf'),
        ('real', float('inf')),
        ('real', '1e400'),
        ('real', True),
        ('amount', 'NaN'),
        ('amount', 'Infinity'),
        ('amount', Decimal('NaN')),
        ('amount', Decimal('sNaN')),
        ('amount', '1e999999'),
        ('amount', '1e-999999'),
        ('amount', Decimal('0e999999')),
        ('amount', '1e99999999999999999999'),
        ('amount', 10**38),
        ('amount', '1_0'),
        ('amount', '\uff11'),
        ('amount', ' 1'),
        ('amount', '1,5'),
        ('amount', ''),
        ('amount', '9' * 1_000),
        ('yes', 'true'),
        ('yes', 1),
        ('day', '2026-02-30'),
        ('day', '20260228'),
        ('day', '2026-2-28'),
        ('day', '2026-W01-1'),
        ('day', '0000-01-01'),
        ('day', '2026-01-01T00:00:00Z'),
        ('day', 20_260_101),
        ('clock', '24:00'),
        ('clock', '1405'),
        ('clock', '14'),
        ('clock', '14:05Z'),
        ('clock', '14:05:00.0000001'),
        ('moment', '2026-01-31T14'),
        ('moment', '2026-01-31X14:05'),
        ('moment', '2026-01-31T14:05:00 02:00'),
        ('moment', '2026-01-31T14:05:60Z'),
        ('moment', '2026-01-31T14:05:00.1234567Z'),
        ('moment', '2026-W05-1T14:05'),
        ('moment', '0001-01-01T00:00:00+01:00'),
        ('moment', '9999-12-31T23:59:59-01:00'),
        ('moment', '2026-01-31T14:05:00+25:00'),
        ('moment', 0),
        ('moment', '\ud800' * 20),
        ('span', 'soon'),
        ('span', 'P999999999999999999D'),
        ('span', 'P999999999D'),
        ('span', 60),
        ('uid', '0123456789abcdef0123456789abcdef'),
        ('uid', '{01234567-89ab-cdef-0123-456789abcdef}'),
        ('uid', 'urn:uuid:01234567-89ab-cdef-0123-456789abcdef'),
        ('uid', 'x'),
        ('address', '10.0.0'),
        ('address', '10.0.0.01'),
        ('address', 'fe80::1%eth0'),
        ('address', '1::2::3'),
        ('address', 167_772_161),
        ('tags', None),
        ('tags', [1]),
        ('tags', 2**63),
        ('tags', 'a\0'),
    ],
)
def test_what_does_not_fit_is_a_bad_value(gauges: Readable, name: str, raw: object) -> None:
    with pytest.raises(FilterError) as raised:
        read(gauges.fields[name], raw, '/value')

    assert raised.value.reason == 'BadValue'
    assert raised.value.pointer == '/value'
    assert f'`{name}` takes ' in raised.value.detail


@pytest.mark.parametrize(
    ('name', 'raw', 'detail'),
    [
        ('big', 'abc', 'A value of the wrong type: `big` takes an integer from'),
        ('big', 2**63, 'A value out of range: `big` takes an integer from'),
        ('tiny', 40_000, 'from -32768 to 32767'),
        ('colour', 'green', 'takes one of `red`, `blue`'),
        ('day', '2026-02-30', 'takes a date such as 2026-01-31'),
    ],
)
def test_the_error_says_what_fits(gauges: Readable, name: str, raw: object, detail: str) -> None:
    with pytest.raises(FilterError, match=detail):
        read(gauges.fields[name], raw)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.decimals()
    | st.text()
    | st.text(alphabet='0123456789-:TZ.+eEPDHMS _', max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(name=st.sampled_from(sorted(set(GaugeResource.fields()) - {'blob'})), raw=JSON)
def test_anything_is_a_value_or_a_bad_value(name: str, raw: Any) -> None:
    began = process_time()
    reason = 'BadValue'
    try:
        read(GaugeResource.fields()[name], raw)
    except FilterError as error:
        reason = error.reason
        error.detail.encode()
    assert reason == 'BadValue'
    assert process_time() - began < 0.2


@given(st.text())
def test_an_escaped_text_has_no_wildcard(text: str) -> None:
    plain = escaped(text).replace('\\\\', '').replace('\\%', '').replace('\\_', '')

    assert not set(plain) & set('\\%_')

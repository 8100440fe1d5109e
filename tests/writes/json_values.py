"""JSON values as bodies hold them, many of them nearly of some form; and what may take them."""

from datetime import UTC, date, datetime
from decimal import Decimal

from hypothesis import strategies as st

from backstay.resources.write.members import writable
from tests.bookshop.resources import SpecimenResource
from tests.lending.resources import SERVED

#: Every member of a body that is a column.
MEMBERS = {
    f'{resource.options.name}.{name}': member
    for resource in (SpecimenResource, *SERVED.values())
    for name, member in writable(resource).items()
}


#: JSON as bodies are read: fractions are Decimals, and no text has half a surrogate pair.
TEXTS = st.text(st.characters(codec='utf-8'), max_size=12)
EDGES = st.sampled_from(
    [
        '',
        ' ',
        ' a',
        'a\u00a0',
        'a\x1f',
        'a\x00b',
        '\ufeffa',
        'a' * 40,
        'a' * 41,
        'a' * 80,
        'a' * 200,
        'a' * 201,
        'true',
        'null',
        '0000-01-01',
        '2026-02-29',
        '2024-02-29',
        '\uff12\uff10\uff12\uff16-01-01',
        '2026-01-31T14:05:00Z',
        '2026-01-31T14:05:00.123456+02:00',
        '2026-01-31T14:05:00.1Z',
        '2026-01-31T24:00:00Z',
        '2026-01-31T23:59:60Z',
        '0001-01-01T00:00:00+02:00',
        '9999-12-31T23:59:59-02:00',
        '2026-01-31T14:05:00+23:59',
        '2026-01-31T14:05:00+99:00',
        'a',
        'draft',
        'DRAFT',
        '\u0663.\u0660\u0660',
    ]
)
DIGITS = st.from_regex(r'-?[0-9]{1,22}(\.[0-9]{1,11})?', fullmatch=True)
NUMBERS = st.one_of(
    st.integers(-(2**65), 2**65),
    st.sampled_from([0, 1, -1, 2**15, 2**31 - 1, 2**31, 2**63 - 1, 2**63, -(2**31) - 1, 10**400]),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.sampled_from([Decimal('1E+400'), Decimal('-0.0'), Decimal('1E-400'), Decimal('1.0')]),
)
FORMS = st.one_of(
    st.dates().map(date.isoformat),
    st.datetimes(timezones=st.just(UTC)).map(datetime.isoformat),
    st.datetimes().map(lambda moment: moment.isoformat(timespec='seconds') + 'Z'),
    st.times().map(str),
    st.timedeltas().map(str),
    st.uuids().map(str),
    st.ip_addresses().map(str),
)
SCALARS = st.one_of(TEXTS, EDGES, DIGITS, NUMBERS, FORMS, st.booleans(), st.none())
VALUES = st.one_of(
    SCALARS, st.lists(SCALARS, max_size=2), st.dictionaries(TEXTS, SCALARS, max_size=2)
)

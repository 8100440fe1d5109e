"""Both engines write the same text and find the same rows, where either alone would not."""

import json
from typing import Any

import pytest
from django.db import connection, models
from django.db.models import F
from django.db.models.functions import Lower

from backstay.resources import Computed
from tests.bookshop.factories import make_book, make_specimen
from tests.bookshop.models import Book, Specimen
from tests.bookshop.resources import BookResource, SpecimenResource
from tests.resources import oracle
from tests.resources.asking import ask
from tests.resources.conftest import Declare

pytestmark = pytest.mark.django_db

FLOATS = {
    1.0: '1',
    -0.0: '0',  # neither driver stores the sign
    0.1 + 0.2: '0.30000000000000004',
    1e-7: '1e-07',
    1e-4: '0.0001',
    9.9e-5: '9.9e-05',
    123456789.0: '123456789',
    999999999999999.0: '999999999999999',
    1e15: '1e+15',
    -1234567890123456.8: '-1.2345678901234568e+15',
    9999999999999998.0: '9.999999999999998e+15',
    1e16: '1e+16',
    1.79e308: '1.79e+308',
    5e-324: '5e-324',
}


@pytest.mark.parametrize(('number', 'text'), FLOATS.items())
def test_a_float_is_the_same_text_on_both_engines(
    declare: Declare, number: float, text: str
) -> None:
    make_specimen(required_real=number)
    made = declare(Specimen, 'id', same=Computed(F('required_real'), models.FloatField()))

    assert ask(SpecimenResource, 'required_real').texts == (f'{{"required_real":{text}}}',)
    assert ask(made, 'same').texts == (f'{{"same":{text}}}',)
    assert float(text) == number


def test_a_float_that_is_computed_of_decimals_is_a_float(declare: Declare) -> None:
    make_specimen(required_money='2.50')
    made = declare(
        Specimen,
        'id',
        half=Computed(F('required_money') * 0.5, models.FloatField()),
        ten=Computed(F('required_integer') + 10, models.FloatField()),
        minus=Computed(F('required_real') * -1.0, models.FloatField()),
    )

    asked = ask(made, 'half,ten,minus', sort='half,ten,minus', cursor=True)
    assert asked.texts == ('{"half":1.25,"ten":10,"minus":-0}',)
    for name, value in (('half', 1.25), ('ten', 10), ('minus', 0)):
        asked = {'field': name, 'value': value}
        assert len(ask(made, 'id', filter=asked).objects) == 1


@pytest.mark.parametrize('number', [*FLOATS])
def test_a_number_inside_of_json_is_the_same_number(number: float) -> None:
    """PostgreSQL writes those of `jsonb` without an exponent, so their text is not the same."""
    make_book(metadata={'a': number})

    (text,) = ask(BookResource, 'metadata').texts

    assert float(json.loads(text)['metadata']['a']) == number


@pytest.mark.parametrize('labels', [{'x': 'new'}, {'new': 'x'}, {}, 'new', 1, True, [['new']]])
@pytest.mark.parametrize('op', ['any', 'not_any'])
def test_an_element_is_found_in_arrays_alone(op: str, labels: Any) -> None:
    make_book(labels=labels)
    make_book(labels=['old', 'new'])
    make_book(labels=None)

    for value, holding in (('new', 1), (1, 0), (True, 0), ('old', 1)):
        found = ask(BookResource, 'id', filter={'field': 'labels', 'op': op, 'value': value})
        assert len(found.objects) == (holding if op == 'any' else 2 - holding), value


def test_sqlite_lowers_ascii_alone(declare: Declare) -> None:
    """A documented difference: an index on `LOWER(...)` would not survive another function."""
    make_book(title='\u00c4rger A')
    made = declare(Book, 'id', lower=Computed(Lower('title'), models.CharField()))

    (found,) = ask(made, 'lower').values('lower')

    if connection.vendor == 'sqlite':
        assert found == '\u00c4rger a'
    elif oracle.folds_every_letter():
        assert found == '\u00e4rger a'

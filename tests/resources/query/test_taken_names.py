"""Fields that are called as parameters of lists: what the document says of them is true."""

import pytest
from django.db import models
from django.db.models import F
from drf_spectacular.plumbing import ComponentRegistry

from backstay.caller import GUEST
from backstay.resources import Computed, Resource
from backstay.resources.declaration.readable import Readable
from backstay.resources.openapi.components import Components
from backstay.resources.openapi.operation_parameters import comparisons, list_parameters
from backstay.resources.query.asked import Asked
from backstay.resources.query.nodes import Leaf, Op, Query
from backstay.resources.query.parameters import TAKEN, read_query
from tests.bookshop.models import Book
from tests.resources.conftest import Declare

_NUMBER = Computed(F('pages'), models.IntegerField())
_NAMES = sorted({*TAKEN, 'q', 'page', 'search', 'strict'})


def _resource(declare: Declare, name: str) -> type[Resource]:
    return declare(Book, 'id', 'title', **{name: _NUMBER})


def _asked(resource: type[Resource], **parameters: str) -> Query:
    given = {name: (value,) for name, value in parameters.items()}
    return read_query(Asked(resource=resource, caller=GUEST, parameters=given), 'key')


@pytest.mark.parametrize('name', _NAMES)
def test_the_parameter_that_the_document_names_asks_for_the_field(
    name: str, declare: Declare
) -> None:
    readable = Readable(_resource(declare, name), GUEST.standing())
    documented = [each.name for each in comparisons(readable, Components(ComponentRegistry()))]
    first, *_ = (each for each in documented if each.partition('__')[0] == name)

    query = _asked(readable.resource, **{first: '3'})

    assert query.shape.where == Leaf(field=name, op=Op.EQ, slot=0)
    assert first == (f'{name}__exact' if name in TAKEN else name)


@pytest.mark.parametrize('name', _NAMES)
def test_a_filter_asks_for_the_field(name: str, declare: Declare) -> None:
    readable = Readable(_resource(declare, name), GUEST.standing())
    spec = f'[{{"field": "{name}", "op": ">=", "value": 3}}]'

    query = _asked(readable.resource, filter=spec, sort=name)

    assert query.shape.where == Leaf(field=name, op=Op.GE, slot=0)
    assert query.shape.order[0].field == name


@pytest.mark.parametrize('name', _NAMES)
def test_no_parameter_is_documented_twice(name: str, declare: Declare) -> None:
    readable = Readable(_resource(declare, name), GUEST.standing())
    components = Components(ComponentRegistry())

    names = [each.name for each in list_parameters(readable, components)]
    names += [each.name for each in comparisons(readable, components)]

    assert len(names) == len({*names})

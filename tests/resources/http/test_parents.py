"""Parents: asked about, and never shown (rules M9 and F3)."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import override_settings

from backstay.resources import Parent, Resource
from backstay.resources.checks import check_resources
from tests.bookshop.resources import OPEN
from tests.catalogue.models import Variant
from tests.catalogue.resources import ProductResource
from tests.inlined import inlined
from tests.resources.http.asking import get
from tests.resources.http.rows import store_products

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures('site'),
]


@pytest.fixture
def site() -> Any:
    store_products()
    with override_settings(ROOT_URLCONF='tests.resources.http.site'):
        yield


def variants(**parameters: str) -> Any:
    return get(f'/variants/?{urlencode({"ordering": "id", **parameters})}')


def test_a_child_is_filtered_by_its_parent() -> None:
    spec = json.dumps({'model': 'Product', 'field': 'name', 'value': 'Blue mug'})

    assert variants(filter=spec).ids == [1, 2]
    assert variants(**{'product.name': 'Blue mug'}).ids == [1, 2]
    assert variants(**{'product.price__gte': '20'}).ids == [4, 5]


def test_a_child_is_ordered_by_its_parent() -> None:
    assert variants(ordering='product.name,id').ids == [1, 2, 4, 5, 3]


def test_a_mask_cannot_name_it() -> None:
    assert variants(fields='id,product{name}', limit='1').results == [{'id': 1}]
    assert 'product' not in variants(fields='*', limit='1').results[0]


def test_the_document_has_its_filters_and_not_itself() -> None:
    document = inlined(get('/openapi.json').json)
    names = {each['name'] for each in document['paths']['/variants/']['get']['parameters']}

    assert 'product.name' in names
    assert 'product' not in document['components']['schemas']['Variant']['properties']


def test_a_default_mask_that_shows_it_is_refused(declared_alone: None) -> None:
    class WrongResource(Resource):
        class Meta:
            model = Variant
            fields = ('id',)
            default_mask = '{id,product}'

        product = Parent(ProductResource)
        grants = OPEN

    assert [message.id for message in check_resources()] == ['backstay.E017']


@pytest.fixture
def declared_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr('backstay.resources.declaration.registry._registry', {})

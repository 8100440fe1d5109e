"""What the caller may not read answers exactly like what does not exist (rules L2 and L4)."""

from collections.abc import Mapping
from typing import Any

import pytest

from backstay.errors import Problem
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.shape import Field, Relation
from backstay.resources.query.asked import Asked
from backstay.resources.query.nodes import Key
from backstay.resources.query.order import declared_order
from backstay.resources.query.parameters import read_query
from tests.catalogue.resources import ProductResource

HIDDEN = {'price', 'variants', 'sku', 'metadata'}


class AskedNarrowly(Asked):
    """What is asked of it."""

    def __post_init__(self) -> None:
        object.__setattr__(self, 'readable', Narrow(self.resource))


class Narrow(Readable):
    """The resource without its hidden names, and so on through its relations."""

    @property
    def fields(self) -> Mapping[str, Field]:
        fields = self.resource.fields()
        return {name: field for name, field in fields.items() if name not in HIDDEN}

    @property
    def relations(self) -> Mapping[str, Relation]:
        relations = self.resource.relations()
        return {name: each for name, each in relations.items() if name not in HIDDEN}

    def through(self, relation: Relation) -> 'Narrow':
        return Narrow(relation.target)


def refusal(**parameters: str) -> dict[str, Any]:
    """The whole body with which a query string is refused."""
    given = {name: [text] for name, text in parameters.items()}
    with pytest.raises(Problem) as raised:
        read_query(AskedNarrowly(resource=ProductResource, parameters=given), 'key')
    return raised.value.body('')


@pytest.mark.parametrize(
    ('parameter', 'text', 'name'),
    [
        ('filter', '{"field":"price","op":"is_null"}', 'price'),
        ('filter', '{"field":"price","op":"junk","value":1}', 'price'),
        ('filter', '{"not":[{"field":"price","value":"x"}]}', 'price'),
        ('filter', '{"field":"metadata.a","value":1}', 'metadata'),
        ('filter', '{"model":"Variant","field":"qty","value":1}', 'Variant'),
        ('filter', '{"some":{"model":"Variant","where":[]}}', 'Variant'),
        ('sort', '-price', 'price'),
        ('sort', 'variants.qty', 'variants'),
        ('sort', '{"field":"price","direction":"asc"}', 'price'),
        ('sort', '{"model":"Variant","field":"qty","direction":"asc"}', 'Variant'),
        ('price', '1', 'price'),
        ('price__gte', 'x', 'price'),
        ('price__junk', '1', 'price'),
        ('metadata.a', 'x', 'metadata'),
        ('variants.qty', '1', 'variants'),
        ('variants.qty__isnull', 'x', 'variants'),
    ],
)
def test_a_hidden_name_is_an_unknown_name(parameter: str, text: str, name: str) -> None:
    unknown = name + 'x'

    hidden = refusal(**{parameter: text})
    absent = refusal(**{parameter.replace(name, unknown): text.replace(name, unknown)})

    assert str(hidden).replace(f'`{name}', f'`{unknown}') == str(absent)


def test_a_declared_order_leaves_a_hidden_field_out() -> None:
    order = declared_order(('-price', 'name'), Narrow(ProductResource))

    assert order == (Key(field='name'), Key(field='id'))

"""`Seed`: how many rows a model gets, and which of its values are not left to the engine."""

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, Union

from django.db import models

from backstay.resources import Many, Resource
from backstay.resources.declaration.shape import Relation
from backstay.seeding.errors import SeedError
from backstay.seeding.values import Values

if TYPE_CHECKING:
    from backstay.seeding.factory import Row


class Zipf:
    """Draws the first members of a set far more often than the last, as sales and words are."""


#: What is given for a field: a function of the row that is made, a set to draw from, or another
#: way of drawing. For a relation: how many rows a parent has on average.
Given = Union['Callable[[Row], Any]', Values, Zipf, float]


class Seed:
    """The rows of one model, given by its resource or, where it has none, by itself.

        Seed(ProductResource, rows={'small': 100, 'large': 100_000}, company=Zipf(), variants=3)
        Seed(VariantResource, sku=lambda row: f'SKU-{row.index + 1:07}')

    `rows` is by size, or one number for all sizes. Without it there are as many as the resource of
    the parent says: `fan_out` of its `Many` for each of its rows, or one behind a `One`. `nulls`
    has the share of nulls by field; it is a tenth where a field may be null. `kept` names fields
    that triggers of the database keep: they are written as their defaults, and are no part of the
    checksum. `afterwards` is called when all models of the seeding are written, by every run that
    gets there: what it does must be the same when it is done twice. Any other argument is a field
    of the model or a relation to many of its resource.
    """

    def __init__(
        self,
        target: type[Resource] | type[models.Model],
        /,
        *,
        rows: Mapping[str, int] | int | None = None,
        nulls: Mapping[str, float] | None = None,
        kept: Collection[str] = (),
        afterwards: Callable[[], object] | None = None,
        **given: Given,
    ) -> None:
        self.resource = target if issubclass(target, Resource) else None
        model = target.options.model if issubclass(target, Resource) else target
        #: A proxy has the rows of the model behind it.
        self.model: type[models.Model] = model._meta.concrete_model or model
        self.rows = rows
        self.nulls = dict(nulls or {})
        self.kept = frozenset(kept)
        self.afterwards = afterwards
        self.given = given

    @property
    def label(self) -> str:
        """What the model is called."""
        return self.model._meta.label

    @property
    def sizes(self) -> frozenset[str]:
        """The sizes that it names."""
        return frozenset(self.rows) if isinstance(self.rows, Mapping) else frozenset()

    def relations(self) -> dict[str, Relation]:
        """The relations of its resource whose rows are counted by those of this model."""
        every = self.resource.relations() if self.resource else {}
        return {name: each for name, each in every.items() if each.many or not each.forward}

    @property
    def fields(self) -> dict[str, Any]:
        """What is given for fields, without the numbers that are given for relations."""
        relations = self.relations()
        return {name: value for name, value in self.given.items() if name not in relations}

    def per_row(self, relation: Relation) -> float:
        """How many rows behind a relation each row of this model has on average."""
        number = self.given.get(relation.name)
        if number is None:
            return relation.declared.fan_out if isinstance(relation.declared, Many) else 1
        if not isinstance(number, int | float) or number < 0:
            raise SeedError(f'{self.label}.{relation.name}: say how many a row has on average')
        return number

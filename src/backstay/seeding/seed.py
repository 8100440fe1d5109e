"""`Seed`: the number of rows of a model, and the values that are not left to the engine."""

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


#: An argument for a field: a function of the row that is made, a set to draw from, or another way
#: of drawing. For a relation: the average number of rows of a parent.
Given = Union['Callable[[Row], Any]', Values, Zipf, float]


class Seed:
    """The rows of one model, given by its resource or, where it has none, by itself.

        Seed(ProductResource, rows={'small': 100, 'large': 100_000}, company=Zipf(), variants=3)
        Seed(VariantResource, sku=lambda row: f'SKU-{row.index + 1:07}')

    `rows` is by size, or one number for all sizes. Without it, the resource of the parent decides:
    `fan_out` of its `Many` for each of its rows, or one behind a `One`. `nulls` has the share of
    nulls by field; the default is a tenth for a field that may be null. `kept` names fields that
    triggers of the database maintain: they are written as their defaults, and are not part of the
    checksum. `afterwards` is called when all models of the seeding are written, by every run that
    gets there, so calling it twice must give the same result. Any other argument is a field of the
    model or a relation to many of its resource.
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
        #: The concrete model, which holds the rows of a proxy.
        self.model: type[models.Model] = model._meta.concrete_model or model
        self.rows = rows
        self.nulls = dict(nulls or {})
        self.kept = frozenset(kept)
        self.afterwards = afterwards
        self.given = given

    @property
    def label(self) -> str:
        """The label of the model."""
        return self.model._meta.label

    @property
    def sizes(self) -> frozenset[str]:
        """The sizes for which it has a number of rows."""
        return frozenset(self.rows) if isinstance(self.rows, Mapping) else frozenset()

    def relations(self) -> dict[str, Relation]:
        """Return the relations of its resource whose rows are counted per row of this model."""
        every = self.resource.relations() if self.resource else {}
        return {name: each for name, each in every.items() if each.many or not each.forward}

    @property
    def fields(self) -> dict[str, Any]:
        """The arguments for fields, without the numbers for relations."""
        relations = self.relations()
        return {name: value for name, value in self.given.items() if name not in relations}

    def per_row(self, relation: Relation) -> float:
        """Return the average number of rows behind a relation of each row of this model."""
        number = self.given.get(relation.name)
        if number is None:
            return relation.declared.fan_out if isinstance(relation.declared, Many) else 1
        if not isinstance(number, int | float) or number < 0:
            raise SeedError(f'{self.label}.{relation.name}: say how many a row has on average')
        return number

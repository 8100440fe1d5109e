"""Data sets of the bookshop for hypothesis: drawn, stored, and read back through the ORM."""

from collections.abc import Callable, Sequence
from typing import Any

from django.db import models
from django.db.models import ExpressionWrapper, Prefetch, QuerySet
from hypothesis import strategies as st

from backstay.resources import Computed, Resource
from tests.bookshop.models import (
    Author,
    Biography,
    Book,
    Country,
    Edition,
    Publisher,
    Review,
    Specimen,
    Tag,
)
from tests.bookshop.resources import (
    AuthorResource,
    BookResource,
    CardResource,
    EditionResource,
    PublisherResource,
    VolumeResource,
)
from tests.resources import values

Draw = Callable[[st.SearchStrategy[Any]], Any]

#: Resources whose rows the data set of relations has.
SHOP = (BookResource, PublisherResource, AuthorResource, EditionResource, VolumeResource)


@st.composite
def shops(draw: Draw) -> None:
    """Stores a bookshop of a few rows of everything."""
    countries = _store(draw, Country, 2, code=st.sampled_from(('de', 'fr')), unique='code')
    publishers = _store(draw, Publisher, 3, country=_one_of(countries, optional=True))
    authors = _store(draw, Author, 4)
    _store(draw, Biography, 3, author=_one_of(authors), unique='author')
    tags = _store(draw, Tag, 7)
    books = _store(
        draw,
        Book,
        5,
        publisher=_one_of(publishers, optional=True),
        labels=st.none() | values.labels(),
    )
    for book in books:
        book.authors.set(draw(_some_of(authors)))
        book.tags.set(draw(_some_of(tags)))
    editions = _store(draw, Edition, 7, book=_one_of(books), position=st.integers(0, 2))
    _store(draw, Review, 6, edition=_one_of(editions), stars=st.integers(1, 3))


@st.composite
def specimens(draw: Draw) -> None:
    """Stores a few rows with every type of field."""
    _store(draw, Specimen, 4)


def read(resource: type[Resource]) -> list[Any]:
    """Every row of a resource, with its computed values and its related rows."""
    return list(_with_computed(resource).order_by('pk').prefetch_related(*_needed(resource)))


def _with_computed(resource: type[Resource]) -> QuerySet[Any]:
    computed = {
        name: ExpressionWrapper(declared.expression, declared.output_field)
        for name, declared in resource.declared.items()
        if isinstance(declared, Computed)
    }
    return resource.options.model._base_manager.annotate(**computed)


def _needed(resource: type[Resource]) -> Sequence[Any]:
    """What is read along with the rows of a resource, so that comparing asks nothing more."""
    if resource is BookResource:
        editions = Prefetch('editions', Edition.objects.prefetch_related('reviews'))
        authors = Prefetch('authors', Author.objects.prefetch_related('biography'))
        return 'publisher__country', editions, authors, 'tags'
    if resource is VolumeResource:
        return (Prefetch('book', _with_computed(CardResource)),)
    return {
        PublisherResource: ('country',),
        AuthorResource: ('biography',),
        EditionResource: ('reviews',),
    }.get(resource, ())


def _store(
    draw: Draw,
    model: type[models.Model],
    most: int,
    unique: str = '',
    **given: st.SearchStrategy[Any] | None,
) -> list[Any]:
    """Up to `most` rows. A strategy of None for a relation means that no row can be made."""
    if None in given.values():
        return []
    count = draw(st.sampled_from((0, 1, *(most,) * 6)))
    rows = [_drawn(draw, model, given) for _ in range(count)]
    if unique:
        rows = list({getattr(row, unique): row for row in rows}.values())
    return model._base_manager.bulk_create(rows)


def _drawn(draw: Draw, model: type[models.Model], given: dict[str, Any]) -> models.Model:
    drawn = {}
    for field in model._meta.concrete_fields:
        if not isinstance(field, models.AutoField | models.BigAutoField | models.GeneratedField):
            strategy = given.get(field.name)
            drawn[field.name] = draw(values.of_field(field) if strategy is None else strategy)
    return model(**drawn)


def _one_of(rows: list[Any], *, optional: bool = False) -> st.SearchStrategy[Any] | None:
    if not rows:
        return st.none() if optional else None
    return st.sampled_from(rows) | st.none() if optional else st.sampled_from(rows)


def _some_of(rows: list[Any]) -> st.SearchStrategy[list[Any]]:
    counts = st.sampled_from((0, 1, len(rows), len(rows)))
    return st.builds(lambda mixed, count: mixed[:count], st.permutations(rows), counts)

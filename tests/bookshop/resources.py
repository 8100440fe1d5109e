"""The bookshop's resources: every way of declaring."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Concat, ExtractYear, Round, Upper

from backstay.resources import (
    ALL,
    Array,
    Computed,
    Grant,
    InPython,
    Many,
    One,
    Resource,
    Through,
    Url,
    anyone,
)
from tests.bookshop.models import (
    Author,
    Bill,
    Biography,
    Book,
    Country,
    Edition,
    Publisher,
    Review,
    Specimen,
    Tag,
)

#: Rights are tested elsewhere: here everybody may read everything.
OPEN = (Grant(anyone, read=ALL),)


class CountryResource(Resource):
    grants = OPEN

    class Meta:
        model = Country
        fields = ('code', 'name')
        lookup = 'code'
        ordering = ('code',)


class PublisherResource(Resource):
    grants = OPEN

    class Meta:
        model = Publisher
        fields = ('id', 'name', 'country_id')
        default_mask = '{id,name}'

    country = One(CountryResource)


class BiographyResource(Resource):
    grants = OPEN

    class Meta:
        model = Biography
        fields = ('id', 'author_id', 'text', 'words')
        default_mask = '{author_id,words}'


class AuthorResource(Resource):
    grants = OPEN

    class Meta:
        model = Author
        fields = ('id', 'name', 'born')
        default_mask = '{id,name,biography}'
        ordering = ('name', 'id')

    biography = One(BiographyResource)


class TagResource(Resource):
    grants = OPEN

    class Meta:
        model = Tag
        fields = ('id', 'label')
        ordering = ('label',)


class ReviewResource(Resource):
    grants = OPEN

    class Meta:
        model = Review
        fields = ('id', 'edition_id', 'stars', 'text')
        default_mask = '{id,edition_id,stars}'


class EditionResource(Resource):
    grants = OPEN

    class Meta:
        model = Edition
        fields = ('id', 'book_id', 'isbn', 'position', 'stock')
        default_mask = '{id,book_id,isbn}'
        ordering = ('position', 'id')

    reviews = Many(ReviewResource, ordering=('-stars', 'id'), fan_out=5)


def shout(row: Mapping[str, Any]) -> str:
    """A title, loud: what the declared slow path computes in the tests."""
    return f'{row["title"].upper()}!'


class BookResource(Resource):
    grants = OPEN

    class Meta:
        model = Book
        fields = (
            'id',
            'title',
            'slug',
            'status',
            'price',
            'pages',
            'rating',
            'released_on',
            'created_at',
            'blurb',
            'metadata',
            'publisher_id',
        )
        default_mask = '{id,title,status,price,publisher_id}'

    labels = Array()
    double_price = Computed(F('price') * 2, models.DecimalField(max_digits=12, decimal_places=2))
    url = Url('/books/{id}/')
    shouted = InPython(shout, needs=('title',), schema={'type': 'string'})
    publisher = One(PublisherResource)
    editions = Many(EditionResource, fan_out=3)
    authors = Many(AuthorResource, fan_out=2)
    tags = Many(TagResource, cap=5)
    reviews = Through('editions', 'reviews')


class SpecimenResource(Resource):
    grants = OPEN

    class Meta:
        model = Specimen
        fields = tuple(field.attname for field in Specimen._meta.concrete_fields)


class CardResource(Resource):
    """A book as it looks from a volume: values alone, some of them computed."""

    grants = OPEN

    class Meta:
        model = Book
        name = 'Card'
        fields = ('id', 'title', 'price', 'metadata')
        default_mask = '{id,title,third}'
        # A sixteenth has more digits than it shows, so that nobody could ask for one.
        filterable = ('id', 'title', 'price', 'metadata', 'third', 'heading', 'year')

    # No division: SQLite stores 2.00 as an integer, and would divide it as one.
    third = Computed(
        Round(F('price') * Decimal('0.3333'), 4),
        models.DecimalField(max_digits=12, decimal_places=4),
    )
    sixteenth = Computed(
        F('price') * Decimal('0.0625'), models.DecimalField(max_digits=12, decimal_places=2)
    )
    heading = Computed(
        Concat(Upper('status'), Value(' '), 'title'), models.CharField(max_length=200)
    )
    year = Computed(ExtractYear('created_at'), models.IntegerField())


class VolumeResource(Resource):
    """An edition, with the book that it is of."""

    grants = OPEN

    class Meta:
        model = Edition
        name = 'Volume'
        fields = ('id', 'book_id', 'isbn', 'stock')

    book = One(CardResource)


class BillResource(Resource):
    """Bills, with an amount of a kind that the tests add."""

    class Meta:
        model = Bill
        fields = ('id', 'price', 'amount', 'day', 'fee', 'total', 'made_at')

    grants = OPEN

"""The bookshop with rights: a ladder of grants for every way of telling rows and fields apart.

Each resource is called otherwise than those that everybody may read, since names meet in filters.
`Land` to `Opinion` make a path of four lists, `Verdict` to `Land` one of four single rows.
"""

from collections.abc import Mapping
from typing import Any

from django.db import models
from django.db.models import F, Q

from backstay.resources import (
    ALL,
    Array,
    CallerValue,
    Computed,
    Grant,
    InPython,
    Many,
    One,
    Resource,
    Scope,
    Through,
    Url,
    anyone,
    level_somewhere,
    signed_in,
    trusted,
)
from tests.bookshop.models import (
    Author,
    Biography,
    Book,
    Country,
    Edition,
    Publisher,
    Review,
    Tag,
)

#: Over which publishers, or countries, somebody holds a level.
HOUSES_1, HOUSES_2, HOUSES_3 = (Scope('houses', level) for level in (1, 2, 3))
COUNTRIES_3 = Scope('countries', 3)
ACCOUNT = CallerValue('account_id')
MONEY = models.DecimalField(max_digits=12, decimal_places=2)


class OpinionResource(Resource):
    """Nothing for guests; for managers, rows that three paths to one lead to."""

    class Meta:
        model = Review
        name = 'Opinion'
        fields = ('id', 'edition_id', 'stars', 'text')
        default_mask = '{id,edition_id,stars,text}'
        filterable = ('id', 'edition_id', 'stars', 'text')

    grants = (
        Grant(signed_in, read=('id', 'edition_id', 'stars'), rows=Q(stars__gte=3)),
        Grant(level_somewhere(2), read=ALL, rows=Q(edition__book__publisher_id__in=HOUSES_2)),
    )


class PrintingResource(Resource):
    """Rows by a value, by a list at the end of a path without, and by a scope behind a path."""

    class Meta:
        model = Edition
        name = 'Printing'
        fields = ('id', 'book_id', 'isbn', 'position', 'stock')
        ordering = ('position', 'id')

    opinions = Many(OpinionResource, source='reviews', ordering=('-stars', 'id'), cap=3, fan_out=2)
    grants = (
        Grant(anyone, read=('id', 'book_id', 'isbn'), rows=Q(stock__gt=0)),
        Grant(
            signed_in,
            read=('id', 'book_id', 'position', 'opinions'),
            rows=~Q(book__authors=ACCOUNT) & Q(position__lt=2),
        ),
        Grant(level_somewhere(2), read=ALL, rows=Q(book__publisher_id__in=HOUSES_2)),
    )


class LabelResource(Resource):
    """A value that hides a row from all but managers."""

    class Meta:
        model = Tag
        name = 'Label'
        fields = ('id', 'label')
        ordering = ('label',)

    grants = (
        Grant(signed_in, read=('id', 'label'), rows=~Q(label='secret')),
        Grant(level_somewhere(3), read=ALL),
    )


class LifeResource(Resource):
    """One's own, which somebody else sees less of."""

    class Meta:
        model = Biography
        name = 'Life'
        fields = ('id', 'author_id', 'text', 'words')
        default_mask = '{author_id,words}'

    grants = (
        Grant(anyone, read=('id', 'author_id', 'words'), rows=Q(words__gt=1)),
        Grant(signed_in, read=ALL, rows=Q(author_id=ACCOUNT)),
        Grant(level_somewhere(4), read=('id', 'author_id')),
    )


class WriterResource(Resource):
    """A scope behind a path of many."""

    class Meta:
        model = Author
        name = 'Writer'
        fields = ('id', 'name', 'born')
        default_mask = '{id,name,life}'
        ordering = ('name', 'id')

    life = One(LifeResource, source='biography')
    grants = (
        Grant(anyone, read=('id', 'name', 'life'), rows=Q(born__isnull=False)),
        Grant(signed_in, read=ALL, rows=Q(id=ACCOUNT)),
        Grant(level_somewhere(2), read=('id', 'born'), rows=Q(books__publisher_id__in=HOUSES_2)),
    )


class LandResource(Resource):
    """A scope behind a list, and the complement of another."""

    class Meta:
        model = Country
        name = 'Land'
        fields = ('code', 'name')
        lookup = 'code'
        ordering = ('code',)

    grants = (
        Grant(anyone, read=('code',), rows=Q(code='aa')),
        Grant(level_somewhere(1), read=ALL, rows=~Q(code__in=COUNTRIES_3)),
        Grant(level_somewhere(2), read=('code', 'name'), rows=Q(publisher__in=HOUSES_2)),
    )


class HouseResource(Resource):
    """A path to one that may be missing, and a higher grant that shows less."""

    class Meta:
        model = Publisher
        name = 'House'
        fields = ('id', 'name', 'country_id')
        default_mask = '{id,name,country}'

    country = One(LandResource)
    grants = (
        Grant(anyone, read=('id', 'name'), rows=Q(country__name='open')),
        Grant(level_somewhere(1), read=('id', 'country_id', 'country'), rows=Q(id__in=HOUSES_1)),
        Grant(level_somewhere(2), read=ALL, rows=Q(id__in=HOUSES_2)),
    )


def shout(row: Mapping[str, Any]) -> str:
    """A title, loud."""
    return f'{row["title"].upper()}!'


class WorkResource(Resource):
    """Every kind of field, in six grants."""

    class Meta:
        model = Book
        name = 'Work'
        fields = (
            'id',
            'title',
            'slug',
            'status',
            'price',
            'pages',
            'rating',
            'released_on',
            'metadata',
            'publisher_id',
        )
        default_mask = '{id,title,status,price,house}'

    labels = Array()
    double_price = Computed(F('price') * 2, MONEY)
    url = Url('/works/{id}/')
    shouted = InPython(shout, needs=('title',), schema={'type': 'string'})
    house = One(HouseResource, source='publisher')
    printings = Many(PrintingResource, source='editions', cap=2, fan_out=2)
    writers = Many(WriterResource, source='authors', fan_out=2)
    tags = Many(LabelResource, fan_out=2)
    opinions = Through('printings', 'opinions')
    lives = Through('writers', 'life')
    grants = (
        Grant(anyone, read=('id', 'title', 'house', 'printings', 'url'), rows=Q(status='active')),
        Grant(
            signed_in,
            read=('id', 'title', 'slug', 'labels', 'writers', 'shouted', 'metadata'),
            rows=Q(authors=ACCOUNT),
        ),
        Grant(
            level_somewhere(1),
            read=('id', 'price', 'double_price', 'tags'),
            rows=Q(tags__label='x'),
        ),
        Grant(
            level_somewhere(2),
            read=('id', 'title', 'status', 'pages', 'rating', 'publisher_id', 'house', 'tags'),
            rows=Q(publisher_id__in=HOUSES_2),
        ),
        Grant(
            level_somewhere(3),
            read=ALL,
            rows=Q(publisher_id__in=HOUSES_3) | Q(publisher__country_id__in=COUNTRIES_3),
        ),
        Grant(trusted, read=ALL),
    )


class IssueResource(Resource):
    """The complement of a scope, and of a list."""

    class Meta:
        model = Book
        name = 'Issue'
        fields = ('id', 'publisher_id', 'title', 'price', 'rating', 'metadata')
        ordering = ('-rating', 'title')

    printings = Many(PrintingResource, source='editions', ordering=('-stock', 'id'), fan_out=2)
    tags = Many(LabelResource, fan_out=2)
    grants = (
        Grant(
            anyone,
            read=('id', 'publisher_id', 'title', 'rating', 'metadata', 'printings'),
            rows=Q(status='active', publisher__country__name='open'),
        ),
        Grant(
            level_somewhere(1),
            read=('id', 'publisher_id', 'price', 'tags', 'printings'),
            rows=Q(status='draft') & ~Q(publisher_id__in=HOUSES_1),
        ),
        Grant(
            level_somewhere(2),
            read=ALL,
            rows=~Q(tags__label='secret') & Q(publisher_id__in=HOUSES_2),
        ),
    )


class ImprintResource(Resource):
    """A house as a list of its country shows it."""

    class Meta:
        model = Publisher
        name = 'Imprint'
        fields = ('id', 'name', 'country_id')

    issues = Many(IssueResource, source='book_set', fan_out=2)
    grants = (
        Grant(anyone, read=('id', 'country_id', 'issues')),
        Grant(level_somewhere(2), read=ALL, rows=Q(id__in=HOUSES_2)),
    )


class RegionResource(Resource):
    """The top of four lists."""

    class Meta:
        model = Country
        name = 'Region'
        fields = ('code', 'name')
        lookup = 'code'
        ordering = ('-name', 'code')

    imprints = Many(ImprintResource, source='publisher_set', ordering=('name', 'id'), fan_out=2)
    grants = (
        Grant(anyone, read=('code', 'imprints')),
        Grant(level_somewhere(1), read=ALL, rows=Q(code__in=COUNTRIES_3) | Q(name='open')),
    )


class TextResource(Resource):
    """A book whose key guests never see."""

    class Meta:
        model = Book
        name = 'Text'
        fields = ('id', 'title', 'price', 'publisher_id')
        default_mask = '{id,title,price,double_price,house}'

    double_price = Computed(F('price') * 2, MONEY)
    house = One(HouseResource, source='publisher')
    grants = (
        Grant(anyone, read=('title', 'house', 'double_price'), rows=Q(status='active')),
        Grant(level_somewhere(2), read=ALL, rows=Q(publisher_id__in=HOUSES_2)),
    )


class CopyResource(Resource):
    """An edition that shows its key to some."""

    class Meta:
        model = Edition
        name = 'Copy'
        fields = ('id', 'isbn', 'stock')

    text = One(TextResource, source='book')
    grants = (
        Grant(anyone, read=('isbn', 'text')),
        Grant(level_somewhere(1), read=('id', 'stock'), rows=Q(book__status='draft')),
        Grant(level_somewhere(2), read=ALL, rows=Q(book__publisher_id__in=HOUSES_2)),
    )


class VerdictResource(Resource):
    """The end of four single rows."""

    class Meta:
        model = Review
        name = 'Verdict'
        fields = ('id', 'stars')
        ordering = ('-stars',)

    copy = One(CopyResource, source='edition')
    grants = (
        Grant(anyone, read=('id', 'stars', 'copy'), rows=Q(edition__stock__isnull=False)),
        Grant(level_somewhere(1), read=('id', 'copy'), rows=Q(stars__lt=3)),
        Grant(level_somewhere(2), read=ALL, rows=Q(edition__book__publisher_id__in=HOUSES_2)),
    )


#: By the prefix under which a site serves them.
SERVED: dict[str, type[Resource]] = {
    'copies': CopyResource,
    'houses': HouseResource,
    'imprints': ImprintResource,
    'issues': IssueResource,
    'labels': LabelResource,
    'lands': LandResource,
    'lives': LifeResource,
    'opinions': OpinionResource,
    'printings': PrintingResource,
    'regions': RegionResource,
    'texts': TextResource,
    'verdicts': VerdictResource,
    'works': WorkResource,
    'writers': WriterResource,
}

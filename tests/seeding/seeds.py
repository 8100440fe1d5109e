"""What the bookshop seeds: every way of saying it."""

import datetime as dt

from backstay.seeding import Row, Seed, Zipf
from backstay.seeding.values import people
from tests.bookshop.resources import (
    AuthorResource,
    BiographyResource,
    BookResource,
    CountryResource,
    EditionResource,
    PublisherResource,
    ReviewResource,
    SpecimenResource,
    TagResource,
)


def isbn(row: Row) -> str:
    """A number with its check digit (ISO 2108)."""
    digits = f'978{row.index:09}'
    weighted = sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(digits))
    return f'{digits}{-weighted % 10}'


def created_at(row: Row) -> dt.datetime:
    """More of them lately than long ago."""
    days = row.random.zipf(700)
    return row.until - dt.timedelta(days=days, microseconds=row.random.below(86_400 * 10**6) + 1)


SEEDS = (
    Seed(CountryResource, rows=20),
    Seed(PublisherResource, rows={'small': 30, 'medium': 300}),
    Seed(AuthorResource, rows={'small': 40, 'medium': 2_000}, name=people()),
    Seed(BiographyResource),
    Seed(TagResource, rows={'small': 12, 'medium': 50}),
    Seed(
        BookResource,
        rows={'small': 100, 'medium': 1_500},
        publisher=Zipf(),
        status=lambda row: row.random.weighted({'active': 8, 'draft': 1, 'archived': 1}),
        slug=lambda row: f'book-{row.index + 1}',
        created_at=created_at,
        released_on=lambda row: row['created_at'].date() if row['status'] == 'active' else None,
        nulls={'price': 0.25, 'pages': 0},
        tags=3,
    ),
    Seed(EditionResource, isbn=isbn, position=lambda row: row.random.between(1, 5)),
    Seed(
        ReviewResource,
        edition=Zipf(),
        stars=lambda row: row.random.weighted({1: 1, 2: 1, 3: 2, 4: 4, 5: 5}),
    ),
    Seed(SpecimenResource, rows=60),
)

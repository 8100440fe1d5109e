"""Rows of the bookshop, with what a test does not name filled in."""

import datetime as dt
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.bookshop.models import Book, Edition, Review, Specimen, Tag

NOON = dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)


def make_book(**values: Any) -> Book:
    return Book._base_manager.create(
        **{'title': 'A book', 'slug': 'a-book', 'created_at': NOON, **values}
    )


def make_edition(book: Book, **values: Any) -> Edition:
    return Edition._base_manager.create(book=book, **{'isbn': 'x', **values})


def make_reviews(edition: Edition, *stars: int) -> list[Review]:
    return Review._base_manager.bulk_create([Review(edition=edition, stars=each) for each in stars])


def make_tags(book: Book, *labels: str) -> list[Tag]:
    tags = Tag._base_manager.bulk_create([Tag(label=label) for label in labels])
    book.tags.set(tags)
    return tags


def make_specimen(**values: Any) -> Specimen:
    required = {
        'required_text': '',
        'required_integer': 0,
        'required_real': 0.0,
        'required_money': Decimal(0),
        'required_truth': False,
        'required_day': NOON.date(),
        'required_clock': NOON.time(),
        'required_moment': NOON,
        'required_span': dt.timedelta(0),
        'required_uuid': UUID(int=0),
        'required_document': {},
    }
    return Specimen._base_manager.create(**{**required, **values})

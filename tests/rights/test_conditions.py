"""The rows of a grant, parsed: what is in them, what is refused, and what they depend on."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db.models import Exists, F, OuterRef, Q, Value
from django.db.models.functions import Lower, Now

from backstay.caller import Caller, Held, Standing
from backstay.resources import CallerValue, DeclarationError, Scope
from backstay.resources.declaration.conditions import (
    AllOf,
    Among,
    AnyOf,
    Compared,
    Complement,
    Covered,
    depends_on,
    is_within,
    leaves_of,
    parse,
    settle,
)
from tests.bookshop.models import Book, Edition, Review, Tag

HOUSES = Scope('houses', 2)
_HOLDS_ALL = Caller(kind='account', scopes=(Held(over='houses', level=2),)).standing()
_HAS_EDITION = Exists(Edition.objects.filter(book=OuterRef('pk'), stock__gt=0))


def _named(value: object) -> str:
    """A test's own name for a value; the text of a `Q` would ask the database for a queryset."""
    if not isinstance(value, Q):
        return ''
    first = value.children[0]
    return first[0] if isinstance(first, tuple) else type(first).__name__


def book(rows: Q) -> Covered:
    return parse(rows, Book)


@pytest.mark.parametrize(
    ('rows', 'name', 'lookup', 'attname'),
    [
        (Q(pages=3), 'pages', 'exact', 'pages'),
        (Q(pages__gte=3), 'pages', 'gte', 'pages'),
        (Q(pk=3), 'pk', 'exact', 'id'),
        (Q(publisher=3), 'publisher', 'exact', 'publisher_id'),
        (Q(publisher_id__in=[3]), 'publisher_id', 'in', 'publisher_id'),
        (Q(publisher__id=3), 'publisher__id', 'exact', 'publisher_id'),
        (Q(publisher__pk__in=[3]), 'publisher__pk', 'in', 'publisher_id'),
        (Q(publisher__name='x'), 'publisher__name', 'exact', ''),
        (Q(publisher__country__name='x'), 'publisher__country__name', 'exact', ''),
        (Q(created_at__year=2026), 'created_at__year', 'exact', ''),
        (Q(created_at__date__gte='2026-01-01'), 'created_at__date', 'gte', ''),
        (Q(metadata__color='red'), 'metadata__color', 'exact', ''),
        (Q(tags__label__istartswith='x'), 'tags__label', 'istartswith', ''),
        (Q(price__isnull=True), 'price', 'isnull', 'price'),
    ],
    ids=_named,
)
def test_a_path_is_resolved_to_what_it_ends_at(
    rows: Q, name: str, lookup: str, attname: str
) -> None:
    condition = book(rows)

    assert isinstance(condition, Compared)
    assert (condition.path.name, condition.lookup) == (name, lookup)
    assert condition.path.attname == attname


@pytest.mark.parametrize(
    ('rows', 'columns', 'leaves', 'many'),
    [
        (Q(pages=3), {'pages'}, False, False),
        (Q(created_at__year=2026), {'created_at'}, False, False),
        (Q(pages__lt=F('id')), {'pages', 'id'}, False, False),
        (Q(pages__lt=F('id') + 1), {'pages', 'id'}, False, False),
        (Q(pages__in=[F('id'), 3]), {'pages', 'id'}, False, False),
        (Q(pages__range=(1, F('id'))), {'pages', 'id'}, False, False),
        (Q(title=Lower('slug')), {'title', 'slug'}, False, False),
        (Q(created_at__lt=Now()), {'created_at'}, False, False),
        (Q(publisher=F('id')), {'publisher_id', 'id'}, False, False),
        (Q(publisher__name=F('title')), {'title'}, True, False),
        (Q(title=F('publisher__name')), {'title'}, True, False),
        (Q(tags__label=F('title')), {'title'}, True, True),
        (Q(title=F('tags__label')), {'title'}, True, True),
        (Q(editions__reviews__stars=3), {'id'}, True, True),
        (Q(_HAS_EDITION), {'id'}, True, False),
        (Q(pk__in=Edition.objects.values('book')), {'id'}, True, False),
        (Q(pages__gt=Value(3)), {'pages'}, False, False),
    ],
    ids=_named,
)
def test_a_condition_knows_what_it_depends_on(
    rows: Q, columns: set[str], leaves: bool, many: bool
) -> None:
    (leaf,) = leaves_of(book(rows))

    assert (leaf.reach.leaves, leaf.reach.many) == (leaves, many)
    if not leaves:
        assert leaf.reach.columns == columns
    for column in columns if not leaves else ():
        assert depends_on(leaf, {column, 'other'})
    assert depends_on(leaf, {'rating'}) is leaves


@pytest.mark.parametrize(
    ('rows', 'words'),
    [
        (Q(no_such=1), ('no_such', 'Book', 'pages')),
        (Q(publisher__no_such=1), ('no_such', 'Book', 'country')),
        (Q(pages__less_than=1), ('less_than',)),
        (Q(pages__year=1), ('year',)),
        (Q(pages=F('no_such')), ('no_such', 'pages')),
        (Q(pages=F('publisher__no_such') + 1), ('no_such', 'country')),
        (Q(Exists(Edition.objects.filter(book=OuterRef('no_such')))), ('no_such', 'pages')),
        (Q(pages__in=Edition.objects.filter(book=OuterRef('nope')).values('id')), ('nope',)),
        (Q(publisher_id=HOUSES), ('Scope', 'publisher_id__in')),
        (Q(publisher_id__gt=HOUSES), ('Scope', 'publisher_id__in')),
        (Q(title=Lower(CallerValue('name'))), ('CallerValue', 'whole value')),
        (Q(metadata__color=CallerValue('name')), ('JSONField', 'CallerValue')),
    ],
    ids=_named,
)
def test_a_condition_that_cannot_be_is_refused_by_name(rows: Q, words: tuple[str, ...]) -> None:
    with pytest.raises(DeclarationError) as refused:
        book(rows)

    for word in words:
        assert word in str(refused.value)


@pytest.mark.parametrize('value', [HOUSES, CallerValue('account_id')], ids=str)
@pytest.mark.parametrize('lookup', ['name', 'id', 'id__in', 'name__in'])
def test_what_is_the_callers_is_refused_inside_a_queryset(value: Any, lookup: str) -> None:
    """Django would take it for a constant, which no row equals: `exclude` would show them all."""
    with pytest.raises(DeclarationError, match='whole value of a lookup'):
        Edition.objects.exclude(**{f'book__publisher__{lookup}': value})


def test_what_covers_all_or_nothing_is_known() -> None:
    assert book(Q()) is True
    assert book(Q(pages__in=[])) is False
    assert book(~Q(pages__in=[])) is True
    assert book(Q(pages__in=[]) | Q(pages=1)) == book(Q(pages=1))
    assert book(Q(pages__in=[]) & Q(pages=1)) is False


def test_a_scope_over_everything_falls_away() -> None:
    scoped, plain = Q(publisher_id__in=HOUSES), Q(pages=1)

    assert settle(book(scoped), _HOLDS_ALL) is True
    assert settle(book(~scoped), _HOLDS_ALL) is False
    assert settle(book(scoped | plain), _HOLDS_ALL) is True
    assert settle(book(scoped & plain), _HOLDS_ALL) == book(plain)
    assert settle(book(scoped ^ plain), _HOLDS_ALL) == book(~plain)
    assert settle(book(scoped), Standing()) == book(scoped)


def test_a_tree_has_the_form_of_the_q() -> None:
    first, second = Q(pages=1), Q(publisher_id__in=HOUSES)

    match book(first & ~(first | second)):
        case AllOf(parts=(Compared(), Complement(part=AnyOf(parts=(Compared(), Among()))))):
            pass
        case other:
            pytest.fail(f'{other}')
    assert book(~~(~first)) == book(~first)


def test_only_what_is_certain_is_within() -> None:
    high, low = (book(Q(publisher_id__in=Scope('houses', level))) for level in (3, 2))

    assert is_within(high, low)
    assert not is_within(low, high)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    for rows in (Q(created_at__lt=moment), Q(pages__lt=F('id')), Q(tags__in=Tag.objects.all())):
        assert is_within(book(rows), book(rows))
    assert not is_within(book(Q(pages=1)), book(Q(pages=2)))
    assert not is_within(book(Q(pages__lt=F('id'))), book(Q(pages__lt=F('rating'))))


def test_a_condition_is_of_its_own_model() -> None:
    assert parse(Q(stars=1), Review)
    with pytest.raises(DeclarationError, match='stars'):
        book(Q(stars=1))

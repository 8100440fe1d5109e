"""What SQLite and PostgreSQL get wrong, or get differently, when they write JSON or compare."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, models, transaction
from django.db.models import F

from backstay.resources import Computed, Url
from backstay.resources.errors import QueryTooSlow
from backstay.resources.query.nodes import Leaf, Op
from tests.bookshop.factories import (
    make_book,
    make_edition,
    make_reviews,
    make_specimen,
    make_tags,
)
from tests.bookshop.models import Author, Book, Country, Edition, Publisher, Specimen
from tests.bookshop.resources import (
    AuthorResource,
    BookResource,
    CardResource,
    EditionResource,
    PublisherResource,
    SpecimenResource,
    VolumeResource,
)
from tests.resources import oracle
from tests.resources.asking import FACTS, answer_to, ask, ask_where, query_of
from tests.resources.conftest import Declare

pytestmark = pytest.mark.django_db

on_postgresql = connection.vendor == 'postgresql'


# Limits on the size of an expression.


def test_an_object_may_have_more_members_than_a_function_takes_arguments(
    declare: Declare,
) -> None:
    names = [f'plus_{each}' for each in range(300)]
    wide = declare(
        Book,
        'id',
        **{name: Computed(F('id') + at, models.BigIntegerField()) for at, name in enumerate(names)},
    )
    book = make_book()

    (found,) = ask(wide, '*').objects

    assert found == {'id': book.pk, **{name: book.pk + at for at, name in enumerate(names)}}
    assert list(found) == ['id', *names]


def test_a_document_may_nest_deeply() -> None:
    document: Any = 'inside'
    for _ in range(60):
        document = {'a': [document]}
    make_book(metadata=document)

    assert ask(BookResource, 'metadata').objects == [{'metadata': document}]


# Numbers.


def test_floats_that_json_cannot_say_are_null() -> None:
    strange = [float('inf'), float('-inf')] + [float('nan')] * on_postgresql
    for value in strange:
        make_specimen(real=value, required_real=float('inf'))

    found = ask(SpecimenResource, 'real,required_real').objects

    assert found == [{'real': None, 'required_real': None}] * len(strange)


@pytest.mark.parametrize(
    'value', [0.1 + 0.2, 1e-310, 5e-324, 1.7976931348623157e308, 1 / 3, 123456789.123456789, 1e22]
)
def test_floats_lose_no_digit(value: float) -> None:
    make_specimen(required_real=value)

    (text,) = ask(SpecimenResource, 'required_real').texts

    assert json.loads(text)['required_real'].hex() == value.hex()


@pytest.mark.parametrize('value', [0.1 + 0.2, 1e-310, 1e22, 1.7976931348623157e308, 9e-5])
def test_floats_are_found_by_what_is_shown_of_them(value: float) -> None:
    make_specimen(required_real=value)
    (shown,) = ask(SpecimenResource, 'required_real').values('required_real')

    for op, operand in (('==', shown), ('in', [shown])):
        spec = {'field': 'required_real', 'op': op, 'value': operand}
        assert len(ask(SpecimenResource, 'id', filter=spec).objects) == 1


@pytest.mark.parametrize(
    'value',
    [
        Decimal('12345678901234567890.1234567891'),
        Decimal('-9999999999999999999.9999999999'),
        Decimal('0.0000000001'),
        Decimal('0'),
        Decimal('12345.6789012345'),
    ],
)
def test_long_decimals_are_what_the_column_keeps(value: Decimal) -> None:
    make_specimen(exact=value)

    (shown,) = ask(SpecimenResource, 'exact').values('exact')

    assert shown == f'{Specimen._base_manager.get().exact:f}'
    if on_postgresql:
        assert Decimal(shown) == value


def test_a_filter_by_a_decimal_is_not_rounded_to_the_column() -> None:
    make_book(price=Decimal('12.50'))

    for value, count in (('12.5', 1), ('12.504', 0), ('12.499', 0), ('1e2', 0)):
        assert len(ask(BookResource, filter={'field': 'price', 'value': value}).objects) == count
    beyond = {'field': 'price', 'op': '<', 'value': '99999999999999999999.999'}
    assert len(ask(BookResource, filter=beyond).objects) == 1


@pytest.mark.parametrize(
    ('price', 'shown'),
    [('2.00', '0.12'), ('6.00', '0.38'), ('-2.00', '-0.12'), ('-6.00', '-0.38'), ('3.00', '0.19')],
)
def test_computed_decimals_are_rounded_half_to_even(price: str, shown: str) -> None:
    make_book(price=Decimal(price))

    assert ask(CardResource, 'sixteenth').values('sixteenth') == [shown]


def test_integers_keep_64_bits() -> None:
    make_specimen(big=2**63 - 1)
    make_specimen(big=-(2**63))

    assert ask(SpecimenResource, 'big', sort='big').values('big') == [-(2**63), 2**63 - 1]


# Times.


@pytest.mark.parametrize('microsecond', [0, 1, 120_000, 999_999])
def test_microseconds_are_shown_where_there_are_any(microsecond: int) -> None:
    moment = dt.datetime(2026, 1, 2, 3, 4, 5, microsecond, tzinfo=dt.UTC)
    make_specimen(moment=moment, clock=moment.time())

    (found,) = ask(SpecimenResource, 'moment,clock').objects

    expected = moment.isoformat().removesuffix('+00:00')
    assert found == {'moment': f'{expected}Z', 'clock': moment.time().isoformat()}


@pytest.mark.parametrize(
    ('span', 'shown'),
    [
        (dt.timedelta(0), '00:00:00'),
        (dt.timedelta(microseconds=-1), '-1 23:59:59.999999'),
        (dt.timedelta(hours=36), '1 12:00:00'),
        (dt.timedelta(hours=-36), '-2 12:00:00'),
        (dt.timedelta(days=400, microseconds=1), '400 00:00:00.000001'),
    ],
)
def test_durations_are_written_as_django_writes_them(span: dt.timedelta, shown: str) -> None:
    make_specimen(span=span)

    assert ask(SpecimenResource, 'span').values('span') == [shown]


def test_days_of_years_before_1000_have_four_digits() -> None:
    make_specimen(day=dt.date(1, 2, 3), moment=dt.datetime(1, 2, 3, tzinfo=dt.UTC))

    (found,) = ask(SpecimenResource, 'day,moment').objects

    assert found == {'day': '0001-02-03', 'moment': '0001-02-03T00:00:00Z'}


# Text.


@pytest.mark.parametrize(
    'text',
    ['"', "'", '\\', '\\"', '%', '%s %% %(x)s', '{0} {x} {', '\n\t\x01', '\u2028', '😀', '$1'],
)
def test_text_is_the_same_after_a_detour_through_sql(text: str) -> None:
    book = make_book(title=text, metadata={text: text}, labels=[text])

    assert ask(BookResource, 'title,metadata,labels').objects == [
        {'title': text, 'metadata': {text: text}, 'labels': [text]}
    ]
    assert ask(BookResource, filter={'field': 'title', 'value': text}).values() == [book.pk]
    assert ask(BookResource, filter={'field': 'title', 'op': 'in', 'value': [text]}).values() == [
        book.pk
    ]
    assert ask(BookResource, filter={'field': 'labels', 'op': 'any', 'value': text}).values() == [
        book.pk
    ]


def test_literals_of_a_declaration_are_escaped(declare: Declare) -> None:
    made = declare(
        Specimen,
        'id',
        'uuid',
        'required_uuid',
        url=Url('/a\'b"c\\d%s%%/{id}/{required_uuid}'),
        maybe=Url('/{uuid}/'),
    )
    specimen = make_specimen(required_uuid=UUID('0123456789abcdef0123456789abcdef'))
    other = make_specimen(uuid=UUID(int=7))

    urls = ask(made, 'url,maybe', sort='id').objects

    where = f'{FACTS["origin"]}/a\'b"c\\d%s%%/{specimen.pk}/01234567-89ab-cdef-0123-456789abcdef'
    assert urls[0] == {'url': where, 'maybe': None}
    assert urls[1]['maybe'] == f'{FACTS["origin"]}/{UUID(int=7)}/'
    assert other.pk > specimen.pk


def test_text_is_ordered_by_its_bytes() -> None:
    titles = ['a', 'B', 'Z', 'z', 'ä', 'Ä', 'é', 'ß', 'ss', '-', '_', '😀', '\uffff', 'a b', 'ab']
    for title in titles:
        make_book(title=title)

    assert ask(BookResource, 'title', sort='title').values('title') == sorted(titles)
    above = {'field': 'title', 'op': '>', 'value': 'a'}
    found = ask(BookResource, 'title', filter=above, sort='-title').values('title')
    assert found == sorted([title for title in titles if title > 'a'], reverse=True)


@pytest.mark.parametrize(
    ('pattern', 'matching'),
    [
        ('a%', ['a*b', 'a?b', 'a[b]', 'a\\', 'a%', 'a_b', 'ab']),
        ('a*b', ['a*b']),
        ('a?b', ['a?b']),
        ('a[b]', ['a[b]']),
        ('a_b', ['a*b', 'a?b', 'a_b']),
        (r'a\_b', ['a_b']),
        (r'a\%', ['a%']),
        ('a\\\\', ['a\\']),
        ('a\\', ['a\\']),
        (r'\ab', ['ab']),
        ('', []),
        ('A%', ['AB']),
    ],
)
def test_a_pattern_has_the_wildcards_of_like_and_no_others(
    pattern: str, matching: list[str]
) -> None:
    for title in ('a*b', 'a?b', 'a[b]', 'a\\', 'a%', 'a_b', 'ab', 'AB'):
        make_book(title=title)

    like = Leaf(field='title', op=Op.LIKE, slot=0)
    found = ask_where(BookResource, like, pattern, mask='title')

    assert [each['title'] for each in found] == matching


@pytest.mark.parametrize(
    ('pattern', 'title', 'matches'),
    [
        ('ÄRGER', 'ärger', True),
        ('σας', 'ΣΑΣ', False),
        ('σασ', 'ΣΑΣ', True),  # noqa: RUF001 the letters matter
        ('s', 'ſ', False),  # noqa: RUF001 the letters matter
        ('strasse', 'straße', False),
        ('ẞ', 'ß', True),
        ('%É_', 'xéy', True),
        ('a.c', 'abc', False),
        ('a\nb', 'A\nB', True),
        ('a%b', 'A\nB', True),
    ],
)
def test_ilike_folds_every_letter_by_itself(pattern: str, title: str, matches: bool) -> None:
    if not oracle.folds_every_letter():
        pytest.skip('LC_CTYPE of this database is C')
    make_book(title=title)

    for op, expected in (('ilike', matches), ('not_ilike', not matches)):
        spec = {'field': 'title', 'op': op, 'value': pattern}
        assert bool(ask(BookResource, filter=spec).objects) is expected


def test_text_of_digits_stays_text() -> None:
    book = make_book(title='01', status='draft')

    for value, count in (('01', 1), ('1', 0), ('1.0', 0)):
        assert len(ask(BookResource, filter={'field': 'title', 'value': value}).objects) == count
    for value in ('DRAFT 01', ['DRAFT 01']):
        op = 'in' if isinstance(value, list) else '=='
        spec = {'field': 'heading', 'op': op, 'value': value}
        assert ask(CardResource, 'id', filter=spec).values() == [book.pk]
    for op, value in (('==', 2026), ('in', [2026]), ('>', 2025)):
        spec = {'field': 'year', 'op': op, 'value': value}
        assert ask(CardResource, 'id', filter=spec).values() == [book.pk]


# Lists.


def test_nested_lists_come_in_their_order_whatever_order_they_were_stored_in() -> None:
    book = make_book()
    editions = [make_edition(book, position=each) for each in (2, 0, 1, 0, 2)]
    make_reviews(editions[0], 1, 3, 2, 3)

    (found,) = ask(BookResource, 'editions{id,position,reviews{stars}}').objects

    expected = sorted(editions, key=lambda each: (each.position, each.pk))
    assert [each['id'] for each in found['editions']] == [each.pk for each in expected]
    with_reviews = next(each for each in found['editions'] if each['id'] == editions[0].pk)
    assert [each['stars'] for each in with_reviews['reviews']] == [3, 3, 2, 1]


def test_a_list_is_cut_at_its_cap_and_reported() -> None:
    full, over = make_book(), make_book()
    make_tags(full, *'abcde')
    make_tags(over, *'fedcba')

    answer = ask(BookResource, 'tags{label}', sort='id')

    assert [[each['label'] for each in tags] for tags in answer.values('tags')] == [[*'abcde']] * 2
    assert answer.truncated == ('/1/tags',)


def test_a_list_in_a_list_is_cut_and_reported() -> None:
    book = make_book()
    make_edition(book)
    make_reviews(make_edition(book, position=1), *[1] * 101)

    answer = ask(BookResource, 'editions{reviews{stars}}')

    ((first, second),) = answer.values('editions')
    assert (len(first['reviews']), len(second['reviews'])) == (0, 100)
    assert answer.truncated == ('/0/editions/1/reviews',)


def test_values_that_look_like_the_mark_of_a_cut_are_values() -> None:
    book = make_book(title='\x1f', labels=['\x1f'], metadata={'a': ['\x1f'], 'tags': ['\x1f']})
    make_tags(book, '\x1f', *'abcdef')
    make_edition(book, isbn='"\\u001f"')

    answer = ask(BookResource, 'title,labels,metadata,tags{label},editions{isbn}')

    assert answer.objects == [
        {
            'title': '\x1f',
            'labels': ['\x1f'],
            'metadata': {'a': ['\x1f'], 'tags': ['\x1f']},
            'tags': [{'label': label} for label in '\x1fabcd'],
            'editions': [{'isbn': '"\\u001f"'}],
        }
    ]
    assert answer.truncated == ('/0/tags',)


def test_empty_lists_and_objects_are_not_null() -> None:
    make_book(metadata={}, labels=[])

    (found,) = ask(BookResource, 'metadata,labels,editions,tags,authors').objects

    assert found == {'metadata': {}, 'labels': [], 'editions': [], 'tags': [], 'authors': []}
    assert ask(BookResource, '{}').texts == ('{}',)
    assert ask(BookResource, 'editions{nope}').objects == [{'editions': []}]


def test_members_come_in_the_order_of_the_mask() -> None:
    make_book()

    for mask in ('id,title,slug,pages', 'pages,slug,title,id'):
        (found,) = ask(BookResource, mask).objects
        assert ','.join(found) == mask


def test_a_foreign_key_that_is_null_shows_null() -> None:
    make_book()
    make_book(publisher=Publisher._base_manager.create(name='P'))
    nation = Country._base_manager.create(code='de', name='Germany')
    make_book(publisher=Publisher._base_manager.create(name='Q', country=nation))
    Author._base_manager.create(name='A')

    found = ask(BookResource, 'publisher{name,country{code}}', sort='id').values('publisher')

    assert found == [
        None,
        {'name': 'P', 'country': None},
        {'name': 'Q', 'country': {'code': 'de'}},
    ]
    assert ask(AuthorResource, 'biography').objects == [{'biography': None}]


def test_a_relation_without_a_name_back_is_read_and_asked() -> None:
    book = make_book()
    make_tags(book, 'x', 'y')
    make_book()

    spec = {'model': 'Tag', 'field': 'label', 'value': 'x'}
    assert ask(BookResource, 'tags{label}', filter=spec).objects == [
        {'tags': [{'label': 'x'}, {'label': 'y'}]}
    ]


# Pages and orders.


def test_keys_of_an_order_go_each_their_own_way() -> None:
    rows = [(1, None), (1, 5), (None, 5), (2, 1), (None, None), (2, None), (2, 3)]
    books = [make_book(pages=pages, rating=rating) for pages, rating in rows]
    sort = [
        {'field': 'pages', 'direction': 'desc', 'nullslast': True},
        {'field': 'rating', 'direction': 'asc', 'nullsfirst': True},
    ]

    found = ask(BookResource, 'id', sort=sort).values()

    assert found == [books[at].pk for at in (5, 3, 6, 0, 1, 4, 2)]


@pytest.mark.parametrize('sort', ['', 'book.title', '-book.third'])
def test_an_empty_page_still_has_its_count(sort: str) -> None:
    make_edition(make_book())

    for mask in ('id', 'book{title}', '*'):
        answer = ask(VolumeResource, mask, sort=sort, offset=5, count='exact')
        assert (answer.texts, answer.count) == ((), 1)


def test_an_estimated_count_stops_counting() -> None:
    Publisher._base_manager.bulk_create([Publisher(name='') for _ in range(10_005)])
    assert ask(PublisherResource, 'id', limit=1, count='estimate').count == 10_001
    assert ask(PublisherResource, 'id', limit=1, count='exact').count == 10_005


def test_a_computed_value_of_a_related_row_is_computed_there() -> None:
    book = make_book(price=Decimal('10.00'), title='T', status='draft')
    edition = make_edition(book, stock=1)
    make_edition(make_book(price=Decimal('1.00'), title='U'), stock=1)

    mask = 'id,book{third,heading,year}'
    spec = {'field': 'third', 'model': 'Card', 'op': '>', 'value': 1}
    for filters in (spec, {'some': {'model': 'Card', 'where': [{**spec, 'model': 'Card'}]}}):
        assert ask(VolumeResource, mask, filter=filters).objects == [
            {
                'id': edition.pk,
                'book': {'third': '3.3330', 'heading': 'DRAFT T', 'year': 2026},
            }
        ]
    both = ask(VolumeResource, 'book{title}', sort='-book.third').values('book')
    assert both == [{'title': 'T'}, {'title': 'U'}]


# Statements that take too long.


def _long_query() -> Any:
    make = [Book(title=f'{at}', slug='x', created_at=_NOON) for at in range(1_500)]
    books = Book._base_manager.bulk_create(make)
    Edition._base_manager.bulk_create([Edition(book=book) for book in books for _ in range(3)])
    return query_of(BookResource, '*,editions{*,reviews}', limit=1_500)


_NOON = dt.datetime(2026, 1, 2, 12, tzinfo=dt.UTC)


def test_a_slow_statement_in_a_transaction_is_given_up_and_the_transaction_goes_on() -> None:
    slow = _long_query()

    with pytest.raises(QueryTooSlow), transaction.atomic():
        answer_to(BookResource, slow, timeout=0.002)

    assert Book._base_manager.count() == 1_500
    assert len(answer_to(BookResource, slow, timeout=60).texts) == 1_500


@pytest.mark.django_db(transaction=True)
def test_a_slow_statement_outside_a_transaction_is_given_up_and_the_connection_goes_on() -> None:
    slow = _long_query()

    with pytest.raises(QueryTooSlow):
        answer_to(BookResource, slow, timeout=0.002)

    assert Book._base_manager.count() == 1_500
    assert len(answer_to(BookResource, slow, timeout=60).texts) == 1_500
    assert len(answer_to(BookResource, slow).texts) == 1_500
    assert ask(EditionResource, 'id', limit=1, count='exact').count == 4_500

"""Order and pages over HTTP: the S and P cases of section 5.7, adapted to limit and offset."""

import json
import string
from collections.abc import Iterator
from itertools import chain
from random import Random
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from backstay.resources.query import cursor
from backstay.resources.query.parameters import MAX_OFFSET
from tests.bookshop.models import Book
from tests.resources.http.asking import Answer, call, follow, get, path_of, post
from tests.resources.http.rows import FIRST

pytestmark = pytest.mark.usefixtures('products')


def pages(answer: Answer, name: str = 'next') -> Iterator[list[Any]]:
    """The ids of this page and of those that its links lead to."""
    while True:
        yield answer.ids
        if answer.json[name] is None:
            return
        answer = follow(answer, name)


class TestOrder:
    @pytest.mark.parametrize(
        ('spec', 'ids'),
        [
            ({'field': 'price', 'direction': 'asc'}, [2, 1, 4, 3, 5]),
            ([{'field': 'price', 'direction': 'desc'}], [5, 3, 4, 1, 2]),
            ({'field': 'price', 'direction': 'desc', 'nullslast': True}, [3, 4, 1, 2, 5]),
            ({'field': 'price', 'direction': 'asc', 'nullsfirst': True}, [5, 2, 1, 4, 3]),
            (
                [
                    {'field': 'status', 'direction': 'asc'},
                    {'field': 'price', 'direction': 'desc'},
                ],
                [5, 1, 2, 4, 3],
            ),
            ({'model': 'Category', 'field': 'name', 'direction': 'asc'}, [1, 2, 4, 3, 5]),
            ({'field': 'double_price', 'direction': 'desc', 'nullslast': True}, [3, 4, 1, 2, 5]),
        ],
        ids=['S01', 'S02', 'S03', 'S04', 'S06', 'S07', 'S14'],
    )
    def test_good_cases(self, spec: Any, ids: list[int]) -> None:
        assert get('/products/', sort=json.dumps(spec)).ids == ids
        assert post('/products/query/', {'sort': spec}).ids == ids

    @pytest.mark.parametrize(
        'shorthand',
        ['-price,id', ' -price , id', '-price,id,price'],
        ids=['S13', 'blanks', 'twice'],
    )
    def test_the_shorthand(self, shorthand: str) -> None:
        for name in ('sort', 'ordering'):
            assert get('/products/', **{name: shorthand}).ids == [5, 3, 4, 1, 2]
            assert post('/products/query/', {name: shorthand}).ids == [5, 3, 4, 1, 2]

    def test_the_shorthand_goes_through_a_relation(self) -> None:
        assert get('/products/', ordering='-category.name,id').ids == [5, 3, 1, 2, 4]

    @pytest.mark.parametrize(
        ('spec', 'detail'),
        [
            (
                {'field': 'price', 'direction': 'asc', 'nullsfirst': True, 'nullslast': True},
                'exclude each other',
            ),
            ({'model': 'Variant', 'field': 'qty', 'direction': 'asc'}, 'many rows'),
            ([{'field': 'name'}], '`field` and `direction` are mandatory attributes.'),
            ([{'direction': 'asc'}], '`field` and `direction` are mandatory attributes.'),
            ({'field': 'name', 'direction': 'ASC'}, 'Direction `ASC` not valid.'),
            (['x'], 'Sort spec `x` should be a dictionary.'),
            ({'field': 'nope', 'direction': 'asc'}, 'has no column `nope`'),
            ({'field': 'cost', 'direction': 'asc'}, 'has no column `cost`'),
            ([{'field': 'id', 'direction': 'asc'}] * 6, 'at most 5 keys'),
        ],
        ids=['S05', 'S08', 'S09', 'S09b', 'S10', 'S11', 'S12', 'S12b', 'keys'],
    )
    def test_bad_cases(self, spec: Any, detail: str) -> None:
        for answer in (
            get('/products/', sort=json.dumps(spec)),
            post('/products/query/', {'sort': spec}),
        ):
            assert (answer.status, answer.json['code']) == (400, 'sort-invalid')
            assert detail in answer.json['detail']

    def test_sort_and_ordering_are_the_same(self) -> None:
        assert get('/products/', sort='id', ordering='id').status == 400


class TestNoWalkEndsEarly:
    """A list without a next page is complete; where no link can lead on, the answer says so."""

    @pytest.fixture
    def long_names(self) -> None:
        """One row more than offsets reach, and behind them names that no cursor holds."""
        random = Random(7)
        Book.objects.all().delete()
        letters = string.ascii_letters + string.digits
        titles = [f'a{at:05}' for at in range(MAX_OFFSET)]
        titles += ['b' + ''.join(random.choices(letters, k=4_900)) for _ in range(30)]
        Book.objects.bulk_create(Book(title=title, created_at=FIRST) for title in titles)

    def test_a_boundary_too_long_for_a_cursor_is_an_error(self, long_names: None) -> None:
        asked: dict[str, dict[str, str]] = {
            'the last offset page': {'offset': str(MAX_OFFSET - 5), 'limit': '10'},
            'behind it': {'offset': str(MAX_OFFSET), 'limit': '10'},
            'with a count': {'offset': str(MAX_OFFSET - 5), 'limit': '10', 'count': 'exact'},
            'the first cursor page': {'cursor': '', 'limit': '10', 'title__startswith': 'b'},
        }
        for page, query in asked.items():
            answer = get('/books/', ordering='title', **query)

            assert (answer.status, answer.json['code']) == (400, 'page-invalid'), page
            assert 'Order by shorter values' in answer.json['detail'], page

    def test_what_needs_none_is_complete(self, long_names: None) -> None:
        answer = get('/books/', ordering='title', offset=str(MAX_OFFSET), limit='30')
        assert (answer.status, answer.json['next']) == (200, None)
        assert len(answer.json['results']) == 30

        by_short_values = get('/books/', ordering='id', offset=str(MAX_OFFSET - 5), limit='10')
        assert sum(len(ids) for ids in pages(by_short_values)) == 35


class TestOffsets:
    def test_p01_no_parameters(self) -> None:
        answer = get('/products/')

        assert answer.ids == [1, 2, 3, 4, 5]
        assert answer.json['count'] == 5
        assert (answer.json['next'], answer.json['previous']) == (None, None)
        assert list(answer.json) == ['count', 'next', 'previous', 'results']

    def test_p02_the_first_page(self) -> None:
        answer = get('/products/', limit=2)

        assert (answer.ids, answer.json['previous']) == ([1, 2], None)
        assert path_of(answer.json['next']) == '/products/?limit=2&offset=2'

    def test_p03_the_last_page(self) -> None:
        answer = get('/products/', limit=2, offset=4)

        assert (answer.ids, answer.json['next']) == ([5], None)
        assert path_of(answer.json['previous']) == '/products/?limit=2&offset=2'

    @pytest.mark.parametrize('debug', [False, True])
    def test_p27_limits_are_the_same_with_debug(self, settings: Any, debug: bool) -> None:
        settings.DEBUG = debug

        assert get('/products/', limit=100).status == 200
        assert get('/products/', limit=101).status == 400

    def test_a_last_page_that_is_full(self) -> None:
        assert get('/products/', limit=2, offset=3).json['next'] is None

    def test_p04_behind_the_last_page(self) -> None:
        answer = get('/products/', limit=2, offset=16)

        assert (answer.status, answer.ids, answer.json['count']) == (200, [], 5)

    def test_p05_nothing_but_the_count(self) -> None:
        answer = get('/products/', limit=0)

        assert (answer.ids, answer.json['count']) == ([], 5)
        assert (answer.json['next'], answer.json['previous']) == (None, None)

    @pytest.mark.parametrize(
        'page',
        [
            {'limit': '-1'},
            {'limit': '101'},
            {'limit': '1.5'},
            {'limit': 'abc'},
            {'limit': ''},
            {'limit': '1e1'},
            {'limit': '\u0661'},
            {'limit': '9' * 400},
            {'offset': '-1'},
            {'offset': '1.5'},
            {'count': 'maybe'},
        ],
        ids=str,
    )
    def test_p06_to_p08_pages_that_are_none(self, page: dict[str, str]) -> None:
        answer = get('/products/', **page)

        assert (answer.status, answer.json['code']) == (400, 'page-invalid')

    def test_p09_a_filter_on_children_counts_parents(self) -> None:
        spec = {'model': 'Variant', 'field': 'qty', 'op': 'is_not_null'}

        answer = get('/products/', filter=json.dumps(spec), limit=2)

        assert (answer.ids, answer.json['count']) == ([1, 2], 3)

    def test_p10_no_rows(self) -> None:
        answer = get('/products/', id=99, limit=2)

        assert (answer.ids, answer.json['count'], answer.json['next']) == ([], 0, None)

    def test_p11_offsets_reach_so_far(self) -> None:
        assert get('/products/', offset=10_000).status == 200
        answer = get('/products/', offset=10_001)

        assert (answer.status, answer.json['code']) == (400, 'page-too-deep')
        assert 'cursor' in answer.json['detail']

    @pytest.mark.parametrize('count', ['exact', 'none'])
    def test_next_goes_on_by_cursor_where_offsets_end(self, count: str) -> None:
        Book.objects.bulk_create(
            Book(title=f'{at % 7}', slug='s', created_at=FIRST) for at in range(10_055)
        )
        query = {'sort': '-title,id', 'limit': 20, 'count': count, 'title__ne': 'x'}
        first = get('/books/', 'id', offset=9_970, **query)
        assert 'offset=9990' in first.json['next']

        found = list(pages(follow(first)))

        expected = [each.pk for each in Book.objects.order_by('-title', 'id')][9_990:]
        assert [each for page in found for each in page] == expected
        assert [len(page) for page in found] == [20, 20, 20, 5]
        last = follow(follow(first))
        assert follow(last, 'previous').ids == expected[:20]

    def test_an_offset_that_ends_the_rows_leads_nowhere(self) -> None:
        answer = get('/products/', limit=2, offset=9_999)

        assert (answer.ids, answer.json['next']) == ([], None)

    def test_every_page_in_turn_and_back(self) -> None:
        assert list(pages(get('/products/', limit=2))) == [[1, 2], [3, 4], [5]]
        last = get('/products/', limit=2, offset=4)
        assert list(pages(last, 'previous')) == [[5], [3, 4], [1, 2]]

    def test_links_keep_what_was_asked(self) -> None:
        answer = get('/products/?name__icontains=M%C3%BC%20g%26&fields=id&limit=1&offset=3')

        assert answer.json['previous'].endswith(
            '/products/?name__icontains=M%C3%BC%20g%26&fields=id&limit=1&offset=2'
        )

    def test_links_are_uris_whatever_was_sent(self) -> None:
        answer = call('GET', '/products/?name__ne=\xe4 "<&%6Cimit=1&offset=1')

        assert answer.status == 200
        assert answer.json['next'].isascii()
        assert answer.json['next'].endswith('&limit=1&offset=2')
        assert follow(answer).status == 200


class TestCounts:
    def test_none(self) -> None:
        answer = get('/products/', count='none')

        assert 'count' not in answer.json

    def test_an_estimate_is_exact_where_few_rows_are(self) -> None:
        answer = get('/products/', count='estimate')

        assert answer.json['count'] == 5
        assert 'count_is_estimate' not in answer.json

    def test_an_estimate_stops_counting(self) -> None:
        Book.objects.bulk_create(Book(title='t', slug='s', created_at=FIRST) for _ in range(10_002))

        answer = get('/books/', 'id', count='estimate', limit=1)

        assert answer.json['count'] > 10_000
        assert answer.json['count_is_estimate'] is True

    def test_cursors_do_not_count_unless_asked(self) -> None:
        assert 'count' not in get('/products/', cursor='').json
        assert get('/products/', cursor='', count='exact').json['count'] == 5


class TestCursors:
    def test_p12_to_the_end(self) -> None:
        assert list(pages(get('/products/', cursor='', limit=2))) == [[1, 2], [3, 4], [5]]

    @pytest.mark.parametrize(
        ('sort', 'ids'),
        [
            ('price', [[2, 1], [4, 3], [5]]),
            ('-price', [[5, 3], [4, 1], [2]]),
            ('status,-price', [[5, 1], [2, 4], [3]]),
            ('category.name', [[1, 2], [4, 3], [5]]),
            ('double_price', [[2, 1], [4, 3], [5]]),
            ('released_on', [[1, 2], [4, 3], [5]]),
            ('name', [[1, 4], [3, 2], [5]]),
        ],
    )
    def test_p13_null_is_not_lost(self, sort: str, ids: list[list[int]]) -> None:
        assert list(pages(get('/products/', cursor='', limit=2, sort=sort))) == ids

    @pytest.mark.parametrize('way', ['asc', 'desc'])
    @pytest.mark.parametrize('nulls', ['nullsfirst', 'nullslast'])
    @pytest.mark.parametrize('name', ['price', 'released_on', 'double_price'])
    def test_t108_pages_are_the_whole_order_cut_up(self, name: str, way: str, nulls: str) -> None:
        sort = json.dumps({'field': name, 'direction': way, nulls: True})
        whole = get('/products/', sort=sort).ids

        for limit in (1, 2, 3, 5):
            first = get('/products/', cursor='', limit=limit, sort=sort)
            assert list(chain(*pages(first))) == whole

    def test_p14_and_back(self) -> None:
        first = get('/products/', cursor='', limit=2)
        last = follow(follow(first))

        assert list(pages(last, 'previous')) == [[5], [3, 4], [1, 2]]
        assert follow(last, 'previous').json['next'] is not None
        assert first.json['previous'] is None

    def test_a_page_of_no_rows(self) -> None:
        for count in ('none', 'exact'):
            answer = get('/products/', cursor='', id=99, count=count)
            assert (answer.ids, answer.json['next'], answer.json['previous']) == ([], None, None)

    def test_the_size_of_the_page_may_change(self) -> None:
        link = path_of(get('/products/', cursor='', limit=2).json['next'])

        assert get(link.replace('limit=2', 'limit=3')).ids == [3, 4, 5]

    def test_the_mask_may_change(self) -> None:
        link = path_of(get('/products/', cursor='', limit=2).json['next'])

        assert get(link, 'name').results == [{'name': 'Plain shirt'}, {'name': 'Mug_100%'}]

    def test_rows_that_come_and_go_do_not_repeat_or_hide_others(self) -> None:
        Book.objects.bulk_create(
            Book(pk=at, title='t', slug='s', created_at=FIRST) for at in range(10, 30, 2)
        )
        first = get('/books/', 'id', cursor='', limit=3, sort='created_at')
        Book.objects.create(pk=11, title='t', slug='s', created_at=FIRST)
        Book.objects.filter(pk__in=(14, 18)).delete()

        assert first.ids == [10, 12, 14]
        assert list(chain(*pages(first)))[3:] == [16, 20, 22, 24, 26, 28]


class TestCursorsThatAreNone:
    @pytest.fixture
    def link(self) -> str:
        """The address of a second page."""
        answer = get('/products/', cursor='', limit=2, sort='price')
        return path_of(answer.json['next'])

    @staticmethod
    def assert_refused(answer: Answer) -> None:
        assert (answer.status, answer.json['code']) == (400, 'cursor-invalid')
        assert answer.json['detail'] == 'The cursor is not valid here; start again without it.'

    def test_p15_a_byte_that_changed(self, link: str) -> None:
        start = link.index('cursor=') + 7
        for at in range(start, len(link), 7):
            other = 'A' if link[at] != 'A' else 'B'
            self.assert_refused(get(link[:at] + other + link[at + 1 :]))

    def test_p15_another_order(self, link: str) -> None:
        self.assert_refused(get(link.replace('sort=price', 'sort=-price')))

    def test_p15_another_filter(self, link: str) -> None:
        self.assert_refused(get(f'{link}&status=active'))

    def test_another_resource(self, link: str) -> None:
        self.assert_refused(get(link.replace('/products/', '/shown/').replace('price', 'id')))

    def test_p15_another_caller(self, client: Any, settings: Any) -> None:
        settings.ROOT_URLCONF = 'tests.resources.http.guarded_site'
        make = get_user_model().objects.create_user
        ann, bob = (make(name) for name in ('ann', 'bob'))
        client.force_login(ann)
        link = path_of(client.get('/products/?cursor=&limit=2').json()['next'])

        assert client.get(link).status_code == 200
        client.force_login(bob)
        assert client.get(link).json()['code'] == 'cursor-invalid'

    def test_a_day_later(self, link: str, monkeypatch: pytest.MonkeyPatch) -> None:
        now = cursor.time.time()
        monkeypatch.setattr(cursor.time, 'time', lambda: now + 24 * 3600 + 61)

        self.assert_refused(get(link))

    @pytest.mark.parametrize('cursor', ['x', 'WzBd~1~2', '~~', '\0', 'x' * 10_000, '\u00e4'])
    def test_texts_that_were_never_ours(self, cursor: str) -> None:
        self.assert_refused(get('/products/', cursor=cursor))

    def test_p16_offset_and_cursor_exclude_each_other(self, link: str) -> None:
        answer = get(f'{link}&offset=2')

        assert (answer.status, answer.json['code']) == (400, 'page-invalid')


class TestQueries:
    def test_next_leads_on_when_the_same_body_is_posted(self) -> None:
        for body in (
            {'limit': 2, 'sort': 'price'},
            {'limit': 2, 'sort': 'price', 'cursor': ''},
            {'limit': 2, 'sort': 'price', 'offset': 0},
        ):
            answer = post('/products/query/', body)
            found = answer.ids
            while answer.json['next']:
                answer = post(path_of(answer.json['next']), body)
                found += answer.ids
            assert found == [2, 1, 4, 3, 5]

    def test_previous_leads_back(self) -> None:
        body = {'limit': 2, 'sort': 'price', 'cursor': ''}
        second = post(path_of(post('/products/query/', body).json['next']), body)

        assert post(path_of(second.json['previous']), body).ids == [2, 1]

    def test_numbers_may_be_texts(self) -> None:
        assert post('/products/query/', {'limit': '2', 'offset': '1'}).ids == [2, 3]

    def test_an_empty_body_asks_for_the_first_page(self) -> None:
        assert post('/products/query/', {}).ids == [1, 2, 3, 4, 5]

    @pytest.mark.parametrize(
        'body', [' ', 'x', '[]', '1', 'null', '"x"', b'\xff', '{"a":NaN}', '{']
    )
    def test_bodies_that_are_no_object(self, body: Any) -> None:
        answer = post('/products/query/', body)

        assert (answer.status, answer.json['code']) == (400, 'malformed-json')

    @pytest.mark.parametrize(
        'body',
        [
            {'limit': True},
            {'limit': 1.5},
            {'limit': None},
            {'limit': [1]},
            {'offset': '\u00b2'},
            {'count': ['exact']},
            {'cursor': 1},
            {'cursor': {}},
        ],
        ids=str,
    )
    def test_pages_of_the_wrong_type(self, body: Any) -> None:
        answer = post('/products/query/', body)

        assert (answer.status, answer.json['code']) == (400, 'page-invalid')

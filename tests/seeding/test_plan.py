"""How many rows of which models, in which order, and how they hang together."""

# ruff: noqa: DJ008 models of one test, which nobody prints

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import pytest
from django.db import models
from django.test.utils import isolate_apps

from backstay.seeding import Row, Seed, SeedError, Zipf
from backstay.seeding.plan import EPOCH, SeedPlan, make_plan
from backstay.seeding.values import among, people
from tests.bookshop.models import Author, Book, Country, Edition, Publisher, Tag
from tests.bookshop.resources import (
    AuthorResource,
    BiographyResource,
    BookResource,
    CountryResource,
    EditionResource,
    ReviewResource,
    TagResource,
)
from tests.seeding.seeds import SEEDS

pytestmark = pytest.mark.engine_free

ANY = {'any': 50}


def plan_of(*seeds: Seed, **options: Any) -> SeedPlan:
    return make_plan(seeds, size='any', **options)


def rows_of(plan: SeedPlan, model: type[models.Model]) -> list[dict[str, Any]]:
    (factory,) = [each for each in plan.factories if each.model is model]
    names = [field.attname for field in factory.fields]
    return [dict(zip(names, row, strict=True)) for row in factory.values(0, factory.rows)]


def counts_of(plan: SeedPlan) -> dict[str, int]:
    return {factory.label.partition('.')[2]: factory.rows for factory in plan.factories}


class TestHowMany:
    def test_rows_are_given_or_counted_by_the_parent(self) -> None:
        assert counts_of(make_plan(SEEDS, size='small')) == {
            'Country': 20,
            'Publisher': 30,
            'Author': 40,
            'Biography': 40,
            'Tag': 12,
            'Book': 100,
            'Book_authors': 200,
            'Book_tags': 300,
            'Edition': 300,
            'Review': 1_500,
            'Specimen': 60,
        }

    def test_a_number_for_a_relation_stands_instead_of_its_fan_out(self) -> None:
        plan = plan_of(
            Seed(BookResource, rows=ANY, editions=1.5, authors=0, tags=4),
            Seed(EditionResource),
            Seed(AuthorResource, rows=3),
            Seed(TagResource, rows=2),
        )

        counts = counts_of(plan)
        assert (counts['Edition'], counts['Book_authors']) == (75, 0)
        assert counts['Book_tags'] == 100, 'no more than there are pairs'

    def test_a_table_between_needs_both_ends(self) -> None:
        assert counts_of(plan_of(Seed(BookResource, rows=ANY))) == {'Book': 50}

    @pytest.mark.parametrize(
        ('seeds', 'message'),
        [
            ([Seed(BookResource, rows={'small': 1})], "no size 'any'; there are: small"),
            (
                [Seed(BookResource, rows={'small': 1}), Seed(TagResource, rows=ANY)],
                "bookshop.Book has no size 'any'; it has: small",
            ),
            ([Seed(BookResource, rows=ANY), Seed(Book, rows=1)], 'seeded twice: bookshop.Book'),
            ([Seed(BookResource, rows={'any': -1})], '-1 is not a number of rows'),
            ([Seed(BookResource, rows={'any': '7'})], "'7' is not a number of rows"),
            ([Seed(TagResource, rows=ANY), Seed(EditionResource)], 'Edition: say how many rows'),
            ([Seed(BookResource, rows=ANY, editions=2)], 'Book.editions: nothing takes a number'),
            ([Seed(BookResource, rows=ANY, authors=2)], 'Book.authors: nothing takes a number'),
            (
                [Seed(BookResource, rows=ANY, editions=2), Seed(EditionResource, rows=1)],
                'Book.editions: nothing takes a number',
            ),
            (
                [Seed(BookResource, rows=ANY, editions='two'), Seed(EditionResource)],
                'Book.editions: say how many',
            ),
        ],
    )
    def test_what_cannot_be_counted_is_told(self, seeds: list[Seed], message: str) -> None:
        with pytest.raises(SeedError, match=message):
            plan_of(*seeds)


class TestHowTheyHangTogether:
    def test_parents_come_before_their_children(self) -> None:
        labels = [factory.label for factory in make_plan(SEEDS[::-1], size='small').factories]
        place = {label.partition('.')[2]: labels.index(label) for label in labels}

        assert place['Country'] < place['Publisher'] < place['Book'] < place['Edition']
        assert max(place['Book'], place['Author']) < place['Book_authors']
        assert place['Edition'] < place['Review']

    def test_the_order_of_the_seeds_changes_no_row(self) -> None:
        one, other = (make_plan(seeds, size='small') for seeds in (SEEDS, SEEDS[::-1]))

        for model in (Book, Edition, Book.authors.through):
            assert rows_of(one, model) == rows_of(other, model)

    def test_keys_of_parents_exist_and_are_spread(self) -> None:
        plan = make_plan(SEEDS, size='small')
        editions = Counter(row['book_id'] for row in rows_of(plan, Edition))

        assert set(editions) <= {row['id'] for row in rows_of(plan, Book)}
        assert len(editions) > 80
        assert max(editions.values()) < 12

    def test_a_key_that_is_no_number_is_taken_over(self) -> None:
        plan = make_plan(SEEDS, size='small')
        codes = [row['code'] for row in rows_of(plan, Country)]

        assert len(set(codes)) == 20
        assert {len(code) for code in codes} == {2}
        assert {row['country_id'] for row in rows_of(plan, Publisher)} <= {*codes, None}

    def test_zipf_gives_few_parents_most_of_the_children(self) -> None:
        plan = make_plan(SEEDS, size='small')
        books = Counter(row['publisher_id'] for row in rows_of(plan, Book))

        assert books[1] > 2 * 100 / 30
        assert books[1] > 3 * books[20]
        assert 3 < books[None] < 20

    def test_a_one_to_one_child_has_a_parent_of_its_own(self) -> None:
        plan = make_plan(SEEDS, size='small')
        (biographies,) = [each for each in plan.factories if each.label == 'bookshop.Biography']
        owners = [row[1] for row in biographies.values(0, 40)]

        assert sorted(owners) == list(range(1, 41))
        assert owners != sorted(owners)

    def test_pairs_of_a_table_between_are_different(self) -> None:
        pairs = rows_of(make_plan(SEEDS, size='small'), Book.tags.through)
        per_book = Counter(row['book_id'] for row in pairs)

        assert len({(row['book_id'], row['tag_id']) for row in pairs}) == len(pairs) == 300
        assert len(set(per_book.values())) > 2, 'not the same number for each'

    def test_what_has_no_parent_is_null_or_refused(self) -> None:
        plan = plan_of(Seed(BookResource, rows=ANY))

        assert {row['publisher_id'] for row in rows_of(plan, Book)} == {None}
        with pytest.raises(SeedError, match=r'Edition.book needs rows of bookshop.Book: seed it'):
            plan_of(Seed(EditionResource, rows=ANY))

    def test_too_many_children_for_one_to_one_are_refused(self) -> None:
        with pytest.raises(SeedError, match='Biography: 50 rows, and author can only be 20'):
            plan_of(Seed(AuthorResource, rows=20), Seed(BiographyResource, rows=ANY))

    def test_too_many_rows_for_their_keys_are_refused(self) -> None:
        with pytest.raises(SeedError, match='Country: 677 rows, and code can only be 676'):
            plan_of(Seed(CountryResource, rows={'any': 677}))


class TestWhatIsGiven:
    def test_a_function_sees_the_row_that_is_made(self) -> None:
        plan = plan_of(
            Seed(AuthorResource, rows=ANY, name=people()),
            Seed(
                BookResource,
                rows=ANY,
                title=lambda row: f'{row.index} {row["slug"]} {row.count(Author)}',
                slug=lambda row: row.random.pick(('red', 'blue')),
                blurb=lambda row: row.of(Author, row.index)['name'],
                pages=lambda row: row.random.between(1, 9),
            ),
        )

        books = rows_of(plan, Book)
        assert books[7]['title'] == f'7 {books[7]["slug"]} 50'
        assert books[7]['blurb'] == rows_of(plan, Author)[7]['name']
        assert {row['slug'] for row in books} == {'red', 'blue'}
        assert {row['pages'] for row in books} == set(range(1, 10))

    def test_a_function_reaches_the_row_behind_a_foreign_key_and_gives_one(self) -> None:
        plan = plan_of(
            Seed(BookResource, rows=ANY),
            Seed(
                EditionResource,
                rows={'any': 100},
                book=lambda row: row.of(Book, row.index // 2),
                isbn=lambda row: f'{row["book_id"]} {row["book"]["slug"][:10]}',
            ),
        )

        books, editions = rows_of(plan, Book), rows_of(plan, Edition)
        assert [row['book_id'] for row in editions] == [n // 2 + 1 for n in range(100)]
        assert editions[9]['isbn'] == f'5 {books[4]["slug"][:10]}'

    def test_a_key_may_be_given_by_its_column(self) -> None:
        plan = plan_of(
            Seed(BookResource, rows=ANY), Seed(EditionResource, rows=ANY, book_id=lambda _: '7')
        )

        assert {row['book_id'] for row in rows_of(plan, Edition)} == {7}

    def test_one_value_does_not_depend_on_which_others_were_made_before(self) -> None:
        def draw(row: Row) -> str:
            return str(row.random.below(10**9))

        def other_first(row: Row) -> str:
            return f'{row["blurb"][:0]}{row.random.below(10**9)}'

        plain = plan_of(Seed(BookResource, rows=ANY, title=draw, blurb=draw))
        mixed = plan_of(Seed(BookResource, rows=ANY, title=other_first, blurb=draw))

        assert rows_of(plain, Book) == rows_of(mixed, Book)
        assert all(row['title'] != row['blurb'] for row in rows_of(plain, Book))

    def test_values_are_drawn_from_a_set_that_is_given(self) -> None:
        plan = plan_of(Seed(TagResource, rows=ANY, label=among(('sale', 'new'))))

        assert {row['label'] for row in rows_of(plan, Tag)} == {'sale', 'new'}

    def test_what_a_function_gives_is_stored_as_its_column_would(self) -> None:
        plan = plan_of(
            Seed(
                BookResource,
                rows=ANY,
                price=lambda _: 2,
                pages=lambda _: '7',
                status=lambda _: Book.Status.DRAFT,
                released_on=lambda _: '2020-02-03',
                created_at=lambda _: dt.datetime(2020, 1, 1),
            )
        )

        first = rows_of(plan, Book)[0]
        assert str(first['price']) == '2.00'
        assert (first['pages'], first['status']) == (7, 'draft')
        assert type(first['status']) is str
        assert first['released_on'] == dt.date(2020, 2, 3)
        assert first['created_at'] == dt.datetime(2020, 1, 1, tzinfo=dt.UTC)

    def test_a_share_of_nulls_is_kept(self) -> None:
        plan = plan_of(
            Seed(BookResource, rows={'any': 1_000}, nulls={'price': 0.5, 'pages': 0, 'rating': 1})
        )

        books = rows_of(plan, Book)
        assert 440 < sum(row['price'] is None for row in books) < 560
        assert not any(row['pages'] is None for row in books)
        assert all(row['rating'] is None for row in books)

    def test_another_seed_and_another_day_give_other_rows(self) -> None:
        seeds = Seed(BookResource, rows=ANY)
        later = EPOCH + dt.timedelta(days=30)

        assert rows_of(plan_of(seeds), Book) == rows_of(plan_of(seeds), Book)
        assert rows_of(plan_of(seeds), Book) != rows_of(plan_of(seeds, seed=43), Book)
        moved = zip(
            rows_of(plan_of(seeds), Book), rows_of(plan_of(seeds, until=later), Book), strict=True
        )
        assert all(b['created_at'] - a['created_at'] == dt.timedelta(days=30) for a, b in moved)

    @pytest.mark.parametrize(
        ('given', 'message'),
        [
            ({'titel': lambda _: ''}, "bookshop.Book has no 'titel'; it has: blurb, created_at"),
            ({'nulls': {'titel': 0.5}}, "bookshop.Book has no 'titel'"),
            ({'nulls': {'title': 0.5}}, 'Book.title may not be null'),
            ({'nulls': {'price': 0.5}, 'price': lambda _: 1}, 'Book.price: its function decides'),
            ({'title': 'Fixed'}, 'Book.title: give a function, Values or Zipf()'),
            ({'pages': lambda _: 'many'}, 'Book.pages: .*must be an integer'),
            ({'title': lambda _: 'x' * 5_001}, "Book.title: 'x+' is longer than 5000"),
            ({'title': lambda row: row['titel']}, "bookshop.Book has no 'titel'"),
            ({'title': lambda row: row.count(Tag)}, 'Book needs bookshop.Tag, not seeded before'),
            (
                {'title': lambda row: row['slug'], 'slug': lambda row: row['title']},
                'Book.title needs its own value',
            ),
        ],
    )
    def test_mistakes_are_told_before_anything_is_written(self, given: Any, message: str) -> None:
        with pytest.raises(SeedError, match=message):
            plan_of(Seed(BookResource, rows=ANY, **given))

    def test_a_function_that_fails_is_named(self) -> None:
        with pytest.raises(ZeroDivisionError) as caught:
            plan_of(Seed(BookResource, rows=ANY, pages=lambda row: 1 // row.index))

        assert caught.value.__notes__ == ['in bookshop.Book.pages of the row 0']


@pytest.fixture
def shelves() -> Iterator[Sequence[type[models.Model]]]:
    """Models with trees, with sets that are unique together, and with keys of other types."""
    with isolate_apps('tests.bookshop'):

        class Shelf(models.Model):
            id = models.UUIDField(primary_key=True)
            label = models.CharField(max_length=2, unique=True)
            above = models.ForeignKey('self', models.CASCADE, null=True)
            below = models.ForeignKey('self', models.CASCADE, related_name='+')

            name = models.CharField(max_length=200)

            class Meta:
                app_label = 'bookshop'
                unique_together = (('above', 'name'),)

        class Place(models.Model):
            shelf = models.ForeignKey(Shelf, models.CASCADE)
            label = models.CharField(max_length=200)
            number = models.PositiveSmallIntegerField()
            side = models.CharField(max_length=5, choices=[('left', 'L'), ('right', 'R')])
            code = models.UUIDField(null=True, unique=True)

            class Meta:
                app_label = 'bookshop'
                constraints = (
                    models.UniqueConstraint(fields=('shelf', 'side'), name='one_of_a_side'),
                    models.UniqueConstraint(
                        fields=('label',), condition=~models.Q(label=''), name='one_label'
                    ),
                    models.UniqueConstraint(
                        fields=('shelf',), condition=models.Q(number=0), name='one_first'
                    ),
                )

        class Lamp(Place):
            watts = models.IntegerField()

            class Meta:
                app_label = 'bookshop'

        yield Shelf, Place, Lamp


class TestUnusualModels:
    def test_a_tree_hangs_below_rows_before(self, shelves: Any) -> None:
        shelf, *_ = shelves
        rows = rows_of(plan_of(Seed(shelf, rows=ANY)), shelf)
        place = {row['id']: index for index, row in enumerate(rows)}

        assert len(place) == len({row['label'] for row in rows}) == 50
        assert all(isinstance(row['id'], UUID) for row in rows)
        assert rows[0]['above_id'] is None
        assert rows[0]['below_id'] == rows[0]['id'], 'there is no other yet'
        for index, row in enumerate(rows[1:], 1):
            assert row['above_id'] is None or place[row['above_id']] < index
            assert place[row['below_id']] < index
        assert len({row['above_id'] for row in rows}) > 10

    def test_what_is_unique_together_is_so_up_to_the_last_combination(self, shelves: Any) -> None:
        shelf, place, _ = shelves
        rows = rows_of(plan_of(Seed(shelf, rows=50), Seed(place, rows={'any': 100})), place)

        assert len({(row['shelf_id'], row['side']) for row in rows}) == 100
        assert len({row['number'] for row in rows}) > 50

    def test_one_row_more_is_refused(self, shelves: Any) -> None:
        shelf, place, _ = shelves

        with pytest.raises(SeedError, match='Place: 101 rows, and shelf, side can only be 100'):
            plan_of(Seed(shelf, rows=50), Seed(place, rows={'any': 101}))
        with pytest.raises(SeedError, match='are unique together: no Zipf'):
            plan_of(Seed(shelf, rows=50), Seed(place, rows=ANY, shelf=Zipf()))

    def test_what_is_unique_under_a_condition_is_so_where_there_are_values_enough(
        self, shelves: Any
    ) -> None:
        shelf, place, _ = shelves
        rows = rows_of(plan_of(Seed(shelf, rows=50), Seed(place, rows={'any': 100})), place)

        assert len({row['label'] for row in rows}) == 100
        assert len({row['shelf_id'] for row in rows}) == 50, 'a hundred rows, on fifty shelves'

    def test_a_tree_with_names_that_are_unique_below_each_row_stays_a_tree(
        self, shelves: Any
    ) -> None:
        shelf, *_ = shelves
        rows = rows_of(plan_of(Seed(shelf, rows={'any': 500})), shelf)

        assert len({(row['above_id'], row['name']) for row in rows}) == 500
        assert len({row['above_id'] for row in rows}) > 100

    @pytest.mark.parametrize('given', [Zipf(), among((1, 2))])
    def test_a_unique_field_and_a_tree_take_functions_only(self, shelves: Any, given: Any) -> None:
        shelf, place, _ = shelves

        with pytest.raises(SeedError, match='above leads to its own model: give a function'):
            plan_of(Seed(shelf, rows=ANY, above=given))
        with pytest.raises(SeedError, match=r'code is unique: no Zipf|and code can only be 2'):
            plan_of(Seed(shelf, rows=50), Seed(place, rows=ANY, code=given))

    def test_a_function_is_responsible_for_what_is_unique_together(self, shelves: Any) -> None:
        shelf, place, _ = shelves
        plan = plan_of(Seed(shelf, rows=50), Seed(place, rows=ANY, side=lambda _: 'left'))

        assert {row['side'] for row in rows_of(plan, place)} == {'left'}

    def test_a_unique_field_that_may_be_null_is_so_at_times(self, shelves: Any) -> None:
        shelf, place, _ = shelves
        rows = rows_of(plan_of(Seed(shelf, rows=50), Seed(place, rows={'any': 100})), place)
        codes = [row['code'] for row in rows if row['code']]

        assert len(set(codes)) == len(codes)
        assert 80 < len(codes) < 99

    def test_a_model_that_inherits_has_the_keys_of_its_parent(self, shelves: Any) -> None:
        shelf, place, lamp = shelves
        plan = plan_of(Seed(shelf, rows=50), Seed(place, rows=60), Seed(lamp, rows=ANY))

        assert [row['place_ptr_id'] for row in rows_of(plan, lamp)] == list(range(1, 51))

    @isolate_apps('tests.bookshop')
    def test_a_circle_is_null_where_it_may_be_and_else_refused(self) -> None:
        class Egg(models.Model):
            hen = models.ForeignKey('Hen', models.CASCADE)

            class Meta:
                app_label = 'bookshop'

        class Hen(models.Model):
            egg = models.ForeignKey(Egg, models.CASCADE, null=True)

            class Meta:
                app_label = 'bookshop'

        seeds = (Seed(Egg, rows=ANY), Seed(Hen, rows=ANY))
        plan = plan_of(*seeds)
        assert {row['egg_id'] for row in rows_of(plan, Hen)} == {None}
        assert {row['hen_id'] for row in rows_of(plan, Egg)} <= set(range(1, 51))

        Hen._meta.get_field('egg').null = False
        with pytest.raises(SeedError, match=r'in a circle: bookshop\.\w+ -> bookshop'):
            plan_of(*seeds)

    @isolate_apps('tests.bookshop')
    def test_a_key_of_several_columns_is_refused(self) -> None:
        class Pair(models.Model):
            pk = models.CompositePrimaryKey('a', 'b')
            a = models.IntegerField()
            b = models.IntegerField()

            class Meta:
                app_label = 'bookshop'

        with pytest.raises(SeedError, match='Pair has a key of several columns'):
            plan_of(Seed(Pair, rows=ANY))

    @isolate_apps('tests.bookshop')
    def test_a_proxy_has_the_rows_of_its_model(self) -> None:
        class Paperback(Book):
            class Meta:
                app_label = 'bookshop'
                proxy = True

        assert Seed(Paperback, rows=ANY).model is Book

    def test_a_child_of_a_child_is_counted_through_both(self) -> None:
        plan = plan_of(
            Seed(ReviewResource), Seed(EditionResource), Seed(BookResource, rows={'any': 10})
        )

        assert counts_of(plan)['Review'] == 10 * 3 * 5

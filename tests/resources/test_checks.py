"""Mistakes in declarations: each is found at start-up and told with its number."""

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, models
from django.db.models import Count, Exists, F, OuterRef, Q, Subquery, Window
from django.db.models.functions import Now, RowNumber, Upper
from django.test import override_settings

from backstay.events import declaration
from backstay.resources import (
    ALL,
    Array,
    CallerValue,
    Computed,
    DeclarationError,
    Grant,
    Hooks,
    InPython,
    Many,
    One,
    Resource,
    Scope,
    Url,
    anyone,
    checks,
)
from backstay.resources.checks import check_resources
from backstay.resources.declaration import registry
from tests.bookshop import resources as bookshop
from tests.bookshop.models import Author, Biography, Book, Country, Edition, Publisher, Tag
from tests.bookshop.resources import OPEN
from tests.depot.models import Building, Warehouse
from tests.lending.models import Keyword, Note

pytestmark = pytest.mark.django_db


class Draft(models.Model):  # noqa: DJ008 no row of it is ever made
    """Unique under conditions."""

    id = models.AutoField(primary_key=True)
    name = models.CharField(max_length=10)
    code = models.CharField(max_length=10)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        app_label = 'unmade'
        constraints = (
            models.UniqueConstraint(fields=('name',), condition=Q(code=''), name='draft_name'),
            models.UniqueConstraint(
                fields=('code',), condition=Q(deleted_at=None), name='draft_code'
            ),
        )


@pytest.fixture(autouse=True)
def _registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Resources that a test declares are the only ones that the checks know."""
    import_module(settings.ROOT_URLCONF)  # it declares others
    monkeypatch.setattr(registry, '_registry', {})


def declare(model: type[models.Model] = Book, /, **members: Any) -> type[Resource]:
    """A resource called `Wrong`; what it does not give itself, `Meta` has in its place."""
    return declare_as('Wrong', model, **members)


def declare_as(called: str, model: type[models.Model], /, **members: Any) -> type[Resource]:
    """A resource of this name."""
    declared = {
        name: members.pop(name)
        for name in list(members)
        if name == 'grants'
        or isinstance(members[name], One | Many | Computed | Array | Url | InPython)
    }
    meta = type('Meta', (), {'model': model, 'fields': ('id', 'title'), **members})
    return type(f'{called}Resource', (Resource,), {'Meta': meta, 'grants': OPEN, **declared})


def str_of_condition(value: object) -> str:
    """A name for a test; the text of a `Q` would ask the database for a queryset in it."""
    if isinstance(value, Q):
        (child, *_) = value.children
        return child[0] if isinstance(child, tuple) else type(child).__name__
    return value if isinstance(value, str) else ''


def str_of_expression(value: object) -> str:
    """A name for a test, of the type of an expression."""
    return type(value).__name__


def assert_found(number: str, *words: str) -> None:
    """One message, with this number and these words."""
    (message,) = check_resources()
    assert message.id == f'backstay.{number}'
    for word in words:
        assert word in f'{message.msg} {message.hint}'


def test_the_bookshop_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    declared = {name: each for name, each in vars(bookshop).items() if name.endswith('Resource')}
    monkeypatch.setattr(registry, '_registry', {**declared, 'Resource': bookshop.BookResource})

    assert check_resources() == []


class TestNames:
    def test_e001_a_column_that_does_not_exist(self) -> None:
        declare(fields=('id', 'titel'))

        assert_found('E001', "no column 'titel'", 'title')

    def test_e001_a_column_of_a_type_that_cannot_be_shown(self) -> None:
        class Shape(models.Field):
            pass

        class Drawing(models.Model):  # noqa: DJ008 no row of it is ever made
            id = models.AutoField(primary_key=True)
            shape = Shape()

            class Meta:
                app_label = 'unmade'

        declare(Drawing, fields=('id', 'shape'))

        assert_found('E001', 'Drawing.shape', 'cannot be shown')

    def test_e001_a_relation_that_does_not_exist(self) -> None:
        declare(printer=One(bookshop.PublisherResource))

        assert_found('E001', "no relation 'printer'")

    def test_e001_one_where_there_are_many(self) -> None:
        declare(tags=One(bookshop.TagResource))

        assert_found('E001', 'use Many')

    def test_e001_a_resource_that_does_not_exist(self) -> None:
        declare(tags=Many('NowhereResource'))

        assert_found('E001', "no resource called 'NowhereResource'")

    def test_e045_audited_reads_without_the_audit(self) -> None:
        declare(audited_reads=True)

        assert check_resources() == []
        without = [each for each in settings.INSTALLED_APPS if each != 'backstay.audit']
        with override_settings(INSTALLED_APPS=without):
            assert_found('E045', 'backstay.audit')

    @pytest.mark.parametrize('option', ['filterable', 'orderable'])
    def test_e002_an_option_that_names_no_field(self, option: str) -> None:
        declare(**{option: ('nope',)})

        assert_found('E002', f'Meta.{option}', '`nope`')

    def test_e003_an_order_by_no_field(self) -> None:
        declare(ordering=('-nope', 'pk'))

        assert_found('E003', '`-nope`')

    def test_e004_a_lookup_that_is_no_field(self) -> None:
        declare(Country, fields=('code',))

        assert_found('E004', '`id`')

    @pytest.mark.parametrize(('size', 'most'), [(0, 100), (101, 100), (-1, -1)])
    def test_e005_a_page_that_cannot_be(self, size: int, most: int) -> None:
        declare(page_size=size, max_page_size=most)

        assert_found('E005', 'page_size')

    @pytest.mark.parametrize(
        ('model', 'members'),
        [
            (Book, {'fields': ('id', 'title'), 'lookup': 'title'}),
            (Note, {'fields': ('id', 'position'), 'lookup': 'position'}),  # unique with another
            (Book, {'id': Computed(F('publisher__id'), models.IntegerField())}),
            (Book, {'id': Computed(F('id') / 2, models.IntegerField())}),
            (Draft, {'fields': ('id', 'name'), 'lookup': 'name'}),  # unique among some
            (Draft, {'fields': ('id', 'code'), 'lookup': 'code'}),  # unique among the live rows
            (Draft, {'fields': ('id', 'code'), 'lookup': 'code', 'soft_delete': 'deleted_at'}),
        ],
    )
    def test_e007_a_lookup_that_two_rows_may_share(
        self, model: type[models.Model], members: dict[str, Any]
    ) -> None:
        declare(model, **{'fields': ('title',), **members})

        assert_found('E007', 'Meta.lookup', 'two rows')

    @pytest.mark.parametrize(
        ('model', 'members'),
        [
            (Book, {'fields': ('id', 'title')}),
            (Keyword, {'fields': ('word',), 'lookup': 'word'}),
            (Warehouse, {'fields': ('host_id', 'name'), 'lookup': 'host_id'}),
            (Warehouse, {'fields': ('id', 'name')}),  # of its parent model
            (Biography, {'fields': ('author_id', 'text'), 'lookup': 'author_id'}),
            (Book, {'fields': ('title',), 'id': Computed(F('pk'), models.IntegerField())}),
        ],
    )
    def test_a_lookup_may_be_any_unique_column(
        self, model: type[models.Model], members: dict[str, Any]
    ) -> None:
        declare(model, **members)

        assert check_resources() == []

    def test_e006_a_field_that_is_a_relation_too(self) -> None:
        declare(
            fields=('id', 'publisher_id'), publisher_id=One(bookshop.PublisherResource, 'publisher')
        )

        assert_found('E006', '`publisher_id`')


class TestDefaultMask:
    def test_e010_a_text_that_is_no_mask(self) -> None:
        declare(default_mask='{id,,title}')

        assert_found('E010', 'Unexpected comma')

    def test_e011_a_name_that_is_not_there(self) -> None:
        declare(default_mask='{id,nope}')

        assert_found('E011', '`nope`')

    def test_e012_a_list(self) -> None:
        declare(default_mask='{id,tags}', tags=Many(bookshop.TagResource))

        assert_found('E012', '`tags`', 'rule M7')

    def test_e013_what_lies_below_a_relation(self) -> None:
        declare(default_mask='{id,publisher{name}}', publisher=One(bookshop.PublisherResource))

        assert_found('E013', '`publisher`')


class TestRecursion:
    def test_e014_a_path_that_comes_back(self) -> None:
        declare(
            Country,
            fields=('code',),
            lookup='code',
            publishers=Many('HouseResource', 'publisher_set'),
        )

        class HouseResource(Resource):
            grants = OPEN

            class Meta:
                model = Publisher
                fields = ('id', 'country_id')

            books = Many('PaperResource', 'book_set')

        class PaperResource(Resource):
            grants = OPEN

            class Meta:
                model = Book
                fields = ('id', 'publisher_id')

            country = One('WrongResource', 'publisher')

        ids = {each.id for each in check_resources()}
        assert 'backstay.E014' in ids
        assert any('publishers -> books -> country' in each.msg for each in check_resources())

    def test_e015_a_child_that_shows_its_parent(self) -> None:
        class LeafResource(Resource):
            grants = OPEN

            class Meta:
                model = Edition
                fields = ('id', 'book_id')

            book = One(bookshop.CardResource)

        declare(editions=Many(LeafResource))

        assert_found('E015', '`editions`', '`book`', 'rules M9 and M10')

    def test_e015_a_many_to_many_seen_from_both_sides(self) -> None:
        class WriterResource(Resource):
            grants = OPEN

            class Meta:
                model = Author
                fields = ('id',)

            books = Many(bookshop.CardResource)

        declare(authors=Many(WriterResource))

        assert_found('E015', '`authors`', '`books`', 'rules M9 and M10')

    def test_e016_a_child_that_hides_the_id_of_its_parent(self) -> None:
        class OrphanResource(Resource):
            grants = OPEN

            class Meta:
                model = Edition
                fields = ('id', 'book_id')
                default_mask = '{id}'

        declare(editions=Many(OrphanResource))

        assert_found('E016', 'OrphanResource', '`book_id`')


class TestDeclaredFields:
    def test_e020_a_need_that_is_no_field(self) -> None:
        declare(loud=InPython(str, needs=('titel',)))

        assert_found('E020', 'titel')

    def test_e021_a_url_of_a_text_that_would_need_escaping(self) -> None:
        declare(url=Url('/books/{title}/'))

        assert_found('E021', '`title`')

    def test_e021_a_url_of_no_field(self) -> None:
        declare(url=Url('/books/{nope}/'))

        assert_found('E021', '`nope`')

    @pytest.mark.parametrize('path', ['/books/{id}/', '/books/{slug}/'])
    def test_a_url_of_a_number_or_a_slug(self, path: str) -> None:
        declare(fields=('id', 'slug'), url=Url(path))

        assert check_resources() == []

    def test_e022_an_array_over_a_text(self) -> None:
        declare(title=Array())

        assert_found('E022', '`title`')

    def test_e023_a_cap_of_nothing(self) -> None:
        declare(tags=Many(bookshop.TagResource, cap=0))

        assert_found('E023', '`tags`')

    def test_computed_values_need_no_column(self) -> None:
        declare(twice=Computed(F('price') * 2, models.IntegerField()))

        assert check_resources() == []


def test_e030_an_array_of_postgresql_on_sqlite() -> None:
    class Labels(models.Field):
        """What `django.contrib.postgres` has, whose app the tests do not need."""

        base_field = models.TextField()

        def get_internal_type(self) -> str:
            return 'ArrayField'

    class Shelf(models.Model):  # noqa: DJ008 no row of it is ever made
        id = models.AutoField(primary_key=True)
        labels = Labels()

        class Meta:
            app_label = 'unmade'

    declare(Shelf, fields=('id', 'labels'))

    if connection.vendor == 'postgresql':
        assert check_resources() == []
    else:
        assert_found('E030', '`labels`', 'JSONField')


class TestDeclarationsThatCannotBeMade:
    """Python itself stops at these, before any check runs."""

    def test_a_resource_without_a_model(self) -> None:
        with pytest.raises(DeclarationError, match='needs a class Meta with a model'):
            type('BareResource', (Resource,), {})

    def test_an_option_that_does_not_exist(self) -> None:
        with pytest.raises(DeclarationError, match=r"unknown options: \['orderding'\]"):
            declare(Tag, orderding=('id',))


class TestGrants:
    def test_e040_nothing_to_anybody(self) -> None:
        declare(grants=())

        assert_found('E040', 'grants nothing', 'anyone')

    @pytest.mark.parametrize('verb', ['read', 'write', 'create'])
    def test_e041_a_name_that_is_not_there(self, verb: str) -> None:
        granted = {'read': ('id',), verb: ('title' if verb != 'read' else 'id', 'titel')}
        declare(grants=(Grant(anyone, **granted),))

        assert_found('E041', verb, 'titel')

    @pytest.mark.parametrize('option', ['rows', 'check'])
    @pytest.mark.parametrize(
        ('condition', 'words'),
        [
            (Q(no_such=1), ('`no_such`', 'pages', 'title')),
            (Q(publisher__no_such=1), ('`publisher__no_such`', 'country')),
            (Q(pages__less=1), ('`pages__less`',)),
            (Q(pages__lt=F('no_such')), ('no_such', 'pages')),
            (Q(pages__lt=F('rating') + F('no_such')), ('no_such',)),
            (~Q(Exists(Edition.objects.filter(book=OuterRef('nothing')))), ('nothing', 'pages')),
            (Q(pages='many'), ("'many'",)),
            (Q(pages=Count('editions')), ('`pages`', 'Subquery')),
            (Q(created_at__lt=datetime(2026, 1, 1)), ('created_at', 'naive')),
            (Q(pk__in=Edition.objects.none()), ('covers no row',)),
            (Q(publisher_id=Scope('houses', 2)), ('publisher_id__in',)),
            (Q(pages__isnull=CallerValue('name')), ('isnull',)),
            (Q(metadata__color=CallerValue('name')), ('JSONField',)),
        ],
        ids=str_of_condition,
    )
    def test_e042_rows_that_cannot_be(
        self, option: str, condition: Q, words: tuple[str, ...]
    ) -> None:
        rows = {'rows': Q(pages=1), option: condition}
        declare(grants=(Grant(anyone, read=ALL), Grant(anyone, read=ALL, write=('title',), **rows)))

        assert_found('E042', f'`{option}` of grant 2', *words)

    @pytest.mark.parametrize(
        'condition',
        [
            Q(pages__lt=F('rating')),
            Q(Exists(Edition.objects.filter(book=OuterRef('pk')))),
            Q(publisher__in=Publisher.objects.filter(name='x')),
            Q(publisher=CallerValue('house')) | ~Q(tags__label='x'),
            Q(created_at__year=CallerValue('year')),
            Q(title__icontains=CallerValue('name')),
            Q(created_at__lt=Now() - timedelta(days=1)),
            Q(pages__in=()),
            Q(pages__lt=10**30),
        ],
        ids=str_of_condition,
    )
    def test_rows_that_can(self, condition: Q) -> None:
        declare(grants=(Grant(anyone, read=ALL), Grant(anyone, read=ALL, rows=condition)))

        assert check_resources() == []


class TestComputed:
    @pytest.mark.parametrize(
        'expression',
        [F('tags__label'), F('editions__position') + 1, Upper('authors__name'), Q(tags__label='x')],
        ids=str,
    )
    def test_e024_a_path_to_many(self, expression: Any) -> None:
        declare(wrong=Computed(expression, models.TextField()))

        assert_found('E024', '`wrong`', 'many rows', 'Subquery')

    @pytest.mark.parametrize(
        ('expression', 'words'),
        [
            (F('no_such'), ('no_such', 'pages')),
            (F('price') * F('no_such'), ('no_such',)),
            (Count('tags'), ('Subquery',)),
            (Window(RowNumber()), ('Subquery',)),
            (Q(no_such=1), ('no_such',)),
            (Subquery(Edition.objects.filter(book=OuterRef('nothing')).values('id')), ('nothing',)),
        ],
        ids=str_of_expression,
    )
    def test_e025_what_cannot_be_computed(self, expression: Any, words: tuple[str, ...]) -> None:
        declare(wrong=Computed(expression, models.IntegerField()))

        assert_found('E025', '`wrong`', *words)

    @pytest.mark.parametrize(
        'expression',
        [
            ~Q(pages__gte=2),
            Q(publisher__name='x'),
            Exists(Edition.objects.filter(book=OuterRef('pk'))),
            Q(pages__in=[]),
        ],
        ids=str_of_expression,
    )
    def test_boolean_expressions_are_values(self, expression: Any) -> None:
        declare(right=Computed(expression, models.BooleanField()))

        assert check_resources() == []


def test_w007_a_field_that_is_called_as_a_parameter() -> None:
    names = ('limit', 'filter', 'format', 'cursor', 'fields', 'offset', 'ordering', 'count', 'sort')

    class Odd(models.Model):  # noqa: DJ008 no row of it is ever made
        id = models.AutoField(primary_key=True)
        q = models.IntegerField()
        title = models.IntegerField()
        include_deleted = models.BooleanField()

        class Meta:
            app_label = 'unmade'

    for name in names:
        models.IntegerField().contribute_to_class(Odd, name)
    declare(Odd, fields=('id', 'q', 'title', 'include_deleted', *names))

    found = check_resources()

    assert {each.id for each in found} == {'backstay.W007'}
    told = {name: each.hint or '' for name in names for each in found if f'`{name}`' in each.msg}
    assert told.keys() == {*names}
    assert all(f'`{name}__exact=' in hint for name, hint in told.items())
    assert len(found) == len(names) + 1


class TestSubscribers:
    @pytest.fixture(autouse=True)
    def _subscribers(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(declaration, 'registered', {})
        monkeypatch.setattr(checks, 'registered', declaration.registered)

    @pytest.mark.parametrize(
        ('wanted', 'known'),
        [
            ('wrong.updatd', 'wrong.updated'),
            ('wrong.deletd', 'wrong.deleted'),
            ('wrong.create', 'wrong.created'),
            ('wrnog.updated', 'wrong'),
            ('updated', 'wrong'),
            ('wrong', 'wrong'),
            ('wrong.placd', 'wrong.placed'),
            ('wrong.restored', 'wrong.placed'),  # nothing of it is deleted softly
        ],
    )
    def test_e052_a_type_that_is_never_told(self, wanted: str, known: str) -> None:
        declare(name='Wrong', verbs=('placed',))
        declaration.on(wanted)(print)

        assert_found('E052', wanted, known)

    @pytest.mark.parametrize('wanted', ['*', 'wrong.updated', 'wrong.deleted', 'wrong.placed'])
    def test_types_that_are_told(self, wanted: str) -> None:
        declare(name='Wrong', verbs=('placed',))
        declaration.on(wanted)(print)

        assert check_resources() == []


def test_e053_an_app_without_migrations(settings: Any) -> None:
    declare()
    settings.MIGRATION_MODULES = {}

    assert_found('E053', 'bookshop', 'makemigrations')


class TestInheritance:
    @pytest.mark.parametrize('verb', ['write', 'create'])
    def test_e043_the_part_in_the_parents_table_is_not_written(self, verb: str) -> None:
        grants = (Grant(anyone, read=ALL), Grant(anyone, read=ALL, **{verb: ('host_id', 'gates')}))
        declare(Warehouse, fields=('host_id', 'name', 'gates'), lookup='host_id', grants=grants)

        assert_found('E043', verb, '`host_id`', 'Building', 'new row')

    def test_e044_what_nobody_may_delete_is_not_deleted_with_its_child(self) -> None:
        declare(Building, fields=('id', 'name'), grants=(Grant(anyone, read=ALL),))
        grants = (Grant(anyone, read=ALL, delete=True),)
        declare_as('Child', Warehouse, fields=('host_id',), lookup='host_id', grants=grants)

        assert_found('E044', 'Building', 'WrongResource')


@pytest.mark.parametrize(
    'name',
    ['fields', 'relations', 'hops', 'options', 'declared', 'grants', 'hooks', '_members'],
)
def test_a_relation_may_have_any_name(name: str) -> None:
    options = {'model': Book, 'fields': ('id', 'title', 'publisher_id')}
    members: dict[str, Any] = {'grants': OPEN}
    if name == 'grants':
        options |= members
    members |= {name: One(bookshop.PublisherResource, source='publisher')}
    meta = type('Meta', (), options)
    resource: Any = type('AnyResource', (Resource,), {'Meta': meta, **members})

    assert list(resource.relations()) == [name]
    assert list(resource.fields()) == ['id', 'title', 'publisher_id']
    assert resource.grants == OPEN
    assert isinstance(resource.hooks, Hooks)
    assert check_resources() == []

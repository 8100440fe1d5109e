"""What the database refuses: a pointer to each fault, in the words that its constraint declares."""

import re
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any, ClassVar

import pytest
from django.contrib.postgres.constraints import ExclusionConstraint
from django.db import connection
from django.db.models import Func

from backstay.caller import Caller
from backstay.journal.models import Entry
from backstay.resources import (
    ALL,
    Change,
    Grant,
    Hooks,
    Parent,
    Resource,
    ResourceRouter,
    signed_in,
    view_set_of,
)
from backstay.resources.declaration.registry import _registry
from tests.depot.models import (
    Article,
    Badge,
    Building,
    Keeper,
    Oath,
    Place,
    Serial,
    Shelf,
    Warehouse,
)
from tests.depot.resources import ShelfResource
from tests.rights.site import AT_ITS_WORD
from tests.writes.conftest import Ask

pytestmark = pytest.mark.django_db

SAME = 'Another row has the same value.'
OF_OTHER = 'Another row of this request has the same value.'


@pytest.fixture(autouse=True)
def _site(settings: Any, people: dict[str, Caller]) -> None:
    settings.ROOT_URLCONF = 'tests.depot.site'


@pytest.fixture
def shelf(db: None) -> Shelf:
    return Shelf.objects.create(name='one')


def create(prefix: str, ask: Ask, *bodies: dict[str, Any], **more: Any) -> Any:
    operations = [{'op': 'create', 'body': body} for body in bodies]
    return ask('manager', 'post', f'/{prefix}/bulk/', {'operations': operations, **more})


def update(prefix: str, ask: Ask, bodies: dict[int, dict[str, Any]], **more: Any) -> Any:
    operations = [{'op': 'update', 'id': key, 'body': body} for key, body in bodies.items()]
    return ask('manager', 'post', f'/{prefix}/bulk/', {'operations': operations, **more})


def told(answer: Any) -> list[tuple[str, str, str]]:
    return [(each['pointer'], each['code'], each['detail']) for each in answer.json()['errors']]


def place(shelf: Shelf, position: int, **more: Any) -> dict[str, Any]:
    return {'shelf_id': shelf.pk, 'name': f'place {position}', 'position': position, **more}


def without_shelf(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name != 'shelf_id'}


#: A place that is there, one that cannot stand beside it, and the faults that are told of it.
CONFLICTS: dict[str, tuple[dict[str, Any], dict[str, Any], int, list[tuple[str, str, str]]]] = {
    'under a condition': (
        {'name': 'a', 'is_live': True},
        {'name': 'a', 'is_live': True},
        409,
        [('name', 'name_taken', 'A live place of this name is there.')],
    ),
    'of an expression': (
        {'label': 'Red'},
        {'label': 'rED'},
        409,
        [('label', 'duplicate', SAME)],
    ),
    'deferred': ({'rank': 4}, {'rank': 4}, 409, [('rank', 'duplicate', SAME)]),
    'together': ({'position': 5}, {'position': 5}, 409, [('position', 'duplicate', SAME)]),
    'a check': (
        {},
        {'low': 8, 'high': 7},
        422,
        [
            (name, 'range_reversed', 'The upper end lies below the lower one.')
            for name in ('high', 'low')
        ],
    ),
}


#: A deferred constraint is looked at when a transaction ends, which that of a test does not.
KINDS = [
    pytest.param(each, marks=pytest.mark.django_db(transaction=True))
    if each == 'deferred'
    else each
    for each in CONFLICTS
]


@pytest.mark.parametrize('kind', KINDS)
class TestARowThatAConstraintRefuses:
    def test_has_a_pointer_to_each_fault(self, ask: Ask, shelf: Shelf, kind: str) -> None:
        there, body, status, faults = CONFLICTS[kind]
        Place.objects.create(shelf=shelf, **{'name': 'x', 'position': 1, **there})
        other = Place.objects.create(shelf=shelf, name='y', position=2)
        fine = place(shelf, 3)
        refused = {**place(shelf, 4), **body}
        made = ask('manager', 'post', '/places/', refused)
        changed = ask('manager', 'patch', f'/places/{other.pk}/', body)
        bulk = create('places', ask, fine, refused)
        bulk_changed = update('places', ask, {other.pk: body})
        children = [without_shelf(fine), without_shelf(refused)]
        if kind in ('under a condition', 'together'):  # each shelf has its own
            twin = {**place(shelf, 9), **there}
            children = [without_shelf(twin), without_shelf({**refused, **there})]
        nested = ask('manager', 'post', '/shelves/', {'name': 'two', 'places': children})
        for answer, prefix in (
            (made, ''),
            (changed, ''),
            (bulk, '/operations/1/body'),
            (bulk_changed, '/operations/0/body'),
            (nested, '/places/1'),
        ):
            assert answer.status_code in ({status} if answer is not nested else {status, 422})
            assert {(f'{prefix}/{name}') for name, *_ in faults} <= {
                pointer for pointer, *_ in told(answer)
            }, answer.json()
            if kind != 'together':
                words = {(code, detail) for _, code, detail in told(answer)}
                assert words == {each[1:] for each in faults}, answer.json()
        assert Place.objects.count() == 2
        assert not Entry.objects.exists()

    def test_takes_no_other_with_it_where_each_stands_alone(
        self, ask: Ask, shelf: Shelf, kind: str
    ) -> None:
        there, body, status, faults = CONFLICTS[kind]
        Place.objects.create(shelf=shelf, **{'name': 'x', 'position': 1, **there})
        bodies = [place(shelf, 2), {**place(shelf, 3), **body}, place(shelf, 6)]
        answer = create('places', ask, *bodies, atomic=False)
        assert answer.status_code == 200, answer.content
        results = answer.json()['results']
        assert [each['status'] for each in results] == [201, status, 201]
        names = {each['pointer'].rpartition('/')[2] for each in results[1]['error']['errors']}
        assert names >= {name for name, *_ in faults}
        assert Place.objects.count() == 3


def test_null_is_taken_once_where_it_is_declared_to_be(ask: Ask) -> None:
    Serial.objects.create(number=None)
    for answer in (
        ask('manager', 'post', '/serials/', {'number': None}),
        create('serials', ask, {'number': 1}, {'number': None}),
        create('serials', ask, {'number': 2}, {'number': 2}),
    ):
        assert answer.status_code == 409, answer.content
        assert {each[0].rpartition('/')[2] for each in told(answer)} == {'number'}
    assert Serial.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize('way', ['post', 'bulk', 'patch'])
def test_a_reference_to_nothing_refuses_only_its_element(ask: Ask, shelf: Shelf, way: str) -> None:
    """The database notices a deferred foreign key at the end of the transaction."""
    dangling = place(shelf, 2) | {'name': 'dangling'}
    if way == 'bulk':
        answer = create('places', ask, place(shelf, 1), dangling, place(shelf, 3), atomic=False)
        assert [each['status'] for each in answer.json()['results']] == [201, 409, 201]
        assert [each['index'] for each in answer.json()['results']] == [0, 1, 2]
        assert Place.objects.count() == 2
        assert Entry.objects.filter(verb='create').count() == 2
        return
    if way == 'patch':
        there = Place.objects.create(shelf=shelf, name='x', position=1)
        answer = ask('manager', 'patch', f'/places/{there.pk}/', {'name': 'dangling'})
    else:
        answer = ask('manager', 'post', '/places/', dangling)
    assert answer.status_code == 409, answer.content
    assert not Entry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_reference_to_nothing_is_named_where_it_refuses_all(ask: Ask, shelf: Shelf) -> None:
    bodies = [place(shelf, at) for at in range(1, 4)]
    bodies[1]['name'] = 'dangling'
    answer = create('places', ask, *bodies)
    assert (answer.status_code, answer.json()['code']) == (409, 'conflict')
    assert [pointer for pointer, *_ in told(answer)] == ['/operations/1']
    places = [without_shelf(each) for each in bodies]
    answer = ask('manager', 'patch', f'/shelves/{shelf.pk}/', {'places': places})
    assert (answer.status_code, answer.json()['code']) == (409, 'conflict')
    assert [pointer for pointer, *_ in told(answer)] == ['/places/1']
    assert not Place.objects.exists()
    assert not Entry.objects.exists()


#: How a keeper is kept by rows that no resource stands for.
KEEPING: dict[str, Callable[[Keeper], Any]] = {
    'protected': lambda keeper: Oath.objects.create(protected=keeper),
    'restricted': lambda keeper: Oath.objects.create(restricted=keeper),
    'by the database': lambda keeper: Oath.objects.create(referred=keeper),
    'by the database, behind a cascade': lambda keeper: Oath.objects.create(
        badge=Badge.objects.create(keeper=keeper)
    ),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize('way', KEEPING)
def test_a_row_that_others_reference_is_named_among_those_to_delete(ask: Ask, way: str) -> None:
    keepers = [Keeper.objects.create(name=name) for name in 'abc']
    KEEPING[way](keepers[1])
    keys = [keeper.pk for keeper in keepers]
    assert ask('manager', 'delete', f'/keepers/{keys[1]}/').json()['code'] == 'in-use'
    answer = ask('manager', 'delete', '/keepers/bulk/', keys)
    assert (answer.status_code, answer.json()['code']) == (409, 'in-use')
    assert [(pointer, code) for pointer, code, _ in told(answer)] == [('/1', 'in-use')]
    assert Keeper.objects.count() == 3
    operations = [{'op': 'delete', 'id': key} for key in keys]
    body = {'operations': operations, 'atomic': False}
    results = ask('manager', 'post', '/keepers/bulk/', body).json()['results']
    assert [each['status'] for each in results] == [204, 409, 204]
    assert [*Keeper.objects.values_list('name', flat=True)] == ['b']


@pytest.fixture
def _no_overlap(db: None) -> Iterator[None]:
    if connection.vendor != 'postgresql':
        pytest.skip('only PostgreSQL has exclusion constraints')
    constraint = ExclusionConstraint(
        name='place_overlap',
        expressions=[(Func('low', 'high', function='int4range'), '&&')],
        violation_error_message='The ranges overlap.',
        violation_error_code='overlap',
    )
    before = Place._meta.constraints
    Place._meta.constraints = [*before, constraint]
    with connection.schema_editor() as editor:
        editor.execute(constraint.create_sql(Place, editor))
    yield
    Place._meta.constraints = before


@pytest.mark.usefixtures('_no_overlap')
@pytest.mark.parametrize('atomic', [True, False])
def test_an_exclusion_constraint_says_its_words(ask: Ask, shelf: Shelf, atomic: bool) -> None:
    bodies = [place(shelf, 1, low=0, high=5), place(shelf, 2, low=4, high=9)]
    answer = create('places', ask, *bodies, atomic=atomic)
    errors = answer.json()['errors'] if atomic else answer.json()['results'][1]['error']['errors']
    assert [
        (each['pointer'].rpartition('/')[2], each['code'], each['detail']) for each in errors
    ] == [
        ('low', 'overlap', 'The ranges overlap.'),
        ('high', 'overlap', 'The ranges overlap.'),
    ]


class TestAnExchangeOfUniqueValues:
    """Two rows take each other's value in one request."""

    @pytest.mark.parametrize('count', [2, 3])
    @pytest.mark.parametrize('way', ['bulk', 'bulk, each alone', 'nested'])
    def test_works(self, ask: Ask, shelf: Shelf, way: str, count: int) -> None:
        places = [
            Place.objects.create(shelf=shelf, name=f'{at}', position=at) for at in range(count)
        ]
        goal = {each.pk: (at + 1) % count for at, each in enumerate(places)}
        if way == 'nested':
            children = [{'id': key, 'position': at} for key, at in goal.items()]
            answer = ask('manager', 'patch', f'/shelves/{shelf.pk}/', {'places': children})
        else:
            bodies = {key: {'position': at} for key, at in goal.items()}
            answer = update('places', ask, bodies, atomic=way == 'bulk')
        assert answer.status_code == 200, answer.content
        assert dict(Place.objects.values_list('pk', 'position')) == goal
        assert Entry.objects.filter(aggregate='depot.place').count() == count

    def test_works_for_texts_under_a_condition(self, ask: Ask, shelf: Shelf) -> None:
        one, two = (Article.objects.create(shelf=shelf, sku=each) for each in 'ab')
        answer = update('articles', ask, {one.pk: {'sku': 'b'}, two.pk: {'sku': 'a'}})
        assert answer.status_code == 200, answer.content
        assert dict(Article.objects.values_list('pk', 'sku')) == {one.pk: 'b', two.pk: 'a'}

    def test_leaves_the_value_of_a_third_alone(self, ask: Ask, shelf: Shelf) -> None:
        one, two, _ = (
            Place.objects.create(shelf=shelf, name=f'{at}', position=at) for at in range(3)
        )
        answer = update('places', ask, {one.pk: {'position': 1}, two.pk: {'position': 2}})
        assert answer.status_code == 409, answer.content
        assert [each[0] for each in told(answer)] == ['/operations/1/body/position']
        assert sorted(Place.objects.values_list('position', flat=True)) == [0, 1, 2]


class TestUniqueAmongWhatIsNotDeleted:
    """A condition that leaves out the rows that are deleted softly."""

    def test_serves_as_a_natural_key(self, ask: Ask, shelf: Shelf) -> None:
        key = {'shelf_id': shelf.pk, 'sku': 'a'}

        def upsert(title: str) -> Any:
            operations = [{'op': 'upsert', 'key': key, 'body': {'title': title}}]
            return ask('manager', 'post', '/articles/bulk/', {'operations': operations}).json()

        first = upsert('one')['results'][0]
        assert first['status'] == 201
        assert upsert('two')['results'][0] == {'index': 0, 'status': 200, 'id': first['id']}
        assert ask('manager', 'delete', f'/articles/{first["id"]}/').status_code == 204
        again = upsert('three')['results'][0]
        assert (again['status'], again['id'] != first['id']) == (201, True)
        restored = ask('manager', 'post', f'/articles/{first["id"]}/restore/')
        assert restored.status_code == 409, restored.content
        assert Article.objects.filter(deleted_at=None).count() == 1

    @pytest.mark.parametrize('there', [False, True])
    def test_has_the_same_pointers_in_bulk_and_nested(
        self, ask: Ask, shelf: Shelf, there: bool
    ) -> None:
        Article.objects.create(shelf=shelf, sku='gone', deleted_at='2026-01-01T00:00Z')
        known = Article.objects.create(shelf=shelf, sku='a') if there else None
        bodies = [{'sku': 'gone'}, {'sku': 'a'}, *([] if there else [{'sku': 'a'}])]
        bulk = create('articles', ask, *({'shelf_id': shelf.pk, **each} for each in bodies))
        kept = [] if known is None else [{'id': known.pk}]
        nested = ask('manager', 'patch', f'/shelves/{shelf.pk}/', {'articles': [*kept, *bodies]})
        at = [1] if there else [1, 2]
        assert (bulk.status_code, nested.status_code) == (409, nested.status_code)
        names = ('shelf_id', 'sku')  # of a nested row, its place says whose it is
        assert [each[0] for each in told(bulk)] == [
            f'/operations/{n}/body/{name}' for n in at for name in names
        ]
        assert [each[0] for each in told(nested)] == [f'/articles/{n + len(kept)}/sku' for n in at]


@pytest.mark.parametrize('atomic', [True, False])
def test_values_whose_generated_column_overflows_are_refused(ask: Ask, atomic: bool) -> None:
    too_much = {'quantity': 1_000_000_000_000, 'price': '999999.99'}
    assert ask('manager', 'post', '/lots/', too_much).status_code == 422
    fine = {'quantity': 1, 'price': '1.00'}
    answer = create('lots', ask, fine, too_much, fine, atomic=atomic)
    if atomic:
        assert answer.status_code == 422, answer.content
        assert [each[0] for each in told(answer)] == ['/operations/1/body']
    else:
        assert [each['status'] for each in answer.json()['results']] == [201, 422, 201]
    made = ask('manager', 'post', '/lots/', fine)
    path = f'/lots/{made.json()["id"]}/'
    assert ask('manager', 'patch', path, {'quantity': 10**9}).status_code == 200
    assert ask('manager', 'patch', path, {'price': '999999.99'}).status_code == 422
    assert ask('manager', 'get', '/lots/').status_code == 200


class TestARowWithAPartInItsParentsTable:
    """Multi-table inheritance: the parent's row has a resource with rights of its own."""

    def test_is_created_with_it(self, ask: Ask) -> None:
        made = ask('manager', 'post', '/warehouses/', {'name': 'new', 'gates': 2})
        assert made.status_code == 201, made.content
        assert (Building.objects.get().name, Warehouse.objects.get().gates) == ('new', 2)

    @pytest.mark.parametrize('way', ['post', 'bulk'])
    def test_is_never_made_over_one_that_is_there(self, ask: Ask, way: str) -> None:
        building = Building.objects.create(name='kept')
        body = {'host_id': building.pk, 'name': 'taken'}
        if way == 'bulk':
            answer = create('warehouses', ask, body)
        else:
            answer = ask('manager', 'post', '/warehouses/', body)
        assert answer.status_code in (409, 422), answer.content
        assert list(Building.objects.values_list('name', flat=True)) == ['kept']
        assert not Warehouse.objects.exists()

    def test_does_not_take_it_along_for_who_may_not_delete_it(self, ask: Ask) -> None:
        warehouse = Warehouse.objects.create(name='both')
        answer = ask('manager', 'delete', f'/warehouses/{warehouse.pk}/')
        assert answer.status_code == 403, answer.content
        assert Warehouse.objects.exists()
        assert Building.objects.exists()


class TestColumnsThatTheCallerMayNotKnow:
    """What is wrong with a new row is told without the names of columns that are not shown."""

    #: What a hook sets of the hidden columns, and the status; the first leaves one empty.
    SET: ClassVar[dict[str, tuple[dict[str, Any], int]]] = {
        'missing': ({}, 422),
        'taken, together with one that is shown': ({'position': 1}, 409),
        'taken': ({'position': 2, 'rank': 7}, 409),
        'taken in any case': ({'position': 2, 'label': 'RED'}, 409),
        'refused by a check': ({'position': 2, 'low': 8, 'high': 7}, 422),
        'out of range': ({'position': 2**70}, 422),
        'a reference to nothing': ({'position': 2, 'keeper_id': 999_999}, 409),
    }

    @pytest.fixture
    def ask_hidden(self, ask: Ask, settings: Any, way: str) -> Iterator[Ask]:
        known = dict(_registry)

        def fill(change: Change, _caller: Caller) -> None:
            change.values |= self.SET[way][0]

        meta = type('Meta', (), {'model': Place, 'fields': ('id', 'shelf_id', 'name')})
        members = {
            'Meta': meta,
            'shelf': Parent(ShelfResource),
            'hooks': Hooks(before=(fill,)),
            'grants': (Grant(signed_in, read=ALL, write=ALL, create=ALL, delete=True),),
        }
        resource = type('HiddenPlaceResource', (Resource,), members)
        router = ResourceRouter()
        router.register('hidden', view_set_of(resource, **AT_ITS_WORD))
        module: Any = ModuleType('tests.writes.hidden')
        module.urlpatterns = router.urls
        settings.ROOT_URLCONF = module
        yield ask
        _registry.clear()
        _registry.update(known)

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize('way', SET)
    @pytest.mark.parametrize('many', [False, True])
    def test_are_not_named(self, ask_hidden: Ask, shelf: Shelf, way: str, many: bool) -> None:
        Place.objects.create(shelf=shelf, name='there', position=1, rank=7, label='red')
        body: Any = {'shelf_id': shelf.pk, 'name': 'new'}
        path = '/hidden/bulk/' if many else '/hidden/'
        answer = ask_hidden(
            'manager', 'post', path, [body] if many else body, HTTP_IDEMPOTENCY_KEY='k'
        )
        assert answer.status_code == self.SET[way][1], answer.content
        hidden = {column.name for column in Place._meta.concrete_fields} - {'id', 'shelf', 'name'}
        told_of = {*re.findall(r'\w+', answer.content.decode())}
        assert not (hidden | {'keeper_id'}) & told_of, answer.content
        assert Place.objects.count() == 1

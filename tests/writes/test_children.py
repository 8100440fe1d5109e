"""Children and links that are written with their parent."""

from collections.abc import Callable
from typing import Any

import pytest

from backstay.journal.models import Entry
from tests.lending.models import Branch, Cover, Item, Keyword, Mark, Note
from tests.writes.conftest import Ask

pytestmark = pytest.mark.django_db

MakeItem = Callable[..., Item]
WITH_NOTES = '{id,notes{text,position,marks{sign}},cover{colour},keywords{word}}'


def test_a_row_is_created_with_all_that_is_below_it(
    ask: Ask, north: Branch, keywords: dict[str, Keyword]
) -> None:
    body = {
        'branch_id': north.pk,
        'code': 'atlas',
        'title': 'Atlas',
        'notes': [
            {'text': 'one', 'position': 1, 'marks': [{'sign': '+'}, {'sign': '-'}]},
            {'text': 'two', 'position': 2},
        ],
        'cover': {'colour': 'red'},
        'keywords': [keywords['art'].pk],
    }
    made = ask('helper', 'post', '/items/', body, HTTP_X_FIELDS=WITH_NOTES)
    assert made.status_code == 201, made.content
    assert made.json() == {
        'id': Item.objects.get().pk,
        'notes': [
            {'text': 'one', 'position': 1, 'marks': [{'sign': '+'}, {'sign': '-'}]},
            {'text': 'two', 'position': 2, 'marks': []},
        ],
        'cover': {'colour': 'red'},
        'keywords': [{'word': 'art'}],
    }


def test_children_are_changed_created_and_deleted_in_one_go(ask: Ask, make_item: MakeItem) -> None:
    item = make_item()
    kept, gone = (
        Note.objects.create(item=item, text=text, position=at) for at, text in enumerate('ab')
    )
    body = {'notes': [{'id': kept.pk, 'text': 'kept'}, {'text': 'new', 'position': 5}]}
    answer = ask('manager', 'patch', f'/items/{item.pk}/', body, HTTP_X_FIELDS=WITH_NOTES)
    assert answer.status_code == 200, answer.content
    assert [note['text'] for note in answer.json()['notes']] == ['kept', 'new']
    assert not Note.objects.filter(pk=gone.pk).exists()
    item.refresh_from_db()
    assert item.version == 2


def test_a_child_may_take_the_place_of_one_that_goes(ask: Ask, make_item: MakeItem) -> None:
    item = make_item()
    Note.objects.create(item=item, text='old', position=1)
    body = {'notes': [{'text': 'new', 'position': 1}]}
    answer = ask('manager', 'patch', f'/items/{item.pk}/', body)
    assert answer.status_code == 200, answer.content
    assert Note.objects.get().text == 'new'


def test_children_that_are_not_seen_are_left_alone(ask: Ask, make_item: MakeItem) -> None:
    item = make_item()
    hidden = Note.objects.create(item=item, text='hidden', position=1, is_hidden=True)
    assert ask('helper', 'patch', f'/items/{item.pk}/', {'notes': []}).status_code == 200
    assert Note.objects.get() == hidden
    body = {'notes': [{'id': hidden.pk, 'text': 'x'}]}
    answer = ask('helper', 'patch', f'/items/{item.pk}/', body)
    assert answer.json()['errors'][0]['pointer'] == '/notes/0/id'
    assert answer.json()['code'] == 'reference-not-found'


def test_a_child_of_another_parent_is_not_there(ask: Ask, make_item: MakeItem) -> None:
    other = Note.objects.create(item=make_item(), text='other', position=1)
    body = {'notes': [{'id': other.pk, 'text': 'x'}]}
    answer = ask('manager', 'patch', f'/items/{make_item().pk}/', body)
    assert answer.json()['code'] == 'reference-not-found'


def test_a_fault_of_a_child_has_its_pointer_and_nothing_is_written(
    ask: Ask, make_item: MakeItem
) -> None:
    item = make_item()
    body = {
        'title': 'new',
        'notes': [
            {'text': 'fine', 'position': 1, 'marks': [{'sign': 'x' * 11}]},
            {'text': 'y' * 81, 'position': 2, 'is_hidden': True, 'item_id': 1},
            'nonsense',
        ],
    }
    answer = ask('helper', 'patch', f'/items/{item.pk}/', body)
    assert answer.status_code == 422
    faults = {fault['pointer']: fault['code'] for fault in answer.json()['errors']}
    assert faults == {
        '/notes/0/marks/0/sign': 'max-length',
        '/notes/1/text': 'max-length',
        '/notes/1/is_hidden': 'unknown-field',
        '/notes/1/item_id': 'field-not-writable',
        '/notes/2': 'invalid',
    }
    item.refresh_from_db()
    assert item.title != 'New'
    assert not Note.objects.exists()


def test_two_children_in_one_place_are_refused(ask: Ask, make_item: MakeItem) -> None:
    item = make_item()
    body = {'notes': [{'text': 'a', 'position': 1}, {'text': 'b', 'position': 1}]}
    answer = ask('manager', 'patch', f'/items/{item.pk}/', body)
    assert answer.status_code in (409, 422), answer.content
    assert not Note.objects.exists()


def test_the_one_child_comes_and_goes(ask: Ask, make_item: MakeItem) -> None:
    path = f'/items/{make_item().pk}/'
    for body, expected in (
        ({'colour': 'red'}, ['red']),
        ({'colour': 'blue'}, ['blue']),
        (None, []),
        (None, []),
    ):
        answer = ask('manager', 'patch', path, {'cover': body})
        assert answer.status_code == 200, answer.content
        assert [cover.colour for cover in Cover.objects.all()] == expected


def test_links_to_what_is_not_seen_stay(
    ask: Ask, make_item: MakeItem, keywords: dict[str, Keyword]
) -> None:
    item = make_item()
    item.keywords.set([keywords['art'], keywords['hidden']])
    path = f'/items/{item.pk}/'
    answer = ask('helper', 'patch', path, {'keywords': [keywords['maths'].pk]})
    assert answer.status_code == 200, answer.content
    assert {each.word for each in item.keywords.all()} == {'maths', 'hidden'}


@pytest.mark.parametrize('key', [10**9, 'x', None, True, {}, 10**30, 1.5])
def test_a_link_to_nothing_is_refused(ask: Ask, make_item: MakeItem, key: Any) -> None:
    answer = ask('helper', 'patch', f'/items/{make_item().pk}/', {'keywords': [key]})
    assert answer.status_code == 422
    assert answer.json()['errors'][0]['pointer'] == '/keywords/0'


def test_a_link_to_what_is_hidden_is_one_to_nothing(
    ask: Ask, make_item: MakeItem, keywords: dict[str, Keyword]
) -> None:
    path = f'/items/{make_item().pk}/'
    answers = [
        ask('helper', 'patch', path, {'keywords': [key]}).json()['errors']
        for key in (keywords['hidden'].pk, 10**9)
    ]
    assert answers[0] == answers[1]


@pytest.mark.parametrize('body', [{'notes': {}}, {'notes': None}, {'cover': []}, {'keywords': 3}])
def test_a_relation_of_the_wrong_shape_is_refused(
    ask: Ask, make_item: MakeItem, body: dict[str, Any]
) -> None:
    assert ask('manager', 'patch', f'/items/{make_item().pk}/', body).status_code == 422


def test_one_request_writes_no_more_than_a_thousand_rows(ask: Ask, make_item: MakeItem) -> None:
    body = {'notes': [{'text': 'x', 'position': at} for at in range(1_000)]}
    answer = ask('manager', 'patch', f'/items/{make_item().pk}/', body)
    assert (answer.status_code, answer.json()['code']) == (422, 'too-many-rows')
    assert not Mark.objects.exists()


class TestAPatchThatSetsWhatIsThere:
    """It writes nothing: no version, no entry, at no level."""

    @pytest.fixture
    def item(self, make_item: MakeItem, keywords: dict[str, Keyword]) -> Item:
        item = make_item()
        item.keywords.set([keywords['art'], keywords['maths']])
        Cover.objects.create(item=item, colour='red')
        for at, text in enumerate('ab'):
            note = Note.objects.create(item=item, text=text, position=at)
            Mark.objects.create(note=note, sign='+')
        return item

    @pytest.mark.parametrize('depth', ['children', 'links', 'the one child', 'all', 'empty bodies'])
    def test_writes_nothing(
        self, ask: Ask, item: Item, keywords: dict[str, Keyword], depth: str
    ) -> None:
        notes = [
            {
                'id': note.pk,
                'text': note.text,
                'position': note.position,
                'marks': [{'id': mark.pk, 'sign': mark.sign} for mark in note.marks.all()],
            }
            for note in item.notes.all()
        ]
        links = [keywords['maths'].pk, keywords['art'].pk, keywords['maths'].pk]
        bodies = {
            'children': {'notes': notes},
            'links': {'keywords': links},
            'the one child': {'cover': {'colour': 'red'}},
            'all': {'notes': notes, 'keywords': links, 'cover': {}, 'title': item.title},
            'empty bodies': {'notes': [{'id': each['id']} for each in notes], 'cover': {}},
        }
        etag = ask('manager', 'get', f'/items/{item.pk}/')['ETag']
        for _ in range(2):
            answer = ask('manager', 'patch', f'/items/{item.pk}/', bodies[depth])
            assert answer.status_code == 200, answer.content
            assert answer['ETag'] == etag
        item.refresh_from_db()
        assert item.version == 1
        assert not Entry.objects.exists()

    @pytest.mark.parametrize(
        'change', ['a grandchild', 'a new grandchild', 'no cover', 'a link less', 'a child less']
    )
    def test_and_one_thing_more_writes_one_version(
        self, ask: Ask, item: Item, keywords: dict[str, Keyword], change: str
    ) -> None:
        first, second = item.notes.order_by('pk')
        mark = first.marks.get()
        bodies: dict[str, Any] = {
            'a grandchild': {
                'notes': [
                    {'id': first.pk, 'marks': [{'id': mark.pk, 'sign': '-'}]},
                    {'id': second.pk},
                ]
            },
            'a new grandchild': {
                'notes': [
                    {'id': first.pk, 'marks': [{'id': mark.pk}, {'sign': '-'}]},
                    {'id': second.pk},
                ]
            },
            'no cover': {'cover': None},
            'a link less': {'keywords': [keywords['art'].pk]},
            'a child less': {'notes': [{'id': first.pk}]},
        }
        answer = ask('manager', 'patch', f'/items/{item.pk}/', bodies[change])
        assert answer.status_code == 200, answer.content
        item.refresh_from_db()
        assert item.version == 2
        assert Entry.objects.filter(aggregate='lending.item').count() == 1

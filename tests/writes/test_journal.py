"""The journal: what it is told of every write, and what it must never be told."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from django.core.management.color import no_style
from django.db import connection, models
from django.utils import timezone

from backstay.caller import Caller, Held
from backstay.journal.models import Entry
from backstay.journal.recording import Step, record
from backstay.resources import Hooks
from tests.lending.models import Branch, Cover, Item, Keyword, Mark, Note, Stamp
from tests.lending.resources import ItemResource, NoteResource
from tests.rights.site import MADE
from tests.writes.conftest import Ask
from tests.writes.replaying import assert_gapless, differences

pytestmark = pytest.mark.django_db

MakeItem = Callable[..., Item]


@pytest.fixture
def atlas(north: Branch) -> dict[str, Any]:
    return {'branch_id': north.pk, 'code': 'atlas', 'title': 'Atlas'}


def entries(aggregate: str = 'lending.item') -> list[Entry]:
    return list(Entry.objects.filter(aggregate=aggregate).order_by('id'))


def bulk(ask: Ask, prefix: str, operations: Sequence[Any], **more: Any) -> Any:
    key = f'key-{Entry.objects.count()}'
    body = {'operations': operations, **more}
    return ask('manager', 'post', f'/{prefix}/bulk/', body, HTTP_IDEMPOTENCY_KEY=key)


def by_verb(aggregate: str = 'lending.item') -> list[tuple[str, int]]:
    return [(entry.verb, entry.sequence) for entry in entries(aggregate)]


class TestAnEntry:
    def test_says_who_did_what_to_which_row(
        self, ask: Ask, atlas: dict[str, Any], north: Branch
    ) -> None:
        before = timezone.now()
        made = ask('manager', 'post', '/items/', atlas, HTTP_X_REQUEST_ID='request-0001')
        (entry,) = entries()
        assert (entry.verb, entry.resource, entry.sequence) == ('create', 'Item', 1)
        assert entry.object_id == str(made.json()['id'])
        assert entry.tenant == str(north.pk)
        assert (entry.actor, entry.actor_name) == ('account:3', 'account 3')
        assert entry.request_id == made['X-Request-Id'] == 'request-0001'
        assert before <= entry.at <= timezone.now()
        assert entry.before is None
        assert entry.after == {
            'id': made.json()['id'],
            'branch_id': north.pk,
            'code': 'atlas',
            'title': 'Atlas',
            'status': 'draft',
            'price': None,
            'pages': 0,
            'double_pages': 0,
            'details': None,
            'cost': None,
            'version': 1,
        }

    def test_of_a_change_has_the_changed_fields_as_they_were(
        self, ask: Ask, make_item: MakeItem
    ) -> None:
        item = make_item(price=3, pages=7)
        ask('helper', 'patch', f'/items/{item.pk}/', {'title': 'New', 'price': '4.50', 'pages': 7})
        (entry,) = entries()
        assert (entry.verb, entry.actor) == ('update', 'account:2')
        assert entry.before == {'title': item.title, 'price': '3.00', 'version': 1}
        assert entry.after is not None
        told = {name: entry.after[name] for name in ('title', 'price', 'version', 'pages')}
        assert told == {'title': 'New', 'price': '4.50', 'version': 2, 'pages': 7}

    def test_of_what_the_database_computes_is_told_as_it_is_then(
        self, ask: Ask, make_item: MakeItem
    ) -> None:
        ask('manager', 'patch', f'/items/{make_item(pages=1).pk}/', {'pages': 4})
        assert (entries()[0].after or {})['double_pages'] == 8

    def test_of_a_soft_delete_and_of_a_restore_keeps_the_row(
        self, ask: Ask, make_item: MakeItem
    ) -> None:
        item = make_item()
        ask('manager', 'delete', f'/items/{item.pk}/')
        ask('manager', 'post', f'/items/{item.pk}/restore/')
        assert by_verb() == [('delete', 1), ('restore', 2)]
        assert [(entry.after or {})['version'] for entry in entries()] == [2, 3]
        assert [(entry.before or {})['version'] for entry in entries()] == [1, 2]

    def test_of_a_delete_for_good_has_what_was_there(self, ask: Ask) -> None:
        ask('manager', 'post', '/stamps/', {'code': 'a', 'label': 'A', 'price': '1.50'})
        ask('manager', 'delete', '/stamps/a/')
        last = entries('lending.stamp')[-1]
        assert last.after is None
        assert last.before == {
            'code': 'a',
            'label': 'A',
            'amount': 0,
            'price': '1.50',
            'printed_on': None,
        }

    def test_holds_large_numbers_dates_and_texts_as_they_are(self, ask: Ask) -> None:
        body = {
            'code': 'a',
            'label': '„naïve" \\ \u2028 𝄞 </script>',
            'amount': -(2**31),
            'price': '999999.99',
            'printed_on': '0999-12-31',
        }
        assert ask('manager', 'post', '/stamps/', body).status_code == 201
        assert entries('lending.stamp')[0].after == body

    @pytest.mark.parametrize(
        'details', [0, False, '', [], {}, 'null', [None], {'a': 0.1, 'b': 2**53 + 1}, {'': 'x'}]
    )
    def test_holds_json_as_it_is(self, ask: Ask, make_item: MakeItem, details: Any) -> None:
        item = make_item(details={'old': True})
        put = {'branch_id': item.branch_id, 'code': item.code, 'title': 'T', 'details': details}
        assert ask('manager', 'put', f'/items/{item.pk}/', put).status_code == 200
        (entry,) = entries()
        assert entry.before is not None
        assert entry.after is not None
        assert entry.before['details'] == {'old': True}
        assert json.dumps(entry.after['details']) == json.dumps(details)

    def test_belongs_to_the_tenant_that_the_row_has_then(
        self, ask: Ask, make_item: MakeItem, south: Branch
    ) -> None:
        item = make_item()
        ask('owner', 'patch', f'/items/{item.pk}/', {'branch_id': south.pk})
        (entry,) = entries()
        assert entry.tenant == str(south.pk)
        assert entry.before == {'branch_id': item.branch_id, 'version': 1}

    def test_names_what_lies_in_a_longer_name_than_it_holds(
        self, ask: Ask, atlas: dict[str, Any]
    ) -> None:
        held = Held(over='branches', id=atlas['branch_id'], level=3)
        MADE['manager'] = Caller(kind='account', account_id=3, name='n' * 400, scopes=(held,))
        assert ask('manager', 'post', '/items/', atlas).status_code == 201
        assert entries()[0].actor_name == 'n' * 300


class TestWhatIsKept:
    def test_from_it_is_what_nobody_may_read(self, ask: Ask, atlas: dict[str, Any]) -> None:
        made = ask('manager', 'post', '/items/', atlas | {'secret': 'hush-1'})
        path = f'/items/{made.json()["id"]}/'
        ask('manager', 'patch', path, {'secret': 'hush-2'})
        bulk(ask, 'items', [{'op': 'upsert', 'key': 'atlas', 'body': {'secret': 'hush-3'}}])
        ask('manager', 'delete', path)
        ask('command', 'delete', f'/branches/{atlas["branch_id"]}/')
        assert len(entries()) == 5
        with connection.cursor() as cursor:
            cursor.execute('SELECT * FROM journal_entry')
            assert 'hush' not in repr(cursor.fetchall())
        for entry in entries():
            for side in (entry.before, entry.after):
                assert 'secret' not in (side or {})

    def test_from_it_and_still_counts_as_a_change(self, ask: Ask, make_item: MakeItem) -> None:
        ask('manager', 'patch', f'/items/{make_item().pk}/', {'secret': 'hush'})
        assert [entry.before for entry in entries()] == [{'version': 1}]

    def test_behind_a_mask_is_what_is_sensitive_and_not_that_there_is_none(
        self, ask: Ask, make_item: MakeItem
    ) -> None:
        path = f'/items/{make_item().pk}/'
        for cost in ('12.34', '56.78', None):
            assert ask('manager', 'patch', path, {'cost': cost}).status_code == 200
        told = [((entry.before or {})['cost'], (entry.after or {})['cost']) for entry in entries()]
        assert told == [(None, '***'), ('***', '***'), ('***', None)]

    def test_behind_a_mask_when_the_row_goes_with_another(
        self, ask: Ask, make_item: MakeItem
    ) -> None:
        item = make_item(cost=12, secret='hush')
        ask('command', 'delete', f'/branches/{item.branch_id}/')
        (entry,) = entries()
        assert entry.before is not None
        assert entry.before['cost'] == '***'
        assert 'secret' not in entry.before


class TestChildren:
    def test_have_entries_of_their_own(self, ask: Ask, atlas: dict[str, Any]) -> None:
        body = atlas | {
            'cover': {'colour': 'red'},
            'notes': [{'text': 'one', 'marks': [{'sign': '+'}, {'sign': '-'}]}],
        }
        made = ask('manager', 'post', '/items/', body)
        assert made.status_code == 201, made.content
        assert {entry.request_id for entry in Entry.objects.all()} == {made['X-Request-Id']}
        (note,) = entries('lending.note')
        assert note.after == {
            'id': Note.objects.get().pk,
            'item_id': made.json()['id'],
            'text': 'one',
            'position': 0,
            'is_hidden': False,
        }
        assert [entry.verb for entry in entries('lending.mark')] == ['create', 'create']
        assert [entry.verb for entry in entries('lending.cover')] == ['create']
        assert differences() == []

    def test_that_are_changed_created_and_left_out_are_told_each(
        self, ask: Ask, make_item: MakeItem
    ) -> None:
        item = make_item()
        body = {'notes': [{'text': text, 'position': at} for at, text in enumerate('abc')]}
        ask('manager', 'patch', f'/items/{item.pk}/', body)
        first, second, _third = Note.objects.order_by('position')
        body = {
            'notes': [
                {'id': first.pk, 'text': 'changed'},
                {'id': second.pk, 'text': second.text},
                {'text': 'new', 'position': 9},
            ]
        }
        answer = ask('manager', 'patch', f'/items/{item.pk}/', body)
        assert answer.status_code == 200, answer.content
        told = [(entry.verb, entry.sequence) for entry in entries('lending.note')[3:]]
        assert sorted(told) == [('create', 1), ('delete', 2), ('update', 2)]
        changed = next(entry for entry in entries('lending.note') if entry.verb == 'update')
        assert changed.before == {'text': 'a'}
        assert differences(Note) == []

    def test_of_a_child_that_is_left_out_are_told_too(self, ask: Ask, make_item: MakeItem) -> None:
        item = make_item()
        body = {'notes': [{'text': 'a', 'marks': [{'sign': '+'}, {'sign': '-'}]}]}
        ask('manager', 'patch', f'/items/{item.pk}/', body)
        ask('manager', 'patch', f'/items/{item.pk}/', {'notes': []})
        assert not Mark.objects.exists()
        verbs = [entry.verb for entry in entries('lending.mark')]
        assert verbs == ['create', 'create', 'delete', 'delete']
        assert differences() == []

    def test_that_are_refused_leave_no_entry_of_anything(
        self, ask: Ask, make_item: MakeItem
    ) -> None:
        body = {'title': 'New', 'notes': [{'text': 'fine'}, {'text': '', 'position': 1}]}
        assert ask('manager', 'patch', f'/items/{make_item().pk}/', body).status_code == 422
        assert not Entry.objects.exists()


class TestAKeyThatAnotherRowHadBefore:
    """A database that numbers anew, after a restart of its sequence, a copy or a migration."""

    @pytest.mark.parametrize('way', ['post', 'bulk', 'nested'])
    def test_is_counted_on(
        self, ask: Ask, make_item: MakeItem, keywords: dict[str, Keyword], way: str
    ) -> None:
        item = make_item()
        aggregate = 'lending.note' if way == 'nested' else 'lending.keyword'

        def create(word: str) -> Any:
            match way:
                case 'post':
                    return ask('manager', 'post', '/keywords/', {'word': word})
                case 'bulk':
                    return bulk(ask, 'keywords', [{'op': 'create', 'body': {'word': word}}])
            return ask('manager', 'patch', f'/items/{item.pk}/', {'notes': [{'text': word}]})

        assert create('first').status_code in (200, 201)
        key = entries(aggregate)[-1].object_id
        if way == 'nested':
            assert ask('manager', 'patch', f'/items/{item.pk}/', {'notes': []}).status_code == 200
        else:
            assert ask('manager', 'delete', f'/keywords/{key}/').status_code == 204
        (Note if way == 'nested' else Keyword).objects.all().delete()
        restart_numbers(Note, Keyword)
        for number in range(int(key)):
            answer = create(f'again {number}')
            assert answer.status_code in (200, 201), answer.content
        told = [entry for entry in entries(aggregate) if entry.object_id == key]
        assert [(entry.verb, entry.sequence) for entry in told][:3] == [
            ('create', 1),
            ('delete', 2),
            ('create', 3),
        ]


def restart_numbers(*kinds: type[models.Model]) -> None:
    """Let the next row of each kind have the number 1."""
    sequences = [{'table': each._meta.db_table, 'column': 'id'} for each in kinds]
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_by_name_sql(no_style(), sequences):
            cursor.execute(sql)


class TestLinks:
    def test_are_told_with_the_row_that_they_lead_from(
        self, ask: Ask, make_item: MakeItem, keywords: dict[str, Keyword]
    ) -> None:
        path = f'/items/{make_item().pk}/'
        art, maths = keywords['art'].pk, keywords['maths'].pk
        for links in ([art, maths], [maths], [maths], []):
            assert ask('manager', 'patch', path, {'keywords': links}).status_code == 200
        told = [
            ((entry.before or {}).get('keywords'), (entry.after or {}).get('keywords'))
            for entry in entries()
        ]
        # The third request links nothing anew, and writes nothing.
        assert told == [
            ([], sorted([art, maths])),
            (sorted([art, maths]), [maths]),
            ([maths], []),
        ]

    def test_of_a_new_row_are_told(
        self, ask: Ask, atlas: dict[str, Any], keywords: dict[str, Keyword]
    ) -> None:
        ask('manager', 'post', '/items/', atlas | {'keywords': [keywords['art'].pk]})
        assert (entries()[0].after or {})['keywords'] == [keywords['art'].pk]


class TestCascades:
    def test_of_a_note_tell_of_its_marks(self, ask: Ask, make_item: MakeItem) -> None:
        note = Note.objects.create(item=make_item(), text='a')
        marks = [Mark.objects.create(note=note, sign=sign).pk for sign in '+-']
        assert ask('manager', 'delete', f'/notes/{note.pk}/').status_code == 204
        told = entries('lending.mark')
        assert sorted(entry.object_id for entry in told) == sorted(map(str, marks))
        assert {(entry.verb, entry.resource, entry.actor) for entry in told} == {
            ('delete', 'Mark', 'account:3')
        }
        assert (told[0].before or {})['note_id'] == note.pk
        assert [entry.verb for entry in entries('lending.note')] == ['delete']

    def test_of_a_branch_tell_of_all_that_was_below(
        self, ask: Ask, make_item: MakeItem, north: Branch
    ) -> None:
        for item in (make_item(), make_item()):
            Mark.objects.create(note=Note.objects.create(item=item, text='a'), sign='+')
            Cover.objects.create(item=item, colour='red')
        assert ask('command', 'delete', f'/branches/{north.pk}/').status_code == 204
        told = {(entry.aggregate, entry.verb) for entry in Entry.objects.all()}
        assert told == {
            (f'lending.{kind}', 'delete') for kind in ('branch', 'item', 'note', 'mark', 'cover')
        }
        assert Entry.objects.count() == 1 + 4 * 2
        assert {entry.tenant for entry in entries()} == {str(north.pk)}
        assert not Item.objects.exists()

    def test_go_on_where_the_sequence_of_the_row_was(self, ask: Ask, atlas: dict[str, Any]) -> None:
        made = ask('manager', 'post', '/items/', atlas).json()
        ask('manager', 'patch', f'/items/{made["id"]}/', {'title': 'New'})
        ask('command', 'delete', f'/branches/{atlas["branch_id"]}/')
        assert by_verb() == [('create', 1), ('update', 2), ('delete', 3)]
        assert differences() == []

    def test_that_are_refused_leave_nothing(self, ask: Ask, make_item: MakeItem) -> None:
        from tests.lending.models import Loan

        item = make_item()
        Loan.objects.create(item=item, reader='Ada')
        assert ask('command', 'delete', f'/branches/{item.branch_id}/').status_code == 409
        assert not Entry.objects.exists()


class TestBulk:
    def test_writes_one_entry_for_each_row(
        self, ask: Ask, make_item: MakeItem, north: Branch
    ) -> None:
        changed, gone, same = make_item(), make_item(), make_item()
        answer = bulk(
            ask,
            'items',
            [
                {'op': 'create', 'body': {'branch_id': north.pk, 'code': 'new', 'title': 'New'}},
                {'op': 'update', 'id': changed.pk, 'body': {'title': 'Changed'}},
                {'op': 'delete', 'id': gone.pk},
                {'op': 'update', 'id': same.pk, 'body': {'title': same.title}},
            ],
        )
        assert answer.status_code == 200, answer.content
        told = {(entry.verb, entry.object_id) for entry in entries()}
        new = Item.objects.get(code='new')
        assert told == {
            ('create', str(new.pk)),
            ('update', str(changed.pk)),
            ('delete', str(gone.pk)),
        }
        assert len(entries()) == 3
        assert {entry.request_id for entry in entries()} == {answer['X-Request-Id']}

    def test_that_is_refused_leaves_none(self, ask: Ask, make_item: MakeItem) -> None:
        operations = [
            {'op': 'update', 'id': make_item().pk, 'body': {'title': 'Fine'}},
            {'op': 'update', 'id': make_item().pk, 'body': {'price': '-1.00'}},
        ]
        assert bulk(ask, 'items', operations).status_code == 422
        assert not Entry.objects.exists()

    def test_that_is_refused_in_part_tells_of_the_others(
        self, ask: Ask, make_item: MakeItem
    ) -> None:
        fine, taken = make_item(), make_item(code='taken')
        operations = [
            {'op': 'update', 'id': fine.pk, 'body': {'title': 'Fine'}},
            {'op': 'update', 'id': taken.pk, 'body': {'price': '-1.00'}},
            {
                'op': 'create',
                'body': {'branch_id': fine.branch_id, 'code': 'taken', 'title': 'T'},
            },
        ]
        answer = bulk(ask, 'items', operations, atomic=False)
        assert [each['status'] for each in answer.json()['results']] == [200, 422, 409]
        assert [(entry.verb, entry.object_id) for entry in entries()] == [('update', str(fine.pk))]

    def test_that_upserts_tells_what_it_came_to(self, ask: Ask, north: Branch) -> None:
        body = {'branch_id': north.pk, 'title': 'Atlas'}
        for title in ('Atlas', 'New'):
            operations = [{'op': 'upsert', 'key': 'atlas', 'body': body | {'title': title}}]
            assert bulk(ask, 'items', operations).status_code == 200
        assert by_verb() == [('create', 1), ('update', 2)]
        assert entries()[1].before == {'title': 'Atlas', 'version': 1}

    def test_that_upserts_needs_what_a_new_row_needs(self, ask: Ask, north: Branch) -> None:
        operations = [{'op': 'upsert', 'key': 'atlas', 'body': {'branch_id': north.pk}}]
        answer = bulk(ask, 'items', operations)
        assert answer.status_code == 422, answer.content
        fault = answer.json()['errors'][0]
        assert (fault['pointer'], fault['code']) == ('/operations/0/body/title', 'required')
        assert not Item.objects.exists()

    def test_that_upserts_is_no_change_of_the_key(self, ask: Ask, make_item: MakeItem) -> None:
        item = make_item()
        body = {'operations': [{'op': 'upsert', 'key': item.code, 'body': {'title': 'New'}}]}
        answer = ask('helper', 'post', '/items/bulk/', body, HTTP_IDEMPOTENCY_KEY='key')
        assert answer.status_code == 200, answer.content
        assert entries()[0].before == {'title': item.title, 'version': 1}

    @pytest.mark.parametrize('first', ['create', 'delete'])
    def test_that_makes_a_row_anew_tells_of_its_end_first(self, ask: Ask, first: str) -> None:
        ask('manager', 'post', '/stamps/', {'code': 'a', 'label': 'Old'})
        operations = [
            {'op': 'create', 'body': {'code': 'a', 'label': 'New'}},
            {'op': 'delete', 'id': 'a'},
        ]
        operations.sort(key=lambda operation: operation['op'] != first)
        answer = bulk(ask, 'stamps', operations)
        assert answer.status_code == 200, answer.content
        assert Stamp.objects.get().label == 'New'
        assert by_verb('lending.stamp') == [('create', 1), ('delete', 2), ('create', 3)]
        assert differences(Stamp) == []


class TestSequences:
    def test_of_an_object_have_no_gap_over_all_verbs(self, ask: Ask, atlas: dict[str, Any]) -> None:
        path = f'/items/{ask("manager", "post", "/items/", atlas).json()["id"]}/'
        for number in range(3):
            ask('manager', 'patch', path, {'title': f'T{number}'})
            ask('manager', 'patch', path, {'title': ''})  # refused
            ask('manager', 'delete', path)
            ask('manager', 'post', f'{path}restore/')
        assert [entry.sequence for entry in entries()] == list(range(1, 11))
        assert Item.objects.get().version == 10
        assert differences(Item) == []

    def test_go_on_when_a_key_is_used_again(self, ask: Ask) -> None:
        for label in ('One', 'Two', 'Three'):
            assert ask('manager', 'post', '/stamps/', {'code': 'a', 'label': label}).status_code
            ask('manager', 'patch', '/stamps/a/', {'amount': 3})
            ask('manager', 'delete', '/stamps/a/')
        sequences = [entry.sequence for entry in entries('lending.stamp')]
        assert sequences == list(range(1, 10))
        assert_gapless()

    def test_are_of_each_object_by_itself(self, ask: Ask) -> None:
        for code in ('a', 'b', 'a', 'b'):
            body = {'label': 'L', 'amount': Entry.objects.count()}
            answer = bulk(ask, 'stamps', [{'op': 'upsert', 'key': code, 'body': body}])
            assert answer.status_code == 200, answer.content
        assert by_verb('lending.stamp') == [
            ('create', 1),
            ('create', 1),
            ('update', 2),
            ('update', 2),
        ]

    def test_of_one_object_twice_in_one_statement_follow_each_other(self, db: None) -> None:
        caller = Caller(kind='command', name='seed')
        step = Step(verb='touch', aggregate='a.b', resource='B', object_id='1')
        record(caller, [step, step])
        record(caller, [step])
        assert [entry.sequence for entry in entries('a.b')] == [1, 2, 3]


class TestNothingIsTold:
    @pytest.mark.parametrize(
        ('word', 'method', 'path', 'body', 'headers', 'status'),
        [
            ('guest', 'patch', '/items/{id}/', {'title': 'X'}, {}, 401),
            ('reader', 'patch', '/items/{id}/', {'title': 'X'}, {}, 403),
            ('helper', 'patch', '/items/{id}/', {'status': 'lost'}, {}, 403),
            ('manager', 'patch', '/items/999/', {'title': 'X'}, {}, 404),
            ('manager', 'patch', '/items/{id}/', {'title': 'X'}, {'HTTP_IF_MATCH': '"7"'}, 412),
            ('manager', 'patch', '/items/{id}/', {'price': '-1.00'}, {}, 422),
            ('manager', 'patch', '/items/{id}/', {'code': 'other'}, {}, 409),
            ('manager', 'delete', '/items/{id}/', None, {'HTTP_IF_MATCH': '"7"'}, 412),
            ('manager', 'post', '/items/{id}/restore/', None, {}, 404),
        ],
    )
    def test_where_a_write_is_refused(
        self,
        ask: Ask,
        make_item: MakeItem,
        word: str,
        method: str,
        path: str,
        body: Any,
        headers: Mapping[str, str],
        status: int,
    ) -> None:
        item = make_item()
        make_item(code='other')
        answer = ask(word, method, path.format(id=item.pk), body, **headers)
        assert answer.status_code == status, answer.content
        assert not Entry.objects.exists()

    def test_where_nothing_changes(self, ask: Ask, make_item: MakeItem) -> None:
        item = make_item(price=3)
        ask('manager', 'patch', f'/items/{item.pk}/', {'price': '3.00', 'title': item.title})
        assert not Entry.objects.exists()

    def test_where_a_put_leaves_everything_as_it_is(self, ask: Ask, make_item: MakeItem) -> None:
        item = make_item()
        answer = ask('helper', 'put', f'/items/{item.pk}/', {'title': item.title})
        assert (answer.status_code, answer.json()['version']) == (200, 1)
        assert not Entry.objects.exists()

    def test_but_a_put_by_who_does_not_read_all_that_it_sets_is_one(
        self, ask: Ask, make_item: MakeItem
    ) -> None:
        """The version would tell that a value is its default (rule L11)."""
        item = make_item()
        body = {'branch_id': item.branch_id, 'code': item.code, 'title': item.title}
        answer = ask('manager', 'put', f'/items/{item.pk}/', body)
        assert (answer.status_code, answer.json()['version']) == (200, 2)
        assert Entry.objects.count() == 1

    @pytest.mark.parametrize(
        ('old', 'new'), [(1, True), (True, 1), (1, 1.5), ({'a': 1}, {'a': True}), (0, False)]
    )
    def test_and_only_then_of_json_that_python_takes_for_equal(
        self, ask: Ask, make_item: MakeItem, old: Any, new: Any
    ) -> None:
        item = make_item(details=old)
        for _ in range(2):
            ask('manager', 'patch', f'/items/{item.pk}/', {'details': new})
        assert [(entry.before or {})['details'] for entry in entries()] == [old]

    @pytest.mark.parametrize('when', ['validate', 'before', 'after'])
    def test_where_a_hook_fails(
        self, ask: Ask, atlas: dict[str, Any], monkeypatch: pytest.MonkeyPatch, when: str
    ) -> None:
        def fails(*_: Any) -> None:
            raise RuntimeError('a bug')

        monkeypatch.setattr(ItemResource, 'hooks', Hooks(**{when: (fails,)}))
        with pytest.raises(RuntimeError):
            ask('manager', 'post', '/items/', atlas | {'notes': [{'text': 'a'}]})
        assert not Entry.objects.exists()
        assert not Item.objects.exists()

    def test_where_a_hook_of_a_child_fails(
        self, ask: Ask, make_item: MakeItem, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(*_: Any) -> None:
            raise RuntimeError('a bug')

        item = make_item()
        monkeypatch.setattr(NoteResource, 'hooks', Hooks(after=(fails,)))
        with pytest.raises(RuntimeError):
            ask('manager', 'patch', f'/items/{item.pk}/', {'title': 'X', 'notes': [{'text': 'a'}]})
        assert not Entry.objects.exists()
        item.refresh_from_db()
        assert item.version == 1

    def test_twice_of_a_request_that_is_repeated(self, ask: Ask, atlas: dict[str, Any]) -> None:
        for _ in range(2):
            answer = ask('manager', 'post', '/items/', atlas, HTTP_IDEMPOTENCY_KEY='key')
            assert answer.status_code == 201
        assert len(entries()) == 1


def test_a_replay_finds_what_differs(ask: Ask, atlas: dict[str, Any]) -> None:
    """The check of this file would see it."""
    key = ask('manager', 'post', '/items/', atlas).json()['id']
    assert differences() == []
    Item.objects.update(title='Written past the journal')
    assert differences() == [f'lending.item {key}: title']
    Item.objects.all().delete()
    assert differences() == [f'lending.item {key}: gone']
    Entry.objects.update(sequence=2, at=timezone.now() - timedelta(days=1))
    with pytest.raises(AssertionError):
        assert_gapless()

"""Requests that could be misunderstood: each is done as it was meant, or refused by name."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from backstay.caller import GUEST, Caller, Held
from backstay.engine.problems import problem_of
from backstay.errors import Problem
from backstay.resources import ALL, Grant, Resource, anyone
from backstay.resources.models import IdempotencyKey
from backstay.resources.query.asked import Asked
from backstay.resources.write.change import Intent
from backstay.resources.write.idempotency import canonical
from backstay.resources.write.perform import write
from tests.lending.models import Branch, Item, Keyword, Mark, Note, Stamp
from tests.rights.site import MADE
from tests.writes.conftest import Ask

pytestmark = pytest.mark.django_db

MakeItem = Callable[..., Item]
#: What an answer shows of a list, and one more.
CAP = 100


class TestListsThatWereCut:
    """A list that an answer cannot show whole takes no row away by accident."""

    @pytest.fixture
    def item(self, make_item: MakeItem) -> Item:
        item = make_item(status='draft')
        notes = [Note(item=item, text=f'n{at}', position=at) for at in range(CAP + 1)]
        Note.objects.bulk_create(notes)
        words = Keyword.objects.bulk_create(Keyword(word=f'w{at:03}') for at in range(CAP + 1))
        item.keywords.add(*words)
        return item

    def shown(self, ask: Ask, item: Item, mask: str) -> Any:
        answer = ask('manager', 'get', f'/items/{item.pk}/', HTTP_X_FIELDS=mask)
        assert answer['X-Truncated']
        return answer.json()

    def test_children_sent_back_as_shown(self, ask: Ask, item: Item) -> None:
        body = self.shown(ask, item, '{notes{id,text}}')
        assert len(body['notes']) == CAP
        answer = ask('manager', 'patch', f'/items/{item.pk}/', body)
        assert (answer.status_code, answer.json()['code']) == (409, 'list-cut')
        assert answer.json()['errors'][0]['pointer'] == '/notes'
        assert item.notes.count() == CAP + 1

    def test_children_that_the_client_says_are_all(self, ask: Ask, item: Item) -> None:
        body = self.shown(ask, item, '{notes{id,text}}')
        answer = ask('manager', 'patch', f'/items/{item.pk}/?whole_lists=notes', body)
        assert answer.status_code == 200, answer.content
        assert item.notes.count() == CAP

    def test_more_children_than_are_shown_with_none_left_out(self, ask: Ask, item: Item) -> None:
        keys = item.notes.values_list('pk', flat=True)
        body = {'notes': [*({'id': key} for key in keys), {'text': 'new', 'position': 500}]}
        assert ask('manager', 'patch', f'/items/{item.pk}/', body).status_code == 200
        assert item.notes.count() == CAP + 2

    def test_as_many_as_are_shown_with_others_added(self, ask: Ask, item: Item) -> None:
        body = self.shown(ask, item, '{notes{id,text}}')
        body['notes'] += [{'text': f'new {at}', 'position': 500 + at} for at in range(5)]
        answer = ask('manager', 'patch', f'/items/{item.pk}/', body)
        assert answer.json()['code'] == 'list-cut'
        assert item.notes.count() == CAP + 1

    def test_links_sent_back_as_shown(self, ask: Ask, item: Item) -> None:
        shown = self.shown(ask, item, '{keywords{id}}')['keywords']
        body = {'keywords': [each['id'] for each in shown]}
        answer = ask('manager', 'patch', f'/items/{item.pk}/', body)
        assert (answer.status_code, answer.json()['code']) == (409, 'list-cut')
        assert item.keywords.count() == CAP + 1
        answer = ask('manager', 'patch', f'/items/{item.pk}/?whole_lists=keywords', body)
        assert answer.status_code == 200
        assert item.keywords.count() == CAP

    def test_in_bulk(self, ask: Ask, item: Item, make_item: MakeItem) -> None:
        other = make_item(status='draft')
        body = self.shown(ask, item, '{notes{id,text}}')
        operations = [
            {'op': 'update', 'id': other.pk, 'body': {'title': 'Written'}},
            {'op': 'update', 'id': item.pk, 'body': body},
        ]
        path, key = '/items/bulk/', {'HTTP_IDEMPOTENCY_KEY': 'a'}
        answer = ask('manager', 'post', path, {'operations': operations}, **key)
        assert answer.status_code == 409
        assert answer.json()['errors'][0]['pointer'] == '/operations/1/body/notes'
        other.refresh_from_db()
        assert other.title != 'Written'
        apart = {'operations': operations, 'atomic': False}
        told = ask('manager', 'post', path, apart, HTTP_IDEMPOTENCY_KEY='b').json()['results']
        assert [each['status'] for each in told] == [200, 409]
        assert item.notes.count() == CAP + 1
        path += '?whole_lists=notes'
        answer = ask('manager', 'post', path, {'operations': operations}, HTTP_IDEMPOTENCY_KEY='c')
        assert answer.status_code == 200
        assert item.notes.count() == CAP

    @pytest.mark.parametrize('said', ['', 'notes', 'notes.marks', 'notes, notes.marks'])
    def test_deeper_lists_are_named_with_their_path(
        self, ask: Ask, make_item: MakeItem, said: str
    ) -> None:
        item = make_item(status='draft')
        note = Note.objects.create(item=item, text='one')
        Mark.objects.bulk_create(Mark(note=note, sign=f's{at}') for at in range(CAP + 1))
        body = {'notes': [{'id': note.pk, 'marks': []}]}
        answer = ask('manager', 'patch', f'/items/{item.pk}/?whole_lists={said}', body)
        is_said = 'notes.marks' in said
        assert answer.status_code == (200 if is_said else 422), answer.content
        assert is_said or answer.json()['errors'][0]['code'] == 'list-cut'
        assert note.marks.count() == (0 if is_said else CAP + 1)

    def test_a_list_for_which_the_answer_had_no_room(self, ask: Ask, make_item: MakeItem) -> None:
        """It holds 20 000 rows of a list: those of the first two hundred notes."""
        items = [make_item(status='draft') for _ in range(3)]
        notes = Note.objects.bulk_create(
            Note(item=item, text='n', position=at)
            for item, many in zip(items, (CAP, CAP, 1), strict=True)
            for at in range(many)
        )
        Mark.objects.bulk_create(
            Mark(note=note, sign=f's{at}') for note in notes for at in range(CAP)
        )
        path = '/items/?ordering=id&fields={id,notes{id,marks{id}}}'
        *_, shown = ask('manager', 'get', path).json()['results']
        assert shown == {'id': items[2].pk, 'notes': [{'id': notes[-1].pk}]}

        body = {'notes': shown['notes']}
        answer = ask('manager', 'patch', f'/items/{items[2].pk}/', body)
        assert answer.status_code == 200, answer.content
        assert notes[-1].marks.count() == CAP

    @pytest.mark.parametrize('said', ['marks', 'notes.', 'nothing', 'notes.marks.sign', 'cover'])
    def test_a_list_that_may_not_be_written(self, ask: Ask, make_item: MakeItem, said: str) -> None:
        path = f'/items/{make_item().pk}/?whole_lists={said}'
        answer = ask('manager', 'patch', path, {'title': 'X'})
        assert (answer.status_code, answer.json()['code']) == (400, 'parameter-unknown')


class TestRepeats:
    """A repeat is shown by today's rights and the mask of the request."""

    @pytest.fixture
    def atlas(self, north: Branch) -> dict[str, Any]:
        return {'branch_id': north.pk, 'code': 'atlas', 'title': 'Atlas'}

    def create(self, ask: Ask, body: Any, mask: str = '{id}', path: str = '/items/') -> Any:
        return ask('manager', 'post', path, body, HTTP_IDEMPOTENCY_KEY='k', HTTP_X_FIELDS=mask)

    def narrow(self, branch: Branch) -> None:
        """Let the manager be one of another branch alone."""
        held = Held(over='branches', id=branch.pk, level=3)
        MADE['manager'] = Caller(kind='account', account_id=3, name='account 3', scopes=(held,))

    def test_the_mask_is_that_of_the_repeat(self, ask: Ask, atlas: Any) -> None:
        first = self.create(ask, atlas)
        again = self.create(ask, atlas, '{title,status}')
        assert first.json().keys() == {'id'}
        assert again.json() == {'title': 'Atlas', 'status': 'draft'}
        assert again['Idempotency-Replayed'] == 'true'

    def test_a_row_out_of_sight_is_not_shown(
        self, ask: Ask, atlas: Any, north: Branch, south: Branch
    ) -> None:
        self.create(ask, atlas)
        self.narrow(south)
        again = self.create(ask, atlas)
        assert (again.status_code, again.content) == (201, b'')
        assert again['Idempotency-Replayed'] == 'true'
        assert 'Location' not in again
        assert 'ETag' not in again

    def test_a_row_that_is_gone_is_not_shown(self, ask: Ask, atlas: Any) -> None:
        path = self.create(ask, atlas)['Location']
        assert ask('manager', 'delete', urlsplit(path).path).status_code == 204
        assert self.create(ask, atlas).content == b''

    def test_bulk_tells_the_ids_of_rows_in_sight(
        self, ask: Ask, atlas: Any, south: Branch, north: Branch
    ) -> None:
        def bulk() -> Any:
            return ask('manager', 'post', '/items/bulk/', [atlas], HTTP_IDEMPOTENCY_KEY='k').json()

        first = bulk()
        assert first['results'][0]['id'] == Item.objects.get().pk
        assert bulk() == first
        self.narrow(south)
        assert bulk() == {'results': [{'index': 0, 'status': 201}]}

    def test_a_lookup_value_of_any_length(self, ask: Ask) -> None:
        assert IdempotencyKey._meta.get_field('lookup').max_length is None

    @pytest.mark.parametrize(
        ('one', 'other'),
        [(1.5, '1.5'), (True, 1), (None, 'null'), ([1], '[1]'), ({'a': 1}, "{'a': 1}"), (1, 1.0)],
    )
    def test_values_of_other_types_are_another_body(
        self, ask: Ask, north: Branch, one: Any, other: Any
    ) -> None:
        def post(value: Any) -> Any:
            body = {'branch_id': north.pk, 'code': 'a', 'title': 'A', 'details': value}
            return self.create(ask, body)

        assert post(one).status_code == 201
        assert post(one).status_code == 201
        answer = post(other)
        assert (answer.status_code, answer.json()['code']) == (422, 'idempotency-key-reused')

    def test_texts_of_bodies_do_not_collide(self) -> None:
        values = [Decimal('1.5'), '1.5', "Decimal('1.5')", True, 'True', None, 'None', [], '[]']
        assert len({canonical([value]) for value in values}) == len(values)


class OpenStampResource(Resource):
    """Everybody makes them."""

    class Meta:
        model = Stamp
        name = 'OpenStamp'
        fields = ('code', 'label')
        lookup = 'code'

    grants = (Grant(anyone, read=ALL, create=ALL),)


class TestGuests:
    """Guests share no idempotency keys."""

    def make(self, caller: Caller, code: str, key: str | None = 'k') -> Any:
        asked = Asked(
            resource=OpenStampResource, caller=caller, key=key, address='POST /', body={'c': code}
        )
        body = {'code': code, 'label': 'L'}
        intent = Intent(verb='create', body=body, meaning='create')
        return write(asked, [intent], needs_key=True)

    def test_a_guest_like_any_other_has_no_keys(self) -> None:
        with pytest.raises(Problem) as raised:
            self.make(GUEST, 'a')
        assert raised.value.answer_code == 'idempotency-key-not-yours'
        assert raised.value.answer_status == 400
        assert not Stamp.objects.exists()

    def test_who_can_have_no_key_needs_none(self) -> None:
        assert self.make(GUEST, 'a', key=None).status == 201

    def test_guests_that_facts_tell_apart_have_keys_of_their_own(self) -> None:
        one, other = (Caller(facts={'cart': name}) for name in ('x', 'y'))
        assert self.make(one, 'a').is_replayed is False
        assert self.make(other, 'b').is_replayed is False
        assert self.make(one, 'a').is_replayed is True
        assert Stamp.objects.count() == 2


class TestUpsertKeys:
    """The key of an upsert and its body speak of one row."""

    @pytest.mark.parametrize('exists', [True, False])
    @pytest.mark.parametrize('key', ['a', {'code': 'a'}])
    @pytest.mark.parametrize('code', ['b', None])
    def test_another_key_in_the_body(self, ask: Ask, exists: bool, key: Any, code: Any) -> None:
        if exists:
            Stamp.objects.create(code='a', label='old')
        body = {'code': code, 'label': 'new'}
        answer = ask(
            'manager',
            'post',
            '/stamps/bulk/',
            {'operations': [{'op': 'upsert', 'key': key, 'body': body}]},
        )
        assert answer.status_code == 422
        (fault,) = answer.json()['errors']
        assert (fault['pointer'], fault['code']) == ('/operations/0/body/code', 'key-differs')
        assert [each.label for each in Stamp.objects.all()] == (['old'] if exists else [])

    @pytest.mark.parametrize('exists', [True, False])
    def test_the_same_key_in_the_body(self, ask: Ask, exists: bool) -> None:
        if exists:
            Stamp.objects.create(code='a', label='old')
        body = {'code': 'a', 'label': 'new'}
        operation = {'op': 'upsert', 'key': 'a', 'body': body}
        answer = ask('manager', 'post', '/stamps/bulk/', {'operations': [operation]})
        assert answer.status_code == 200
        assert Stamp.objects.get().label == 'new'


class TestAddresses:
    """A lookup value makes an address that works, or is refused."""

    @pytest.mark.parametrize(
        'code',
        ['ä', 'a b', 'a%2Fb', '?', '#x', ';', '...', '..a', '%', 'a\\b', 'a\nb', '&=', '"', '日本'],
    )
    def test_one_that_works(self, ask: Ask, code: str) -> None:
        answer = ask('manager', 'post', '/stamps/', {'code': code, 'label': 'L'})
        assert answer.status_code == 201, answer.content
        again = Client().get(urlsplit(answer['Location'])._replace(scheme='', netloc='').geturl())
        assert again.json()['code'] == code

    @pytest.mark.parametrize('code', ['a/b', '/', '.', '..', 'query', 'bulk', 'a/../b'])
    def test_one_that_cannot(self, ask: Ask, code: str) -> None:
        body = {'code': code, 'label': 'L'}
        alone = ask('manager', 'post', '/stamps/', body)
        assert alone.status_code == 422, alone.content
        (fault,) = alone.json()['errors']
        assert (fault['pointer'], fault['code']) == ('/code', 'no-address')
        for many, pointer in (
            ([body], '/0/code'),
            ({'operations': [{'op': 'upsert', 'key': code, 'body': {'label': 'L'}}]}, None),
        ):
            answer = ask('manager', 'post', '/stamps/bulk/', many)
            (fault,) = answer.json()['errors']
            assert (answer.status_code, fault['code']) == (422, 'no-address')
            assert pointer in (None, fault['pointer'])
        assert not Stamp.objects.exists()

    def test_the_empty_one(self, ask: Ask) -> None:
        answer = ask('manager', 'post', '/stamps/', {'code': '', 'label': 'L'})
        assert answer.status_code == 422
        assert not Stamp.objects.exists()

    def test_one_that_a_hook_made(self, ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
        from tests.lending.resources import StampResource

        def slashed(change: Any, _: Caller) -> None:
            change.values['code'] = 'a/b'

        hooks = StampResource.hooks
        monkeypatch.setattr(StampResource, 'hooks', type(hooks)(before=(slashed,)))
        answer = ask('manager', 'post', '/stamps/', {'code': 'a', 'label': 'L'})
        assert (answer.status_code, answer.json()['errors'][0]['code']) == (422, 'no-address')
        assert not Stamp.objects.exists()


class TestPreconditions:
    @pytest.mark.parametrize('method', ['put', 'patch', 'delete'])
    @pytest.mark.parametrize('given', ['*', '"1"', 'W/"1"', '"2", "1-abc"'])
    def test_none_match_of_a_row_that_is_there(
        self, ask: Ask, make_item: MakeItem, method: str, given: str
    ) -> None:
        item = make_item()
        body = None if method == 'delete' else {'title': 'X', 'code': 'x', 'branch_id': 1}
        path = f'/items/{item.pk}/'
        answer = ask('manager', method, path, body, HTTP_IF_NONE_MATCH=given)
        assert (answer.status_code, answer.json()['code']) == (412, 'version-mismatch')
        item.refresh_from_db()
        assert (item.version, item.deleted_at) == (1, None)

    def test_none_match_of_another_version(self, ask: Ask, make_item: MakeItem) -> None:
        path = f'/items/{make_item().pk}/'
        answer = ask('manager', 'patch', path, {'title': 'X'}, HTTP_IF_NONE_MATCH='"7"')
        assert answer.status_code == 200

    @pytest.mark.parametrize('header', ['HTTP_IF_MATCH', 'HTTP_IF_NONE_MATCH'])
    @pytest.mark.parametrize('given', ['', ' ', '1', '"1', '"é"', '"\xff"', 'W/', ','])
    @pytest.mark.parametrize('method', ['patch', 'delete'])
    def test_a_header_that_names_nothing(
        self, ask: Ask, make_item: MakeItem, header: str, given: str, method: str
    ) -> None:
        item = make_item()
        body = {'title': 'X'} if method == 'patch' else None
        answer = ask('manager', method, f'/items/{item.pk}/', body, **{header: given})
        assert (answer.status_code, answer.json()['code']) == (400, 'header-invalid')
        item.refresh_from_db()
        assert (item.version, item.deleted_at) == (1, None)

    @pytest.mark.parametrize('changed', [False, True])
    @pytest.mark.parametrize('weakened', ['W/{}', '{}'])
    def test_a_tag_that_a_proxy_made_weak(
        self, ask: Ask, make_item: MakeItem, changed: bool, weakened: str
    ) -> None:
        path = f'/items/{make_item().pk}/'
        tag = weakened.format(ask('manager', 'get', path)['ETag'])
        if changed:
            ask('manager', 'patch', path, {'title': 'Meanwhile'})
        answer = ask('manager', 'patch', path, {'title': 'X'}, HTTP_IF_MATCH=tag)
        assert answer.status_code == (412 if changed else 200)

    @pytest.mark.parametrize('suffix', ['-gzip', ';br'])
    def test_a_tag_that_a_proxy_made_longer(
        self, ask: Ask, make_item: MakeItem, suffix: str
    ) -> None:
        path = f'/items/{make_item().pk}/'
        tag = ask('manager', 'get', path)['ETag'][:-1] + suffix + '"'
        answer = ask('manager', 'patch', path, {'title': 'X'}, HTTP_IF_MATCH=tag)
        assert answer.status_code == 200

    @pytest.mark.parametrize('header', ['HTTP_IF_MATCH', 'HTTP_IF_NONE_MATCH'])
    @pytest.mark.parametrize('tags', ['"1"', '*', 'W/"2-ab"'])
    @pytest.mark.parametrize(
        ('method', 'path', 'body'),
        [
            ('post', '/stamps/', {'code': 'b', 'label': 'B'}),
            ('post', '/stamps/bulk/', [{'code': 'b', 'label': 'B'}]),
            ('post', '/stamps/bulk/', {'operations': [{'op': 'delete', 'id': 'a'}]}),
            ('patch', '/stamps/bulk/', {'a': {'label': 'B'}}),
            ('delete', '/stamps/bulk/', ['a']),
        ],
    )
    def test_where_no_one_object_is_meant(
        self, ask: Ask, method: str, path: str, body: Any, header: str, tags: str
    ) -> None:
        Stamp.objects.create(code='a', label='A')
        answer = ask('manager', method, path, body, **{header: tags})
        assert (answer.status_code, answer.json()['code']) == (400, 'precondition-misplaced')
        assert [each.label for each in Stamp.objects.all()] == ['A']

    def test_a_weak_tag_without_a_version(self, ask: Ask) -> None:
        stamp = Stamp.objects.create(code='a', label='A')
        tag = 'W/' + ask('manager', 'get', '/stamps/a/')['ETag']
        answer = ask('manager', 'patch', '/stamps/a/', {'label': 'B'}, HTTP_IF_MATCH=tag)
        assert answer.status_code == 200
        answer = ask('manager', 'patch', '/stamps/a/', {'label': 'C'}, HTTP_IF_MATCH=tag)
        assert answer.status_code == 412
        stamp.refresh_from_db()
        assert stamp.label == 'B'


class TestWhatIsNotUnderstood:
    @pytest.mark.parametrize('path', ['/items/', '/stamps/a/'])
    def test_an_unknown_format_is_not_acceptable(self, ask: Ask, path: str) -> None:
        Stamp.objects.create(code='a', label='A')
        answer = ask('manager', 'get', f'{path}?format=xml')
        assert (answer.status_code, answer.json()['code']) == (406, 'not-acceptable')

    @pytest.mark.parametrize('method', ['post', 'patch'])
    def test_a_byte_order_mark_is_no_fault(self, ask: Ask, method: str) -> None:
        Stamp.objects.create(code='a', label='A')
        body = b'\xef\xbb\xbf{"code": "b", "label": "B"}'
        path = '/stamps/' if method == 'post' else '/stamps/a/'
        body = body if method == 'post' else b'\xef\xbb\xbf{"label": "B"}'
        assert ask('manager', method, path, body).json()['label'] == 'B'

    @pytest.mark.parametrize(
        ('method', 'path', 'body'),
        [
            ('post', '/stamps/', {'code': 'b', 'label': 'B'}),
            ('patch', '/stamps/a/', {'label': 'B'}),
            ('delete', '/stamps/a/', None),
            ('post', '/stamps/bulk/', [{'code': 'b', 'label': 'B'}]),
            ('patch', '/stamps/bulk/', {'a': {'label': 'B'}}),
            ('delete', '/stamps/bulk/', ['a']),
        ],
    )
    @pytest.mark.parametrize('query', ['nothing=1', 'limit=1', 'label=A', 'dry_run=true'])
    def test_an_unknown_parameter(
        self, ask: Ask, method: str, path: str, body: Any, query: str
    ) -> None:
        Stamp.objects.create(code='a', label='A')
        answer = ask('manager', method, f'{path}?{query}', body)
        assert (answer.status_code, answer.json()['code']) == (400, 'parameter-unknown')
        assert [each.label for each in Stamp.objects.all()] == ['A']


class TestBulkOfTheWrongSize:
    @pytest.mark.parametrize('word', ['manager', 'owner'])
    def test_too_many_rows_ask_nothing_of_the_database(self, ask: Ask, word: str) -> None:
        rows = [{'code': f'{at}', 'label': []} for at in range(1_001)]
        with CaptureQueriesContext(
            connection,
        ) as asked:
            answer = ask(word, 'post', '/stamps/bulk/', rows, HTTP_IDEMPOTENCY_KEY='k')
        assert (answer.status_code, answer.json()['code']) == (422, 'too-many-rows')
        assert not asked.captured_queries

    def test_too_many_children_ask_nothing_of_the_database(
        self, ask: Ask, make_item: MakeItem
    ) -> None:
        item = make_item()
        bodies = [
            {'notes': [{'text': []} for _ in range(1_000)]},
            {'notes': [{'marks': [{'sign': []} for _ in range(999)]}]},
        ]
        for body in bodies:
            with CaptureQueriesContext(connection) as asked:
                answer = ask('owner', 'patch', f'/items/{item.pk}/', body, HTTP_IDEMPOTENCY_KEY='k')
            assert (answer.status_code, answer.json()['code']) == (422, 'too-many-rows')
            assert not asked.captured_queries


class TestWhatTakesTooLong:
    """`busy` is said of locks, and what takes too long is called so."""

    def test_a_statement_that_takes_too_long_is_not_busy(self) -> None:
        raised = self._slow()
        problem = problem_of(raised)
        assert problem is not None
        assert problem.answer_code == 'query-too-slow'

    def _slow(self) -> OperationalError:
        with connection.cursor() as cursor:
            if connection.vendor == 'postgresql':
                cursor.execute('SET LOCAL statement_timeout = 20')
                sql = 'SELECT pg_sleep(5)'
            else:
                connection.connection.set_progress_handler(lambda: 1, 100)
                sql = (
                    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) '
                    'SELECT count(*) FROM n'
                )
            try:
                with pytest.raises(OperationalError) as raised:
                    cursor.execute(sql)
            finally:
                if connection.vendor == 'sqlite':
                    connection.connection.set_progress_handler(None, 0)
        return raised.value

"""Webhooks, deliveries and the journal over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from standardwebhooks import Webhook as Standard

from backstay.caller import Held
from backstay.events.models import Delivery, State, Webhook
from backstay.events.secrets import new_secret, unseal
from backstay.identity.keys import new_key, store_key
from backstay.identity.models import Account
from backstay.journal.models import Entry
from backstay.settings import SettingsError, load
from backstay.tasks.models import Job
from backstay.testing.tasks import run_tasks
from tests.events.conftest import Ask, Receiver, account, asking, make_hook, states
from tests.events.site import HELD
from tests.events.test_webhooks import new_item
from tests.lending.models import Branch

pytestmark = pytest.mark.django_db
HOOKS, LOG, AUDIT = '/events/webhooks/', '/events/deliveries/', '/events/audit/'


@pytest.fixture
def manager(db: None) -> Account:
    """Another of the owner's level."""
    return account('manager', 4)


def with_key(creator: Account, level: int) -> Client:
    """A client that has an API key of this level."""
    key, text = new_key(creator, name='a key', level=level)
    store_key(key)
    return Client(headers={'X-Api-Key': text})


class TestMaking:
    def test_the_secret_is_shown_once_and_signs(
        self, owner: Account, receiver: Receiver, write: Ask, north: Branch
    ) -> None:
        ask = asking(owner)
        made = ask('post', HOOKS, {'url': receiver.url, 'name': 'mine'})
        assert made.status_code == 201, made.content
        assert made['Cache-Control'] == 'no-store'
        shown = made.json()
        assert shown['owner_id'] == owner.pk
        assert (shown['types'], shown['active']) == (['*'], True)
        secret = shown.pop('secret')
        assert ask('get', f'{HOOKS}{shown["id"]}/').json() == shown
        new_item(write, north)
        run_tasks()
        Standard(secret).verify(receiver.got[0].text, receiver.got[0].headers)

    def test_a_mask_shows_less_and_the_secret(self, owner: Account) -> None:
        body = {'url': 'https://example.com/'}
        made = asking(owner)('post', HOOKS, body, HTTP_X_FIELDS='{name}')
        assert made.json().keys() == {'name', 'secret'}

    def test_a_repeat_is_answered_the_same(self, owner: Account) -> None:
        ask = asking(owner)
        made, again = (
            ask('post', HOOKS, {'url': 'https://example.com/'}, HTTP_IDEMPOTENCY_KEY='k1')
            for _ in range(2)
        )
        assert made.content == again.content
        assert Webhook.objects.count() == 1

    @pytest.mark.parametrize('text', ['\ud800', 'a\udfff', '\0', 'a\0b'])
    @pytest.mark.parametrize('member', ['name', 'url', 'tenant', 'secret', 'types', 'x'])
    def test_texts_that_not_every_engine_stores_are_refused(
        self, owner: Account, member: str, text: str
    ) -> None:
        body = {'url': 'https://example.com/', member: [text] if member == 'types' else text}
        for sent in (body, {'url': 'https://example.com/', text: 'x'}):
            assert asking(owner)('post', HOOKS, sent).status_code in (400, 422), sent
        assert not Webhook.objects.exists()

    def test_a_secret_may_be_given_and_changed_and_is_stored_encrypted(
        self, owner: Account
    ) -> None:
        ask, secret, other = asking(owner), new_secret(), new_secret()
        made = ask('post', HOOKS, {'url': 'https://example.com/', 'secret': secret}).json()
        assert made['secret'] == secret
        changed = ask('patch', f'{HOOKS}{made["id"]}/', {'secret': other})
        assert changed.status_code == 200
        assert other not in changed.text
        stored = Webhook.objects.get().secret
        assert other not in stored
        assert unseal(stored) == other

    @pytest.mark.parametrize('secret', ['short', 'whsec_', 'whsec_c2hvcnQ=', 'whsec_***', 7, None])
    def test_a_bad_secret_is_refused_and_not_repeated(self, secret: Any, owner: Account) -> None:
        body = {'url': 'https://example.com/', 'secret': secret}
        answer = asking(owner)('post', HOOKS, body)
        assert answer.status_code == 422
        assert {fault['pointer'] for fault in answer.json()['errors']} == {'/secret'}
        assert len(str(secret)) < 7 or str(secret) not in answer.text
        assert not Webhook.objects.exists()

    def test_the_secret_of_a_webhook_cannot_be_emptied(self, owner: Account) -> None:
        hook = make_hook(owner, 'https://example.com/')
        answer = asking(owner)('patch', f'{HOOKS}{hook.pk}/', {'secret': ''})
        assert answer.status_code == 422
        assert unseal(Webhook.objects.get().secret)

    @pytest.mark.usefixtures('strict')
    @pytest.mark.parametrize(
        'url', ['http://example.com/', 'https://127.0.0.1/', 'https://localhost/', '', 7, None]
    )
    def test_an_address_inside_is_refused(self, url: Any, owner: Account) -> None:
        answer = asking(owner)('post', HOOKS, {'url': url})
        assert answer.status_code == 422
        assert {fault['pointer'] for fault in answer.json()['errors']} == {'/url'}

    @pytest.mark.parametrize('types', ['*', [], [1], [''], {}, ['x' * 161], ['x'] * 101, [['a']]])
    def test_bad_types_are_refused(self, types: Any, owner: Account) -> None:
        answer = asking(owner)('post', HOOKS, {'url': 'https://example.com/', 'types': types})
        assert answer.status_code == 422
        assert {fault['pointer'].split('/')[1] for fault in answer.json()['errors']} == {'types'}

    @pytest.mark.parametrize(
        'wanted',
        [
            'nope.created',
            'item.create',
            'item',
            'Item.created',
            'item.placed',
            'webhook.created',
            '.',
        ],
    )
    def test_types_that_nothing_tells_are_refused_with_what_exists(
        self, wanted: str, owner: Account
    ) -> None:
        body = {'url': 'https://example.com/', 'types': ['item.created', wanted]}
        answer = asking(owner)('post', HOOKS, body)
        assert answer.status_code == 422
        (fault,) = answer.json()['errors']
        assert (fault['pointer'], fault['code']) == ('/types/1', 'types-invalid')
        assert '`item.created`' in fault['detail']
        hook = make_hook(owner, 'https://example.com/')
        answer = asking(owner)('patch', f'{HOOKS}{hook.pk}/', {'types': [wanted]})
        assert answer.status_code == 422
        assert not Webhook.objects.exclude(types=['*']).exists()

    def test_types_of_before_that_nothing_tells_stay(self, owner: Account) -> None:
        hook = make_hook(owner, 'https://example.com/', types=['gone.created'])
        ask, path = asking(owner), f'{HOOKS}{hook.pk}/'
        assert ask('patch', path, {'name': 'x'}).status_code == 200
        types = ['gone.created', 'item.deleted', '*']
        assert ask('patch', path, {'types': types}).json()['types'] == types
        assert ask('patch', path, {'types': ['gone.updated']}).status_code == 422

    @pytest.mark.parametrize('member', ['owner_id', 'failures', 'disabled_at', 'id', 'created_at'])
    def test_what_the_server_sets_cannot_be_given(self, member: str, owner: Account) -> None:
        answer = asking(owner)('post', HOOKS, {'url': 'https://example.com/', member: 1})
        assert (answer.status_code, answer.json()['code']) == (422, 'field-not-writable')

    def test_there_is_no_bulk_which_could_not_show_secrets(self, owner: Account) -> None:
        for method in ('post', 'patch', 'delete'):
            assert asking(owner)(method, f'{HOOKS}bulk/', {}).status_code in (404, 405)


class TestWho:
    def test_guests_and_those_below_level_4_get_nothing(self, owner: Account) -> None:
        make_hook(owner, 'https://example.com/')
        below = asking(account('below', 3))
        for path in (HOOKS, LOG, AUDIT):
            assert Client().get(path).status_code == 401
            assert below('get', path).status_code == 403
        assert below('post', HOOKS, {'url': 'https://example.com/'}).status_code == 403

    def test_level_4_over_one_thing_is_not_level_4(
        self, owner: Account, north: Branch, write: Ask
    ) -> None:
        hook = make_hook(owner, 'https://example.com/')
        new_item(write, north)
        branch_only = account('branch-only', 1, (north, 4))
        HELD[branch_only.pk] += (Held(over='everything', level=5),)
        ask = asking(branch_only)
        for path in (HOOKS, LOG, AUDIT):
            answer = ask('get', path)
            assert (answer.status_code, answer.json()['code']) == (403, 'level-too-low')
        for path in (f'{HOOKS}{hook.pk}/', f'{HOOKS}999999/'):
            for method, body in (('get', None), ('patch', {'active': False}), ('delete', None)):
                answer = ask(method, path, body)
                assert (answer.status_code, answer.json()['code']) == (403, 'level-too-low')
                type_ = 'application/merge-patch+json' if body else ''
                guest = Client().generic(method.upper(), path, '{}' if body else '', type_)
                assert guest.status_code == 401, guest.content
            assert ask('post', f'{path}restore/').status_code == 403
        assert ask('post', HOOKS, {'url': 'https://example.com/'}).status_code == 403
        assert Webhook.objects.get().is_on

    def test_others_may_switch_it_and_delete_it_but_not_lead_it_elsewhere(
        self, owner: Account, manager: Account
    ) -> None:
        hook = make_hook(owner, 'https://example.com/')
        ask, path = asking(manager), f'{HOOKS}{hook.pk}/'
        for member, value in (
            ('url', 'https://evil.example.com/'),
            ('secret', new_secret()),
            ('types', ['a.b']),
            ('tenant', '1'),
            ('name', 'x'),
        ):
            answer = ask('patch', path, {member: value})
            assert (answer.status_code, answer.json()['code']) == (422, 'field-not-writable')
        assert ask('patch', path, {'active': False}).json()['active'] is False
        assert ask('delete', path).status_code == 204
        hook.refresh_from_db()
        assert hook.url == 'https://example.com/'
        assert not hook.is_on

    def test_a_key_manages_and_makes_none(self, owner: Account) -> None:
        hook = make_hook(owner, 'https://example.com/')
        key = with_key(owner, 4)
        assert key.get(HOOKS).json()['count'] == 1
        changed = key.patch(
            f'{HOOKS}{hook.pk}/', {'active': False}, content_type='application/json'
        )
        assert changed.status_code == 200
        moved = key.patch(
            f'{HOOKS}{hook.pk}/', {'url': 'https://x.example.com/'}, 'application/json'
        )
        assert moved.status_code == 422
        made = key.post(HOOKS, {'url': 'https://example.com/'}, 'application/json')
        assert made.status_code == 403
        assert with_key(owner, 3).get(HOOKS).status_code == 403


class TestSwitching:
    def test_what_was_queued_while_it_was_off_comes_when_it_is_on(
        self, owner: Account, hook: Webhook, receiver: Receiver, write: Ask, north: Branch
    ) -> None:
        ask, path = asking(owner), f'{HOOKS}{hook.pk}/'
        receiver.answer = 500
        new_item(write, north)
        run_tasks()
        ask('patch', path, {'active': False})
        Webhook.objects.update(failures=50, disabled_at=timezone.now())
        new_item(write, north, 2)
        run_tasks(at=timezone.now() + timedelta(minutes=2))
        assert len(receiver.got) == 1  # and what happened meanwhile is not for it

        receiver.answer = 200
        answer = ask('patch', path, {'active': True}).json()
        assert (answer['failures'], answer['disabled_at']) == (0, None)
        run_tasks(at=timezone.now() + timedelta(minutes=2))
        assert [body['data']['code'] for body in receiver.bodies] == ['item-1', 'item-1']

    def test_a_deleted_one_gets_nothing_and_can_be_restored(
        self, owner: Account, hook: Webhook, receiver: Receiver, write: Ask, north: Branch
    ) -> None:
        ask, path = asking(owner), f'{HOOKS}{hook.pk}/'
        new_item(write, north)
        assert ask('delete', path).status_code == 204
        run_tasks()
        new_item(write, north, 2)
        run_tasks()
        assert receiver.got == []
        assert ask('post', f'{path}restore/').status_code == 200
        new_item(write, north, 3)
        run_tasks()
        assert [body['data']['code'] for body in receiver.bodies] == ['item-3']


class TestLog:
    def test_a_dead_letter_and_a_done_one_are_delivered_again(
        self, owner: Account, hook: Webhook, receiver: Receiver, write: Ask, north: Branch
    ) -> None:
        receiver.answer = 500
        new_item(write, north)
        run_tasks(at=timezone.now() + timedelta(days=3))
        (shown,) = asking(owner)('get', LOG, HTTP_X_FIELDS='*').json()['results']
        assert (shown['state'], shown['attempts'], shown['response']) == ('dead', 10, 'thanks')

        receiver.answer, path = 200, f'{LOG}{shown["id"]}/redeliver/'
        for _ in range(2):
            assert asking(owner)('post', path).status_code == 202
            run_tasks()
        assert states() == [State.DONE]
        assert len({each.headers['webhook-id'] for each in receiver.got}) == 1
        assert [each.headers['x-attempt'] for each in receiver.got[-2:]] == ['1', '1']
        entry = Entry.objects.filter(verb='redeliver').first()
        assert entry is not None
        assert (entry.actor, entry.pending) == (f'account:{owner.pk}', False)

    def test_what_waits_is_not_delivered_again(
        self, owner: Account, hook: Webhook, receiver: Receiver, write: Ask, north: Branch
    ) -> None:
        receiver.answer = 500
        new_item(write, north)
        run_tasks()
        delivery = Delivery.objects.get()
        answer = asking(owner)('post', f'{LOG}{delivery.pk}/redeliver/')
        assert (answer.status_code, answer.json()['code']) == (409, 'not-delivered-yet')
        assert not Entry.objects.filter(verb='redeliver').exists()

    def test_who_may_not_see_it_cannot_deliver_it_again(
        self, owner: Account, hook: Webhook, receiver: Receiver, write: Ask, north: Branch
    ) -> None:
        new_item(write, north)
        run_tasks()
        path = f'{LOG}{Delivery.objects.get().pk}/redeliver/'
        assert Client().post(path).status_code == 401
        assert asking(account('below', 3))('post', path).status_code == 403
        # A level over one branch is none over webhooks, whose log is closed then.
        assert asking(account('scoped', 1, (north, 4)))('post', path).status_code == 403
        assert asking(owner)('post', f'{LOG}999999/redeliver/').status_code == 404
        assert states() == [State.DONE]

    def test_what_a_receiver_answered_only_the_owner_sees(
        self, owner: Account, manager: Account, hook: Webhook, write: Ask, north: Branch
    ) -> None:
        new_item(write, north)
        run_tasks()
        mine, other = (
            asking(who)('get', LOG, HTTP_X_FIELDS='*').json()['results'][0]
            for who in (owner, manager)
        )
        assert mine.pop('response') == 'thanks'
        assert mine == other

    def test_it_is_filtered(self, owner: Account, hook: Webhook, write: Ask, north: Branch) -> None:
        new_item(write, north)
        run_tasks()
        ask = asking(owner)
        assert ask('get', f'{LOG}?state=done&type=item.created').json()['count'] == 1
        assert ask('get', f'{LOG}?webhook_id={hook.pk}').json()['count'] == 1
        assert ask('get', f'{LOG}?state=dead').json()['count'] == 0


class TestAudit:
    def test_who_did_what_is_found(
        self, owner: Account, clerk: Account, write: Ask, north: Branch
    ) -> None:
        item = new_item(write, north)
        write('patch', f'/items/{item["id"]}/', {'title': 'Other', 'cost': '3.00', 'secret': 's3'})
        ask = asking(owner)
        found = ask('get', f'{AUDIT}?object_id={item["id"]}&aggregate=lending.item').json()
        assert [each['verb'] for each in found['results']] == ['update', 'create']
        (update,) = ask(
            'get', f'{AUDIT}?verb=update&actor=account:{clerk.pk}', HTTP_X_FIELDS='*'
        ).json()['results']
        assert update['before']['title'] == 'Item 1'
        assert (update['after']['title'], update['after']['cost']) == ('Other', '***')
        since = (timezone.now() - timedelta(hours=1)).strftime('%Y-%m-%dT%H:%M:%SZ')
        assert ask('get', f'{AUDIT}?at__gte={since}').json()['count'] == 2
        assert ask('get', f'{AUDIT}?at__lt={since}').json()['count'] == 0

    def test_it_cannot_be_written(self, owner: Account, write: Ask, north: Branch) -> None:
        new_item(write, north)
        path = f'{AUDIT}{Entry.objects.get().pk}/'
        for method in ('patch', 'put', 'delete'):
            assert asking(owner)(method, path, {}).status_code == 405
        assert asking(owner)('post', AUDIT, {}).status_code == 405

    def test_a_service_lets_others_read_their_own(
        self, write: Ask, north: Branch, south: Branch
    ) -> None:
        for number, branch in enumerate((north, south)):
            new_item(write, branch, number)
        answer = asking(account('north', 1, (north, 3)))('get', '/branch-audit/')
        assert [each['tenant'] for each in answer.json()['results']] == [str(north.pk)]

    def test_a_webhook_is_in_it_without_its_secret_and_url(self, owner: Account) -> None:
        ask, secret = asking(owner), new_secret()
        made = ask('post', HOOKS, {'url': 'https://example.com/token', 'secret': secret}).json()
        ask('patch', f'{HOOKS}{made["id"]}/', {'secret': new_secret(), 'name': 'x'})
        told = ask('get', f'{AUDIT}?resource=Webhook', HTTP_X_FIELDS='*')
        assert told.json()['count'] == 2
        assert 'secret' not in told.text
        assert 'token' not in told.text
        assert not Entry.objects.filter(pending=True).exists()


class TestAdmin:
    @pytest.fixture
    def admin(self, client: Client) -> Client:
        client.force_login(Account.objects.create_superuser('root@example.com', 'a long password'))
        return client

    def test_pages_show_and_search_and_never_have_the_secret(
        self, admin: Client, hook: Webhook, write: Ask, north: Branch
    ) -> None:
        new_item(write, north)
        run_tasks()
        delivery = Delivery.objects.get()
        pages = [
            admin.get('/admin/events/webhook/'),
            admin.get(f'/admin/events/webhook/{hook.pk}/change/'),
            admin.get('/admin/events/delivery/', {'state': 'done'}),
            admin.get(f'/admin/events/delivery/{delivery.pk}/change/'),
        ]
        for page in pages:
            assert page.status_code == 200
            assert hook.secret not in page.text
            assert unseal(hook.secret) not in page.text
        assert 'item.created' in pages[2].text
        assert '0 deliveries' in admin.get('/admin/events/delivery/', {'q': 'nowhere'}).text
        assert '1 webhook' in admin.get('/admin/events/webhook/', {'q': 'owner'}).text

    def test_nothing_is_added_changed_or_deleted_there(self, admin: Client, hook: Webhook) -> None:
        path = '/admin/events/webhook/'
        assert admin.get(f'{path}add/').status_code == 403
        assert admin.post(f'{path}{hook.pk}/change/', {'url': 'x'}).status_code == 403
        assert admin.post(f'{path}{hook.pk}/delete/', {'post': 'yes'}).status_code == 403

    def test_a_list_costs_the_same_whatever_is_on_it(
        self, admin: Client, owner: Account, write: Ask, north: Branch
    ) -> None:
        counts = []
        for number in range(2):
            found = []
            for page in ('webhook', 'delivery'):
                with CaptureQueriesContext(connection) as captured:
                    assert admin.get(f'/admin/events/{page}/').status_code == 200
                found.append(len(captured))
            counts.append(found)
            for each in range(10):
                make_hook(account(f'o{number}{each}', 4), 'https://example.com/')
                write('post', '/stamps/', {'code': f'{number}-{each}', 'label': 'x'})
            from backstay.events.relaying import relay

            relay.func()
        assert counts[0] == counts[1]

    def test_deliveries_are_queued_anew(
        self, admin: Client, hook: Webhook, receiver: Receiver, write: Ask, north: Branch
    ) -> None:
        new_item(write, north)
        run_tasks()
        chosen = {'action': 'redeliver', '_selected_action': [Delivery.objects.get().pk]}
        assert '1 changed' in admin.post('/admin/events/delivery/', chosen, follow=True).text
        run_tasks()
        assert len(receiver.got) == 2

    def test_webhooks_are_switched_off_and_on(self, admin: Client, hook: Webhook) -> None:
        chosen = {'action': 'switch_off', '_selected_action': [hook.pk]}
        admin.post('/admin/events/webhook/', chosen)
        assert not Webhook.objects.get().active
        Webhook.objects.update(failures=50, disabled_at=timezone.now())
        admin.post('/admin/events/webhook/', {**chosen, 'action': 'switch_on'})
        hook.refresh_from_db()
        assert (hook.active, hook.failures, hook.disabled_at) == (True, 0, None)
        assert Job.objects.filter(key=hook.target).exists()


@pytest.mark.parametrize('env', ['development', 'staging', 'production'])
def test_private_addresses_are_refused_where_strangers_come(env: str, tmp_path: Any) -> None:
    given = {'ENV': env, 'SECRET_KEY': 'test-key-' * 6, 'ALLOWED_HOSTS': 'example.com'}
    given['DATABASE_URL'] = 'postgres://me:x@db/site'
    assert load(tmp_path, given).webhook_ports == (443,)
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, {**given, 'BACKSTAY_WEBHOOK_ALLOW_PRIVATE': '1'})
    assert [*refused.value.mistakes] == ['BACKSTAY_WEBHOOK_ALLOW_PRIVATE']
    assert load(tmp_path, {**given, 'BACKSTAY_WEBHOOK_PORTS': '443, 8443'}).webhook_ports == (
        443,
        8443,
    )

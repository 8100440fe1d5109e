"""API keys: how they are made, what they may do, and who may manage them."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory
from django.utils import timezone

from backstay.caller import Held
from backstay.identity.keys import TooManyKeys, caller_of_key, create_key, rotate_key
from backstay.identity.models import Account, ApiKey
from tests.identity.signing_in import account_with_password, basic, bearer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site')]


def caller(shown: str) -> Any:
    """Who presents the key."""
    return caller_of_key(shown, RequestFactory().get('/'))


@pytest.fixture
def groups(ann: Account) -> list[int]:
    """Two groups, over which Ann holds level 2."""
    made = [Group.objects.create(name=name) for name in ('one', 'two')]
    ann.groups.set(made)
    return [group.pk for group in made]


class TestAKey:
    def test_is_shown_once_and_stored_as_a_hash(self, ann: Account) -> None:
        key, shown = create_key(ann, 'ci')
        stored = repr(ApiKey.objects.values().get())

        assert shown.startswith(f'cak_{key.prefix}.')
        assert shown.partition('.')[2] not in stored
        assert len(shown.partition('.')[2]) == 43

    def test_lives_half_a_year(self, ann: Account) -> None:
        key, _ = create_key(ann, 'ci')

        assert timedelta(days=29) < key.expires_at - timezone.now() <= timedelta(days=30)

    def test_holds_what_its_creator_holds(self, ann: Account, groups: list[int]) -> None:
        held = caller(create_key(ann, 'ci')[1])

        assert (held.kind, held.account_id, held.level) == ('key', None, 1)
        assert held.ids('groups', 2) == groups
        assert held.facts['creator_id'] == ann.pk

    def test_holds_less_when_made_so(self, ann: Account, groups: list[int]) -> None:
        one = Held(over='groups', id=groups[0], level=2)
        lower = Held(over='groups', id=groups[1], level=1, read_only=True)

        held = caller(create_key(ann, 'ci', scopes=[one, lower])[1])

        assert held.scopes == (one, lower)
        assert caller(create_key(ann, 'low', level=1)[1]).standing().level == 1
        assert caller(create_key(ann, 'none', scopes=[])[1]).scopes == ()

    def test_loses_what_its_creator_loses(self, ann: Account, groups: list[int]) -> None:
        _, shown = create_key(
            ann, 'ci', scopes=[Held(over='groups', id=pk, level=2) for pk in groups]
        )
        ann.groups.remove(groups[0])

        assert caller(shown).ids('groups', 1) == groups[1:]

    def test_falls_with_its_creator(self, ann: Account) -> None:
        Account.objects.update(level=4)
        ann.refresh_from_db()
        _, shown = create_key(ann, 'ci', level=4)
        assert caller(shown).level == 4
        Account.objects.update(level=2)

        assert caller(shown).level == 2

    @pytest.mark.parametrize(
        ('options', 'field'),
        [
            ({'level': 3}, 'level'),
            ({'level': 0}, 'level'),
            ({'scopes': [Held(over='groups', id=999, level=1)]}, 'scopes'),
            ({'scopes': [Held(over='groups', id=None, level=1)]}, 'scopes'),
            ({'scopes': [Held(over='other', id=1, level=1)]}, 'scopes'),
            ({'expires_at': timezone.now() + timedelta(days=366)}, 'expires_at'),
            ({'expires_at': timezone.now() - timedelta(days=1)}, 'expires_at'),
            ({'ip_allow': ['nonsense']}, 'ip_allow'),
            ({'ip_allow': ['192.0.2.1/24']}, 'ip_allow'),
        ],
    )
    @pytest.mark.usefixtures('groups')
    def test_never_exceeds_its_creator(
        self, ann: Account, options: dict[str, Any], field: str
    ) -> None:
        with pytest.raises(ValidationError) as caught:
            create_key(ann, 'ci', **options)

        assert set(caught.value.message_dict) == {field}
        assert not ApiKey.objects.exists()

    def test_with_a_scope_above_that_of_its_creator_is_refused(
        self, ann: Account, groups: list[int]
    ) -> None:
        with pytest.raises(ValidationError):
            create_key(ann, 'ci', scopes=[Held(over='groups', id=groups[0], level=3)])

    def test_is_one_of_fifty(self, ann: Account) -> None:
        for number in range(50):
            create_key(ann, f'key {number}')

        with pytest.raises(TooManyKeys):
            create_key(ann, 'one more')
        ApiKey.objects.filter(pk__in=ApiKey.objects.values('pk')[:1]).update(
            revoked_at=timezone.now()
        )
        create_key(ann, 'one more')

    def test_is_replaced_by_one_of_the_same_rights(self, ann: Account, groups: list[int]) -> None:
        scopes = [Held(over='groups', id=groups[0], level=2)]
        old, shown = create_key(ann, 'ci', level=2, scopes=scopes, ip_allow=['127.0.0.1/32'])

        new, replaced = rotate_key(old)

        old.refresh_from_db()
        assert old.revoked_at is not None
        assert (new.name, new.level, new.ip_allow) == ('ci', 2, ['127.0.0.1/32'])
        assert caller(replaced).scopes == tuple(scopes)
        assert replaced != shown


class TestOverHttp:
    @pytest.fixture
    def client(self, ann: Account) -> Client:
        """A browser in which Ann is signed in."""
        client = Client(raise_request_exception=False)
        client.force_login(ann)
        return client

    def make(self, client: Client, **body: Any) -> Any:
        """The answer to a new key."""
        return client.post('/auth/keys/', {'name': 'ci', **body}, content_type='application/json')

    def test_a_key_is_made_and_works(self, client: Client) -> None:
        answer = self.make(client)

        assert answer.status_code == 201
        assert 'no-store' in answer['Cache-Control']
        assert client.get('/open', headers=bearer(answer.json()['key'])).json()['kind'] == 'key'

    def test_keys_are_listed_without_their_secret(self, client: Client) -> None:
        shown = self.make(client).json()['key']

        answer = client.get('/auth/keys/')
        assert answer.headers['Cache-Control'] == 'private, no-store'

        (listed,) = answer.json()['results']
        assert listed['prefix'] in shown
        assert 'key' not in listed
        assert shown.partition('.')[2] not in answer.content.decode()
        assert 'hash' not in answer.content.decode()

    def test_a_key_is_revoked(self, client: Client) -> None:
        made = self.make(client).json()

        assert client.delete(f'/auth/keys/{made["id"]}/').status_code == 204
        assert Client().get('/closed', headers=bearer(made['key'])).status_code == 401
        assert client.get('/auth/keys/').json()['results'][0]['revoked_at']

    def test_a_key_is_replaced(self, client: Client) -> None:
        made = self.make(client).json()

        answer = client.post(f'/auth/keys/{made["id"]}/rotate/')

        assert answer.status_code == 201
        assert Client().get('/closed', headers=bearer(made['key'])).status_code == 401
        assert Client().get('/closed', headers=bearer(answer.json()['key'])).status_code == 200

    @pytest.mark.parametrize(
        ('body', 'pointer'),
        [
            ({'name': ''}, '/name'),
            ({'level': 5}, '/level'),
            ({'level': 'x'}, '/level'),
            ({'scopes': [{'over': 'groups', 'id': 9, 'level': 1}]}, '/scopes/0'),
            ({'scopes': [{'over': 'groups', 'id': {}, 'level': 1}]}, '/scopes/0/id'),
            ({'scopes': 'all'}, '/scopes'),
            ({'expires_at': '2099-01-01T00:00:00Z'}, '/expires_at/0'),
            ({'ip_allow': ['x']}, '/ip_allow/0'),
        ],
        ids=str,
    )
    def test_what_is_wrong_is_told(self, client: Client, body: Any, pointer: str) -> None:
        answer = self.make(client, **body)

        assert answer.status_code == 422
        (fault,) = answer.json()['errors']
        assert fault['pointer'].startswith(pointer.removesuffix('/0'))

    @pytest.mark.parametrize('verb', ['delete', 'post'])
    def test_keys_of_others_do_not_exist(self, client: Client, verb: str) -> None:
        bob = account_with_password('bob@example.com')
        key, _ = create_key(bob, 'bobs')
        path = f'/auth/keys/{key.pk}/' + ('rotate/' if verb == 'post' else '')

        theirs = getattr(client, verb)(path)
        missing = getattr(client, verb)(path.replace(str(key.pk), '99999'))

        assert theirs.status_code == missing.status_code == 404
        assert theirs.json()['detail'] == missing.json()['detail']
        key.refresh_from_db()
        assert key.revoked_at is None

    def test_a_key_makes_no_keys(self, client: Client) -> None:
        shown = self.make(client).json()['key']

        for verb in ('get', 'post'):
            answer = getattr(Client(), verb)('/auth/keys/', headers=bearer(shown))
            assert (answer.status_code, answer.json()['code']) == (403, 'not-permitted')

    def test_nobody_makes_keys(self) -> None:
        assert Client().get('/auth/keys/').json()['code'] == 'token-missing'

    def test_a_program_makes_keys(self, ann: Account) -> None:
        answer = Client().post(
            '/auth/keys/',
            {'name': 'x'},
            content_type='application/json',
            headers=basic(ann.username),
        )

        assert answer.status_code == 201


class TestTheCommand:
    def run(self, *arguments: str) -> str:
        """What it prints."""
        out = StringIO()
        call_command('key', *arguments, stdout=out)
        return out.getvalue()

    def test_makes_lists_replaces_and_revokes(self, ann: Account, groups: list[int]) -> None:
        shown = self.run('create', ann.username, 'ci', '--scope', f'groups:{groups[0]}:2').strip()
        assert caller(shown).ids('groups', 2) == groups[:1]
        prefix = shown[4:16]
        assert prefix in self.run('list', ann.username)

        replaced = self.run('rotate', prefix).strip()
        assert caller(replaced)
        self.run('revoke', replaced)

        assert self.run('list', ann.username) == ''

    @pytest.mark.parametrize(
        'arguments',
        [
            ('create', 'nobody', 'ci'),
            ('create', 'ann@example.com', 'ci', '--level', '5'),
            ('create', 'ann@example.com', 'ci', '--days', '366'),
            ('create', 'ann@example.com', 'ci', '--scope', 'groups'),
            ('create', 'ann@example.com', 'ci', '--scope', 'groups:*:2'),
            ('create', 'ann@example.com', 'ci', '--from', 'x'),
            ('revoke', 'abcdefghijkl'),
            ('rotate', 'abcdefghijkl'),
            ('list', 'nobody'),
            (),
        ],
        ids=str,
    )
    @pytest.mark.usefixtures('ann')
    def test_tells_what_it_cannot_do(self, arguments: tuple[str, ...]) -> None:
        with pytest.raises(CommandError):
            self.run(*arguments)


def test_an_account_without_a_password_may_have_keys(
    django_assert_num_queries: Callable[..., Any],
) -> None:
    bot = Account.objects.create_user('bot')
    _, shown = create_key(bot, 'ci')

    with django_assert_num_queries(2):
        assert caller(shown).name.startswith('cak_')

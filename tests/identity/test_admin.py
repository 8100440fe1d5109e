"""Accounts in the admin, over HTTP."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from backstay.identity.keys import create_key
from backstay.identity.models import Account, ApiKey

pytestmark = pytest.mark.django_db

PASSWORD = 'correct horse battery'
LIST = '/admin/identity/account/'

#: The session, the caller, the levels to filter by, how many rows there are, how many match, the
#: rows.
STATEMENTS_OF_THE_LIST = 6


@pytest.fixture
def admin() -> Account:
    """Who may do everything."""
    return Account.objects.create_superuser('root@example.com', PASSWORD)


@pytest.fixture
def signed_in(client: Client, admin: Account) -> Client:
    """A browser in which the admin is signed in."""
    client.force_login(admin)
    return client


def sign_in(client: Client, username: str, password: str) -> Any:
    """The answer to the form of the sign-in page."""
    return client.post('/admin/login/?next=/admin/', {'username': username, 'password': password})


class TestSignIn:
    def test_is_asked_of_strangers(self, client: Client) -> None:
        response = client.get('/admin/')

        assert response.status_code == 302
        assert response['Location'] == '/admin/login/?next=/admin/'

    def test_page_is_shown(self, client: Client) -> None:
        response = client.get('/admin/login/')

        assert response.status_code == 200
        assert b'name="username"' in response.content

    @pytest.mark.parametrize('username', ['root@example.com', 'Root@Example.com'])
    @pytest.mark.usefixtures('admin')
    def test_opens_the_admin(self, client: Client, username: str) -> None:
        response = sign_in(client, username, PASSWORD)

        assert response.status_code == 302
        assert response['Location'] == '/admin/'
        assert client.get('/admin/').status_code == 200

    @pytest.mark.usefixtures('admin')
    def test_with_a_wrong_password_is_refused(self, client: Client) -> None:
        assert sign_in(client, 'root@example.com', 'wrong').status_code == 200
        assert client.get('/admin/').status_code == 302

    def test_of_somebody_who_is_not_staff_is_refused(self, client: Client) -> None:
        Account.objects.create_user('ann@example.com', PASSWORD)

        assert sign_in(client, 'ann@example.com', PASSWORD).status_code == 200
        assert client.get('/admin/').status_code == 302

    @pytest.mark.usefixtures('admin')
    def test_makes_a_cookie_that_scripts_cannot_read(self, client: Client) -> None:
        response = sign_in(client, 'root@example.com', PASSWORD)

        assert response.cookies['sessionid']['httponly']
        assert response.cookies['sessionid']['samesite'] == 'Lax'


class TestList:
    def test_shows_accounts(self, signed_in: Client) -> None:
        Account.objects.create_user('ann@example.com', name='Ann')

        page = signed_in.get(LIST).content.decode()

        assert 'ann@example.com' in page
        assert 'Ann' in page

    def test_finds_by_name(self, signed_in: Client) -> None:
        Account.objects.create_user('ann@example.com', name='Ann')
        Account.objects.create_user('ben@example.com', name='Ben')

        page = signed_in.get(LIST, {'q': 'ann'}).content.decode()

        assert 'ann@example.com' in page
        assert 'ben@example.com' not in page

    @pytest.mark.parametrize('accounts', [0, 100])
    def test_takes_as_many_statements_for_many_as_for_few(
        self,
        signed_in: Client,
        django_assert_num_queries: Callable[..., Any],
        accounts: int,
    ) -> None:
        Account.objects.bulk_create(Account(username=f'user{number}') for number in range(accounts))

        with django_assert_num_queries(STATEMENTS_OF_THE_LIST):
            response = signed_in.get(LIST)

        assert response.status_code == 200


class TestPages:
    def test_of_an_account_are_shown(self, signed_in: Client, admin: Account) -> None:
        page = signed_in.get(f'{LIST}{admin.pk}/change/').content.decode()

        assert 'root@example.com' in page
        assert admin.password.rpartition('$')[2] not in page

    def test_add_an_account_that_can_sign_in(self, signed_in: Client) -> None:
        form = {
            'username': 'Ann@Example.com',
            'usable_password': 'true',
            'password1': PASSWORD,
            'password2': PASSWORD,
        }

        response = signed_in.post(f'{LIST}add/', form)

        assert response.status_code == 302, response.content.decode()
        account = Account.objects.get(username='ann@example.com')
        assert account.check_password(PASSWORD)
        assert account.email == 'ann@example.com'
        assert account.emailaddress_set.get().verified  # type: ignore[attr-defined]

    @pytest.mark.parametrize('password', ['short', 'password123', 'annexample'])
    def test_refuse_a_weak_password(self, signed_in: Client, password: str) -> None:
        form = {
            'username': 'ann@example.com',
            'usable_password': 'true',
            'password1': password,
            'password2': password,
        }

        response = signed_in.post(f'{LIST}add/', form)

        assert response.status_code == 200
        assert not Account.objects.filter(username='ann@example.com').exists()

    def test_change_a_name(self, signed_in: Client, admin: Account) -> None:
        form = {'username': 'root@example.com', 'name': 'Root', 'status': 'active', 'level': 5}

        response = signed_in.post(f'{LIST}{admin.pk}/change/', form)

        assert response.status_code == 302
        admin.refresh_from_db()
        assert admin.name == 'Root'


class TestActions:
    def run(self, client: Client, action: str, accounts: list[Account]) -> None:
        """Tick the accounts and run an action."""
        form = {'action': action, '_selected_action': [account.pk for account in accounts]}
        assert client.post(LIST, form, follow=True).status_code == 200

    def test_block_and_unblock(self, signed_in: Client, admin: Account) -> None:
        ann = Account.objects.create_user('ann@example.com')
        self.run(signed_in, 'block', [ann, admin])
        ann.refresh_from_db()
        admin.refresh_from_db()
        assert (ann.status, admin.status) == ('blocked', 'active')
        self.run(signed_in, 'unblock', [ann])
        ann.refresh_from_db()
        assert ann.status == 'active'

    def test_are_recorded(self, signed_in: Client, admin: Account) -> None:
        ann = Account.objects.create_user('ann@example.com')
        self.run(signed_in, 'block', [ann])

        (entry,) = LogEntry.objects.filter(object_id=str(ann.pk))
        assert entry.user_id == admin.pk
        assert 'Blocked' in entry.get_change_message()


class TestKeys:
    KEYS = '/admin/identity/apikey/'

    def test_are_shown_once(self, signed_in: Client) -> None:
        form = {'name': 'ci', 'level': 2, 'ip_allow': '[]'}

        answer = signed_in.post(f'{self.KEYS}add/', form)

        key = ApiKey.objects.get()
        found = re.search(rf'cak_{key.prefix}\.[\w-]{{43}}', answer.content.decode())
        assert found
        assert 'no-store' in answer['Cache-Control']
        used = Client().get('/auth/me', headers={'X-Api-Key': found.group()})
        assert used.status_code == 200
        page = signed_in.get(f'{self.KEYS}{key.pk}/change/').content.decode()
        assert key.prefix in page
        assert key.secret_hash not in page

    def test_that_exceed_their_creator_are_refused(self, signed_in: Client) -> None:
        Account.objects.update(level=2)

        answer = signed_in.post(f'{self.KEYS}add/', {'name': 'ci', 'level': 3, 'ip_allow': '[]'})

        assert b'higher level' in answer.content
        assert not ApiKey.objects.exists()

    def test_are_revoked_and_never_deleted(self, signed_in: Client, admin: Account) -> None:
        key, _ = create_key(admin, 'ci')
        form = {'action': 'revoke', '_selected_action': [key.pk]}
        signed_in.post(self.KEYS, form)

        key.refresh_from_db()
        assert key.revoked_at
        assert signed_in.post(f'{self.KEYS}{key.pk}/delete/', {'post': 'yes'}).status_code == 403

    @pytest.mark.parametrize('keys', [1, 100])
    def test_are_listed_in_as_many_statements(
        self,
        signed_in: Client,
        admin: Account,
        django_assert_num_queries: Callable[..., Any],
        keys: int,
    ) -> None:
        made, _ = create_key(admin, 'ci')
        ApiKey.objects.bulk_create(
            ApiKey(creator=admin, name='x', prefix=f'p{n}', expires_at=made.expires_at)
            for n in range(keys)
        )

        with django_assert_num_queries(STATEMENTS_OF_THE_LIST):
            assert signed_in.get(self.KEYS).status_code == 200


class TestHistory:
    HISTORY = '/admin/admin/logentry/'

    def block(self, client: Client, account: Account) -> None:
        """Do something."""
        form = {'action': 'block', '_selected_action': [account.pk]}
        client.post(LIST, form)

    def test_tells_who_did_what(self, signed_in: Client) -> None:
        self.block(signed_in, Account.objects.create_user('ann@example.com'))

        page = signed_in.get(self.HISTORY).content.decode()
        entry = LogEntry.objects.get()
        detail = signed_in.get(f'{self.HISTORY}{entry.pk}/change/').content.decode()

        assert 'ann@example.com' in page
        assert 'root@example.com' in page
        assert 'Status: Blocked.' in detail

    def test_is_changed_by_nobody(self, signed_in: Client) -> None:
        self.block(signed_in, Account.objects.create_user('ann@example.com'))
        entry = LogEntry.objects.get()

        for path in ('add/', f'{entry.pk}/delete/'):
            assert signed_in.post(f'{self.HISTORY}{path}', {'post': 'yes'}).status_code == 403
        answer = signed_in.post(f'{self.HISTORY}{entry.pk}/change/', {'object_repr': 'x'})
        assert answer.status_code == 403

    @pytest.mark.parametrize('entries', [1, 100])
    def test_takes_as_many_statements_for_much_as_for_little(
        self,
        signed_in: Client,
        django_assert_num_queries: Callable[..., Any],
        entries: int,
    ) -> None:
        accounts = Account.objects.bulk_create(Account(username=f'u{n}') for n in range(entries))
        form = {'action': 'block', '_selected_action': [account.pk for account in accounts]}
        signed_in.post(LIST, form)
        signed_in.get(LIST)  # it tells what was done, which was kept in the session until then

        with django_assert_num_queries(4):
            assert signed_in.get(self.HISTORY).status_code == 200


def test_the_admin_says_whose_it_is(signed_in: Client) -> None:
    assert '<title>Everything that is stored | Backstay</title>' in re.sub(
        r'\s+(?=[<|])|(?<=>)\s+', ' ', signed_in.get('/admin/').content.decode()
    ).replace('> ', '>').replace(' <', '<')

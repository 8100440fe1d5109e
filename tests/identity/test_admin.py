"""Accounts in the admin, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from backstay.identity.models import Account

pytestmark = pytest.mark.django_db

PASSWORD = 'correct horse battery'
LIST = '/admin/identity/account/'

#: The session, the caller, how many rows there are, how many match, the rows.
STATEMENTS_OF_THE_LIST = 5


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

    @pytest.mark.parametrize('accounts', [0, 30])
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
        form = {'username': 'root@example.com', 'name': 'Root', 'is_active': 'on'}

        response = signed_in.post(f'{LIST}{admin.pk}/change/', form)

        assert response.status_code == 302
        admin.refresh_from_db()
        assert admin.name == 'Root'

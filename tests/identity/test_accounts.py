"""Accounts: who may be called what, and how a password is kept."""

from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from backstay.identity.models import Account

pytestmark = pytest.mark.django_db

PASSWORD = 'correct horse battery'


def make(username: str = 'ann@example.com', password: str | None = None) -> Account:
    """A saved account. Hashing a password takes long, so most have none."""
    return Account.objects.create_user(username, password)


class TestNames:
    @pytest.mark.parametrize(
        'name', ['ann@example.com', 'bot', 'a.b+c-d_e@example.org', 'łukasz', '1', 'x' * 254]
    )
    def test_may_be_addresses_and_plain_names(self, name: str) -> None:
        assert make(name).username == name

    @pytest.mark.parametrize(
        'name', ['', ' ', 'a b', 'a\n', 'a/b', 'a:b', '<b>', 'a"b', 'x' * 255, 'a\x00']
    )
    def test_refuse_everything_else(self, name: str) -> None:
        with pytest.raises(ValidationError) as caught:
            make(name)

        assert set(caught.value.message_dict) == {'username'}
        assert not Account.objects.exists()

    @pytest.mark.parametrize('name', ['Ann@Example.COM', 'ANN@EXAMPLE.COM', 'ann@example.com'])
    def test_have_one_spelling(self, name: str) -> None:
        assert make(name).username == 'ann@example.com'

    def test_of_two_accounts_differ_in_more_than_their_case(self) -> None:
        make('ann@example.com')

        with pytest.raises(ValidationError):
            make('Ann@example.com')

    def test_that_look_alike_in_unicode_are_one(self) -> None:
        make('\ufb01n')  # the ligature of f and i

        assert Account.objects.get_by_natural_key('FIN').username == 'fin'

    def test_are_kept_apart_by_the_database_too(self) -> None:
        make('ann@example.com')

        with pytest.raises(IntegrityError), transaction.atomic():
            Account.objects.bulk_create([Account(username='ann@example.com')])

    @pytest.mark.parametrize('field', ['username', 'email'])
    def test_are_lower_case_in_the_database_too(self, field: str) -> None:
        account = make('bot')

        with pytest.raises(IntegrityError), transaction.atomic():
            Account.objects.filter(pk=account.pk).update(**{field: 'Ann@example.com'})


class TestAddresses:
    def test_are_the_user_name_that_is_one(self) -> None:
        account = make('Ann@example.com')

        assert account.email == 'ann@example.com'
        assert account.emailaddress_set.get().verified  # type: ignore[attr-defined]

    def test_stand_beside_a_plain_name(self) -> None:
        account = Account.objects.create_user('bot', email='Bot@example.com')

        assert (account.username, account.email) == ('bot', 'bot@example.com')

    def test_may_be_absent(self) -> None:
        assert make('bot').email == make('robot').email == ''

    def test_belong_to_one_account(self) -> None:
        make('ann@example.com')

        with pytest.raises(ValidationError):
            Account.objects.create_user('bot', email='ann@example.com')
        with pytest.raises(IntegrityError), transaction.atomic():
            Account.objects.bulk_create([Account(username='bot', email='ann@example.com')])

    def test_do_not_differ_from_a_user_name_that_is_one(self) -> None:
        with pytest.raises(ValidationError, match='user name'):
            Account.objects.create_user('ann@example.com', email='bob@example.com')

    def test_take_the_user_name_with_them(self) -> None:
        account = make('ann@example.com')
        account.email = 'Ann@example.org'
        account.save(update_fields=['email'])

        account.refresh_from_db()
        assert account.username == 'ann@example.org'


class TestPasswords:
    def test_are_kept_as_argon2(self) -> None:
        account = make(password=PASSWORD)

        assert account.password.startswith('argon2$argon2id$')
        assert PASSWORD not in account.password

    def test_sign_in_with_any_spelling_of_the_name(self) -> None:
        account = make(password=PASSWORD)

        assert authenticate(username='ANN@example.com', password=PASSWORD) == account

    def test_are_the_same_however_a_keyboard_writes_them(self) -> None:
        make(password='cafe\u0301 au lait \ufb01n')

        assert authenticate(username='ann@example.com', password='café au lait fin')

    def test_that_are_wrong_do_not(self) -> None:
        make(password=PASSWORD)

        assert authenticate(username='ann@example.com', password='wrong') is None

    @pytest.mark.parametrize('status', ['blocked', 'closed'])
    def test_do_not_open_an_account_that_is_switched_off(self, status: str) -> None:
        account = make(password=PASSWORD)
        account.status = status
        account.save()

        assert authenticate(username='ann@example.com', password=PASSWORD) is None

    def test_that_are_absent_open_nothing(self) -> None:
        account = make()

        assert not account.has_usable_password()
        assert authenticate(username='ann@example.com', password='') is None


def test_an_account_may_do_nothing_by_itself() -> None:
    account = make()

    assert account.is_active
    assert account.level == 1
    assert not account.is_staff
    assert not account.is_superuser


def test_an_account_is_shown_by_its_name() -> None:
    assert str(make('bot')) == 'bot'


class TestCreatesuperuser:
    def run(self, monkeypatch: pytest.MonkeyPatch, username: str) -> None:
        """The command as a container runs it."""
        monkeypatch.setenv('DJANGO_SUPERUSER_PASSWORD', PASSWORD)
        call_command('createsuperuser', '--noinput', '--username', username, stdout=StringIO())

    def test_makes_one_that_may_do_everything(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.run(monkeypatch, 'Root@example.com')

        account = Account.objects.get()
        assert account.username == 'root@example.com'
        assert account.is_staff
        assert account.is_superuser
        assert account.level == 5
        assert account.check_password(PASSWORD)

    def test_tells_that_the_name_is_taken(self, monkeypatch: pytest.MonkeyPatch) -> None:
        make('root@example.com')

        with pytest.raises(CommandError, match='taken'):
            self.run(monkeypatch, 'ROOT@example.com')

    def test_tells_that_the_name_cannot_be_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(CommandError, match='Use letters'):
            self.run(monkeypatch, 'the root')

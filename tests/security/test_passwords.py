"""Which passwords are taken, and that each is looked at as it was typed."""

import gzip
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import password_validation
from django.core.exceptions import ValidationError
from django.test import Client

from backstay.identity.models import Account
from backstay.identity.passwords import SiteWordsValidator
from backstay.services import Service


def is_taken(password: str) -> bool:
    """Whether an account may have it."""
    try:
        password_validation.validate_password(password, Account(username='ann@example.com'))
    except ValidationError:
        return False
    return True


class TestLength:
    @pytest.mark.parametrize('length', [1, 7, 8, 9, 129])
    def test_below_ten_and_beyond_128_is_refused(self, length: int) -> None:
        assert not is_taken('qx7 vomi lark '.ljust(length, 'z')[:length])

    @pytest.mark.parametrize('length', [10, 15, 64, 128])
    def test_between_is_taken(self, length: int) -> None:
        assert is_taken('qx7 vomi lark '.ljust(length, 'z')[:length])


@pytest.mark.parametrize(
    'password',
    ['only small letters', 'ONLYBIGLETTERS', '902384710293', '~!@#$%^&*()_', 'Ünïcödé ÿ 漢字'],
)
def test_any_characters_will_do(password: str) -> None:
    assert is_taken(password)


def test_common_ones_are_refused() -> None:
    """Every one of Django's list that is long enough: what is shorter is refused in any case."""
    path = Path(password_validation.__file__).with_name('common-passwords.txt.gz')
    common = gzip.decompress(path.read_bytes()).decode().split()

    assert len(common) > 3000
    assert [each for each in common if is_taken(each)] == []


class TestWordsOfTheSite:
    @pytest.fixture(autouse=True)
    def _site(self, settings: Any) -> None:
        words = ('Acme', 'Große Werke', 'it')
        hosts = ('shop.acme-works.example', '.intern.example')
        given = {'password_words': words, 'allowed_hosts': hosts}
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update=given)
        service = Service(name='lending', title='The Lending Library', apps=(), urls={})
        settings.BACKSTAY_SERVICES = (service,)

    def test_are_those_of_its_services_hosts_and_owner(self) -> None:
        words = {'acme', 'große', 'werke', 'works', 'shop', 'intern', 'example', 'backstay'}
        assert SiteWordsValidator().words() == words | {'lending', 'library'}

    @pytest.mark.parametrize(
        'password',
        [
            *('backstay-2026', 'AcmeAcmeAcme', 'Acme-Works!1', 'lendinglibrary', 'Library#2027'),
            *('große werke 1', 'shop.acme.example', '\uff22ackstay-12', 'acmebackstay!!!!'),
        ],
    )
    def test_make_no_password(self, password: str) -> None:
        with pytest.raises(ValidationError) as caught:
            password_validation.validate_password(password)

        assert 'password_of_the_site' in {error.code for error in caught.value.error_list}

    @pytest.mark.parametrize(
        'password',
        ['acme qx7 vomi lark', 'two librarians ate', 'itititititit vomi', 'qx7 vomi lark'],
    )
    def test_may_be_in_one(self, password: str) -> None:
        assert is_taken(password)


@pytest.mark.parametrize(
    'tried',
    ['correct horse Battery', 'correct horse battery ', ' correct horse battery', 'correct horse'],
)
@pytest.mark.django_db
def test_each_is_looked_at_as_it_was_typed(tried: str) -> None:
    account = Account.objects.create_user('ann@example.com', password='correct horse battery')

    assert account.check_password('correct horse battery')
    assert not account.check_password(tried)


@pytest.mark.django_db
def test_the_last_of_128_characters_counts() -> None:
    account = Account.objects.create_user('ann@example.com', password='x' * 127 + 'y')

    assert account.check_password('x' * 127 + 'y')
    assert not account.check_password('x' * 127 + 'z')


class Inputs(HTMLParser):
    """The inputs of a page, by name."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str | None]] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == 'input' and (name := told.get('name')):
            self.found[name] = told


@pytest.mark.django_db
def test_the_field_hides_it_and_lets_programs_fill_it() -> None:
    inputs = Inputs()
    inputs.feed(Client().get('/admin/login/').content.decode())
    field = inputs.found['password']

    assert field['type'] == 'password'
    assert field.get('autocomplete') == 'current-password'
    assert not {'onpaste', 'oncopy', 'maxlength', 'readonly'} & {*field}


def test_there_are_no_hints_and_no_questions() -> None:
    names = {field.name for field in Account._meta.get_fields()}

    assert not {name for name in names if 'hint' in name or 'question' in name or 'answer' in name}

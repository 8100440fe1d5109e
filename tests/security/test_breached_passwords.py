"""Passwords known from breaches: found in a file of their hashes, wherever one is chosen."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from backstay.identity.breached_passwords import is_listed
from backstay.identity.models import Account

BREACHED = 'wordless umbrella tango'


def file_of(
    folder: Path, passwords: list[str], *, end: str = '\r\n', last: bool = True, lower: bool = False
) -> Path:
    """The file of these passwords, as Have I Been Pwned's downloader writes it."""
    digests = (hashlib.sha1(each.encode(), usedforsecurity=False) for each in passwords)
    hashes = sorted(each.hexdigest().upper() for each in digests)
    lines = [f'{each}:{7 ** (n % 9)}' for n, each in enumerate(hashes)]
    text = end.join(lines) + (end if last else '')
    path = folder / 'breached.txt'
    path.write_bytes((text.lower() if lower else text).encode())
    return path


@pytest.mark.parametrize('count', [1, 2, 3, 10, 1000])
@pytest.mark.parametrize('form', [{}, {'end': '\n'}, {'last': False}, {'lower': True}])
def test_every_one_in_the_file_is_found_and_no_other(
    tmp_path: Path, count: int, form: dict[str, Any]
) -> None:
    words = [f'password {number} ÿ' for number in range(2 * count)]
    path = file_of(tmp_path, words[:count], **form)

    assert [is_listed(word, path) for word in words] == [True] * count + [False] * count


@pytest.fixture
def named(tmp_path: Path, settings: Any) -> Path:
    """The file that the site names."""
    path = file_of(tmp_path, [BREACHED, *(f'other {number}' for number in range(50))])
    settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'breached_passwords': str(path)})
    return path


@pytest.mark.usefixtures('named')
def test_it_is_refused_and_another_is_not() -> None:
    with pytest.raises(ValidationError) as caught:
        validate_password(BREACHED)

    assert [error.code for error in caught.value.error_list] == ['password_breached']
    validate_password(f'{BREACHED}s')


def test_without_a_file_it_is_taken() -> None:
    validate_password(BREACHED)


@pytest.mark.parametrize('content', [None, b'', b'\n', b'\xff' * 100, b'no hash at all'])
def test_a_file_that_cannot_be_read_keeps_nobody_out(named: Path, content: bytes | None) -> None:
    named.unlink()
    if content is not None:
        named.write_bytes(content)

    validate_password(BREACHED)


@pytest.mark.django_db
@pytest.mark.usefixtures('named')
@pytest.mark.parametrize(('password', 'is_taken'), [(BREACHED, False), (f'{BREACHED}s', True)])
class TestEveryPlaceThatTakesOne:
    def test_a_sign_up(self, password: str, is_taken: bool) -> None:
        given = {'email': 'ann@example.com', 'password': password}
        path = '/auth/app/v1/auth/signup'
        answer = Client().post(path, given, content_type='application/json')

        assert Account.objects.exists() is is_taken
        if not is_taken:
            codes = {each['code'] for each in json.loads(answer.content)['errors']}
            assert (answer.status_code, codes) == (400, {'password_breached'})

    def test_the_admin(self, client: Client, password: str, is_taken: bool) -> None:
        client.force_login(Account.objects.create_superuser('root@example.com', 'x'))
        form = {'username': 'ben@example.com', 'usable_password': 'true'}
        form |= {'password1': password, 'password2': password}
        client.post('/admin/identity/account/add/', form)

        assert Account.objects.filter(username='ben@example.com').exists() is is_taken

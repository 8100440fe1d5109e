"""Passwords known from breaches: found in a file of their hashes, wherever one is chosen."""

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.test import Client

from backstay.identity import breached_passwords
from backstay.identity.breached_passwords import BreachService, _ends_of, is_listed
from backstay.identity.models import Account
from backstay.settings import SettingsError, load

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


class Service:
    """A service of ranges on this machine, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []
        #: What follows the status: it may be anything.
        self.answer: Callable[[str], bytes] = ranges_of(BREACHED)
        self.status = 200
        self.seconds = 0.0
        #: Seconds between two bytes of it.
        self.pause = 0.0
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:  # the name that http.server calls
                service.asked.append((self.path, self.headers['Add-Padding']))
                time.sleep(service.seconds)
                self.send_response(service.status)
                self.send_header('Location', '/range/00000')
                self.end_headers()
                answer = service.answer(self.path[-5:])
                with suppress(OSError):  # the other side may have left
                    for at in range(10) if service.pause else ():
                        self.wfile.write(answer[at : at + 1])
                        time.sleep(service.pause)
                    self.wfile.write(answer)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        self.url = f'http://127.0.0.1:{self.server.server_port}/range/'


def ranges_of(*passwords: str, count: str = '3') -> Callable[[str], bytes]:
    """What the service answers of a prefix: these passwords, and lines that only fill."""

    def answer(prefix: str) -> bytes:
        digests = [hashlib.sha1(each.encode(), usedforsecurity=False) for each in passwords]
        hashes = [each.hexdigest().upper() for each in digests]
        found = [f'{each[5:]}:{count}' for each in hashes if each.startswith(prefix)]
        return '\r\n'.join([*found, *(f'{n:035X}:0' for n in range(800))]).encode()

    return answer


@pytest.fixture
def service(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    """The service that the site names."""
    service = Service()
    thread = threading.Thread(target=service.server.serve_forever, args=(0.01,))
    thread.start()
    names = {'breached_passwords_url': service.url}
    settings.BACKSTAY = settings.BACKSTAY.model_copy(update=names)
    monkeypatch.setattr(breached_passwords, 'breach_service', BreachService())
    _ends_of.cache_clear()
    yield service
    service.server.shutdown()
    thread.join()
    service.server.server_close()


class TestAService:
    def test_is_told_five_digits_and_refuses_what_it_knows(self, service: Service) -> None:
        with pytest.raises(ValidationError) as caught:
            validate_password(BREACHED)
        validate_password(f'{BREACHED}s')

        assert [error.code for error in caught.value.error_list] == ['password_breached']
        digests = [
            hashlib.sha1(each.encode(), usedforsecurity=False).hexdigest().upper()
            for each in (BREACHED, f'{BREACHED}s')
        ]
        assert service.asked == [(f'/range/{each[:5]}', 'true') for each in digests]

    def test_is_asked_once_in_a_minute_of_the_same(self, service: Service) -> None:
        for _ in range(3):
            with pytest.raises(ValidationError):
                validate_password(BREACHED)

        assert len(service.asked) == 1

    def test_fills_its_answer_with_lines_that_count_nothing(self, service: Service) -> None:
        service.answer = ranges_of(BREACHED, count='0')

        validate_password(BREACHED)

        assert service.asked

    def test_is_asked_where_the_file_does_not_know(self, service: Service, named: Path) -> None:
        other = 'other 49 in the file'
        service.answer = ranges_of(other)

        for known in (BREACHED, other):
            with pytest.raises(ValidationError):
                validate_password(known)
        assert len(service.asked) == 1

    @pytest.mark.parametrize('status', [301, 400, 429, 500, 503])
    def test_that_fails_keeps_nobody_out(self, service: Service, status: int) -> None:
        service.status = status

        validate_password(BREACHED)
        validate_password(BREACHED)

        assert len(service.asked) == 1  # then it rests

    @pytest.mark.parametrize(
        'answer', [b'', b'\xff\x00' * 50, b'<html>', b'A' * 2_000_000, b':\n:9\n::\n']
    )
    def test_that_answers_anything_keeps_nobody_out(self, service: Service, answer: bytes) -> None:
        service.answer = lambda _: answer

        validate_password(BREACHED)

    def test_that_is_late_keeps_nobody_out(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(BreachService, 'seconds', 0.1)
        service.seconds = 0.5
        begun = time.monotonic()

        validate_password(BREACHED)
        validate_password(BREACHED)

        assert time.monotonic() - begun < 0.4
        assert len(service.asked) <= 1

    def test_that_drips_keeps_nobody_out(
        self, service: Service, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(BreachService, 'seconds', 0.1)
        service.pause = 0.04  # less than any wait for one read
        begun = time.monotonic()

        validate_password(BREACHED)

        assert time.monotonic() - begun < 0.25

    @pytest.mark.django_db
    def test_that_is_down_lets_people_sign_up(self, service: Service, caplog: Any) -> None:
        service.server.shutdown()
        service.server.server_close()
        given = {'email': 'ann@example.com', 'password': BREACHED}

        answer = Client().post('/auth/app/v1/auth/signup', given, content_type='application/json')

        assert answer.status_code == 401  # its address is to be verified
        assert Account.objects.exists()
        assert caplog.text.count('breached-passwords-unavailable') == 2
        assert BREACHED not in caplog.text

    @pytest.mark.parametrize(
        ('env', 'url', 'is_taken'),
        [
            ('production', 'https://api.pwnedpasswords.com/range/', True),
            ('production', 'http://ranges.internal/range/', False),
            ('local', 'http://127.0.0.1:8001/range/', True),
            ('local', 'https://api.pwnedpasswords.com/range', False),
            ('local', 'file:///etc/', False),
            ('production', '', True),
        ],
    )
    def test_is_named_by_an_address_that_is_encrypted(
        self, tmp_path: Path, env: str, url: str, is_taken: bool
    ) -> None:
        given = {
            'ENV': env,
            'SECRET_KEY': 'test-key-' * 6,
            'ALLOWED_HOSTS': 'example.com',
            'DATABASE_URL': 'postgres://u@h/d',
        }
        given['BACKSTAY_BREACHED_PASSWORDS_URL'] = url
        given['DATABASE_URL'] = 'postgres://somebody:hunter2@db.example/site'
        if is_taken:
            assert load(tmp_path, given).breached_passwords_url == url
        else:
            with pytest.raises(SettingsError, match='BACKSTAY_BREACHED_PASSWORDS_URL'):
                load(tmp_path, given)


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

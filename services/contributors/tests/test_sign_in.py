"""Signing in with GitHub, against a GitHub on this machine."""

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.providers.github.views import GitHubOAuth2Adapter
from django.test import Client

from backstay.identity.models import Account
from services.contributors.models import Address, Contributor
from services.contributors.options import options


class FakeGitHub:
    """What allauth asks of GitHub, in GitHub's form."""

    def __init__(self) -> None:
        self.user: dict[str, Any] = {'id': 101, 'login': 'alice', 'name': 'Alice', 'email': None}
        self.emails = [
            {'email': 'Alice@Example.com', 'primary': True, 'verified': True},
            {'email': 'second@example.com', 'primary': False, 'verified': True},
            {'email': 'unproven@example.com', 'primary': False, 'verified': False},
        ]
        answers: dict[str, Callable[[], Any]] = {
            '/token': lambda: {'access_token': 'gho_x', 'token_type': 'bearer'},
            '/user': lambda: self.user,
            '/emails': lambda: self.emails,
        }

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(answers[urlsplit(self.path).path]()).encode()
                self.rfile.read(int(self.headers.get('content-length') or 0))
                self.send_response(200)
                self.send_header('Content-Type', 'application/json')
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET  # noqa: N815 its name in the library

            def log_message(self, *_: Any) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.address = f'http://127.0.0.1:{self.server.server_port}'


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[FakeGitHub]:
    """A GitHub, and a site that has a client there."""
    fake = FakeGitHub()
    monkeypatch.setenv('NO_PROXY', '*')
    for name, path in (
        ('access_token_url', 'token'),
        ('profile_url', 'user'),
        ('emails_url', 'emails'),
    ):
        monkeypatch.setattr(GitHubOAuth2Adapter, name, f'{fake.address}/{path}')
    environ = {
        'CONTRIBUTORS_GITHUB_CLIENT_ID': 'Iv1.x',
        'CONTRIBUTORS_GITHUB_CLIENT_SECRET': 'secret',
    }
    settings.SOCIALACCOUNT_PROVIDERS = options(environ)['SOCIALACCOUNT_PROVIDERS']
    yield fake
    fake.server.shutdown()
    fake.server.server_close()


def sign_in(client: Client, process: str = 'login') -> Any:
    """Go to GitHub and come back."""
    there = client.post(
        '/auth/browser/v1/auth/provider/redirect',
        {'provider': 'github', 'process': process, 'callback_url': 'http://testserver/done'},
    )
    assert there.status_code == 302, there.content
    asked = parse_qs(urlsplit(there['Location']).query)
    assert asked['redirect_uri'] == ['http://testserver/accounts/github/login/callback/']
    assert set(asked['scope'][0].split()) == {'read:user', 'user:email'}
    return client.get('/accounts/github/login/callback/', {'code': 'c', 'state': asked['state'][0]})


def addresses() -> list[str]:
    return sorted(Address.objects.values_list('address', flat=True))


@pytest.mark.django_db
class TestSigningIn:
    def test_makes_an_account_with_what_github_verified(self, github: FakeGitHub) -> None:
        client = Client()

        back = sign_in(client)

        assert back['Location'] == 'http://testserver/done'
        made = Contributor.objects.get()
        assert made.account
        assert (made.github_id, made.login, made.account.email) == (
            101,
            'alice',
            'alice@example.com',
        )
        assert addresses() == ['alice@example.com', 'second@example.com']
        assert client.get('/auth/me').json()['name'] == 'alice@example.com'
        (shown,) = client.get('/contributors/people/').json()['results']
        assert shown['login'] == 'alice'

    @pytest.mark.parametrize('of_site', [True, False])
    @pytest.mark.parametrize('of_service', [True, False])
    def test_makes_one_where_the_site_or_the_service_says_so(
        self, github: FakeGitHub, settings: Any, of_site: bool, of_service: bool
    ) -> None:
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'sign_up': of_site})
        settings.CONTRIBUTORS_SIGN_UP = of_service

        sign_in(Client())

        assert Account.objects.exists() == (of_site or of_service)

    def test_goes_on_where_nobody_makes_accounts(self, github: FakeGitHub, settings: Any) -> None:
        sign_in(Client())
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'sign_up': False})
        client = Client()

        sign_in(client)

        assert client.get('/auth/me').status_code == 200

    def test_again_keeps_up_with_what_has_changed(self, github: FakeGitHub) -> None:
        sign_in(Client())
        github.user['login'] = 'alice-renamed'
        del github.emails[1]

        sign_in(Client())

        made = Contributor.objects.get()
        assert made.login == 'alice-renamed'
        assert addresses() == ['alice@example.com']
        assert Account.objects.count() == 1

    def test_an_address_that_went_to_somebody_else_is_his(self, github: FakeGitHub) -> None:
        sign_in(Client())
        github.user |= {'id': 102, 'login': 'bob'}
        github.emails = [
            {'email': 'bob@example.com', 'primary': True, 'verified': True},
            {'email': 'second@example.com', 'primary': False, 'verified': True},
        ]

        sign_in(Client())

        assert Address.objects.get(address='second@example.com').contributor.login == 'bob'

    def test_an_address_alone_does_not_open_the_account_of_somebody_else(
        self, github: FakeGitHub
    ) -> None:
        theirs = Account.objects.create_user('alice@example.com')
        client = Client()

        sign_in(client)

        assert client.get('/auth/me').status_code == 401
        assert not Contributor.objects.filter(account=theirs).exists()

    def test_an_account_connects_it(self, github: FakeGitHub) -> None:
        mine = Account.objects.create_user('me@example.com')
        client = Client()
        client.force_login(mine)

        sign_in(client, 'connect')

        assert Contributor.objects.get().account == mine

    def test_a_callback_that_nobody_asked_for_signs_nobody_in(self, github: FakeGitHub) -> None:
        client = Client(raise_request_exception=False)

        answer = client.get('/accounts/github/login/callback/', {'code': 'c', 'state': 'forged'})

        assert answer.status_code < 500
        assert client.get('/auth/me').status_code == 401
        assert not Contributor.objects.exists()


def test_without_a_client_it_is_off(db: None) -> None:
    assert options({})['SOCIALACCOUNT_PROVIDERS']['github']['APPS'] == []

    answer = Client(raise_request_exception=False).post(
        '/auth/browser/v1/auth/provider/redirect',
        {'provider': 'github', 'process': 'login', 'callback_url': 'http://testserver/done'},
    )

    assert answer.status_code in {302, 400, 403, 404}
    assert 'github.com' not in answer.get('Location', '')

"""Workflows of GitHub Actions: which tokens let them in (P40, P41)."""

import json
import time
from collections.abc import Iterator
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from django.test import Client, RequestFactory
from jwt.algorithms import RSAAlgorithm

from backstay.identity import pipelines
from backstay.identity.pipelines import Keys, caller_of_pipeline
from backstay.identity.problems import TokenExpired, TokenInvalid
from tests.identity.signing_in import bearer

pytestmark = pytest.mark.django_db

AUDIENCE = 'https://api.example.com'
REQUEST = RequestFactory().get('/')
PULLED = 'octo/shop/.github/workflows/deploy.yaml'
WORKFLOW = f'{PULLED}@refs/heads/main'


@cache
def rsa_key(number: int) -> RSAPrivateKey:
    """One of a few different keys: making one takes longer than a test."""
    return generate_private_key(public_exponent=65537, key_size=2048)


class Provider:
    """An issuer of tokens on this machine, with its keys under `/.well-known/jwks`."""

    def __init__(self) -> None:
        self.keys: dict[str, RSAPrivateKey] = {}
        self.fetches = 0
        self.is_down = False
        self.add_key('one')
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.fetches += 1
                if provider.is_down:
                    self.send_error(503)
                    return
                body = provider.jwks()
                self.send_response(200)
                self.send_header('Content-Type', 'application/json')
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Keep quiet."""

        self.server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()
        self.issuer = f'http://127.0.0.1:{self.server.server_port}'

    def add_key(self, name: str) -> None:
        self.keys[name] = rsa_key(len(self.keys))

    def jwks(self) -> bytes:
        public = [
            {**json.loads(RSAAlgorithm.to_jwk(key.public_key())), 'kid': name, 'use': 'sig'}
            for name, key in self.keys.items()
        ]
        return json.dumps({'keys': public}).encode()

    def token(self, key: str = 'one', *, without: str = '', **claims: Any) -> str:
        now = int(time.time())
        full = {
            'iss': self.issuer,
            'aud': AUDIENCE,
            'iat': now,
            'nbf': now,
            'exp': now + 300,
            'sub': 'repo:octo/shop:ref:refs/heads/main',
            'repository': 'octo/shop',
            'repository_owner_id': '42',
            'job_workflow_ref': WORKFLOW,
            'ref': 'refs/heads/main',
            **claims,
        }
        full.pop(without, None)
        return jwt.encode(full, self.keys[key], algorithm='RS256', headers={'kid': key})


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    """The provider that the site believes, for one owner and one workflow."""
    provider = Provider()
    settings.BACKSTAY = settings.BACKSTAY.model_copy(
        update={
            'pipeline_audience': AUDIENCE,
            'pipeline_owners': ('42',),
            'pipeline_workflows': ('octo/shop/.github/workflows/*.yaml@refs/heads/main',),
        }
    )
    settings.BACKSTAY_PIPELINE_ISSUER = provider.issuer
    pipelines._keys_of.cache_clear()
    yield provider
    provider.server.shutdown()
    provider.server.server_close()


def keys_of(provider: Provider, **options: float) -> Keys:
    """A client of the provider's keys."""
    return Keys(f'{provider.issuer}/.well-known/jwks', **options)


@pytest.fixture
def keys(provider: Provider) -> Keys:
    """A fresh client of the provider's keys."""
    return keys_of(provider)


class TestAToken:
    """P40: issuer, audience, expiry, owner and workflow are required."""

    def test_lets_its_workflow_in(self, provider: Provider, keys: Keys) -> None:
        caller = caller_of_pipeline(provider.token(), REQUEST, keys)

        assert (caller.kind, caller.name, caller.level) == ('pipeline', 'octo/shop', 0)
        assert caller.account_id is None
        assert caller.facts['job_workflow_ref'] == WORKFLOW

    @pytest.mark.parametrize(
        'claims',
        [
            {'aud': 'another'},
            {'aud': ''},
            {'iss': 'https://token.actions.githubusercontent.com.evil.example'},
            {'repository_owner_id': '43'},
            {'repository_owner_id': ''},
            {'job_workflow_ref': 'octo/shop/.github/workflows/deploy.yaml@refs/heads/evil'},
            {'job_workflow_ref': 'evil/octo/shop/.github/workflows/x.yaml@refs/heads/main'},
            {'job_workflow_ref': f'{WORKFLOW}x'},
            {'job_workflow_ref': WORKFLOW.upper()},
            {'nbf': int(time.time()) + 3000},
        ],
        ids=lambda claims: next(iter(claims)),
    )
    def test_of_anything_else_does_not(
        self, provider: Provider, keys: Keys, claims: dict[str, Any]
    ) -> None:
        with pytest.raises(TokenInvalid):
            caller_of_pipeline(provider.token(**claims), REQUEST, keys)

    @pytest.mark.parametrize(
        'claim',
        ['exp', 'iat', 'iss', 'aud', 'repository', 'repository_owner_id', 'job_workflow_ref'],
    )
    def test_without_a_claim_does_not(self, provider: Provider, keys: Keys, claim: str) -> None:
        with pytest.raises(TokenInvalid):
            caller_of_pipeline(provider.token(without=claim), REQUEST, keys)

    def test_that_has_expired_says_so(self, provider: Provider, keys: Keys) -> None:
        with pytest.raises(TokenExpired):
            caller_of_pipeline(provider.token(exp=int(time.time()) - 1), REQUEST, keys)

    def test_that_another_key_signed_does_not(self, provider: Provider, keys: Keys) -> None:
        stranger = Provider()
        stranger.issuer, stranger.keys['one'] = provider.issuer, rsa_key(1)
        try:
            with pytest.raises(TokenInvalid):
                caller_of_pipeline(stranger.token(), REQUEST, keys)
        finally:
            stranger.server.shutdown()
            stranger.server.server_close()

    @pytest.mark.parametrize('algorithm', ['HS256', 'none'])
    def test_with_another_algorithm_does_not(
        self, provider: Provider, keys: Keys, algorithm: str
    ) -> None:
        claims = jwt.decode(provider.token(), options={'verify_signature': False})
        key = 'x' * 40 if algorithm == 'HS256' else None
        token = jwt.encode(claims, key, algorithm=algorithm, headers={'kid': 'one'})

        with pytest.raises(TokenInvalid):
            caller_of_pipeline(token, REQUEST, keys)

    @pytest.mark.parametrize('token', ['a.b.c', '..', 'eyJhbGciOiJSUzI1NiJ9.e30.x'])
    def test_that_is_none_does_not(self, keys: Keys, token: str) -> None:
        with pytest.raises(TokenInvalid):
            caller_of_pipeline(token, REQUEST, keys)


class TestKeys:
    """P41."""

    def test_are_fetched_once_in_their_lifetime(self, provider: Provider) -> None:
        keys = keys_of(provider, lifespan=0.3)
        for _ in range(3):
            caller_of_pipeline(provider.token(), REQUEST, keys)
        assert provider.fetches == 1

        time.sleep(0.35)
        caller_of_pipeline(provider.token(), REQUEST, keys)
        assert provider.fetches == 2

    def test_are_fetched_for_an_unknown_one_at_most_once_a_minute(self, provider: Provider) -> None:
        keys = keys_of(provider, cooldown=0.3)
        caller_of_pipeline(provider.token(), REQUEST, keys)
        provider.add_key('two')
        time.sleep(0.35)
        caller_of_pipeline(provider.token('two'), REQUEST, keys)
        assert provider.fetches == 2
        unknown = jwt.encode({}, provider.keys['one'], algorithm='RS256', headers={'kid': 'no'})

        for _ in range(5):
            with pytest.raises(TokenInvalid):
                caller_of_pipeline(unknown, REQUEST, keys)

        assert provider.fetches == 2
        assert (pipelines.KEYS_LIFE, pipelines.KEYS_COOLDOWN) == (3600, 60)

    def test_that_are_fresh_do_without_their_provider(self, provider: Provider, keys: Keys) -> None:
        caller_of_pipeline(provider.token(), REQUEST, keys)
        provider.is_down = True

        assert caller_of_pipeline(provider.token(), REQUEST, keys).name == 'octo/shop'

    def test_that_cannot_be_had_let_nobody_in(self, provider: Provider, keys: Keys) -> None:
        provider.is_down = True
        for _ in range(3):
            with pytest.raises(TokenInvalid):
                caller_of_pipeline(provider.token(), REQUEST, keys)

        assert provider.fetches == 1  # it is left alone for a while


@pytest.mark.django_db
@pytest.mark.usefixtures('site')
class TestOverHttp:
    def test_a_workflow_is_a_caller(
        self, provider: Provider, django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(0):
            answer = Client().get('/closed', headers=bearer(provider.token()))

        assert answer.json() == {
            'kind': 'pipeline',
            'name': 'octo/shop',
            'key': 'pipeline:octo/shop',
        }

    def test_any_other_is_refused(self, provider: Provider) -> None:
        answer = Client().get('/open', headers=bearer(provider.token(repository_owner_id='43')))

        assert (answer.status_code, answer.json()['code']) == (401, 'token-invalid')

    def test_none_is_let_in_unless_the_site_names_an_owner(
        self, provider: Provider, settings: Any
    ) -> None:
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'pipeline_owners': ()})

        answer = Client().get('/open', headers=bearer(provider.token()))

        assert answer.status_code == 401
        assert provider.fetches == 0


@pytest.mark.parametrize(
    ('pattern', 'workflow', 'matches'),
    [
        ('octo/shop/.github/workflows/go.yaml@refs/heads/main', WORKFLOW, False),
        (WORKFLOW, WORKFLOW, True),
        ('octo/*/.github/workflows/deploy.yaml@refs/heads/main', WORKFLOW, True),
        ('octo/*/.github/workflows/deploy.yaml@refs/heads/*', WORKFLOW, True),
        ('octo/*', WORKFLOW, False),
        ('*', WORKFLOW, False),
        ('octo/*/.github/workflows/deploy.yaml@*', WORKFLOW, False),
        ('octo/shop/.github/workflows/*@refs/heads/main', WORKFLOW, True),
        ('octo/shop/.github/workflows/*', WORKFLOW, False),
        ('octo/sho?/.github/workflows/deploy.yaml@refs/heads/main', WORKFLOW, False),
        ('octo/sho[p]/.github/workflows/deploy.yaml@refs/heads/main', WORKFLOW, False),
        (
            'octo/shop/.github/workflows/deploy.yaml@refs/*/7/*',
            f'{PULLED}@refs/pull/7/merge',
            False,
        ),
        (f'{PULLED}@refs/pull/7/merge', f'{PULLED}@refs/pull/7/merge', False),
    ],
)
def test_a_star_is_a_text_within_a_part(
    provider: Provider, keys: Keys, settings: Any, pattern: str, workflow: str, matches: bool
) -> None:
    update = {'pipeline_workflows': (pattern,)}
    settings.BACKSTAY = settings.BACKSTAY.model_copy(update=update)
    token = provider.token(job_workflow_ref=workflow)
    if matches:
        assert caller_of_pipeline(token, REQUEST, keys).kind == 'pipeline'
    else:
        with pytest.raises(TokenInvalid):
            caller_of_pipeline(token, REQUEST, keys)


def test_a_run_of_a_pull_request_never_counts(provider: Provider, keys: Keys) -> None:
    with pytest.raises(TokenInvalid):
        caller_of_pipeline(provider.token(ref='refs/pull/7/merge'), REQUEST, keys)

"""Authentication, formats, methods, addresses and headers (cases 1 to 10)."""

import json
from io import BytesIO
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.wsgi import get_wsgi_application
from django.test import Client
from rest_framework.test import APIRequestFactory, force_authenticate

from backstay.caller import Caller
from backstay.identity.callers import Machine
from backstay.identity.keys import create_key, revoke_key
from backstay.operations.proxies import trust_proxies
from backstay.testing import statements
from services.codereview.models import Repository, Revision
from services.codereview.revisions import RevisionList
from services.codereview.tests import data
from services.codereview.tests.data import BOT, Bot, basic

REVISIONS = '/v1/revision/'


class TestWhoMayWrite:
    def test_case_01_nobody_without_credentials(self, guest: Bot) -> None:
        response = guest.post(REVISIONS, data.revision_body())

        assert response.status_code == 403
        assert response.json() == {'detail': 'Authentication credentials were not provided.'}
        assert 'WWW-Authenticate' not in response.headers
        assert (Revision.objects.count(), Repository.objects.count()) == (0, 0)

    @pytest.mark.parametrize('name', ['bot', 'nobody'])
    def test_case_02_nobody_with_a_wrong_password(self, bot: Bot, name: str) -> None:
        response = Bot(basic(name, 'wrong')).post(REVISIONS, data.revision_body())

        assert response.status_code == 403
        assert response.json() == {'detail': 'Invalid username/password.'}
        assert 'WWW-Authenticate' not in response.headers
        assert Revision.objects.count() == 0

    def test_case_03_a_wrong_password_may_not_even_read(self, bot: Bot, guest: Bot) -> None:
        assert Bot(basic('bot', 'wrong')).get(REVISIONS).status_code == 403
        assert guest.get(REVISIONS).status_code == 200
        assert bot.get(REVISIONS).status_code == 200

    @pytest.mark.parametrize('by', ['basic', 'bearer', 'header'])
    def test_a_key_of_the_lowest_level(self, bot: Bot, guest: Bot, by: str) -> None:
        account = get_user_model().objects.create_user('nobody-special')
        key, shown = create_key(account, 'publishing', level=1, scopes=())
        headers = {
            'basic': {'authorization': basic('any name', shown)},
            'bearer': {'authorization': f'Bearer {shown}'},
            'header': {'x-api-key': shown},
        }[by]
        guest.headers |= headers

        assert guest.post(REVISIONS, data.revision_body()).status_code == 201
        with statements(2):  # the key, the page
            assert guest.get(REVISIONS).status_code == 200
        revoke_key(key)
        for refused in (guest.post(REVISIONS, data.revision_body()), guest.get(REVISIONS)):
            assert refused.status_code == 403
            assert refused.json() == {'detail': 'The key is not valid.'}
            assert 'WWW-Authenticate' not in refused.headers

    def test_no_workflow(self, db: None) -> None:
        view, asked = RevisionList.as_view(), APIRequestFactory()
        workflow: Any = Machine(Caller(kind='pipeline', name='octo/shop'))
        statuses = []
        for make in (asked.get, asked.post):
            request = make(REVISIONS)
            force_authenticate(request, workflow)
            statuses.append(view(request).status_code)

        assert statuses == [200, 403]

    @pytest.mark.django_db
    def test_case_04_an_inactive_account_may_not(self) -> None:
        data.bot_account(status='blocked')

        assert Bot().post(REVISIONS, data.revision_body()).status_code == 403
        assert Bot().get(REVISIONS).status_code == 403

    def test_too_many_wrong_passwords_are_told_as_a_detail(self, bot: Bot) -> None:
        statuses = [Bot(basic('bot', 'x')).get(REVISIONS).status_code for _ in range(5)]
        response = Bot(basic('bot', 'x')).get(REVISIONS)

        assert statuses == [403] * 5
        assert response.status_code == 429
        assert list(response.json()) == ['detail']
        assert int(response.headers['Retry-After']) > 0

    def test_a_session_needs_its_csrf_token(self, bot: Bot) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(get_user_model().objects.get(username='bot'))

        response = client.post(REVISIONS, data.revision_body(), content_type=data.JSON)

        assert response.status_code == 403
        assert response.json()['detail'].startswith('CSRF Failed')

    def test_credentials_are_kept_verified_until_the_password_changes(self, bot: Bot) -> None:
        bot.get(REVISIONS)
        with statements(2):  # the account, the page
            assert bot.get(REVISIONS).status_code == 200

        account = get_user_model().objects.get(username='bot')
        account.set_password('another')
        account.save()

        assert bot.get(REVISIONS).status_code == 403

    def test_credentials_that_are_kept_end_with_the_account(self, bot: Bot) -> None:
        assert bot.get(REVISIONS).status_code == 200
        get_user_model().objects.update(status='blocked')

        assert bot.get(REVISIONS).status_code == 403


class TestOrderOfChecks:
    def test_403_goes_before_405(self, bot: Bot, guest: Bot) -> None:
        assert guest.post('/v1/repository/', {}).status_code == 403
        refused = bot.post('/v1/repository/', {})
        assert refused.status_code == 405
        assert refused.json() == {'detail': 'Method "POST" not allowed.'}

    def test_a_guest_may_ask_for_the_wrong_method_of_a_write(self, guest: Bot) -> None:
        assert guest.get('/v1/revision/1/issues/').status_code == 405

    def test_an_unknown_address_goes_first(self, guest: Bot) -> None:
        assert guest.post('/v1/nothing/', {}).status_code == 404


class TestOrigins:
    def test_case_06_an_unknown_origin_is_allowed_nothing(self, guest: Bot) -> None:
        response = guest.get('/v1/diff/', origin='https://evil.test')

        assert response.status_code == 200
        assert 'Access-Control-Allow-Origin' not in response.headers

    def test_case_07_the_front_end_may_ask_first(self, guest: Bot) -> None:
        response = guest.client.options(
            '/v1/diff/',
            headers={
                'origin': 'http://localhost:8010',
                'access-control-request-method': 'GET',
            },
        )

        assert response.status_code == 200
        assert response.headers['Access-Control-Allow-Origin'] == 'http://localhost:8010'
        assert 'POST' in response.headers['Access-Control-Allow-Methods']
        assert response.headers['Access-Control-Max-Age'] == '86400'
        assert 'Access-Control-Allow-Credentials' not in response.headers

    def test_redirects_tell_the_origin_too(self, guest: Bot) -> None:
        response = guest.get('/v1/diff/1', origin='http://localhost:8010')

        assert response.status_code == 301
        assert response.headers['Location'] == '/v1/diff/1/'
        assert response.headers['Access-Control-Allow-Origin'] == 'http://localhost:8010'

    def test_a_redirect_keeps_what_was_asked(self, guest: Bot) -> None:
        response = guest.get('/v1/revision?limit=2')

        assert (response.status_code, response.headers['Location']) == (
            301,
            '/v1/revision/?limit=2',
        )


class TestFormats:
    def test_case_08_bodies_that_cannot_be_read(self, bot: Bot) -> None:
        malformed = bot.post(REVISIONS, '{')
        assert malformed.status_code == 400
        assert malformed.json()['detail'].startswith('JSON parse error')

        text = bot.post(REVISIONS, 'x', content_type='text/plain')
        assert text.status_code == 415
        assert text.json() == {'detail': 'Unsupported media type "text/plain" in request.'}

    def test_case_08_a_form_is_read_too(self, bot: Bot) -> None:
        form = '&'.join(f'{name}={value}' for name, value in data.revision_body().items())
        response = bot.post(REVISIONS, form, content_type='application/x-www-form-urlencoded')

        assert response.status_code == 201
        assert response.json()['provider_id'] == 1001

    @pytest.mark.parametrize(
        'url',
        [
            '/v1/repository.json',
            '/v1/repository/?format=json',
            '/v1/diff.json',
            '/v1/revision.json',
        ],
    )
    def test_json_can_be_named(self, guest: Bot, url: str) -> None:
        response = guest.get(url)

        assert response.status_code == 200
        assert response.headers['Content-Type'] == 'application/json'
        assert response.json()['count'] == 0

    def test_a_row_has_suffixes_too(self, guest: Bot) -> None:
        key = data.stored_revision().pk

        assert guest.get(f'/v1/revision/{key}.json').json()['id'] == key
        assert guest.get(f'/v1/revision/{key}/diffs.json').json()['count'] == 0

    def test_what_cannot_be_given_is_refused(self, guest: Bot) -> None:
        unknown = guest.get('/v1/repository/?format=xml')
        assert (unknown.status_code, unknown.json()) == (404, {'detail': 'Not found.'})
        assert guest.get('/v1/repository.xml').status_code == 404
        assert guest.get('/v1/repository/', accept='image/png').status_code == 406

    @pytest.mark.parametrize(
        'url', ['/v1/', '/v1/repository/', '/v1/revision/', '/v1/diff/', '/v1/check/stats/']
    )
    def test_people_get_a_page(self, guest: Bot, url: str) -> None:
        response = guest.get(url, accept='text/html')

        assert response.status_code == 200
        assert response.headers['Content-Type'].startswith('text/html')

    def test_options_describe(self, bot: Bot, guest: Bot) -> None:
        described = guest.client.options(REVISIONS)
        assert described.status_code == 200
        assert {'name', 'description', 'renders', 'parses'} <= set(described.json())
        assert 'actions' not in described.json()

        writers = bot.call('OPTIONS', REVISIONS).json()
        assert writers['actions']['POST']['title']['required'] is True

    def test_head_is_get_without_a_body(self, guest: Bot) -> None:
        response = guest.client.head('/v1/repository/')

        assert (response.status_code, response.content) == (200, b'')

    def test_answers_have_the_headers_of_the_contract(self, guest: Bot) -> None:
        headers = guest.get('/v1/repository/').headers

        assert headers['Allow'] == 'GET, HEAD, OPTIONS'
        assert headers['X-Frame-Options'] == 'DENY'
        assert headers['X-Content-Type-Options'] == 'nosniff'
        assert headers['Referrer-Policy'] == 'same-origin'
        assert headers['Cross-Origin-Opener-Policy'] == 'same-origin'
        assert {'accept', 'cookie', 'origin'} <= {
            each.strip().lower() for each in headers['Vary'].split(',')
        }


class TestAddresses:
    def test_case_09_the_root_leads_on(self, guest: Bot) -> None:
        home = guest.get('/')
        assert (home.status_code, home.headers['Location']) == (302, 'docs/')
        assert guest.get('/v1/').json() == {
            'repository': 'http://testserver/v1/repository/',
            'revision': 'http://testserver/v1/revision/',
            'diff': 'http://testserver/v1/diff/',
        }

    def test_urls_in_bodies_have_the_scheme_and_host_of_the_request(self, bot: Bot) -> None:
        response = bot.client.post(
            REVISIONS,
            data.revision_body(),
            content_type=data.JSON,
            secure=True,
            headers={'authorization': BOT, 'host': 'localhost:8443'},
        )

        assert response.json()['diffs_url'].startswith('https://localhost:8443/v1/revision/')
        assert response.json()['issues_bulk_url'].startswith('https://localhost:8443/v1/revision/')

    @pytest.mark.usefixtures('_one_connection')
    def test_case_10_behind_a_proxy_that_is_trusted(self, bot: Bot, settings: Any) -> None:
        settings.BACKSTAY = settings.BACKSTAY.model_copy(
            update={'trusted_proxies': ('10.0.0.9',), 'host_header': 'X-Forwarded-Host'}
        )
        settings.ALLOWED_HOSTS = ['inner.test', 'api.example']
        application = trust_proxies(get_wsgi_application())

        def post(address: str) -> Any:
            body = json.dumps(data.revision_body()).encode()
            environ = {
                'REMOTE_ADDR': address,
                'REQUEST_METHOD': 'POST',
                'PATH_INFO': REVISIONS,
                'SERVER_NAME': 'inner.test',
                'SERVER_PORT': '80',
                'HTTP_HOST': 'inner.test',
                'SERVER_SOFTWARE': 'gunicorn/23.0',
                'HTTP_X_FORWARDED_PROTO': 'https',
                'HTTP_X_FORWARDED_HOST': 'api.example',
                'HTTP_AUTHORIZATION': BOT,
                'CONTENT_TYPE': data.JSON,
                'CONTENT_LENGTH': str(len(body)),
                'wsgi.url_scheme': 'http',
                'wsgi.input': BytesIO(body),
            }
            answer: Any = application(environ, lambda *_: None)
            return json.loads(b''.join(answer))

        for name in ('diffs_url', 'issues_bulk_url'):
            assert post('10.0.0.9')[name].startswith('https://api.example/v1/revision/')
            assert post('10.0.0.8')[name].startswith('http://inner.test/v1/revision/')

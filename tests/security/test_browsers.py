"""The site as browsers meet it once it is deployed: headers, cookies, methods, redirects."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from backstay.identity.models import Account
from backstay.settings import django_settings, load
from tests.identity.signing_in import PASSWORD, account_with_password

pytestmark = pytest.mark.django_db

#: One address of each kind: redirects, pages, data, files, probes, errors.
ANSWERS = (
    '/',
    '/docs/',
    '/docs.json',
    '/admin/login/',
    '/admin/',
    '/auth/me',
    '/auth/openapi.json',
    '/auth/browser/v1/config',
    '/events/webhooks/',
    '/livez',
    '/nothing',
    '/static/admin/css/base.css',
)
#: What changes something, or ends it.
DEEDS = (
    '/auth/email/undo',
    '/auth/me/erase',
    '/auth/sessions/end-all/',
    '/auth/sessions/end-others/',
    '/auth/keys/1/rotate/',
    '/admin/logout/',
)


@pytest.fixture
def browser(tmp_path: Path, settings: Any) -> Client:
    """A browser of a deployed site, by HTTPS."""
    variables = {
        'ENV': 'production',
        'SECRET_KEY': 'test-key-' * 6,
        'ALLOWED_HOSTS': 'testserver',
        'DATABASE_URL': 'postgres://u@h/d',
    }
    made = django_settings(load(tmp_path, variables), base_dir=tmp_path, services={})
    for name, value in made.items():
        if name.startswith(('CSRF_', 'MESSAGE_', 'SECURE_', 'SESSION_', 'X_FRAME_')):
            setattr(settings, name, value)
    return Client(raise_request_exception=False)


@pytest.fixture
def staff(db: None) -> Account:
    """Somebody who may open the admin."""
    return account_with_password('ann@example.com', is_staff=True, is_superuser=True)


def ask(browser: Client, address: str, method: str = 'GET', **headers: str) -> Any:
    """The answer, read to its end."""
    answer = browser.generic(method, address, secure=True, headers=headers)
    answer.said = answer.getvalue().decode()
    answer.close()
    return answer


def sign_in(browser: Client, **more: str) -> Any:
    """The answer of the admin's page to the right password."""
    form = {'username': 'ann@example.com', 'password': PASSWORD, **more}
    return browser.post('/admin/login/', form, secure=True)


@pytest.mark.parametrize('address', ANSWERS)
class TestEveryAnswer:
    def test_asks_for_https_for_a_year_on_every_subdomain(
        self, browser: Client, address: str
    ) -> None:
        told = ask(browser, address)['Strict-Transport-Security']

        assert 'includeSubDomains' in told
        assert int(told.partition('max-age=')[2].partition(';')[0]) >= 365 * 24 * 3600

    def test_is_taken_for_what_it_says_it_is(self, browser: Client, address: str) -> None:
        answer = ask(browser, address)

        assert answer['X-Content-Type-Options'] == 'nosniff'
        if answer.said:
            kind, _, charset = answer['Content-Type'].partition('; ')
            assert charset.replace('"', '') == 'charset=utf-8' or kind.endswith('json'), kind

    def test_loads_and_is_framed_by_nothing_unless_it_is_said(
        self, browser: Client, address: str
    ) -> None:
        policy = ask(browser, address)['Content-Security-Policy'].split('; ')

        assert {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= {*policy}
        assert not any('object-src' in each for each in policy), 'default-src holds for it'

    def test_tells_other_sites_nothing_of_its_address(self, browser: Client, address: str) -> None:
        answer = ask(browser, address)

        assert answer['Referrer-Policy'] == 'same-origin'
        assert answer['Cross-Origin-Opener-Policy'] == 'same-origin'

    def test_does_not_repeat_a_traced_request(self, browser: Client, address: str) -> None:
        answer = ask(browser, address, 'TRACE', Cookie='a=told-to-nobody')

        assert 'message/http' not in answer.get('Content-Type', '')
        assert 'told-to-nobody' not in answer.said


class TestCookies:
    def test_are_for_this_host_and_https_alone(self, browser: Client, staff: Account) -> None:
        browser.get('/admin/login/', secure=True)
        sign_in(browser)

        assert len(browser.cookies) == 2
        for name, cookie in browser.cookies.items():
            assert name.startswith('__Host-')
            assert (cookie['secure'], cookie['path'], cookie['domain']) == (True, '/', '')
            assert cookie['samesite'] == 'Lax'

    def test_of_sessions_are_not_for_scripts(self, browser: Client, staff: Account) -> None:
        sign_in(browser)

        assert browser.cookies['__Host-sessionid']['httponly']

    def test_carry_no_text_of_a_page(self, browser: Client, staff: Account) -> None:
        """What the admin tells after a change names the row, and waits in the session."""
        sign_in(browser)
        form = {'username': 'told@example.com', 'usable_password': 'false', '_save': 'Save'}
        answer = browser.post('/admin/identity/account/add/', form, secure=True)

        assert answer.status_code == 302, answer.content
        assert {*browser.cookies} <= {'__Host-sessionid', '__Host-csrftoken'}
        assert b'told@example.com' in browser.get(answer['Location'], secure=True).content


@pytest.mark.parametrize('address', DEEDS)
def test_what_changes_something_is_never_done_by_get(
    browser: Client, staff: Account, address: str
) -> None:
    browser.force_login(staff)

    assert browser.get(address, secure=True).status_code == 405
    assert browser.head(address, secure=True).status_code == 405
    assert browser.get('/auth/me', secure=True).status_code == 200


@pytest.mark.parametrize('there', ['https://other.example/', '//other.example/', 'javascript:1'])
def test_signing_in_leads_to_no_other_site(browser: Client, staff: Account, there: str) -> None:
    answer = sign_in(browser, next=there)

    assert answer.status_code == 302
    assert answer['Location'].startswith('/')
    assert not answer['Location'].startswith('//')


def test_pages_of_who_signed_in_are_kept_by_no_browser(browser: Client, staff: Account) -> None:
    sign_in(browser)

    for address in ('/admin/', '/admin/identity/account/', '/auth/me', '/auth/sessions/'):
        assert 'no-store' in browser.get(address, secure=True)['Cache-Control'], address


def test_every_page_of_the_admin_has_a_way_out(browser: Client, staff: Account) -> None:
    sign_in(browser)

    for address in ('/admin/', '/admin/identity/account/', f'/admin/identity/account/{staff.pk}/'):
        assert b'action="/admin/logout/"' in browser.get(address, follow=True, secure=True).content


def test_a_session_that_was_ended_opens_nothing(browser: Client, staff: Account) -> None:
    sign_in(browser)
    kept = browser.cookies['__Host-sessionid'].value
    browser.post('/admin/logout/', secure=True)
    browser.cookies['__Host-sessionid'] = kept

    assert browser.get('/auth/me', secure=True).status_code == 401


def test_signing_in_gives_another_session(browser: Client, staff: Account) -> None:
    """Nobody signs in within a session that somebody else has planted."""
    session = browser.session
    session['planted'] = True
    session.save()
    planted = browser.cookies['__Host-sessionid'].value
    sign_in(browser)

    assert browser.cookies['__Host-sessionid'].value != planted


def test_folders_are_not_listed(browser: Client) -> None:
    for address in ('/static/', '/static/admin/', '/static/admin/../../', '/.git/', '/.git/config'):
        assert browser.get(address, secure=True).status_code == 404, address

"""The admin in a browser: signing in, looking at accounts, signing out."""

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from pytest_django.live_server_helper import LiveServer

from backstay.identity.models import Account
from tests.identity.signing_in import PASSWORD
from tests.pages.browser import Browser


@pytest.fixture
def admin(live_server: LiveServer) -> Account:
    """Who may do everything."""
    return Account.objects.create_superuser('root@example.com', PASSWORD, name='Root')


def sign_in(browser: Browser, password: str = PASSWORD) -> None:
    """Fill in the form of the page and send it."""
    browser.fill_in('#id_username', 'root@example.com')
    browser.fill_in('#id_password', password)
    browser.click('#login-form [type=submit]')


@pytest.mark.usefixtures('admin')
def test_a_wrong_password_is_told_and_does_not_enter(
    browser: Browser, live_server: LiveServer
) -> None:
    browser.open(f'{live_server.url}/admin/')
    sign_in(browser, 'wrong')

    assert 'correct' in browser.see('.errornote').text
    assert 'sessionid' not in browser.cookies()
    assert browser.complaints() == []


@pytest.mark.usefixtures('admin')
def test_accounts_are_listed_from_signing_in_to_signing_out(
    browser: Browser, live_server: LiveServer
) -> None:
    Account.objects.create_user('ann@example.com', name='Ann')
    browser.open(f'{live_server.url}/admin/')
    sign_in(browser)

    browser.click('#content-main a[href="/admin/identity/account/"]')
    names = [cell.text for cell in browser.see_all('#result_list .field-username')]
    assert names == ['ann@example.com', 'root@example.com']
    cookies = browser.cookies()
    assert cookies['csrftoken']['sameSite'] == 'Lax'
    assert cookies['sessionid']['httpOnly']

    browser.click('#logout-form [type=submit]')
    browser.see('#content')
    assert 'sessionid' not in browser.cookies()
    browser.driver.get(f'{live_server.url}/admin/identity/account/')
    browser.see('#login-form')
    assert all(each.startswith(live_server.url) for each in browser.requests())
    assert browser.complaints() == []


def test_a_second_factor_is_asked_for(
    browser: Browser, live_server: LiveServer, admin: Account
) -> None:
    code = RecoveryCodes.activate(admin).get_unused_codes()[0]
    browser.open(f'{live_server.url}/admin/')
    sign_in(browser)
    assert 'second factor' in browser.see('.errornote').text

    browser.fill_in('#id_code', code)
    sign_in(browser)
    browser.see('#content-main a[href="/admin/identity/account/"]')
    assert browser.complaints() == []

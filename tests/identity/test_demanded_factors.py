"""Second factors that are demanded: of whom, and what an account without one may do."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import Resolver404, URLResolver, get_resolver, resolve
from rest_framework.authentication import SessionAuthentication

from backstay.identity.keys import create_key
from backstay.identity.models import Account
from tests.identity.signing_in import PASSWORD, App, account_with_password, basic, bearer, get_me
from tests.identity.test_sign_in import code_of
from tests.proofs import half_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site')]

NAME = 'ann@example.com'
REQUIRED = 'second-factor-required'
BROWSER = '/auth/browser/v1'


class Way:
    """A way to call, with what it needs made before the factor is demanded."""

    def __init__(self, account: Account) -> None:
        self.web, self.admin = Client(), Client()
        self.web.force_login(account)
        self.admin.force_login(account)
        self.token = App().sign_in(NAME)['access_token']
        self.key = create_key(account, 'made before')[1]

    def browser(self) -> Any:
        """With a cookie."""
        return self.web.get('/auth/me')

    def page(self) -> Any:
        """In the admin."""
        return self.admin.get('/admin/', headers={'Accept': 'text/html'})

    def bearer(self) -> Any:
        """With an access token."""
        return get_me(**bearer(self.token))

    def basic(self) -> Any:
        """With the password."""
        return get_me(**basic(NAME))

    def api_key(self) -> Any:
        """With a key that was made before."""
        return get_me(**bearer(self.key))


WAYS = ('browser', 'page', 'bearer', 'basic', 'api_key')
DEMANDS: tuple[tuple[str, ...], ...] = ((), ('staff',), ('4',), ('staff', '2'), ('1',))


def demand(settings: Any, *kinds: str) -> None:
    """Have the site demand it of these kinds of accounts."""
    settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'second_factor': kinds})


FLAGS = ((), ('is_staff',), ('is_superuser',), ('is_staff', 'is_superuser'))
#: Each engine asks for every second level of each kind of account.
KINDS = half_of(product(FLAGS, (False, True), range(1, 6)))


@pytest.mark.parametrize(('flags', 'has_factor', 'level'), KINDS)
def test_let_in_whom_they_should(
    settings: Any, flags: tuple[str, ...], has_factor: bool, level: int
) -> None:
    account = account_with_password(NAME, level=level, **dict.fromkeys(flags, True))
    way = Way(account)
    if has_factor:
        RecoveryCodes.activate(account)
    for kinds, name in product(DEMANDS, WAYS):
        demand(settings, *kinds)
        must = ('staff' in kinds and bool(flags)) or any(
            level >= int(each) for each in kinds if each != 'staff'
        )
        shut = must and not has_factor and name != 'api_key'
        answer = getattr(way, name)()
        if shut and name == 'page':
            assert answer.status_code == 403, (kinds, name)
            assert b'/auth/browser/v1/account/authenticators/totp' in answer.content
        elif shut:
            assert (answer.status_code, answer.json()['code']) == (403, REQUIRED), (kinds, name)
        elif name == 'basic' and has_factor:
            assert answer.json()['code'] == 'totp-required'
        else:
            expected = 302 if name == 'page' and 'is_staff' not in flags else 200
            assert answer.status_code == expected, (kinds, name)


def test_an_app_without_one_adds_it_and_goes_on(settings: Any) -> None:
    account_with_password(NAME, is_staff=True)
    demand(settings, 'staff')
    app = App()
    token = app.sign_in(NAME)['access_token']
    assert get_me(**bearer(token)).json()['code'] == REQUIRED

    assert app.post('auth/reauthenticate', {'password': PASSWORD}).status_code == 200
    found = app.call('GET', 'app/v1/account/authenticators/totp').json()
    given = {'code': code_of(found['meta']['secret'])}
    assert app.post('account/authenticators/totp', given).status_code == 200

    assert get_me(**bearer(token)).status_code == 200


def test_the_page_of_the_admin_tells_a_way_that_works(settings: Any) -> None:
    account_with_password(NAME, is_staff=True)
    demand(settings, 'staff')
    admin = Client()
    form = {'username': NAME, 'password': PASSWORD}
    assert admin.post('/admin/login/?next=/admin/', form).status_code == 302
    assert admin.get('/admin/').json()['code'] == REQUIRED

    def post(path: str, body: dict[str, str]) -> Any:
        return admin.post(f'{BROWSER}/{path}', body, content_type='application/json')

    assert post('auth/reauthenticate', {'password': PASSWORD}).status_code == 200
    found = admin.get(f'{BROWSER}/account/authenticators/totp').json()
    given = {'code': code_of(found['meta']['secret'])}
    assert post('account/authenticators/totp', given).status_code == 200

    assert admin.get('/admin/').status_code == 200


def test_signing_out_of_the_admin_works(settings: Any) -> None:
    admin = Client()
    admin.force_login(account_with_password(NAME, is_staff=True))
    demand(settings, 'staff')

    assert admin.post('/admin/logout/').status_code == 200
    assert admin.get('/admin/').status_code == 302


def _views(patterns: Any, before: str = '') -> Iterator[tuple[str, Any]]:
    """Every address below these patterns, with 1 for what it takes, and its view."""
    for each in patterns:
        route = before + re.sub(r'\(\?P<\w+>[^()]*\)|<[^>]+>|[\^$]', _one, str(each.pattern))
        if isinstance(each, URLResolver):
            yield from _views(each.url_patterns, route)
        else:
            yield f'/{route}', each.callback


def _one(found: re.Match[str]) -> str:
    return '1' if len(found.group()) > 1 else ''


def leads(path: str) -> bool:
    """Whether a view has this address: some take words alone, and 1 is none."""
    try:
        return bool(resolve(path, 'backstay.site.urls'))
    except Resolver404:
        return False


def test_no_view_of_the_site_lets_a_browser_in_without_one(settings: Any) -> None:
    settings.ROOT_URLCONF = 'backstay.site.urls'
    demand(settings, 'staff')
    web = Client(raise_request_exception=False)
    web.force_login(account_with_password(NAME, is_staff=True))
    asked = []
    for path, view in _views(get_resolver('backstay.site.urls').url_patterns):
        classes = getattr(getattr(view, 'cls', None), 'authentication_classes', ())
        if any(issubclass(each, SessionAuthentication) for each in classes) and leads(path):
            asked.append(path)
            assert web.get(path).json().get('code') == REQUIRED, path
    assert len(asked) > 40
    assert {'/auth/me', '/v1/diff/1/issues/', '/events/audit/'} <= {*asked}, asked


@pytest.mark.parametrize('path', ['/livez', '/__version__', '/api/v1/two-list-sum/'])
def test_what_asks_nobody_looks_up_nobody(settings: Any, path: str) -> None:
    settings.ROOT_URLCONF = 'backstay.site.urls'
    demand(settings, 'staff')
    web = Client()
    web.force_login(account_with_password(NAME, is_staff=True))
    with CaptureQueriesContext(connection) as made:
        assert web.get(path).status_code != 403
    assert not [each for each in made.captured_queries if 'session' in each['sql']]


@pytest.mark.parametrize('name', ['browser', 'bearer', 'basic'])
def test_no_key_is_made_without_one(settings: Any, name: str) -> None:
    way = Way(account_with_password(NAME, is_staff=True))
    demand(settings, 'staff')
    headers = {'bearer': bearer(way.token), 'basic': basic(NAME)}.get(name, {})
    client = way.web if name == 'browser' else Client()

    answer = client.post(
        '/auth/keys/', {'name': 'k'}, content_type='application/json', headers=headers
    )

    assert answer.json()['code'] == REQUIRED


@pytest.mark.parametrize(('groups', 'status'), [(0, 200), (1, 403)])
def test_a_level_over_one_thing_counts(settings: Any, groups: int, status: int) -> None:
    account = account_with_password(NAME)
    for number in range(groups):  # in which `tests.identity.site` gives level 2
        account.groups.create(name=str(number))
    way = Way(account)
    demand(settings, '2')

    assert {getattr(way, name)().status_code for name in ('browser', 'bearer', 'basic')} == {status}


@pytest.mark.parametrize(('kinds', 'more'), [((), 0), (('4',), 0), (('staff',), 1)])
def test_costs_a_statement_of_those_alone_who_must(
    settings: Any, kinds: tuple[str, ...], more: int
) -> None:
    account = account_with_password(NAME, is_staff=True)
    way = Way(account)
    RecoveryCodes.activate(account)
    assert Authenticator.objects.exists()
    way.bearer()
    demand(settings, *kinds)

    with CaptureQueriesContext(connection) as statements:
        assert way.bearer().status_code == 200

    assert len(statements) == 1 + more

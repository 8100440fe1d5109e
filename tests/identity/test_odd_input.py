"""Odd input in the forms of the admin's identity pages: told on the page, never a failure."""

import random
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models.signals import pre_save
from django.test import Client

from backstay.identity.keys import create_key
from backstay.identity.models import Account, ApiKey
from tests.identity.signing_in import PASSWORD
from tests.proofs import record_proof, size

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site')]

ACCOUNTS, KEYS, GROUPS = '/admin/identity/account/', '/admin/identity/apikey/', '/admin/auth/group/'
NEW = {'usable_password': 'true', 'password1': PASSWORD, 'password2': PASSWORD}
ODD = [
    '',
    ' ',
    'null',
    'true',
    '5',
    '-1',
    '1e400',
    '9' * 30,
    '9' * 5_000,
    'x' * 5_000,
    '\x00',
    'a\x00b',
    'é\u202e\U0001f600',
    '\uff21\ufe0f',
    '\r\n<script>',
    '[]',
    '{}',
    '[5]',
    '[null]',
    '[["192.0.2.0/24"]]',
    '["no network"]',
    '["192.0.2.1/24"]',
    '[' * 5_000,
    '{"a": 1e999}',
    '"\\ud800"',
    'NaN',
    '2026-13-45',
    '10000-01-01',
    '0001-01-01',
    '25:61',
    'taken',
    'TAKEN',
    'taken@example.com',
    'Taken@Example.com',
    'taken@example.com\n',
    ['1', '2'],
    ['x', '9' * 30],
    None,
]


class Forms:
    """The forms of the pages, each filled in as is right."""

    def __init__(self, client: Client) -> None:
        root = Account.objects.create_superuser('root', PASSWORD)
        client.force_login(root)
        account = Account.objects.create_user('ann', email='ann@example.com')
        Account.objects.create_user('taken', email='taken@example.com')
        group = Group.objects.create(name='group')
        Group.objects.create(name='taken')
        key, _ = create_key(account, 'x')
        row = {'username': 'ann', 'email': 'ann@example.com', 'name': 'Ann', 'level': 1}
        row |= {'status': 'active', 'is_staff': '', 'is_superuser': '', 'groups': []}
        new_key = {'name': 'ci', 'level': 1, 'ip_allow': '[]'}
        new_key |= {'expires_at_0': '', 'expires_at_1': ''}
        action = {'index': 0, 'select_across': 0}
        self.forms: dict[str, dict[str, Any]] = {
            f'{ACCOUNTS}add/': {'username': 'new', **NEW},
            f'{ACCOUNTS}{account.pk}/change/': {**row, 'user_permissions': []},
            f'{ACCOUNTS}{account.pk}/password/': NEW,
            f'{KEYS}add/': new_key,
            f'{GROUPS}add/': {'name': 'new', 'permissions': []},
            f'{GROUPS}{group.pk}/change/': {'name': 'group', 'permissions': []},
            '/admin/password_change/': {
                'old_password': PASSWORD,
                'new_password1': f'{PASSWORD}!',
                'new_password2': f'{PASSWORD}!',
            },
            '/admin/login/?next=/admin/': {'username': 'ann', 'password': PASSWORD, 'code': ''},
            ACCOUNTS: {'action': 'block', '_selected_action': [account.pk], **action},
            KEYS: {'action': 'revoke', '_selected_action': [key.pk], **action},
            GROUPS: {'action': 'delete_selected', '_selected_action': [group.pk], **action},
        }


def test_odd_input_never_fails(client: Client, request: pytest.FixtureRequest) -> None:
    client.raise_request_exception = False
    forms = Forms(client).forms
    checks = [
        (path, field, odd)
        for path, form in forms.items()
        for field in (*form, 'unknown')
        for odd in ODD
    ]
    chosen = random.Random(20261130).sample(checks, size(100, len(checks)))

    wrong = []
    for path, field, odd in chosen:
        form = {**forms[path], field: odd}
        with transaction.atomic():
            answer = client.post(path, {name: v for name, v in form.items() if v is not None})
            if answer.status_code not in (200, 302, 429):
                wrong.append((path, field, repr(odd)[:40], answer.status_code))
            transaction.set_rollback(True)

    record_proof(request, f'{len(chosen)} odd values in {len(forms)} forms')
    assert wrong == []


@pytest.mark.parametrize('query', ['q=%00', 'level__exact=x', 'e=1', 'o=x', 'p=x', 'pk__in=x'])
@pytest.mark.parametrize('path', [ACCOUNTS, KEYS, GROUPS])
def test_an_odd_list_is_a_list(client: Client, path: str, query: str) -> None:
    Forms(client)
    client.raise_request_exception = False

    assert client.get(f'{path}?{query}').status_code in (200, 302, 400, 403)


@pytest.mark.parametrize('given', ['', 'null', '5', '"x"', '{}', '[5]', '[null]', '["x"]', None])
def test_networks_are_a_list_of_networks(client: Client, given: str | None) -> None:
    Forms(client)
    ApiKey.objects.all().delete()
    form = {'name': 'ci', 'level': 1} | ({} if given is None else {'ip_allow': given})

    answer = client.post(f'{KEYS}add/', form)

    assert answer.status_code == 200
    assert b'errornote' in answer.content
    assert not ApiKey.objects.exists()


@pytest.mark.parametrize('name', ['taken', 'Taken', 'TAKEN@example.com', 'ann@example.com'])
def test_a_name_that_exists_is_told_beside_it(client: Client, name: str) -> None:
    Forms(client)

    answer = client.post(f'{ACCOUNTS}add/', {'username': name, **NEW})

    assert answer.status_code == 200
    assert b'already exists' in answer.content


def test_a_name_that_was_taken_meanwhile_is_told(client: Client) -> None:
    """Two forms at once: both found the name free, and one is saved first."""
    Forms(client)

    def take(instance: Account, **_: Any) -> None:
        if instance.pk is None:
            Account.objects.filter(username='taken').update(username='new')

    pre_save.connect(take, sender=Account)
    try:
        answer = client.post(f'{ACCOUNTS}add/', {'username': 'new', **NEW}, follow=True)
    finally:
        pre_save.disconnect(take, sender=Account)

    assert b'Another row has one of these values by now.' in answer.content
    assert not EmailAddress.objects.filter(user__username='new').exists()


def test_more_keys_than_anybody_may_have_are_told(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    Forms(client)
    monkeypatch.setattr('backstay.identity.keys.MAX_ACTIVE_KEYS', 0)

    answer = client.post(f'{KEYS}add/', {'name': 'x', 'level': 1, 'ip_allow': '[]'}, follow=True)

    assert answer.status_code == 200
    assert b'active keys' in answer.content

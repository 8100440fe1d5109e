"""`GET /auth/me`: who one is, and what one may do."""

from typing import Any

import pytest
from django.contrib.auth.models import Group

from backstay.caller import Caller, Held
from backstay.identity.keys import create_key
from backstay.identity.models import Account
from backstay.identity.rights import rights_of
from tests.identity.signing_in import basic, bearer, get_me

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site')]


def me(**headers: str) -> Any:
    """The body."""
    answer = get_me(**headers)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_guests_are_asked_to_sign_in() -> None:
    assert get_me().json()['code'] == 'token-missing'


def test_tells_the_account_and_what_it_holds(ann: Account) -> None:
    group = Group.objects.create(name='one')
    ann.groups.add(group)

    body = me(**basic(ann.username))

    assert body['kind'] == 'account'
    assert body['account'] == {
        'id': ann.pk,
        'username': 'ann@example.com',
        'email': 'ann@example.com',
        'name': 'Ann',
    }
    assert (body['level'], body['highest_level']) == (1, 2)
    assert body['scopes'] == [{'over': 'groups', 'id': group.pk, 'level': 2, 'read_only': False}]


def test_tells_what_may_be_done_with_each_resource(ann: Account) -> None:
    low = me(**basic(ann.username))['rights']
    Account.objects.update(level=3)
    high = me(**basic(ann.username))['rights']

    assert low['StaffProduct'] == {
        'read': ['id', 'name'],
        'write': [],
        'create': [],
        'delete': False,
    }
    assert 'ManagersProduct' not in low
    assert high['ManagersProduct'] == {
        'read': ['id', 'name'],
        'write': ['name'],
        'create': [],
        'delete': True,
    }


def test_tells_a_key_that_it_has_no_account(ann: Account) -> None:
    body = me(**bearer(create_key(ann, 'ci')[1]))

    assert (body['kind'], body['account']) == ('key', None)


def test_is_kept_by_nobody(ann: Account) -> None:
    assert 'no-store' in get_me(**basic(ann.username))['Cache-Control']


class TestRights:
    """Of `ShelvedProduct`, for accounts that hold this or that."""

    def of(self, *scopes: Held) -> Any:
        """What somebody who holds these may do."""
        caller = Caller(kind='account', account_id=1, name='ann', level=1, scopes=scopes)
        return rights_of(caller)['ShelvedProduct']

    def test_name_no_relation_to_what_may_not_be_read(self) -> None:
        assert self.of(Held(over='groups', id=1, level=1))['read'] == ['id', 'name']

    def test_name_relations_that_are_shown_and_no_others(self) -> None:
        read = self.of(Held(over='groups', id=1, level=2))['read']

        assert read == ['id', 'name', 'slug', 'price', 'double_price', 'category']

    def test_to_write_are_those_that_bodies_take(self) -> None:
        found = self.of(Held(over='groups', id=1, level=2))

        assert found['write'] == ['name', 'slug', 'price']
        assert found['create'] == ['name', 'slug', 'price']
        assert found['delete'] is True

    def test_to_write_are_not_had_by_who_only_reads(self) -> None:
        found = self.of(Held(over='groups', id=1, level=2, read_only=True))

        assert 'slug' in found['read']
        assert (found['write'], found['create'], found['delete']) == (['price'], [], False)

    def test_leave_out_grants_that_no_row_can_meet(self) -> None:
        everything = self.of(Held(over='groups', level=2))

        assert everything['write'] == ['name', 'slug']

    def test_leave_out_resources_with_which_nothing_may_be_done(self) -> None:
        assert 'ReservedShelf' not in rights_of(Caller(kind='account', account_id=1, level=1))
        assert 'ReservedShelf' in rights_of(Caller(kind='account', account_id=1, level=2))

"""Callers: what they hold, how it is loaded, and what resources make of it."""

from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.core.management import CommandError, call_command
from django.test import Client, RequestFactory

from backstay.caller import GUEST, Caller, Facts, Held
from backstay.identity.callers import Machine, caller_of, caller_of_account
from backstay.identity.checks import check_scopes
from backstay.identity.models import Account, AccountStatus
from backstay.identity.scopes import within
from backstay.services import Service
from tests.catalogue.models import Product
from tests.identity.signing_in import basic, get_me
from tests.identity.site import SHOP

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site')]


@pytest.fixture
def groups(ann: Account) -> list[int]:
    """Two groups, over which Ann holds level 2."""
    made = [Group.objects.create(name=name) for name in ('one', 'two')]
    ann.groups.set(made)
    return [group.pk for group in made]


class TestOfAnAccount:
    def test_holds_what_the_services_say(
        self, ann: Account, groups: list[int], django_assert_num_queries: Any
    ) -> None:
        with django_assert_num_queries(1):
            caller = caller_of_account(ann)

        assert (caller.kind, caller.account_id, caller.name) == ('account', ann.pk, ann.username)
        assert caller.scopes == tuple(Held(over='groups', id=pk, level=2) for pk in groups)
        assert caller.standing().level == 2

    def test_holds_what_only_python_can_tell(self, ann: Account, settings: Any) -> None:
        from dataclasses import replace

        python = replace(SHOP, scopes='', scopes_in_python='tests.identity.site.scopes_by_name')
        settings.BACKSTAY_SERVICES = (SHOP, python)

        assert caller_of_account(ann).ids('moods', 1) == [f'mood-{ann.pk}']

    def test_holds_nothing_where_no_service_says_anything(
        self, ann: Account, settings: Any
    ) -> None:
        settings.BACKSTAY_SERVICES = ()

        assert caller_of_account(ann).scopes == ()

    def test_that_is_blocked_is_a_guest(self, ann: Account) -> None:
        ann.status = AccountStatus.BLOCKED
        ann.save()

        assert caller_of_account(ann) is GUEST

    def test_that_is_gone_is_a_guest(self, ann: Account) -> None:
        Account.objects.all().delete()

        assert caller_of_account(ann) is GUEST


class TestOfARequest:
    @pytest.mark.usefixtures('ann')
    def test_is_loaded_once(self, django_assert_num_queries: Any) -> None:
        request = RequestFactory().get('/')
        request.user = Account.objects.get()

        with django_assert_num_queries(1):
            assert caller_of(request) is caller_of(request)

    def test_follows_its_user(self, ann: Account) -> None:
        request = RequestFactory().get('/')
        request.user = AnonymousUser()
        assert caller_of(request) is GUEST
        request.user = ann

        assert caller_of(request).account_id == ann.pk

    def test_of_a_machine_is_its_own(self) -> None:
        caller = Caller(kind='task', name='nightly')
        request = RequestFactory().get('/')
        request.user = Machine(caller)  # type: ignore[assignment]

        assert caller_of(request) is caller

    def test_without_any_user_is_a_guest(self) -> None:
        assert caller_of(RequestFactory().get('/')) is GUEST


def test_a_change_of_rights_counts_from_the_next_request(ann: Account, groups: list[int]) -> None:
    """T032."""
    assert get_me(**basic(ann.username)).json()['highest_level'] == 2
    ann.groups.clear()

    assert get_me(**basic(ann.username)).json()['highest_level'] == 1


class TestChecks:
    @pytest.mark.parametrize(
        ('paths', 'ids'),
        [
            ({'scopes': 'tests.identity.site.scopes_of'}, []),
            ({'scopes_in_python': 'tests.identity.site.scopes_by_name'}, []),
            ({'scopes': 'tests.identity.site.nothing'}, ['backstay.E050']),
            ({'scopes_in_python': 'nowhere.nothing'}, ['backstay.E050']),
            ({'scopes': 'tests.identity.site.scopes_by_name'}, ['backstay.E051']),
        ],
    )
    def test_find_scopes_that_cannot_be_told(
        self, settings: Any, paths: dict[str, str], ids: list[str]
    ) -> None:
        settings.BACKSTAY_SERVICES = (Service(name='x', title='X', apps=(), urls={}, **paths),)

        assert [message.id for message in check_scopes()] == ids


class TestFacts:
    caller = Caller(
        kind='account',
        account_id=7,
        name='ann',
        scopes=(
            Held(over='groups', id=1, level=2),
            Held(over='groups', id=2, level=3, read_only=True),
            Held(over='groups', id=None, level=1),
        ),
        facts={'plan': 'free'},
    )

    def test_are_worked_out_when_asked_for(self) -> None:
        facts = Facts(self.caller, 'http://here')

        assert facts['origin'] == 'http://here'
        assert facts['scope:groups:2'] == [1, 2]
        assert facts['scope:groups:3'] == [2]
        assert facts['scope:other:1'] == []
        assert facts['caller:account_id'] == 7
        assert facts['caller:plan'] == 'free'
        assert facts['caller:unknown'] is None

    def test_leave_out_what_is_only_read(self) -> None:
        assert Facts(self.caller)['writes:groups:2'] == [1]

    def test_know_nothing_else(self) -> None:
        with pytest.raises(KeyError):
            Facts(self.caller, '')['password']


class TestWithin:
    held = (
        Held(over='a', id=1, level=3),
        Held(over='a', id=1, level=4, read_only=True),
        Held(over='b', id=None, level=2),
    )

    @pytest.mark.parametrize(
        ('wanted', 'left'),
        [
            (Held(over='a', id=2, level=1), []),
            (Held(over='c', id=1, level=1), []),
            (Held(over='a', id=None, level=1), []),
            (Held(over='b', id=9, level=5), [Held(over='b', id=9, level=2)]),
            (Held(over='b', id=None, level=1), [Held(over='b', id=None, level=1)]),
            (
                Held(over='a', id=1, level=5),
                [Held(over='a', id=1, level=3), Held(over='a', id=1, level=4, read_only=True)],
            ),
        ],
    )
    def test_lowers_to_what_is_held(self, wanted: Held, left: list[Held]) -> None:
        assert list(within([wanted], self.held)) == left


class TestResources:
    @pytest.fixture(autouse=True)
    def _products(self) -> None:
        for name in ('one', 'two', 'ann@example.com'):
            Product.objects.create(name=name)

    def names(self, client: Client) -> list[str]:
        """The names of the listed products."""
        answer = client.get('/products/', {'ordering': 'name'})
        assert answer.status_code == 200, answer.content
        return [each['name'] for each in answer.json()['results']]

    def test_show_what_the_caller_holds(self, ann: Account, client: Client) -> None:
        client.force_login(ann)
        assert self.names(client) == ['ann@example.com']
        product = Product.objects.get(name='two')
        ann.groups.add(Group.objects.create(pk=product.pk, name='two'))

        assert self.names(client) == ['ann@example.com', 'two']

    def test_show_nothing_of_it_to_another_account(self, client: Client) -> None:
        client.force_login(Account.objects.create_user('bob'))

        assert self.names(client) == []

    @pytest.mark.parametrize('path', ['/products/', '/products/1/', '/managed/'])
    def test_ask_guests_to_sign_in(self, client: Client, path: str) -> None:
        answer = client.get(path)

        assert (answer.status_code, answer.json()['code']) == (401, 'token-missing')

    def test_refuse_who_holds_no_such_level(self, ann: Account, client: Client) -> None:
        client.force_login(ann)

        answer = client.get('/managed/')

        assert (answer.status_code, answer.json()['code']) == (403, 'level-too-low')

    def test_bind_cursors_to_the_caller(self, ann: Account, client: Client) -> None:
        """T087."""
        Account.objects.update(level=3)
        bob = Account.objects.create_user('bob', level=3)
        client.force_login(ann)
        page = client.get('/managed/', {'cursor': '', 'limit': 1}).json()
        client.force_login(bob)

        answer = client.get(page['next'])

        assert (answer.status_code, answer.json()['code']) == (400, 'cursor-invalid')

    @pytest.mark.usefixtures('ann')
    def test_are_explained_as_somebody(self) -> None:
        said = {who: self.explained(who) for who in ('level:2', 'ann@example.com')}

        assert all('name: text' in text for text in said.values())
        assert said['level:2'] != said['ann@example.com']  # the scope is in one of them only

    def explained(self, who: str) -> str:
        """What the command prints."""
        out = StringIO()
        call_command('explain', 'StaffProductResource', '--as', who, stdout=out)
        return out.getvalue()

    @pytest.mark.parametrize(
        ('who', 'told'), [('nobody', 'no account'), ('guest', 'nothing'), ('level:x', 'no account')]
    )
    def test_are_not_explained_to_nobody(self, who: str, told: str) -> None:
        with pytest.raises(CommandError, match=told):
            call_command('explain', 'StaffProductResource', '--as', who)

"""The ladder in the admin: every actor, account, permission, field and action of every page.

What is right is said here, in words of its own; what a page did is read from the tables.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client
from django.utils import timezone

from backstay.identity.admin.owned_pages import OwnedPages
from backstay.identity.keys import create_key
from backstay.identity.models import Account, ApiKey
from tests.proofs import record_proof, size

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures('site')]

ADMIN = '/admin'
PASSWORD = 'a quite long password'
LEVELS = range(1, 6)
#: Whose pages these are.
APPS = ('identity', 'auth', 'account', 'mfa', 'usersessions', 'socialaccount')


@dataclass(frozen=True)
class Actor:
    """Staff who may do everything that Django's permissions say, or look at it; or a superuser."""

    level: int
    kind: str  # keeper, viewer, superuser

    @property
    def name(self) -> str:
        return f'{self.kind}{self.level}'


@dataclass(frozen=True)
class Target:
    """An account that something is done to."""

    level: int
    kind: str  # plain, staff, powerful, scoped, superuser, blocked

    @property
    def name(self) -> str:
        return f'of-{self.kind}{self.level}'

    @property
    def height(self) -> int:
        """Where it stands: `scoped` holds level 2 somewhere, `powerful` has a rare permission."""
        return {'powerful': 6, 'superuser': 6, 'scoped': max(2, self.level)}.get(
            self.kind, self.level
        )


@dataclass(frozen=True)
class Deed:
    """One field or button of a page; `act` is what it does to the account."""

    page: str
    what: str
    act: str
    value: Any = None


ACTORS = [
    *(Actor(level, kind) for level in LEVELS for kind in ('keeper', 'viewer')),
    *(Actor(level, 'superuser') for level in (1, 5)),
]
KINDS = ('plain', 'staff', 'powerful', 'scoped', 'superuser', 'blocked')
TARGETS = [Target(level, kind) for level in LEVELS for kind in KINDS]
OWNED = {'mfa/authenticator': 'factor', 'account/emailaddress': 'address'}
OWNED |= {'usersessions/usersession': 'end'}
DEEDS = [
    Deed('change', 'username', 'address', 'another'),
    Deed('change', 'email', 'address', 'another@example.com'),
    Deed('change', 'name', 'name', 'Another'),
    Deed('change', 'status', 'status', 'closed'),
    *(Deed('change', 'level', 'level', level) for level in LEVELS),
    *(Deed('change', flag, 'flags', 'on') for flag in ('is_staff', 'is_superuser')),
    Deed('change', 'groups', 'flags', 'group'),
    Deed('change', 'user_permissions', 'flags', 'permission'),
    Deed('change', 'inline', 'never'),
    Deed('password', 'set', 'password'),
    Deed('password', 'take', 'password'),
    Deed('delete', 'account', 'delete'),
    *(Deed('action', what, 'status') for what in ('block', 'unblock')),
    Deed('action', 'delete_selected', 'delete'),
    Deed('key', 'revoke', 'end'),
    *(Deed('key', what, 'never') for what in ('delete', 'change', 'delete_selected')),
    *(
        Deed(page, what, act if what.startswith('delete') else 'never')
        for page, act in OWNED.items()
        for what in ('delete', 'delete_selected', 'change', 'add')
    ),
    *(Deed('group', what, 'flags') for what in ('change', 'delete', 'delete_selected')),
    *(Deed('history', what, 'never') for what in ('delete', 'change', 'delete_selected')),
    Deed('history', 'look', 'look'),
]


def is_right(actor: Actor, target: Target | None, deed: Deed) -> bool:
    """Whether the actor may do it; without a target, to themselves."""
    if deed.act == 'look':
        return True
    if deed.act == 'never' or actor.kind == 'viewer':
        return False
    if deed.page == 'group':
        return actor.kind == 'superuser'
    if target is None:
        allowed = {'name', 'end', 'address'} if actor.kind == 'superuser' else {'name', 'end'}
        return deed.act in allowed
    if actor.kind == 'superuser':
        return True
    if deed.act == 'flags' or target.height >= actor.level:
        return False
    return deed.act != 'level' or deed.value <= actor.level


def makes_sense(actor: Actor, target: Target | None, deed: Deed) -> bool:
    """Whether the deed would change anything if it were done."""
    level, kind = (actor.level, actor.kind) if target is None else (target.level, target.kind)
    if deed.what == 'is_staff':
        return kind in ('plain', 'scoped', 'blocked')
    if deed.what == 'is_superuser':
        return kind != 'superuser'
    if deed.what == 'level':
        return bool(deed.value != level)
    if deed.what == 'block':
        return kind != 'blocked'
    if deed.what == 'unblock':
        return kind == 'blocked'
    return deed.what != 'groups' or kind != 'scoped'


CHECKS = [
    (actor, target, deed)
    for actor in ACTORS
    for target in (*TARGETS, None)
    for deed in DEEDS
    if makes_sense(actor, target, deed)
]


class World:
    """The accounts of all actors and targets, each with one of everything that it can lose."""

    def __init__(self) -> None:
        self.group = Group.objects.create(name='group')
        self.rare = Permission.objects.get(codename='view_permission')
        of_identity = Permission.objects.filter(content_type__app_label__in=(*APPS, 'admin'))
        granted = of_identity.exclude(pk=self.rare.pk)
        self.accounts: dict[Any, Account] = {}
        self.clients: dict[Actor, Client] = {}
        self.sessions: dict[Actor, str] = {}
        for each in (*ACTORS, *TARGETS):
            flags = {'is_superuser': each.kind == 'superuser'}
            flags['is_staff'] = isinstance(each, Actor) or each.kind in (
                'staff',
                'powerful',
                'superuser',
            )
            status = 'blocked' if each.kind == 'blocked' else 'active'
            account = Account.objects.create_user(
                each.name,
                level=each.level,
                email=f'{each.name}@example.com',
                status=status,
                **flags,
            )
            self.accounts[each] = account
            if isinstance(each, Actor):
                seen = granted.filter(codename__startswith='view_')
                account.user_permissions.set(granted if each.kind == 'keeper' else seen)
                self.clients[each] = Client(raise_request_exception=False)
                self.clients[each].force_login(account)
                self.sessions[each] = self.clients[each].cookies['sessionid'].value
            elif each.kind == 'powerful':
                account.user_permissions.set([self.rare])
            elif each.kind == 'scoped':
                account.groups.set([self.group])
        Account.objects.filter(username__startswith='of-').update(password=make_password(PASSWORD))
        self._give()

    def _give(self) -> None:
        now, accounts = timezone.now(), self.accounts.values()
        Authenticator.objects.bulk_create(
            Authenticator(user=each, type='recovery_codes', data={}) for each in accounts
        )
        UserSession.objects.bulk_create(
            UserSession(user=each, ip='192.0.2.1', session_key=f'key{number}')
            for number, each in enumerate(accounts)
        )
        ApiKey.objects.bulk_create(
            ApiKey(creator=each, name='x', prefix=f'p{number}', expires_at=now)
            for number, each in enumerate(accounts)
        )

    def state(self, account: Account) -> dict[str, Any]:
        """Everything about an account that a page might change."""
        rows = Account.objects.filter(pk=account.pk)
        state: dict[str, Any] = dict(
            rows.values('username', 'email', 'name', 'status', 'level', 'password').first() or {}
        )
        state |= rows.values('is_staff', 'is_superuser').first() or {}
        state['groups'] = list(rows.values_list('groups', flat=True))
        state['user_permissions'] = set(rows.values_list('user_permissions', flat=True))
        owned = EmailAddress.objects.filter(user=account)
        state['addresses'] = list(owned.values_list('email', 'verified'))
        factors = Authenticator.objects.filter(user=account)
        state['factors'] = list(factors.values_list('type', flat=True))
        sessions = UserSession.objects.filter(user=account, session_key__startswith='key')
        state['sessions'] = sessions.count()
        keys = ApiKey.objects.filter(creator=account)
        state['keys'] = list(keys.values_list('revoked_at', 'name'))
        state['group'] = list(Group.objects.values_list('name', 'permissions'))
        return state

    def do(self, actor: Actor, account: Account, deed: Deed) -> Any:
        """Ask a page for it; the answer."""
        client, key = self.clients[actor], account.pk
        accounts = f'{ADMIN}/identity/account'
        confirmed = {'post': 'yes'}
        match deed.page, deed.what:
            case 'change', _:
                return client.post(f'{accounts}/{key}/change/', self.form(account, deed))
            case 'password', 'set':
                form = {'usable_password': 'true', 'password1': PASSWORD, 'password2': PASSWORD}
                return client.post(f'{accounts}/{key}/password/', form)
            case 'password', 'take':
                form = {'usable_password': 'false', 'unset-password': 'x'}
                return client.post(f'{accounts}/{key}/password/', form)
            case 'delete', _:
                ApiKey.objects.filter(creator=account).delete()  # a key keeps its account
                return client.post(f'{accounts}/{key}/delete/', confirmed)
            case 'action', 'delete_selected':
                ApiKey.objects.filter(creator=account).delete()
                return self.run(client, accounts, key, deed.what)
            case 'action', what:
                return self.run(client, accounts, key, what)
            case 'history', 'look':
                return client.get(f'{accounts}/{key}/history/')
            case page, what:
                return self.on_row(client, account, page, what)
        raise NotImplementedError(deed)

    def form(self, account: Account, deed: Deed) -> dict[str, Any]:
        """The form of the account's page, filled in as it stands but for one field."""
        form: dict[str, Any] = {
            name: getattr(account, name) for name in ('username', 'email', 'name', 'status')
        }
        form['level'] = account.level
        form |= {flag: 'on' for flag in ('is_staff', 'is_superuser') if getattr(account, flag)}
        form['groups'] = [group.pk for group in account.groups.all()]
        form['user_permissions'] = [each.pk for each in account.user_permissions.all()]
        if deed.what == 'inline':
            of_form = {'TOTAL_FORMS': 1, 'INITIAL_FORMS': 0, '0-user': account.pk}
            of_form |= {'0-email': 'thief@example.com', '0-verified': 'on'}
            prefixes = ('emailaddress_set', 'api_keys', 'authenticator_set')
            return form | {f'{p}-{name}': v for p in prefixes for name, v in of_form.items()}
        values = {'group': [self.group.pk], 'permission': [self.rare.pk, 1, 2]}
        return form | {deed.what: values.get(deed.value, deed.value)}

    def run(self, client: Client, pages: str, key: Any, action: str) -> Any:
        """Tick a row of a list, run an action, and confirm it."""
        return client.post(
            f'{pages}/', {'action': action, '_selected_action': [key], 'post': 'yes'}
        )

    def on_row(self, client: Client, account: Account, page: str, what: str) -> Any:
        """Press a button of the page of a row that belongs to the account."""
        if page == 'key':
            row: Any = ApiKey.objects.get(creator=account)
            pages, form = f'{ADMIN}/identity/apikey', {'name': 'stolen', 'level': 5}
        elif page == 'group':
            row, pages = self.group, f'{ADMIN}/auth/group'
            form = {'name': 'group', 'permissions': [self.rare.pk]}
        elif page == 'history':
            row = LogEntry.objects.create(user=account, action_flag=2, object_repr='x')
            pages, form = f'{ADMIN}/admin/logentry', {'object_repr': 'y'}
        else:
            model = apps.get_model(page.replace('/', '.'))
            row = model._default_manager.filter(user=account).order_by('pk').last()
            pages = f'{ADMIN}/{page}'
            form = {'user': account.pk, 'email': 'thief@example.com', 'verified': 'on'}
            form |= {'type': 'totp', 'data': '{}', 'ip': '192.0.2.2', 'primary': 'on'}
        match what:
            case 'change':
                return client.post(f'{pages}/{row.pk}/change/', form)
            case 'add':
                return client.post(f'{pages}/add/', form)
            case 'delete':
                return client.post(f'{pages}/{row.pk}/delete/', {'post': 'yes'})
        return self.run(client, pages, row.pk, what)


@pytest.fixture
def world(db: None) -> World:
    """The accounts."""
    return World()


def wrong_checks(world: World, checks: list[Any]) -> Iterator[str]:
    """Do each of them, undo it, and give what was wrong about it."""
    for actor, target, deed in checks:
        account = world.accounts[target or actor]
        other = world.accounts[Target(2, 'plain') if target != Target(2, 'plain') else TARGETS[0]]
        with transaction.atomic():
            if (deed.page, deed.what) in {('delete', 'account'), ('action', 'delete_selected')}:
                ApiKey.objects.filter(creator=account).delete()
            before, beside = world.state(account), world.state(other)
            answer = world.do(actor, account, deed)
            after = world.state(account)
            changed = {name for name in before if before[name] != after.get(name)}
            if deed.act == 'look':
                done = answer.status_code == 200
            elif deed.page == 'history':
                done = LogEntry.objects.filter(object_repr='x').count() != 1
            else:
                done = bool(changed)
            right = is_right(actor, target, deed)
            spared = {**beside, 'group': None} == {**world.state(other), 'group': None}
            if done != right or not spared or answer.status_code >= 500:
                yield f'{actor} {target} {deed}: {answer.status_code}, {changed}, not {right}'
            elif deed.page == 'change' and changed - {deed.what, 'addresses'}:
                yield f'{actor} {target} {deed}: {changed}'
            transaction.set_rollback(True)
        # Some pages give the session another key, which has just been undone.
        world.clients[actor].cookies['sessionid'] = world.sessions[actor]


def test_nobody_does_more_than_they_may_and_everybody_what_they_may(
    world: World, request: pytest.FixtureRequest
) -> None:
    assert len(CHECKS) > 3_000
    checks = random.Random(20261130).sample(CHECKS, size(160, len(CHECKS)))

    wrong = list(wrong_checks(world, checks))

    record_proof(request, f'{len(checks)} actors, accounts, fields and actions')
    assert wrong == []


def test_every_page_is_checked() -> None:
    checked = {'identity.account', 'identity.apikey', 'auth.group', 'admin.logentry'}
    checked |= {page.replace('/', '.') for page in OWNED}
    registered = {
        model._meta.label_lower: pages
        for model, pages in admin.site._registry.items()
        if model._meta.app_label in (*APPS, 'admin')
    }
    of_accounts = {label for label, pages in registered.items() if isinstance(pages, OwnedPages)}

    assert set(registered) - checked <= of_accounts
    assert not any(pages.inlines or pages.list_editable for pages in registered.values())


def test_a_bulk_action_leaves_out_whom_it_may_not_touch(world: World) -> None:
    everybody = [account.pk for account in world.accounts.values()]
    form = {'action': 'block', '_selected_action': everybody}

    for level in LEVELS:  # each blocks those of the level before, too
        world.clients[Actor(level, 'keeper')].post(f'{ADMIN}/identity/account/', form)

        blocked = set(Account.objects.filter(status='blocked').values_list('username', flat=True))
        below = {each.name for each in TARGETS if each.height < level or each.kind == 'blocked'}
        below |= {each.name for each in ACTORS if each.kind == 'viewer' and each.level < level}
        below |= {each.name for each in ACTORS if each.kind == 'keeper' and each.level < level}
        assert blocked == below, level


def test_a_new_account_stands_at_the_bottom(world: World) -> None:
    form = {'usable_password': 'true', 'level': 5, 'is_superuser': 'on'}
    form |= {'password1': PASSWORD, 'password2': PASSWORD, 'is_staff': 'on', 'status': 'closed'}

    for level in LEVELS:
        pages = f'{ADMIN}/identity/account'
        added = {**form, 'username': f'new{level}'}
        answer = world.clients[Actor(level, 'keeper')].post(f'{pages}/add/', added)

        assert answer.status_code == 302
        made = Account.objects.get(username=f'new{level}')
        made_with = (made.level, made.is_superuser, made.is_staff, made.status)
        assert made_with == (1, False, False, 'active'), level


def test_a_key_in_the_admin_has_no_higher_level_than_its_creator(world: World) -> None:
    for level in LEVELS:
        client = world.clients[Actor(level, 'keeper')]
        for asked in LEVELS:
            form = {'name': f'{level}-{asked}', 'level': asked, 'ip_allow': '[]'}
            client.post(f'{ADMIN}/identity/apikey/add/', form)
            made = ApiKey.objects.filter(name=f'{level}-{asked}')
            assert made.exists() == (asked <= level)


def test_a_new_address_of_the_admin_takes_the_place_of_the_old_one(world: World) -> None:
    account = world.accounts[Target(1, 'plain')]
    deed = Deed('change', 'email', 'address', 'another@example.com')

    world.do(Actor(5, 'keeper'), account, deed)

    (address,) = EmailAddress.objects.filter(user=account)
    assert (address.email, address.verified) == ('another@example.com', True)


def test_an_ended_session_lets_nobody_in(world: World) -> None:
    actor, account = Actor(5, 'keeper'), world.accounts[Target(1, 'staff')]
    client = Client()
    client.force_login(account)
    session: Any = client.session
    key = session.stored_key
    row = UserSession.objects.get(session_key=key)

    world.clients[actor].post(f'{ADMIN}/usersessions/usersession/{row.pk}/delete/', {'post': 'yes'})

    assert not Session.objects.filter(session_key=key).exists()
    assert client.get('/admin/').status_code == 302


def test_a_key_may_be_made_for_nobody_else(world: World) -> None:
    create_key(world.accounts[Actor(5, 'superuser')], 'x')
    form = {'name': 'mine', 'level': 1, 'ip_allow': '[]'}
    form |= {'creator': world.accounts[Actor(5, 'superuser')].pk}

    world.clients[Actor(1, 'keeper')].post(f'{ADMIN}/identity/apikey/add/', form)

    assert ApiKey.objects.get(name='mine').creator == world.accounts[Actor(1, 'keeper')]

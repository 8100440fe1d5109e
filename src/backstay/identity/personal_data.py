"""Everything that a site holds about an account: told to it, and erased, across all services.

Each part of the platform registers what it holds; a service names its own in
`Service.personal_data`. An erased account stays as a row without a name: what others' records
point at keeps its number, and nothing that says who it was.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils.module_loading import import_string

from backstay.audit import SecurityEvent, record
from backstay.identity.email_changes import end_sessions
from backstay.identity.models import LOWEST_LEVEL, AccountStatus, ApiKey, EmailChange
from backstay.journal.models import Entry
from backstay.services import mounted

Rows = Iterable[Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonalData:
    """What one part holds about accounts, each named by its primary key."""

    #: The rows of an account by the name of their kind, such as `orders`.
    export: Callable[[Any], Mapping[str, Rows]]
    #: Delete or blank what says who the account was. It runs in the transaction of all parts, and
    #: must bear to be called again.
    erase: Callable[[Any], None]


_parts: dict[str, PersonalData] = {}


def hold_personal_data(part: str, held: PersonalData) -> None:
    """Register what a part of the platform holds; a service names its own in its declaration."""
    _parts[part] = held


def export(account_id: Any) -> Iterator[tuple[str, str, Rows]]:
    """Yield everything held about an account: the part, the kind, and its rows."""
    record('data-export', account_id=account_id)
    for part, held in _held().items():
        for kind, rows in held.export(account_id).items():
            yield part, kind, rows


def erase(account_id: Any) -> None:
    """Erase what is held about an account, in one transaction; it can never sign in again."""
    with transaction.atomic():
        accounts = get_user_model()._default_manager
        list(accounts.select_for_update().filter(pk=account_id).values_list('pk'))
        for part in reversed(_held().values()):  # identity last: the others may look it up
            part.erase(account_id)
        record('account-erase', account_id=account_id)


def as_json(held: Iterable[tuple[str, str, Rows]]) -> Iterator[str]:
    """Yield the text of one JSON object: the rows by their kinds, and these by their parts."""
    last, opening = None, '{'
    for part, kind, rows in held:
        if part != last:
            yield f'{opening}{json.dumps(part)}:{{'
        yield f'{"" if part != last else ","}{json.dumps(kind)}:['
        last, opening = part, '},'
        for index, row in enumerate(rows):
            yield (',' if index else '') + json.dumps(
                row, cls=DjangoJSONEncoder, ensure_ascii=False
            )
        yield ']'
    yield '}}'


def _held() -> dict[str, PersonalData]:
    services = {each.name: each.personal_data for each in mounted() if each.personal_data}
    return {**_parts, **{name: import_string(path) for name, path in services.items()}}


def _export_identity(account_id: Any) -> Mapping[str, Rows]:
    def rows(model: Any, names: str, **which: Any) -> Rows:
        found: Rows = model._base_manager.filter(**which).order_by('pk').values(*names.split())
        return found

    account = 'id username email name status level is_staff created_at last_login'
    changes = 'at verb resource object_id'
    key = f'account:{account_id}'
    return {
        'account': rows(get_user_model(), account, pk=account_id),
        'addresses': rows(EmailAddress, 'email verified', user_id=account_id),
        'former addresses': rows(EmailChange, 'old_email changed_at', account_id=account_id),
        'second factors': rows(Authenticator, 'type created_at last_used_at', user_id=account_id),
        'API keys': rows(
            ApiKey, 'name prefix level created_at expires_at last_used_at', creator_id=account_id
        ),
        'sessions': rows(UserSession, 'created_at last_seen_at ip user_agent', user_id=account_id),
        'security events': rows(
            SecurityEvent, 'at action outcome address agent detail', account_id=account_id
        ),
        'changes made': rows(Entry, changes, actor=key),
        'changes made in the admin': rows(
            LogEntry, 'action_time object_repr change_message', user_id=account_id
        ),
    }


def _erase_identity(account_id: Any) -> None:
    accounts = get_user_model()._default_manager.filter(pk=account_id)
    for account in accounts:
        end_sessions(account)
        account.groups.clear()
        account.user_permissions.clear()
        account.set_unusable_password()
        accounts.update(password=account.password)
    of_user, of_account = {'user_id': account_id}, {'account_id': account_id}
    for model, which in (
        (EmailAddress, of_user),
        (Authenticator, of_user),
        (EmailChange, of_account),
        (ApiKey, {'creator_id': account_id}),
    ):
        model.objects.filter(**which).delete()
    blank: dict[str, Any] = {'address': None, 'agent': '', 'session': '', 'detail': {}}
    SecurityEvent.objects.filter(**of_account).update(**blank)
    key = f'account:{account_id}'
    SecurityEvent.objects.filter(actor=key).update(actor_name='')
    Entry.objects.filter(actor=key).update(actor_name='')
    erased = f'erased-{account_id}'
    label = get_user_model()._meta.label_lower.split('.')
    about = LogEntry.objects.filter(
        content_type__app_label=label[0], content_type__model=label[1], object_id=str(account_id)
    )
    about.update(object_repr=erased)
    accounts.update(
        username=erased,
        email='',
        name='',
        status=AccountStatus.CLOSED,
        level=LOWEST_LEVEL,
        is_staff=False,
        is_superuser=False,
        last_login=None,
    )


hold_personal_data('identity', PersonalData(export=_export_identity, erase=_erase_identity))

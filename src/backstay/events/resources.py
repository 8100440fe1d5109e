"""Webhooks and the log of their deliveries, as resources.

Accounts of level 4 and up manage all webhooks. Where one leads, and what it is told, only its owner
says: it is told what its owner may read.
"""

from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string

from backstay.caller import Caller
from backstay.events.declaration import EVERY
from backstay.events.models import Delivery, Webhook
from backstay.events.secrets import OVERLAP, new_secret, seal
from backstay.events.told_types import types_told
from backstay.resources.declaration.conditions import CallerValue
from backstay.resources.declaration.grants import Grant, Who, trusted
from backstay.resources.declaration.hooks import Hooks
from backstay.resources.declaration.readable import Readable
from backstay.resources.declaration.registry import resources
from backstay.resources.declaration.resource import Resource
from backstay.resources.query.json_text import shown
from backstay.resources.write.change import Change

_LEVEL = 4
_MANAGERS = Who(kinds=frozenset({'account', 'key'}), own_level=_LEVEL)
_ACCOUNTS = Who(kinds=frozenset({'account'}), own_level=_LEVEL)
_OWN = Q(owner_id=CallerValue('account_id'))

_SHOWN = (
    'id',
    'name',
    'url',
    'types',
    'tenant',
    'owner_id',
    'active',
    'failures',
    'disabled_at',
    'created_at',
)
_GIVEN = ('name', 'url', 'secret', 'types', 'tenant', 'active')


def own(change: Change, caller: Caller) -> None:
    """A new webhook belongs to who makes it."""
    if change.verb == 'create':
        change.values['owner_id'] = caller.account_id


def keep_secret(change: Change, _caller: Caller) -> None:
    """A secret is made where none is given, and stored encrypted; the one before signs on."""
    if change.verb == 'create' or 'secret' in change.values:
        change.values['secret'] = seal(change.values.get('secret') or new_secret())
    if change.verb == 'update' and 'secret' in change.values:
        former: Any = change.row
        change.values |= {
            'former_secret': former.secret,
            'former_until': timezone.now() + OVERLAP,
        }


def refuse_empty_secret(change: Change, _caller: Caller) -> None:
    """What nobody is shown cannot be made anew on the way."""
    if change.verb == 'update' and change.values.get('secret') == '':
        change.refuse('/secret', 'required', '`secret` is required.')


def refuse_unknown_types(change: Change, caller: Caller) -> None:
    """Reject types that nothing tells which the caller may read; those already there may stay."""
    stored = change.before.get('types')
    kept = stored if isinstance(stored, list) else []
    readable = (each for each in resources() if Readable(each, caller.standing()).grants)
    known = types_told(readable)
    for at, wanted in enumerate(change.values.get('types', ())):
        if wanted not in (EVERY, *known, *kept):
            there = ', '.join(f'`{each}`' for each in known)
            detail = f'No event is of the type `{shown(wanted)}`. There are: {there}.'
            change.refuse(f'/types/{at}', 'types-invalid', detail)


def begin_anew(change: Change, _caller: Caller) -> None:
    """Who switches a webhook on gives it all its chances again."""
    if change.verb == 'update' and change.values.get('active'):
        change.values |= {'failures': 0, 'disabled_at': None}


def resume(change: Change, _caller: Caller) -> None:
    """What was queued while it was off is delivered."""
    row: Any = change.row
    if change.verb == 'restore' or (change.verb == 'update' and change.values.get('active')):
        deliver = import_string('backstay.events.delivering.deliver')
        deliver.using(key=row.target).enqueue(row.target)


class WebhookResource(Resource):
    """Its secret is written and never read; the answer to its creation shows it once."""

    class Meta:
        model = Webhook
        fields = (*_SHOWN, 'secret')
        soft_delete = 'deleted_at'
        sensitive = ('url',)
        events = False

    hooks = Hooks(
        validate=(refuse_empty_secret, refuse_unknown_types),
        before=(own, keep_secret, begin_anew),
        after=(resume,),
    )
    grants = (
        Grant(_MANAGERS, read=_SHOWN, write=('active',), delete=True),
        Grant(_ACCOUNTS, read=_SHOWN, write=_GIVEN, create=_GIVEN, delete=True, rows=_OWN),
        Grant(trusted, read=_SHOWN, write=_GIVEN, delete=True),
    )


_LOGGED = (
    'id',
    'webhook_id',
    'entry_id',
    'type',
    'subject',
    'state',
    'attempts',
    'next_at',
    'status',
    'error',
    'duration_ms',
    'created_at',
    'delivered_at',
)
_TO_WEBHOOKS = Q(webhook__isnull=False)


class DeliveryResource(Resource):
    """What was posted to webhooks, and what came of it; what receivers answer, their owners see."""

    class Meta:
        model = Delivery
        fields = (*_LOGGED, 'response')
        default_mask = '{' + ','.join(_LOGGED) + '}'
        filterable = ('id', 'webhook_id', 'entry_id', 'type', 'subject', 'state', 'created_at')
        orderable = ('id',)
        ordering = ('-id',)
        count = 'estimate'
        events = False

    grants = (
        Grant(_MANAGERS, read=_LOGGED, rows=_TO_WEBHOOKS),
        Grant(
            _ACCOUNTS,
            read=(*_LOGGED, 'response'),
            rows=Q(webhook__owner_id=CallerValue('account_id')),
        ),
        Grant(trusted, read=(*_LOGGED, 'response')),
    )

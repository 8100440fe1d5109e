"""What a webhook is told of an event: no more than its owner may read at this moment.

The object is read by the compiled read that the owner would be answered with. Where that answers
nothing, the event is withheld.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from importlib import import_module
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from backstay.events.declaration import event_id
from backstay.events.models import HIDDEN, SAYS_WHAT_IS_KNOWN, Delivery, State
from backstay.identity.callers import caller_of_account
from backstay.identity.loading import account_with_key
from backstay.journal.models import Entry
from backstay.resources.declaration.registry import resources
from backstay.resources.declaration.resource import Resource
from backstay.resources.plan.masks import default_mask
from backstay.resources.query.asked import Asked
from backstay.resources.query.nodes import Mask, OneRow, Query, Shape
from backstay.resources.reading import read

API_VERSION = '1'
#: Why an event is withheld where nobody can read the row any more.
GONE = 'gone'


class Withheld(Exception):
    """The owner of the webhook is not told."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """What the owner may know of the object."""

    key: Any
    data: dict[str, Any]
    #: Every value that the owner may read of it, by name.
    names: frozenset[str]


def message(delivery: Delivery, sequence: int) -> str:
    """Return the body of a delivery that is the webhook's next of the object. Raises Withheld."""
    entry, webhook = delivery.entry, delivery.webhook
    asked = _asked_by(webhook.owner_id if webhook else None, entry)
    told = _deleted if entry.verb == 'delete' else _read
    about = told(delivery, asked)
    tenant = asked.resource.options.tenant
    may_know_tenant = bool(tenant) and tenant in about.names
    if webhook and webhook.tenant and not may_know_tenant and entry.verb != 'delete':
        raise Withheld(HIDDEN)  # that it matched tells whose the row is
    body: dict[str, Any] = {
        'id': event_id(entry.pk),
        'type': delivery.type,
        'api_version': API_VERSION,
        'created_at': entry.at.astimezone(UTC).isoformat().replace('+00:00', 'Z'),
        'tenant': entry.tenant if may_know_tenant else '',
        'aggregate': {'type': entry.aggregate, 'id': str(about.key), 'seq': sequence},
        'data': about.data,
    }
    if entry.verb == 'update':
        body['changes'] = [name for name in _changed(entry) if name in about.names]
        if not body['changes']:
            raise Withheld(HIDDEN)  # all that changed is hidden, and that it did is too
    return json.dumps(body, separators=(',', ':'))


def _asked_by(owner_id: Any, entry: Entry) -> Asked:
    """What the owner would ask now, as the caller that their account makes."""
    resource = _resource_of(entry)
    account = account_with_key(owner_id)
    if resource is None or account is None or not account.is_active:
        raise Withheld(HIDDEN)
    asked = Asked(resource=resource, caller=caller_of_account(account))
    if resource.options.lookup not in asked.readable.fields:
        raise Withheld(HIDDEN)
    return asked


def _resource_of(entry: Entry) -> type[Resource] | None:
    """The resource through which it was written; None where the name does not tell which."""
    # All are known once the routes are, also to a worker.
    import_module(getattr(settings, 'ROOT_URLCONF', ''))
    found = [
        each
        for each in resources()
        if each.options.name == entry.resource
        and each.options.model._meta.label_lower == entry.aggregate
    ]
    return found[0] if len(found) == 1 else None


def _read(delivery: Delivery, asked: Asked) -> _Told:
    """What the owner may read of the row."""
    entry, readable, options = delivery.entry, asked.readable, asked.resource.options
    key = _key(entry, asked.resource)
    default = default_mask(readable)
    named = [name for name, _ in default.entries]
    changed = [name for name in _changed(entry) if name in readable.shown]
    values = [name for name, field in readable.fields.items() if field.attname]
    more = [name for name in dict.fromkeys((*values, *changed)) if name not in named]
    mask = Mask((*default.entries, *((name, None) for name in more)))
    shape = Shape(mask=mask, page=OneRow(lookup_slot=0))
    rows = read(asked, Query(shape=shape, values=(key,)))
    row = json.loads(rows.objects[0]) if rows.objects else None
    if row is None or options.lookup not in row:
        raise Withheld(HIDDEN)
    data = row if '*' in named else {name: row[name] for name in row if name in named}
    return _Told(key=row[options.lookup], data=data, names=frozenset(row))


def _key(entry: Entry, resource: type[Resource]) -> Any:
    """The value of the lookup field of the row, by which the owner would ask for it.

    It is read without grants, and told only if the read that has them finds the row.
    """
    model, options = resource.options.model, resource.options
    lookup = resource.fields()[options.lookup].attname
    try:
        row = model._base_manager.filter(pk=model._meta.pk.to_python(entry.object_id))
    except ValidationError:
        raise Withheld(GONE) from None
    if options.soft_delete:
        row = row.filter(**{f'{options.soft_delete}__isnull': True})
    keys = list(row.values_list(lookup)) if lookup else []
    if not keys:
        raise Withheld(GONE)
    return keys[0][0]


def _changed(entry: Entry) -> Sequence[str]:
    return tuple(entry.before or ()) if entry.verb == 'update' else ()


def _deleted(delivery: Delivery, asked: Asked) -> _Told:
    """The key of a row that is no more: to who was told of it before, or may see every row."""
    entry, readable, lookup = delivery.entry, asked.readable, asked.resource.options.lookup
    last = entry.before if entry.after is None else entry.after
    key = (last or {}).get(lookup)
    names = frozenset(name for name in readable.fields if readable.always_shows(name))
    wants_tenant = delivery.webhook is not None and delivery.webhook.tenant
    needed = {lookup, readable.resource.options.tenant} if wants_tenant else {lookup}
    if key is None or not (needed <= names or _was_told(delivery)):
        raise Withheld(HIDDEN)
    return _Told(key=key, data={lookup: key}, names=names)


def _was_told(delivery: Delivery) -> bool:
    """Whether the last that the owner could be told of the object was told.

    Events that found the row gone already say nothing about what may be known of it.
    """
    same = Delivery.objects.filter(target=delivery.target, subject=delivery.subject)
    earlier = same.filter(SAYS_WHAT_IS_KNOWN, pk__lt=delivery.pk)
    last = earlier.order_by('-pk').values_list('state', flat=True).first()
    return last is not None and last != State.WITHHELD

"""The relay: from the journal's pending entries to what each webhook and function is to be told.

A batch of entries becomes deliveries and stops being pending in one transaction. Relays may run at
once: they lock entries in the order of their ids, so that the second waits for the first and then
leaves out what the first took. A change of an object is written while its row is locked, so
whoever sees a later entry of it sees the earlier ones too, with lower ids: a batch that takes one
takes those before it.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from itertools import islice

from django.db import DEFAULT_DB_ALIAS, transaction
from django.db.models import Q
from django.utils import timezone

from backstay.events.declaration import event_type, registered, wants
from backstay.events.delivering import deliver
from backstay.events.models import Delivery, Webhook, target_of
from backstay.journal.models import Entry
from backstay.tasks import periodic, task

#: Entries, and deliveries made of them, that are held in memory at once.
BATCH, _CHUNK = 200, 1_000
#: Batches of one run; the next run goes on.
_MOST_BATCHES = 50
#: What has been due for so long was forgotten: whoever was to deliver it died.
_FORGOTTEN = timedelta(minutes=2)

_Told = Sequence[tuple[str, int | None, Sequence[str], str]]


def relay_soon(using: str) -> None:
    """Have the relay run once the transaction, which wrote pending entries, is committed."""
    if using == DEFAULT_DB_ALIAS:  # the only one whose journal is told
        relay.using(key='relay').enqueue()


@periodic(every=timedelta(seconds=10))
@task
def relay() -> int:
    """Fan out what is pending; how many entries that was. It runs by itself as a safety net."""
    told = 0
    for _ in range(_MOST_BATCHES):
        count = relay_batch()
        told += count
        if count < BATCH:
            return told
    relay_soon(DEFAULT_DB_ALIAS)
    return told


@periodic(every=timedelta(minutes=1))
@task
def wake_forgotten() -> int:
    """Have delivered what is long due, as far as it is not held back; how many targets that is."""
    is_on = Q(webhook=None) | Q(webhook__active=True, webhook__deleted_at=None)
    due = Delivery.heads().filter(is_on, next_at__lt=timezone.now() - _FORGOTTEN)
    targets = list(due.order_by().values_list('target', flat=True).distinct()[:BATCH])
    for target in targets:
        deliver.using(key=target).enqueue(target)
    return len(targets)


def relay_batch() -> int:
    """Fan out the oldest pending entries, all of them or none; how many they were."""
    pending = Entry.objects.filter(pending=True)
    if not pending.exists():  # a look takes no lock
        return 0
    with transaction.atomic():
        needed = pending.only('resource', 'verb', 'aggregate', 'object_id', 'tenant')
        entries = list(needed.order_by('pk').select_for_update(no_key=True)[:BATCH])
        told = _targets({entry.tenant for entry in entries})
        deliveries = _fan_out(entries, told)
        woken: dict[str, None] = {}
        while chunk := list(islice(deliveries, _CHUNK)):
            Delivery.objects.bulk_create(chunk)
            woken |= dict.fromkeys(delivery.target for delivery in chunk)
        Entry.objects.filter(pk__in=[entry.pk for entry in entries]).update(pending=False)
        for target in woken:
            deliver.using(key=target).enqueue(target)
    return len(entries)


def _targets(tenants: set[str]) -> _Told:
    """Who may be told of rows of these tenants: target, webhook, types, and the tenant it wants."""
    functions = [(path, None, tuple(types), '') for path, (_, types) in registered.items()]
    active = Webhook.objects.filter(active=True, deleted_at=None, tenant__in={'', *tenants})
    rows = active.order_by('pk').values_list('pk', 'types', 'tenant')
    return [*functions, *((target_of(pk), pk, types, tenant) for pk, types, tenant in rows)]


def _fan_out(entries: Sequence[Entry], told: _Told) -> Iterator[Delivery]:
    for entry in entries:
        kind = event_type(entry.resource, entry.verb)
        for target, webhook_id, types, tenant in told:
            if wants(types, kind) and tenant in ('', entry.tenant):
                yield Delivery(
                    target=target,
                    webhook_id=webhook_id,
                    entry_id=entry.pk,
                    type=kind,
                    subject=f'{entry.aggregate}:{entry.object_id}',
                )

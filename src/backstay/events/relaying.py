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
from django.db.models import F, Max, Min, Q
from django.utils import timezone

from backstay.events.declaration import event_type, registered, wants
from backstay.events.delivering import deliver
from backstay.events.models import Delivery, State, Webhook, target_of
from backstay.journal.models import Entry
from backstay.tasks import periodic, task

#: Entries, and deliveries made of them, that are held in memory at once.
BATCH, _CHUNK = 200, 1_000
#: Batches of one run; the next run goes on.
_MAX_BATCHES = 50
#: What has been due for so long was forgotten: whoever was to deliver it died.
_FORGOTTEN = timedelta(minutes=2)

_Told = Sequence[tuple[str, int | None, Sequence[str], str]]
#: A target, and what a delivery to it is about: the deliveries of one line follow each other.
_Line = tuple[str, str]


def relay_soon(using: str) -> None:
    """Have the relay run once the transaction, which wrote pending entries, is committed."""
    if using == DEFAULT_DB_ALIAS:  # the only one whose journal is told
        relay.using(key='relay').enqueue()


@periodic(every=timedelta(seconds=10))
@task
def relay() -> int:
    """Fan out what is pending; how many entries that was. It runs by itself as a safety net."""
    told = 0
    for _ in range(_MAX_BATCHES):
        count = relay_batch()
        told += count
        if count < BATCH:
            return told
    relay_soon(DEFAULT_DB_ALIAS)
    return told


@periodic(every=timedelta(minutes=1))
@task
def wake_forgotten() -> int:
    """Have delivered what is long due, unless it is held back; return the number of targets."""
    _lead_where_none_does()
    is_on = Q(webhook=None) | Q(webhook__active=True, webhook__deleted_at=None)
    due = Delivery.heads().filter(is_on, next_at__lt=timezone.now() - _FORGOTTEN)
    targets = list(due.order_by().values_list('target', flat=True).distinct()[:BATCH])
    for target in targets:
        deliver.using(key=target).enqueue(target)
    return len(targets)


def _lead_where_none_does() -> None:
    """Let the first queued delivery of an object be due where whoever deleted one left none.

    It looks at everything that is queued, once a minute; nothing else does.
    """
    queued = Delivery.objects.order_by().filter(state=State.QUEUED).values('target', 'subject')
    lines = queued.annotate(first=Min('pk'), due=Max('next_at')).filter(due=None)
    for first in list(lines.values_list('first', flat=True)[:BATCH]):
        Delivery.objects.filter(pk=first, state=State.QUEUED).update(next_at=F('created_at'))


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
        led: set[_Line] = set()
        while chunk := list(islice(deliveries, _CHUNK)):
            _line_up(chunk, led)
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


def is_told(kind: str) -> bool:
    """Whether a function or a webhook names this type; who asked for all may not mean it."""
    return any(kind in types for _, _, types, _ in _targets(set()))


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


def _line_up(deliveries: Sequence[Delivery], led: set[_Line]) -> None:
    """Let each of these be due unless something of its line is queued before it.

    `led` holds the lines in which something is; it grows. The first of such a line is locked until
    the end of the transaction: whoever delivers it meanwhile then sees what came behind it. One
    that came to its end before it was locked may have a successor, so that is looked for anew.
    """
    lines = {(each.target, each.subject) for each in deliveries} - led
    while heads := _heads_of(lines):
        locked = Delivery.heads().filter(pk__in=heads).order_by('pk')
        found = locked.select_for_update(no_key=True).values_list('target', 'subject')
        led.update(found)
        lines -= led
    for each in deliveries:
        line = (each.target, each.subject)
        if line not in led:
            each.next_at = each.created_at
            led.add(line)


def _heads_of(lines: set[_Line]) -> list[int]:
    """Return the keys of the deliveries that are first in these lines."""
    targets, subjects = {target for target, _ in lines}, {subject for _, subject in lines}
    near = Delivery.heads().order_by().filter(target__in=targets, subject__in=subjects)
    rows = near.values_list('pk', 'target', 'subject')
    return [pk for pk, target, subject in rows if (target, subject) in lines]

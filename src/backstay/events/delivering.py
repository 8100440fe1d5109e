"""Delivering: what one target is to be told, in order, tried until it has it or is given up.

One task runs for each target at a time. It takes the first queued delivery of each object; while
that one is not at its end, the later ones of the object wait. Nothing is locked and no transaction
is open while a receiver is asked. A try is counted before it begins: a worker that dies before it
noted a success tries again, with the same id of the event.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from time import monotonic

import structlog
from cryptography.fernet import InvalidToken
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from backstay.events.addresses import policy
from backstay.events.declaration import Event, event_id, registered
from backstay.events.messages import Withheld, message
from backstay.events.models import Delivery, State, Webhook
from backstay.events.secrets import signed, unseal
from backstay.events.sending import Outcome, post
from backstay.tasks import task

_log: structlog.stdlib.BoundLogger = structlog.get_logger('events')

#: Seconds after the first failed try, the second, and so on (commerce contract 3.9).
PAUSES = (10, 60, 300, 1800, 3600, 7200, 14400, 28800, 43200)
#: Deliveries given up in a row after which a webhook is switched off.
MOST_FAILURES = 50
#: Seconds that one run takes, give or take one try; then other tasks have their turn.
_TURN = 10.0
#: So many failures in a row let a receiver rest: none is asked hundreds of times while it is down.
_TIRED, _REST = 3, timedelta(seconds=10)
_AT_ONCE = 20
#: Seconds between the tries of a run itself, which fails with the database or with its worker. It
#: never gives up: a target whose run is a dead letter would wait for the next event.
_PATIENCE = (1, 5, 15, *[60] * 300)


class _Elsewhere(Exception):
    """Another worker tries the same delivery: the lease of this one ended, and it has to stop."""


@task(priority=-10, backoff=_PATIENCE)
def deliver(target: str, until: str = '') -> int:
    """Deliver what is due for a target; how many tries that took.

    It enqueues itself for what is left, and for the next try of what failed. `until` is the moment
    for which it was enqueued: what is due then counts, whatever this machine's clock says.
    """
    moment = max(timezone.now(), datetime.fromisoformat(until)) if until else timezone.now()
    started, tries, failures = monotonic(), 0, 0
    rest = timedelta()
    for delivery in _due(target, moment):
        try:
            outcome = _try(delivery)
        except _Elsewhere:
            return tries
        if outcome is not None:
            tries += 1
            failures = 0 if outcome.is_done else failures + 1
        if failures == _TIRED:
            rest = _REST
        if rest or monotonic() - started > _TURN:
            break
    _come_again(target, rest)
    return tries


def _due(target: str, moment: datetime) -> Iterator[Delivery]:
    """What is due, each as it is at its turn, until nothing is left or the webhook is off."""
    heads = Delivery.heads(target).filter(next_at__lte=moment)
    while keys := list(heads.values_list('pk', flat=True)[:_AT_ONCE]):
        for key in keys:
            found = Delivery.objects.select_related('entry', 'webhook').filter(pk=key).first()
            if found and found.webhook and not found.webhook.is_on:
                return
            if found:
                yield found


def _come_again(target: str, rest: timedelta) -> None:
    """Enqueue the run for what is queued; what waits for a webhook that is off is left alone."""
    head = Delivery.heads(target).select_related('webhook').first()
    if head is None or (head.webhook and not head.webhook.is_on):
        return
    now = timezone.now()
    moment = max(head.next_at, now + rest)
    if moment <= now:
        deliver.using(key=target).enqueue(target)
    else:
        deliver.using(key=target, run_after=moment).enqueue(target, moment.isoformat())


def _try(delivery: Delivery) -> Outcome | None:
    """One try, and the note of it; None where nothing is told. Raises _Elsewhere."""
    do: Callable[[], Outcome]
    try:
        do = _posting(delivery) if delivery.webhook else partial(_call, delivery)
    except Withheld as withheld:
        _open(delivery).update(state=State.WITHHELD, error=withheld.why)
        return None
    if not _open(delivery).update(attempts=delivery.attempts + 1):
        raise _Elsewhere
    delivery.attempts += 1
    outcome = do()
    _note(delivery, outcome)
    return outcome


def _posting(delivery: Delivery) -> Callable[[], Outcome]:
    """What posts it, once it is known what there is to post. Raises Withheld."""
    try:
        return partial(_post, delivery, message(delivery))
    except Withheld:
        raise
    except Exception as failure:  # noqa: BLE001 one event that cannot be told must not stop the others
        _log.exception('event cannot be told', delivery=delivery.pk, exc_info=failure)
        return partial(Outcome, error=_named(failure))


def _post(delivery: Delivery, text: str) -> Outcome:
    """Ask the webhook."""
    hook: Webhook = delivery.webhook  # type: ignore[assignment] # whoever calls this has looked
    try:
        secret = unseal(hook.secret)
    except InvalidToken:
        return Outcome(error='secret')
    headers = {
        'Content-Type': 'application/json',
        'User-Agent': 'Backstay-Webhooks',
        'X-Delivery-Id': str(delivery.pk),
        'X-Attempt': str(delivery.attempts),
        **signed(secret, event_id(delivery.entry_id), text, timezone.now()),
    }
    outcome = post(hook.url, text, headers, policy())
    if secret in outcome.response:  # a receiver may show what it knows
        outcome = replace(outcome, response=outcome.response.replace(secret, '***'))
    _log.info(
        'webhook',
        webhook=hook.pk,
        delivery=delivery.pk,
        attempt=delivery.attempts,
        status=outcome.status,
        error=outcome.error,
        t=outcome.duration_ms,
    )
    return outcome


def _call(delivery: Delivery) -> Outcome:
    """Call the function."""
    started, error = monotonic(), ''
    try:
        function, _ = registered[delivery.target]
        function(Event.of(delivery.entry))
    except Exception as failure:  # noqa: BLE001 whatever it is, it is noted, and tried again
        error = _named(failure)
        _log.warning(
            'subscriber failed',
            subscriber=delivery.target,
            delivery=delivery.pk,
            attempt=delivery.attempts,
            exc_info=failure,
        )
    return Outcome(error=error, duration_ms=round((monotonic() - started) * 1000))


def _named(failure: Exception) -> str:
    return type(failure).__qualname__[:100]


def _open(delivery: Delivery) -> QuerySet[Delivery]:
    """The delivery, unless another worker has tried it meanwhile."""
    return Delivery.objects.filter(pk=delivery.pk, state=State.QUEUED, attempts=delivery.attempts)


def _note(delivery: Delivery, outcome: Outcome) -> None:
    """Store what became of a try, and what follows from that for the webhook."""
    fields = ('status', 'error', 'duration_ms', 'response')
    noted = {name: getattr(outcome, name) for name in fields}
    now = timezone.now()
    if outcome.is_done:
        state, times = State.DONE, {'delivered_at': now}
    elif delivery.attempts <= len(PAUSES):
        pause = timedelta(seconds=PAUSES[delivery.attempts - 1])
        state, times = State.QUEUED, {'next_at': now + pause}
    else:
        state, times = State.DEAD, {}
    with transaction.atomic():
        is_mine = _open(delivery).update(state=state, **noted, **times)
        if is_mine and delivery.webhook_id and state is not State.QUEUED:
            _count(delivery.webhook_id, is_dead=state is State.DEAD)


def _count(webhook_id: int, *, is_dead: bool) -> None:
    """Count the deliveries given up in a row; too many of them switch the webhook off."""
    webhooks = Webhook.objects.filter(pk=webhook_id)
    if not is_dead:
        webhooks.exclude(failures=0).update(failures=0)
        return
    webhooks.update(failures=F('failures') + 1)
    failing = webhooks.filter(active=True, failures__gte=MOST_FAILURES)
    if failing.update(active=False, disabled_at=timezone.now()):
        mail_disabled.enqueue(webhook_id)


@task
def mail_disabled(webhook_id: int) -> None:
    """Tell the owner of a webhook that it was switched off."""
    webhook = Webhook.objects.select_related('owner').filter(pk=webhook_id).first()
    address = webhook.owner.email if webhook else ''
    if webhook and address:
        send_mail(
            f'Your webhook "{webhook}" was switched off',
            f'{MOST_FAILURES} events in a row could not be delivered to your webhook "{webhook}" '
            f'(number {webhook.pk}), so nothing more is sent there.\n\n'
            'What was queued is kept. Once the receiver answers again, switch the webhook on: it '
            'gets what was queued, and you can have what was given up delivered again.\n',
            None,
            [address],
        )


def redeliver(deliveries: QuerySet[Delivery]) -> list[Delivery]:
    """Queue those of these anew that were delivered or given up, with all their tries; which."""
    with transaction.atomic():
        chosen = deliveries.filter(state__in=(State.DONE, State.DEAD))
        found = list(chosen.order_by('pk').select_for_update(of=('self',)))
        Delivery.objects.filter(pk__in=[each.pk for each in found]).update(
            state=State.QUEUED, attempts=0, next_at=timezone.now()
        )
        for target in {each.target: None for each in found}:
            deliver.using(key=target).enqueue(target)
    return found

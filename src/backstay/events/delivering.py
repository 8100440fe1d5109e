"""Deliver to one target what is queued for it, in order, until it has it or a delivery is given up.

One task runs for each target at a time. It takes the first queued delivery of each object; while
that one is not at its end, the later ones of the object wait. Those of different objects are posted
side by side, from threads that touch no database. Nothing is locked and no transaction is open
while a receiver is asked. A try is counted before it begins: a worker that dies before it noted a
success tries again, with the same id of the event.
"""

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from time import monotonic
from typing import Any

import structlog
from cryptography.fernet import InvalidToken
from django.core.mail import send_mail
from django.db import IntegrityError, transaction
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone

from backstay.events.addresses import policy
from backstay.events.declaration import Event, event_id, registered
from backstay.events.messages import Withheld, message
from backstay.events.models import Delivery, State, Webhook
from backstay.events.secrets import signed
from backstay.events.sending import Outcome, post
from backstay.tasks import task

_log: structlog.stdlib.BoundLogger = structlog.get_logger('events')

#: Seconds after the first failed try, the second, and so on.
PAUSES = (10, 60, 300, 1800, 3600, 7200, 14400, 28800, 43200)
#: Deliveries given up in a row after which a webhook is switched off.
MAX_FAILURES = 50
#: Objects of one target whose deliveries are posted at once, while its receiver takes them.
SIDE_BY_SIDE = 8
#: Seconds that one run takes, give or take one try; then other tasks have their turn.
_TURN = 10.0
#: So many failures in a row let a receiver rest: none is asked hundreds of times while it is down.
_TIRED, _REST = 3, timedelta(seconds=10)
#: How often queueing anew may collide with others that queue something of the same object.
_MAX_COLLISIONS = 3
#: Seconds between the tries of a run itself, which fails with the database or with its worker. It
#: never gives up: a target whose run is a dead letter would wait for the next event.
_PATIENCE = (1, 5, 15, *[60] * 300)


class _Elsewhere(Exception):
    """Another worker tries the same delivery: the lease of this run ended, and it has to stop."""


class _Here(Executor):
    """Calls functions at once, in the thread and on the connection of the run itself."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@task(priority=-10, backoff=_PATIENCE)
def deliver(target: str, until: str = '') -> int:
    """Deliver what is due for a target; return the number of tries.

    It enqueues itself for what is left, and for the next try of what failed. `until` is the moment
    for which it was enqueued: what is due then counts, whatever this machine's clock says.
    """
    moment = max(timezone.now(), datetime.fromisoformat(until)) if until else timezone.now()
    pool = _Here() if target in registered else ThreadPoolExecutor(SIDE_BY_SIDE)
    with pool:
        run = _Run(target, moment, pool)
        try:
            run.until_turn_ends()
        except _Elsewhere:
            run.note(run.under_way)
            return run.tries
    _come_again(target, _REST if run.is_tired else timedelta())
    return run.tries


class _Run:
    """One turn of a target.

    It starts with one delivery at a time and doubles that while the receiver takes them; a failure
    brings it back to one, so that a receiver that is down is asked no more often than needed.
    """

    def __init__(self, target: str, moment: datetime, pool: Executor) -> None:
        self.under_way: dict[Future[Outcome], Delivery] = {}
        self.tries = 0
        self._due = Delivery.heads(target).filter(next_at__lte=moment)
        self._pool = pool
        self._width = 1
        self._failures = 0
        self._ends = monotonic() + _TURN

    @property
    def is_tired(self) -> bool:
        """Whether so many tries in a row failed that the receiver is to rest."""
        return self._failures >= _TIRED

    def until_turn_ends(self) -> None:
        """Try what is due until nothing is left, the time is up, or the receiver is to rest."""
        while True:
            has_begun = monotonic() < self._ends and not self.is_tired and self._begin()
            if self.under_way:
                self.note(wait(self.under_way, return_when=FIRST_COMPLETED).done)
            elif not has_begun:
                return

    def _begin(self) -> bool:
        """Begin the tries that there is room for; return whether any delivery was looked at."""
        room = self._width - len(self.under_way)
        trying = [delivery.pk for delivery in self.under_way.values()]
        heads = self._due.select_related('entry', 'webhook').exclude(pk__in=trying)
        found = list(heads[:room]) if room > 0 else []
        for delivery in found:
            if delivery.webhook and not delivery.webhook.is_on:
                return False
            do = _prepared(delivery)
            if do is not None:
                self.under_way[self._pool.submit(do)] = delivery
        return bool(found)

    def note(self, ended: Iterable[Future[Outcome]]) -> None:
        """Store what became of these tries."""
        for future in list(ended):
            outcome = future.result()
            _note(self.under_way.pop(future), outcome)
            self.tries += 1
            self._failures = 0 if outcome.is_done else self._failures + 1
            self._width = min(2 * self._width, SIDE_BY_SIDE) if outcome.is_done else 1


def _come_again(target: str, rest: timedelta) -> None:
    """Enqueue the run for what is queued; what waits for a webhook that is off is left alone."""
    head = Delivery.heads(target).select_related('webhook').first()
    if head is None or head.next_at is None or (head.webhook and not head.webhook.is_on):
        return
    now = timezone.now()
    moment = max(head.next_at, now + rest)
    if moment <= now:
        deliver.using(key=target).enqueue(target)
    else:
        deliver.using(key=target, run_after=moment).enqueue(target, moment.isoformat())


def _prepared(delivery: Delivery) -> Callable[[], Outcome] | None:
    """Count a try and return what does it; None where nothing is told. Raises _Elsewhere."""
    last = delivery.last_sequence() if delivery.sequence is None else delivery.sequence - 1
    try:
        text = message(delivery, last + 1) if delivery.webhook else ''
        failed = None
    except Withheld as withheld:
        # Whoever is not told of it does not see from a gap that there was something.
        kept = last if delivery.sequence is None else delivery.sequence
        _end(delivery, state=State.WITHHELD, error=withheld.why, sequence=kept)
        return None
    except Exception as failure:  # noqa: BLE001 one event that cannot be told must not stop the others
        _log.exception('event cannot be told', delivery=delivery.pk, exc_info=failure)
        failed = Outcome(error=_named(failure))
    if not _open(delivery).update(attempts=delivery.attempts + 1, sequence=last + 1):
        raise _Elsewhere
    delivery.attempts += 1
    if failed is not None:
        return lambda: failed
    return (
        _posting(delivery, delivery.webhook, text) if delivery.webhook else partial(_call, delivery)
    )


def _posting(delivery: Delivery, hook: Webhook, text: str) -> Callable[[], Outcome]:
    """Return what asks the webhook; it needs no database, so any thread may call it."""
    now = timezone.now()
    try:
        secrets = hook.signing_secrets(now)
    except InvalidToken:
        return partial(Outcome, error='secret')
    headers = {
        'Content-Type': 'application/json',
        'User-Agent': 'Backstay-Webhooks',
        'X-Delivery-Id': str(delivery.pk),
        'X-Attempt': str(delivery.attempts),
        **signed(secrets, event_id(delivery.entry_id), text, now),
    }
    url, allowed = hook.url, policy()

    def ask() -> Outcome:
        outcome = post(url, text, headers, allowed)
        response = outcome.response
        for secret in secrets:  # a receiver may show what it knows
            response = response.replace(secret, '***')
        return replace(outcome, response=response)

    return ask


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
    if delivery.webhook_id:
        _log.info(
            'webhook',
            webhook=delivery.webhook_id,
            delivery=delivery.pk,
            attempt=delivery.attempts,
            status=outcome.status,
            error=outcome.error,
            t=outcome.duration_ms,
        )
    fields = ('status', 'error', 'duration_ms', 'response')
    noted: dict[str, Any] = {name: getattr(outcome, name) for name in fields}
    now = timezone.now()
    if outcome.is_done:
        _end(delivery, state=State.DONE, delivered_at=now, **noted)
    elif delivery.attempts > len(PAUSES):
        _end(delivery, state=State.DEAD, **noted)
    else:
        moment = now + timedelta(seconds=PAUSES[delivery.attempts - 1])
        # It stays null where an earlier one was queued anew meanwhile: that one is first.
        next_at = Case(When(next_at__isnull=False, then=Value(moment)))
        _open(delivery).update(next_at=next_at, **noted)


def _end(delivery: Delivery, *, state: State, **values: Any) -> None:
    """Bring the delivery to its end, and have the next one of its object follow."""
    with transaction.atomic():
        is_mine = _open(delivery).update(state=state, next_at=None, **values)
        if not is_mine:
            return
        delivery.let_next_one_lead()
        if delivery.webhook_id and state is not State.WITHHELD:
            _count(delivery.webhook_id, is_dead=state is State.DEAD)


def _count(webhook_id: int, *, is_dead: bool) -> None:
    """Count the deliveries given up in a row; too many of them switch the webhook off."""
    webhooks = Webhook.objects.filter(pk=webhook_id)
    if not is_dead:
        webhooks.exclude(failures=0).update(failures=0)
        return
    webhooks.update(failures=F('failures') + 1)
    failing = webhooks.filter(active=True, failures__gte=MAX_FAILURES)
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
            f'{MAX_FAILURES} events in a row could not be delivered to your webhook "{webhook}" '
            f'(number {webhook.pk}), so nothing more is sent there.\n\n'
            'What was queued is kept. Once the receiver answers again, switch the webhook on: it '
            'gets what was queued, and you can have what was given up delivered again.\n',
            None,
            [address],
        )


def redeliver(deliveries: QuerySet[Delivery]) -> list[Delivery]:
    """Queue those of these anew that were delivered or given up, with all their tries.

    Return them. Each comes before what is queued of its object already.
    """
    for _ in range(_MAX_COLLISIONS):
        try:
            with transaction.atomic():
                return _queue_anew(deliveries)
        except IntegrityError:  # something of the same object was queued at this very moment
            continue
    with transaction.atomic():
        return _queue_anew(deliveries)


def _queue_anew(deliveries: QuerySet[Delivery]) -> list[Delivery]:
    chosen = deliveries.filter(state__in=(State.DONE, State.DEAD))
    found = list(chosen.order_by('pk').select_for_update(of=('self',)))
    again = Delivery.objects.filter(pk__in=[each.pk for each in found])
    again.update(state=State.QUEUED, attempts=0)
    first = {(each.target, each.subject): each for each in reversed(found)}
    for each in first.values():
        later = Q(target=each.target, subject=each.subject, pk__gt=each.pk)
        Delivery.heads().filter(later).update(next_at=None)
        if not Delivery.heads().filter(target=each.target, subject=each.subject).exists():
            Delivery.objects.filter(pk=each.pk).update(next_at=timezone.now())
    for target in {each.target: None for each in found}:
        deliver.using(key=target).enqueue(target)
    return found

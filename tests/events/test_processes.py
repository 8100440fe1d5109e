"""Relays and deliveries of several workers, of workers that are killed, and what they hold open.

Each run of the suite kills one worker. `make prove` kills 200 with 8 000 entries, delivers the rest
to the end, and says how long both took.
"""

import signal
import time
from collections.abc import Callable
from threading import Thread
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from backstay.caller import Caller
from backstay.events.delivering import deliver
from backstay.events.models import Delivery, State, Webhook
from backstay.events.relaying import relay, relay_batch, relay_soon
from backstay.journal.models import Entry
from backstay.journal.recording import Step, record
from tests.events.conftest import Received, Receiver, account, make_hook, states
from tests.lending.models import Branch, Stamp
from tests.proofs import record_proof, size
from tests.tasks.conftest import StartWorker, wait_for

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = size(1, 200)
CLERK = Caller(kind='command', name='clerk')


@pytest.fixture
def hook(shared_database: str, receiver: Receiver) -> Webhook:
    return make_hook(account('owner', 4), receiver.url)


def change(code: str, verb: str = 'update') -> None:
    """One step of a stamp, written as a write does: with its row locked."""
    step = Step(
        verb=verb,
        aggregate='lending.stamp',
        resource='Stamp',
        object_id=code,
        before={'label': ''},
        pending=True,
    )
    with transaction.atomic():
        Stamp.objects.select_for_update().get(pk=code)
        record(CLERK, [step])


def in_threads(*functions: Callable[[], None]) -> None:
    """Run them at once, up to four, which share the pool; what one raises fails the test."""
    connections.close_all()  # that of the test itself
    failures: list[BaseException] = []

    def run(function: Callable[[], None]) -> None:
        try:
            function()
        except BaseException as error:  # noqa: BLE001 it is raised below
            failures.append(error)
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=(each,)) for each in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def test_relays_at_once_lose_nothing_tell_nothing_twice_and_keep_the_order(
    hook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('backstay.events.relaying.BATCH', 5)  # so that they are often in the way
    codes = [f's{number}' for number in range(4)]
    Stamp.objects.bulk_create(Stamp(code=code, label='x') for code in codes)
    writing = [True, True]

    def write() -> None:
        for number in range(40):
            change(codes[number % len(codes)])

    def write_all() -> None:
        try:
            write()
        finally:
            writing.pop()

    def relay_all() -> None:
        while writing or Entry.objects.filter(pending=True).exists():
            relay_batch()

    in_threads(write_all, write_all, relay_all, relay_all)
    for code in codes:
        told = Delivery.objects.filter(subject=f'lending.stamp:{code}').order_by('pk')
        assert [*told.values_list('entry__sequence', flat=True)] == [*range(1, 21)]


def test_no_transaction_is_open_while_a_receiver_is_asked(
    hook: Webhook, receiver: Receiver
) -> None:
    Stamp.objects.create(code='a', label='A')
    change('a', 'create')
    relay.func()
    found: list[Any] = []

    def look(_: Received) -> int:
        Branch.objects.create(name='written meanwhile')  # SQLite takes one writer
        if connection.vendor == 'postgresql':
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%%'"
                    ' AND datname = current_database()'
                )
                found.extend(cursor.fetchone())
        connections.close_all()
        return 200

    receiver.answer = look
    deliver.func(hook.target)
    assert states() == [State.DONE]
    assert (Branch.objects.count(), sum(found)) == (1, 0)


def test_killed_workers_lose_no_event_and_keep_the_order(
    hook: Webhook,
    receiver: Receiver,
    start_worker: StartWorker,
    settings: Any,
    request: pytest.FixtureRequest,
) -> None:
    def slowly(_: Received) -> int:
        time.sleep(0.01)
        return 200

    receiver.answer = slowly
    codes = [f's{number}' for number in range(5)]
    Stamp.objects.bulk_create(Stamp(code=code, label='x') for code in codes)

    def begin(*options: str) -> Any:
        return start_worker(
            '--lease',
            '1',
            *options,
            DJANGO_SETTINGS_MODULE='tests.events.settings',
            SECRET_KEY=str(settings.SECRET_KEY),
            BACKSTAY_WEBHOOK_ALLOW_PRIVATE='1',
        )

    per_round, started = 8, time.monotonic()
    for round_number in range(ROUNDS):
        for _ in range(per_round):
            for code in codes:
                change(code)
        with transaction.atomic():
            Entry.objects.create(
                actor='x', verb='update', aggregate='lending.stamp', resource='Stamp',
                object_id='never', sequence=1, pending=True,
            )  # fmt: skip
            transaction.set_rollback(True)
        relay_soon('default')  # as every write does
        before = len(receiver.got)
        worker = begin()
        enough = before + 3 * (1 + round_number % per_round)  # some are left to the next
        wait_for(lambda enough=enough: len(receiver.got) > enough)
        assert worker.stop(signal.SIGKILL) == -signal.SIGKILL
    assert Delivery.objects.exclude(state=State.DONE).exists() or Entry.objects.filter(pending=True)

    # What a worker was killed over rests like what failed; there have been enough of both.
    Delivery.heads().update(next_at=timezone.now())
    deliver.using(key=hook.target).enqueue(hook.target)
    left = (
        Delivery.objects.exclude(state=State.DONE).count()
        + Entry.objects.filter(pending=True).count()
    )
    killing, started = time.monotonic() - started, time.monotonic()
    last = begin()
    total = ROUNDS * per_round * len(codes)
    wait_for(lambda: Delivery.objects.filter(state=State.DONE).count() == total, 30 + 2 * ROUNDS)
    ending = time.monotonic() - started
    record_proof(
        request,
        f'{ROUNDS} kills in {killing:.0f} s with {total} entries; then {left} deliveries to the end'
        f' in {ending:.0f} s',
    )
    last.stop()
    arrived = {code: [*dict.fromkeys(seen)] for code, seen in receiver.sequences.items()}
    assert arrived == {code: [*range(1, ROUNDS * per_round + 1)] for code in codes}
    ids = {(each.body['aggregate']['id'], each.body['aggregate']['seq']): each.headers['webhook-id']
           for each in receiver.got}  # fmt: skip
    assert len({*ids.values()}) == total
    assert 'whsec_' not in last.log.read_text()

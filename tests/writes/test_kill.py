"""`kill -9` of the server while clients write, and what is there when it has come back.

Each run of the suite has two rounds, `make prove` two hundred. In each round four clients write
with Idempotency-Keys, the server is killed at a random moment and started again, and each request
without an answer is repeated.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.db import connection
from django.utils import timezone

from backstay.journal.models import Entry
from backstay.resources.models import IdempotencyKey
from tests.lending.models import Branch, Item, Mark, Note
from tests.proofs import record_proof, size
from tests.tasks.conftest import shared_database  # noqa: F401 a fixture
from tests.writes.killing import CLIENTS, HEADERS, Sent, Server, Writer, write_until_killed
from tests.writes.replaying import assert_gapless, differences

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = size(2, 200)
#: Each kill comes after at most so many requests, and so many seconds.
MOST, WITHIN = 40, 0.05


@pytest.fixture
def server(
    shared_database: str,  # noqa: F811
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> Iterator[Server]:
    caplog.set_level('WARNING', 'httpx')
    server = Server(shared_database, tmp_path / 'server.txt')
    yield server
    server.kill()


def test_nothing_acknowledged_is_lost_and_nothing_is_done_twice(
    server: Server, request: pytest.FixtureRequest
) -> None:
    random, counts = Random(), Counter[str]()
    for number in range(ROUNDS):
        branch = Branch.objects.create(name=f'Branch {number}')
        writers = [_writer(server, branch, f'{number}-{at}') for at in range(CLIENTS)]
        write_until_killed(server, writers, random.randint(1, MOST), random.random() * WITHIN)
        server.start()
        with httpx.Client(base_url=server.url, timeout=30) as client:
            for sent in (sent for writer in writers for sent in writer.sent):
                counts['requests'] += 1
                if sent.answer is None:
                    counts[_repeat(client, sent)] += 1
                else:
                    counts['acknowledged'] += 1
            _assert_all_is_there_once(writers)
            _assert_answers_are_kept(client, writers, random)
        _assert_all_is_there_once(writers)
        _forget(branch)
    told = ', '.join(f'{what}: {n}' for what, n in counts.items())
    record_proof(request, f'{ROUNDS} kills of a server; {told}')
    if ROUNDS >= 50:  # enough for every way to die
        assert counts['done before the kill']
        assert counts['in progress until its lease ended']


def _writer(server: Server, branch: Branch, name: str) -> Writer:
    body = {'branch_id': branch.pk, 'code': f'counter-{name}', 'title': 'Counter'}
    made = httpx.post(f'{server.url}/items/', json=body, headers=HEADERS)
    assert made.status_code == 201, made.text
    return Writer(name, branch.pk, made.json()['id'])


def _repeat(client: httpx.Client, request: Sent) -> str:
    """Send again what was not answered; what had become of it."""
    answer = request.send(client)
    what = 'done before the kill' if _is_replayed(answer) else 'not begun'
    if answer.status_code == 409:
        assert answer.json()['code'] == 'idempotency-in-progress', answer.text
        what = 'in progress until its lease ended'
        assert not Item.objects.filter(code__in=request.codes).exists()
        under_way = IdempotencyKey.objects.filter(status=None)
        assert under_way.update(leased_until=timezone.now() - timedelta(seconds=1)) >= 1
        answer = request.send(client)
        assert not _is_replayed(answer)
    assert answer.status_code < 300, answer.text
    request.answer = answer
    return what


def _keys(answer: httpx.Response) -> tuple[Any, ...]:
    """The rows of an answer by their keys, and where a new one is."""
    told = answer.json() if answer.content else {}
    rows = told.get('results', [told])
    return (urlsplit(answer.headers.get('Location', '')).path, [row.get('id') for row in rows])


def _is_replayed(answer: httpx.Response) -> bool:
    return answer.headers.get('Idempotency-Replayed') == 'true'


def _assert_all_is_there_once(writers: list[Writer]) -> None:
    for writer in writers:
        for request in writer.sent:
            assert request.answer is not None
            assert request.answer.status_code < 300, request.answer.text
        codes = {code for request in writer.sent for code in request.codes}
        items = Item.objects.filter(branch_id=writer.branch, code__startswith=f'{writer.name}-')
        assert {*items.values_list('code', flat=True)} == codes
        assert set(items.values_list('version', flat=True)) <= {1}
        notes = Note.objects.filter(item__in=items)
        assert notes.count() == 2 * len(codes)
        assert Mark.objects.filter(note__in=notes).count() == 2 * len(codes)
        steps = sum(request.steps for request in writer.sent)
        assert Item.objects.get(pk=writer.counter).version == 1 + steps
        assert Note.objects.filter(item_id=writer.counter).count() == (1 if steps else 0)
    sent = sum(len(writer.sent) for writer in writers)
    assert IdempotencyKey.objects.exclude(status=None).count() == sent
    assert not IdempotencyKey.objects.filter(status=None).exists()
    # No row without its entries, and no entry without its row.
    items = Item.objects.count() + sum(request.steps for w in writers for request in w.sent)
    assert Entry.objects.filter(aggregate='lending.item').count() == items
    for model in (Note, Mark):
        made = Entry.objects.filter(aggregate=model._meta.label_lower, verb='create')
        gone = Entry.objects.filter(aggregate=model._meta.label_lower, verb='delete')
        assert made.count() - gone.count() == model.objects.count()
    assert_gapless()
    assert differences() == []
    connection.check_constraints()


def _assert_answers_are_kept(client: httpx.Client, writers: list[Writer], random: Random) -> None:
    """Whatever was answered, before or after the kill, is answered again.

    A row is shown as it is by now, by the server that runs now.
    """
    every = [request for writer in writers for request in writer.sent]
    last = [writer.sent[-1] for writer in writers if writer.sent]
    for request in [*last, *random.sample(every, min(len(every), 10))]:
        again: Any = request.send(client)
        first: Any = request.answer
        assert (again.status_code, _keys(again)) == (first.status_code, _keys(first))
        assert _is_replayed(again)


def _forget(branch: Branch) -> None:
    """Take away what a round has written, so that two hundred are as quick as the first."""
    Entry.objects.all().delete()
    IdempotencyKey.objects.all().delete()
    branch.delete()

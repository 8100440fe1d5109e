"""Writers in each other's way, on connections of their own: PostgreSQL, and SQLite in a file.

Every statement waits for a moment, so that those of the writers come in an order of their own each
time. `PROVE=1` races ten times as often; `-s` prints what was answered how often.
"""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from random import Random
from typing import Any

import pytest
from django.db import connection, connections, transaction
from django.http import HttpResponse
from django.utils import timezone

from backstay.caller import Caller
from backstay.journal.models import Entry
from backstay.resources import Hooks
from backstay.resources.models import IdempotencyKey
from tests.depot.models import Warehouse
from tests.lending.models import Branch, Item, Keyword, Loan, Note, Stamp
from tests.lending.resources import ItemResource
from tests.proofs import size
from tests.rights.site import MADE
from tests.tasks.conftest import shared_database  # noqa: F401 a fixture
from tests.writes.conftest import Ask
from tests.writes.replaying import assert_gapless, differences

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = size(3, 30)
WRITERS = 6
COUNTS: Counter[tuple[str, int]] = Counter()
Request = Callable[[], HttpResponse]
Run = Callable[..., list[HttpResponse]]

Rounds = Iterator[int]
only_many_writers = pytest.mark.skipif(
    connection.vendor == 'sqlite', reason='SQLite has one writer at a time: none overtakes another'
)


@pytest.fixture(autouse=True)
def _connections(shared_database: str) -> Iterator[None]:  # noqa: F811
    """Let every writer have a connection."""
    options = connections.settings['default']['OPTIONS']
    usual = options.get('pool')
    if usual:
        _leave_pool()
        options['pool'] = usual | {'max_size': WRITERS + 2}
    yield
    if usual:
        _leave_pool()
        options['pool'] = usual


@pytest.fixture
def rounds(_connections: None) -> Rounds:
    """Numbers of rounds; after each, what was written is examined and taken away."""

    def each() -> Iterator[int]:
        for number in range(ROUNDS):
            yield number
            assert_sound()
            for model in (Entry, IdempotencyKey, Loan, Note, Item, Keyword, Stamp):
                model.objects.all().delete()

    return each()


def _leave_pool() -> None:
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]


@pytest.fixture
def race(request: pytest.FixtureRequest) -> Run:
    """Sends requests at once, or so many seconds apart; their answers, in the same order.

    None may be a 5xx, but a 503 `busy` where that is allowed.
    """
    kind = request.node.originalname

    def race(
        requests: Sequence[Request], *, apart: float = 0, may_be_busy: bool = False
    ) -> list[HttpResponse]:
        start = threading.Barrier(len(requests))
        answers: list[Any] = [None] * len(requests)

        def run(at: int) -> None:
            random = Random()
            try:
                with connection.execute_wrapper(_dawdling(random)):
                    start.wait(10)
                    time.sleep(random.random() * apart)
                    answers[at] = requests[at]()
            except Exception as error:  # noqa: BLE001 raised below, in the test's own thread
                answers[at] = error
            finally:
                connections.close_all()

        threads = [threading.Thread(target=run, args=(at,)) for at in range(len(requests))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
            COUNTS[kind, answer.status_code] += 1
            is_busy = answer.status_code == 503 and answer.json()['code'] == 'busy'
            assert answer.status_code < 500 or (may_be_busy and is_busy), answer.content
        return answers

    return race


@pytest.fixture(scope='module', autouse=True)
def _tell() -> Iterator[None]:
    yield
    told = ', '.join(f'{kind} {status}: {n}' for (kind, status), n in sorted(COUNTS.items()))
    print(f'\n{sum(COUNTS.values())} requests in races: {told}')  # noqa: T201 for pytest -s


def _dawdling(random: Random) -> Any:
    def wait(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        time.sleep(random.random() * 0.004)
        return execute(sql, params, many, context)

    return wait


def statuses(answers: Sequence[HttpResponse]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


def assert_sound() -> None:
    """What holds whoever won: nothing is half there, and the journal tells of all of it."""
    connection.check_constraints()
    assert_gapless()
    assert differences() == []
    told = Counter(
        Entry.objects.filter(aggregate='lending.item').values_list('object_id', flat=True)
    )
    for key, version in Item.objects.values_list('pk', 'version'):
        assert version == told[str(key)]


def make(ask: Ask, branch: Branch, code: str = 'atlas', **more: Any) -> int:
    body = {'branch_id': branch.pk, 'code': code, 'title': 'Atlas', **more}
    answer = ask('manager', 'post', '/items/', body)
    assert answer.status_code == 201, answer.content
    return int(answer.json()['id'])


numbers = itertools.count()


def bulk(ask: Ask, prefix: str, operations: Sequence[Any], **more: Any) -> Request:
    body = {'operations': operations, **more}
    key = f'race-{next(numbers)}'
    return partial(ask, 'manager', 'post', f'/{prefix}/bulk/', body, HTTP_IDEMPOTENCY_KEY=key)


@only_many_writers
class TestARowOfSeveralTables:
    """Who writes a row through its parent's resource locks what the child's resource writes."""

    def test_is_changed_by_one_of_its_writers(self, race: Run, ask: Ask, settings: Any) -> None:
        settings.ROOT_URLCONF = 'tests.depot.site'
        MADE['mayor'] = Caller(kind='account', account_id=77, name='mayor', level=4)
        for _ in range(ROUNDS):
            house = Warehouse.objects.create(name='old')
            paths = [f'/warehouses/{house.pk}/', f'/buildings/{house.pk}/']
            for version in (1, 2, 3):
                patch = partial(ask, 'mayor', 'patch', HTTP_IF_MATCH=f'"{version}"')
                asked = [
                    partial(patch, paths[at % 2], {'name': f'{version}-{at}'})
                    for at in range(WRITERS)
                ]
                # On SQLite each transaction locks all, and on a busy machine one may wait too long.
                found = statuses(race(asked, may_be_busy=True))
                assert [each for each in found if each != 503] == [
                    200,
                    *[412] * (WRITERS - 1 - found.count(503)),
                ]
            house.refresh_from_db()
            assert house.version == 4
            assert_gapless()
        del MADE['mayor']


class TestOneVersion:
    def test_is_changed_by_one_of_its_writers(
        self, race: Run, ask: Ask, north: Branch, rounds: Rounds
    ) -> None:
        for _ in rounds:
            path = f'/items/{make(ask, north)}/'
            for version in (1, 2, 3):
                bodies = [{'title': f'T{version}', 'pages': at + 1} for at in range(WRITERS)]
                patch = partial(ask, 'manager', 'patch', path, HTTP_IF_MATCH=f'"{version}"')
                answers = race([partial(patch, body) for body in bodies])
                assert statuses(answers) == [200] + [412] * (WRITERS - 1)
                (won,) = [at for at, answer in enumerate(answers) if answer.status_code == 200]
                assert Item.objects.get().pages == won + 1
                refused = next(answer for answer in answers if answer.status_code == 412)
                assert refused.json()['current_version'] == version + 1
            assert Item.objects.get().version == 4

    def test_of_a_row_that_has_none_is_what_it_shows(
        self, race: Run, ask: Ask, north: Branch, rounds: Rounds
    ) -> None:
        for _ in rounds:
            loan = Loan.objects.create(item_id=make(ask, north), reader='Ada')
            path = f'/loans/{loan.pk}/'
            tag = ask('helper', 'get', path)['ETag']
            answers = race(
                [
                    partial(ask, 'helper', 'patch', path, {'reader': f'R{at}'}, HTTP_IF_MATCH=tag)
                    for at in range(WRITERS)
                ]
            )
            assert statuses(answers) == [200] + [412] * (WRITERS - 1)
            assert Entry.objects.filter(aggregate='lending.loan').count() == 1

    def test_counts_every_change_where_none_is_meant(
        self, race: Run, ask: Ask, north: Branch, rounds: Rounds
    ) -> None:
        for _ in rounds:
            path = f'/items/{make(ask, north)}/'
            patches = [
                partial(
                    ask, 'manager', 'patch', path, {'title': f'T{at}', 'notes': [{'text': 'n'}]}
                )
                for at in range(WRITERS)
            ]
            assert statuses(race(patches)) == [200] * WRITERS
            assert Item.objects.get().version == WRITERS + 1
            assert Note.objects.count() == 1

    def test_in_bulk_refuses_the_whole_or_the_one(
        self, race: Run, ask: Ask, north: Branch, rounds: Rounds
    ) -> None:
        for _ in rounds:
            keys = [make(ask, north, code) for code in 'ab']
            requests = [
                bulk(
                    ask,
                    'items',
                    [
                        {'op': 'update', 'id': key, 'body': {'pages': at + 1}, 'if_version': 1}
                        for key in (keys if at % 2 else keys[::-1])
                    ],
                )
                for at in range(WRITERS)
            ]
            assert statuses(race(requests)) == [200] + [412] * (WRITERS - 1)
            assert len({item.pages for item in Item.objects.all()}) == 1


class TestOneKey:
    def test_is_given_to_one_new_row(
        self, race: Run, ask: Ask, north: Branch, rounds: Rounds
    ) -> None:
        for _ in rounds:
            body = {'branch_id': north.pk, 'code': 'atlas', 'title': 'T', 'notes': [{'text': 'n'}]}
            answers = race([partial(ask, 'manager', 'post', '/items/', body)] * WRITERS)
            assert statuses(answers) == [201] + [409] * (WRITERS - 1)
            told = {answer.json()['code'] for answer in answers if answer.status_code == 409}
            assert told == {'duplicate'}
            assert (Item.objects.count(), Note.objects.count()) == (1, 1)

    def test_that_clients_give_is_given_to_one_and_then_to_another(
        self, race: Run, ask: Ask, people: Any, rounds: Rounds
    ) -> None:
        for _ in rounds:
            body = {'code': 'a', 'label': 'L'}
            for _ in range(2):
                answers = race([partial(ask, 'stranger', 'post', '/stamps/', body)] * WRITERS)
                assert statuses(answers) == [201] + [409] * (WRITERS - 1)
                answers = race([partial(ask, 'stranger', 'delete', '/stamps/a/')] * WRITERS)
                assert statuses(answers) == [204] + [404] * (WRITERS - 1)
            assert Entry.objects.filter(aggregate='lending.stamp').count() == 4

    @pytest.mark.parametrize('atomic', [True, False])
    def test_is_upserted_into_one_row(
        self, race: Run, ask: Ask, north: Branch, rounds: Rounds, atomic: bool
    ) -> None:
        for _ in rounds:
            for prefix, body in (
                ('items', {'branch_id': north.pk, 'title': 'T'}),
                ('stamps', {'label': 'L'}),
            ):
                changed = 'pages' if prefix == 'items' else 'amount'
                requests = [
                    bulk(
                        ask,
                        prefix,
                        [{'op': 'upsert', 'key': 'a', 'body': {**body, changed: at + 1}}],
                        atomic=atomic,
                    )
                    for at in range(WRITERS)
                ]
                answers = race(requests)
                assert statuses(answers) == [200] * WRITERS, [each.content for each in answers]
                told = sorted(answer.json()['results'][0]['status'] for answer in answers)
                assert told == [200] * (WRITERS - 1) + [201], [each.content for each in answers]
            assert (Item.objects.get().version, Stamp.objects.count()) == (WRITERS, 1)

    def test_comes_and_goes(self, race: Run, ask: Ask, people: Any, rounds: Rounds) -> None:
        for _ in rounds:
            body = {'label': 'L', 'amount': 1}
            requests: list[Request] = [
                *(
                    bulk(
                        ask, 'stamps', [{'op': 'upsert', 'key': 'a', 'body': body | {'amount': at}}]
                    )
                    for at in range(2)
                ),
                *[partial(ask, 'stranger', 'delete', '/stamps/a/')] * 2,
                *[partial(ask, 'stranger', 'post', '/stamps/', body | {'code': 'a'})] * 2,
            ]
            answers = race(requests, apart=0.05)
            assert {*statuses(answers)} <= {200, 201, 204, 404, 409}


class TestOneIdempotencyKey:
    @pytest.mark.parametrize('path', ['/items/', '/items/bulk/'])
    def test_has_one_effect(
        self, race: Run, ask: Ask, north: Branch, rounds: Rounds, path: str
    ) -> None:
        for _ in rounds:
            body: Any = {'branch_id': north.pk, 'code': 'atlas', 'title': 'Atlas'}
            body = [body] if 'bulk' in path else body

            post = partial(ask, 'manager', 'post', path, body, HTTP_IDEMPOTENCY_KEY='key')
            answers = race([post] * WRITERS)
            done = [answer for answer in answers if answer.status_code != 409]
            assert {answer.status_code for answer in done} == {200 if 'bulk' in path else 201}
            assert len({answer.content for answer in done}) == 1
            assert sum('Idempotency-Replayed' not in answer for answer in done) == 1
            waiting = [answer.json()['code'] for answer in answers if answer.status_code == 409]
            assert {*waiting} <= {'idempotency-in-progress'}
            again = post()
            assert (again.content, again['Idempotency-Replayed']) == (done[0].content, 'true')
            assert (Item.objects.count(), Entry.objects.count()) == (1, 1)

    def test_that_is_refused_is_refused_to_all(
        self, race: Run, ask: Ask, north: Branch, rounds: Rounds
    ) -> None:
        for _ in rounds:
            make(ask, north)
            body = {'branch_id': north.pk, 'code': 'atlas', 'title': 'Second'}
            post = partial(ask, 'manager', 'post', '/items/', body, HTTP_IDEMPOTENCY_KEY='key')
            answers = race([post] * WRITERS)
            codes = {answer.json()['code'] for answer in answers}
            assert 'duplicate' in codes
            assert codes <= {'duplicate', 'idempotency-in-progress'}
            assert post()['Idempotency-Replayed'] == 'true'
            assert Entry.objects.count() == 1

    def test_whose_request_fails_after_its_commit_keeps_the_answer(
        self, ask: Ask, north: Branch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail_later(*_: Any) -> None:
            transaction.on_commit(lambda: 1 / 0)

        body = {'branch_id': north.pk, 'code': 'atlas', 'title': 'Atlas'}
        with monkeypatch.context() as patched:
            patched.setattr(ItemResource, 'hooks', Hooks(after=(fail_later,)))
            with pytest.raises(ZeroDivisionError):
                ask('manager', 'post', '/items/', body, HTTP_IDEMPOTENCY_KEY='key')
        answer = ask('manager', 'post', '/items/', body, HTTP_IDEMPOTENCY_KEY='key')
        assert (answer.status_code, answer['Idempotency-Replayed']) == (201, 'true')
        assert Item.objects.count() == 1

    @only_many_writers
    def test_whose_lease_is_over_is_taken_and_the_late_one_writes_nothing(
        self, ask: Ask, north: Branch, race: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        is_slow, may_go = threading.Event(), threading.Event()

        def wait_once(*_: Any) -> None:
            if not is_slow.is_set():
                is_slow.set()
                assert may_go.wait(10)

        monkeypatch.setattr(ItemResource, 'hooks', Hooks(before=(wait_once,)))
        body = {'branch_id': north.pk, 'code': 'atlas', 'title': 'Atlas'}
        post = partial(ask, 'manager', 'post', '/items/', body, HTTP_IDEMPOTENCY_KEY='key')

        def overtake() -> HttpResponse:
            assert is_slow.wait(10)
            past = timezone.now() - timedelta(seconds=1)
            IdempotencyKey.objects.update(leased_until=past)
            try:
                return post()
            finally:
                may_go.set()

        late, early = race([post, overtake])
        assert early.status_code == 201
        assert (late.status_code, late.json()['code']) == (409, 'idempotency-in-progress')
        assert post().content == early.content
        assert_sound()
        assert Entry.objects.count() == 1


class TestBatches:
    def test_of_the_same_rows_in_other_orders_never_stop_each_other(
        self, race: Run, ask: Ask, north: Branch, rounds: Rounds
    ) -> None:
        for round_ in rounds:
            keys = {code: make(ask, north, code) for code in 'abcdef'}
            random = Random(round_)
            requests = []
            for at in range(WRITERS):
                operations: list[dict[str, Any]] = []
                for number, code in enumerate(random.sample([*keys], len(keys))):
                    body = {'pages': at * 10 + number}
                    if number % 2:
                        operations.append({'op': 'upsert', 'key': code, 'body': body})
                    else:
                        operations.append({'op': 'update', 'id': keys[code], 'body': body})
                requests.append(bulk(ask, 'items', operations))
            answers = race(requests, may_be_busy=True)
            assert {*statuses(answers)} <= {200, 503}
            assert 200 in statuses(answers)

    def test_that_make_the_same_rows_in_other_orders_never_stop_each_other(
        self, race: Run, ask: Ask, people: Any, rounds: Rounds
    ) -> None:
        for round_ in rounds:
            random = Random(round_)
            requests = []
            for at in range(WRITERS):
                operations = [
                    {'op': 'upsert', 'key': code, 'body': {'label': 'L', 'amount': at}}
                    for code in random.sample('abcdef', 6)
                ]
                requests.append(bulk(ask, 'stamps', operations))
            answers = race(requests, may_be_busy=True)
            assert {*statuses(answers)} <= {200, 409, 503}
            assert 200 in statuses(answers)
            # Each batch is whole: the last one to be written decides about all rows.
            assert len({stamp.amount for stamp in Stamp.objects.all()}) == 1

    def test_of_which_each_row_is_written_by_itself_write_each_once(
        self, race: Run, ask: Ask, north: Branch, rounds: Rounds
    ) -> None:
        for _ in rounds:

            def batch(at: int) -> Request:
                codes = 'abc' if at % 2 else 'cba'
                operations = [
                    {'op': 'create', 'body': {'branch_id': north.pk, 'code': code, 'title': 'T'}}
                    for code in codes
                ]
                return bulk(ask, 'items', operations, atomic=False)

            answers = race([batch(at) for at in range(WRITERS)], may_be_busy=True)
            assert {*statuses(answers)} <= {200, 503}
            made = [
                result['id']
                for answer in answers
                if answer.status_code == 200
                for result in answer.json()['results']
                if result['status'] == 201
            ]
            assert sorted(made) == sorted(Item.objects.values_list('pk', flat=True))
            assert Item.objects.count() == 3


class TestDeletion:
    def test_is_done_once_and_so_is_its_undoing(
        self, race: Run, ask: Ask, north: Branch, rounds: Rounds
    ) -> None:
        for _ in rounds:
            path = f'/items/{make(ask, north)}/'
            answers = race([partial(ask, 'manager', 'delete', path)] * WRITERS)
            assert statuses(answers) == [204] + [404] * (WRITERS - 1)
            answers = race([partial(ask, 'manager', 'post', f'{path}restore/')] * WRITERS)
            assert statuses(answers) == [200] + [404] * (WRITERS - 1)
            assert Item.objects.get().version == 3

    def test_of_a_row_lets_nobody_write_below_it_any_more(
        self, race: Run, ask: Ask, north: Branch, rounds: Rounds
    ) -> None:
        for _ in rounds:
            path = f'/items/{make(ask, north, notes=[{"text": "n"}])}/'
            patch = partial(ask, 'manager', 'patch', path, {'notes': [{'text': 'new'}], 'pages': 7})
            delete = partial(ask, 'manager', 'delete', path)
            answers = race([patch, patch, delete, patch, delete, patch])
            gone = [answers[at].status_code for at in (2, 4)]
            assert sorted(gone) == [204, 404]
            written = [answers[at].status_code for at in (0, 1, 3, 5)]
            assert {*written} <= {200, 404}
            assert all(answer.content for answer in answers if answer.status_code == 200)
            item = Item.objects.get()
            assert item.deleted_at is not None
            # The deletion is the last change.
            assert item.version == 2 + written.count(200)
            assert Entry.objects.filter(aggregate='lending.item').latest('id').verb == 'delete'

    def test_of_a_branch_leaves_nothing_below_it(
        self, race: Run, ask: Ask, north: Branch, rounds: Rounds
    ) -> None:
        for round_ in rounds:
            Branch.objects.get_or_create(pk=north.pk, name='North')
            key = make(ask, north, notes=[{'text': 'n', 'marks': [{'sign': '+'}]}])
            new = {'branch_id': north.pk, 'code': 'new', 'title': 'T', 'cover': {'colour': 'red'}}
            note = {'item_id': key, 'text': 'another', 'position': 5}
            path, other = f'/items/{key}/', {'notes': [{'text': 'other'}]}
            requests: list[Request] = [
                partial(ask, 'command', 'delete', f'/branches/{north.pk}/'),
                partial(ask, 'manager', 'post', '/items/', new),
                partial(ask, 'manager', 'patch', path, other),
                partial(ask, 'manager', 'post', '/notes/', note),
                partial(ask, 'manager', 'patch', path, {'title': 'New'}),
                partial(ask, 'manager', 'post', '/loans/', {'item_id': key, 'reader': 'Ada'}),
            ]
            chosen = requests[: 2 + round_ % 5]
            answers = race(chosen, apart=0.1, may_be_busy=True)
            first, *others = (answer.status_code for answer in answers)
            assert first in (204, 409, 503), answers[0].content
            assert {*others} <= {200, 201, 404, 409, 422, 503}
            if first == 204:
                assert not Item.objects.exists()
                assert not Loan.objects.exists()

    def test_of_a_child_is_no_change_of_it(
        self, race: Run, ask: Ask, north: Branch, rounds: Rounds
    ) -> None:
        for _ in rounds:
            key = make(ask, north, notes=[{'text': 'n', 'marks': [{'sign': '+'}]}])
            note = Note.objects.get().pk
            path = f'/items/{key}/'
            body = {'notes': [{'id': note, 'text': 'changed', 'marks': [{'sign': '-'}]}]}
            delete = partial(ask, 'manager', 'delete', f'/notes/{note}/')
            patch = partial(ask, 'manager', 'patch', path, body)
            answers = race([delete, patch, delete, patch], apart=0.05, may_be_busy=True)
            assert sorted(answers[at].status_code for at in (0, 2)) == [204, 404]
            assert {answers[at].status_code for at in (1, 3)} <= {200, 409, 422, 503}
            assert not Note.objects.exists()

    def test_of_what_is_linked_leaves_no_link(
        self, race: Run, ask: Ask, north: Branch, rounds: Rounds
    ) -> None:
        for _ in rounds:
            word = Keyword.objects.create(word='art').pk
            path = f'/items/{make(ask, north)}/'
            link = partial(ask, 'manager', 'patch', path, {'keywords': [word]})
            delete = partial(ask, 'manager', 'delete', f'/keywords/{word}/')
            answers = race([link, delete, link, delete], apart=0.05)
            assert {answers[at].status_code for at in (1, 3)} <= {204, 404, 409}
            assert {answers[at].status_code for at in (0, 2)} <= {200, 409, 422}


class TestWaiting:
    def test_too_long_for_a_row_is_told_and_changes_nothing(
        self, ask: Ask, north: Branch, race: Run, settings: Any
    ) -> None:
        path = f'/items/{make(ask, north)}/'
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'statement_timeout': 0.3})

        def patch(**headers: str) -> HttpResponse:
            assert ask('manager', 'get', path).status_code == 200  # the connection has a limit now
            return ask('manager', 'patch', path, {'title': 'New'}, **headers)

        with _hurried(), _held_up():
            answers = race([patch, lambda: patch(HTTP_IDEMPOTENCY_KEY='key')], may_be_busy=True)
        for answer in answers:
            assert (answer.status_code, answer.json()['code']) == (503, 'busy')
            assert answer['Retry-After'] == '1'
        assert Item.objects.get().version == 1
        assert patch(HTTP_IDEMPOTENCY_KEY='key').status_code == 200


@contextmanager
def _hurried() -> Iterator[None]:
    """SQLite's connections of other threads wait less than the usual 5 s."""
    options = connections.settings['default']['OPTIONS']
    usual = options.get('timeout')
    if usual is not None:
        options['timeout'] = 0.1
    yield
    if usual is not None:
        options['timeout'] = usual


@contextmanager
def _held_up() -> Iterator[None]:
    """Somebody has locked the items, and goes on."""
    with transaction.atomic():
        list(Item.objects.select_for_update())
        yield

"""How often callers may call, counted in the table and in a real Redis."""

import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.test import Client
from limits import parse
from pydantic import SecretStr
from rest_framework.settings import api_settings

from backstay.identity import throttles
from backstay.identity.buckets import Buckets
from backstay.identity.counters import limiter, old_counters, seconds_left
from backstay.identity.keys import create_key
from backstay.identity.models import Account, Counter
from backstay.operations.sharing import share
from backstay.settings import django_settings, load
from tests.identity.signing_in import bearer

THREE = parse('3/hour')


@pytest.fixture(scope='module')
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis of this test's own."""
    program = shutil.which('redis-server')
    if program is None:
        pytest.skip('no redis-server here')
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    folder: Path = tmp_path_factory.mktemp('redis')
    arguments = ['--port', str(port), '--bind', '127.0.0.1', '--save', '', '--dir', str(folder)]
    server = subprocess.Popen([program, *arguments], stdout=subprocess.DEVNULL)  # noqa: S603
    with server:
        try:
            _wait_for(port)
            yield f'redis://127.0.0.1:{port}/0'
        finally:
            server.terminate()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(('127.0.0.1', port), timeout=1).close()
        except OSError:
            assert time.monotonic() < deadline, 'Redis does not answer'
            time.sleep(0.05)
        else:
            return


@pytest.fixture(params=['table', 'redis'])
def counted(request: pytest.FixtureRequest, db: None, settings: Any) -> None:
    """Both places where hits are counted."""
    if request.param == 'redis':
        url = SecretStr(request.getfixturevalue('redis_url'))
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'redis_url': url})
        limiter().storage.reset()


@pytest.mark.usefixtures('counted')
class TestCounters:
    def test_let_so_many_pass(self) -> None:
        assert [limiter().hit(THREE, 'ann') for _ in range(5)] == [True] * 3 + [False] * 2
        assert limiter().hit(THREE, 'bob')

    def test_tell_what_is_left(self) -> None:
        limiter().hit(THREE, 'ann')

        stats = limiter().get_window_stats(THREE, 'ann')

        assert stats.remaining == 2
        assert 3590 < seconds_left(THREE, 'ann') <= 3600

    def test_look_without_counting(self) -> None:
        assert [limiter().test(THREE, 'ann') for _ in range(5)] == [True] * 5

    def test_are_cleared(self) -> None:
        for _ in range(3):
            limiter().hit(THREE, 'ann')
        limiter().clear(THREE, 'ann')

        assert limiter().hit(THREE, 'ann')

    def test_forget_hits_one_by_one(self) -> None:
        brief = parse('2/second')
        assert limiter().hit(brief, 'ann')
        time.sleep(0.6)
        assert limiter().hit(brief, 'ann')
        assert not limiter().hit(brief, 'ann')
        time.sleep(0.5)

        assert limiter().hit(brief, 'ann')
        assert not limiter().hit(brief, 'ann')


@pytest.mark.django_db
def test_rows_that_count_nothing_are_deleted() -> None:
    limiter().hit(THREE, 'ann')
    limiter().hit(THREE, 'bob')
    Counter.objects.filter(pk=Counter.objects.values('pk')[:1]).update(expires_at=0)

    assert old_counters().delete()[0] == 1
    assert Counter.objects.count() == 1


@pytest.mark.django_db
def test_rows_name_nobody() -> None:
    limiter().hit(THREE, 'ann@example.com')

    assert 'ann' not in repr(Counter.objects.values().get())


@pytest.mark.skipif(connection.vendor != 'postgresql', reason='SQLite has one writer')
@pytest.mark.django_db(transaction=True)
def test_hits_at_the_same_moment_are_all_counted() -> None:
    barrier = threading.Barrier(8)
    passed: list[bool] = []

    def hit() -> None:
        barrier.wait()
        try:
            passed.append(limiter().hit(THREE, 'ann'))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=hit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(passed) == 3


@pytest.mark.usefixtures('counted', 'site')
class TestThrottles:
    @pytest.fixture(autouse=True)
    def _rates(self, monkeypatch: pytest.MonkeyPatch) -> None:
        rates = {'account': '3/minute', 'key': '4/minute', 'address': '2/minute'}
        monkeypatch.setattr(api_settings, 'DEFAULT_THROTTLE_RATES', rates, raising=False)

    def ask(self, path: str = '/counted', address: str = '192.0.2.1', **headers: str) -> Any:
        """One call."""
        return Client(REMOTE_ADDR=address).get(path, headers=headers)

    def test_count_addresses_of_guests(self) -> None:
        assert [self.ask().status_code for _ in range(3)] == [200, 200, 429]
        assert self.ask(address='192.0.2.2').status_code == 200

    def test_count_accounts_wherever_they_are(self, ann: Account) -> None:
        client = Client()
        client.force_login(ann)
        addresses = [f'192.0.2.{number}' for number in range(4)]

        found = [client.get('/counted', REMOTE_ADDR=each).status_code for each in addresses]

        assert found == [200, 200, 200, 429]

    def test_count_each_key(self, ann: Account) -> None:
        one, two = (create_key(ann, name)[1] for name in ('one', 'two'))

        found = [self.ask(**bearer(one)).status_code for _ in range(5)]

        assert found == [200] * 4 + [429]
        assert self.ask(**bearer(two)).status_code == 200

    def test_count_addresses_as_well_where_a_view_says_so(self, ann: Account) -> None:
        shown = create_key(ann, 'one')[1]

        found = [self.ask('/counted-here', **bearer(shown)).status_code for _ in range(3)]

        assert found == [200, 200, 429]

    def test_tell_what_is_left(self) -> None:
        answer = self.ask()

        assert answer['RateLimit-Limit'] == '2'
        assert answer['RateLimit-Remaining'] == '1'
        assert 0 < int(answer['RateLimit-Reset']) <= 60

    def test_tell_when_to_come_again(self) -> None:
        self.ask(), self.ask()

        answer = self.ask()

        assert (answer.status_code, answer.json()['code']) == (429, 'rate-limited')
        assert 0 < int(answer['Retry-After']) <= 60
        assert answer['RateLimit-Remaining'] == '0'

    def test_believe_no_header(self) -> None:
        spoofed = [self.ask(**{'X-Forwarded-For': f'203.0.113.{n}'}) for n in range(3)]

        assert [answer.status_code for answer in spoofed] == [200, 200, 429]

    def test_count_a_network_of_ipv6_as_one(self) -> None:
        found = [self.ask(address=f'2001:db8::{number:x}').status_code for number in range(3)]

        assert found == [200, 200, 429]

    def test_of_no_rate_are_no_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(api_settings, 'DEFAULT_THROTTLE_RATES', {}, raising=False)

        assert {self.ask().status_code for _ in range(5)} == {200}


@pytest.mark.django_db
@pytest.mark.usefixtures('site')
def test_a_view_without_throttles_counts_nothing() -> None:
    answer = Client().get('/open')

    assert 'RateLimit-Limit' not in answer
    assert not Counter.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures('site')
class TestTheLimitsOfAllViews:
    @pytest.fixture(autouse=True)
    def _limits(self, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        limits = {'calls_by_address': 9, 'calls_by_account': 3, 'calls_by_key': 4}
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update=limits)
        monkeypatch.setattr(throttles, 'calls', Buckets())
        if (left := 60 - time.time() % 60) < 5:  # counts begin anew with each minute
            time.sleep(left)

    def statuses(self, number: int, client: Client | None = None, **headers: str) -> list[int]:
        """One call from each of so many addresses."""
        asks = client or Client()
        return [
            asks.get('/ordinary', REMOTE_ADDR=f'192.0.2.{each}', headers=headers).status_code
            for each in range(number)
        ]

    def test_count_accounts_wherever_they_are(self, ann: Account) -> None:
        client = Client()
        client.force_login(ann)
        assert self.statuses(4, client) == [200] * 3 + [429]

    def test_count_each_key(self, ann: Account) -> None:
        one, two = (create_key(ann, name)[1] for name in ('one', 'two'))
        assert self.statuses(5, **bearer(one)) == [200] * 4 + [429]
        assert self.statuses(1, **bearer(two)) == [200]

    def test_tell_the_least_that_is_left(self, ann: Account) -> None:
        shown = create_key(ann, 'one')[1]
        answer = Client().get('/ordinary', headers=bearer(shown))
        assert (answer['RateLimit-Limit'], answer['RateLimit-Remaining']) == ('4', '3')
        for _ in range(7):
            Client().get('/open')
        answer = Client().get('/ordinary', headers=bearer(shown))
        assert (answer['RateLimit-Limit'], answer['RateLimit-Remaining']) == ('9', '0')

    def test_count_those_whose_credentials_are_wrong(self) -> None:
        asks = [Client().get('/ordinary', headers=bearer('wrong')) for _ in range(10)]
        assert [each.status_code for each in asks] == [401] * 9 + [429]


def test_a_site_counts_unless_it_is_tested(tmp_path: Path) -> None:
    for given, classes in (
        ({'ENV': 'test'}, []),
        ({'ENV': 'test', 'BACKSTAY_CALLS_BY_KEY': '5'}, ['SiteThrottle']),
        ({'ENV': 'local'}, ['SiteThrottle']),
    ):
        made = django_settings(load(tmp_path, given), base_dir=tmp_path, services={})
        found = made['REST_FRAMEWORK']['DEFAULT_THROTTLE_CLASSES']
        assert [each.rpartition('.')[2] for each in found] == classes


def test_counts_of_all_calls_are_shared_in_redis_too(settings: Any, redis_url: str) -> None:
    limits = {'calls_by_key': 10, 'redis_url': SecretStr(redis_url)}
    settings.BACKSTAY = settings.BACKSTAY.model_copy(update=limits)
    one, other = Buckets(), Buckets()
    if (left := 60 - time.time() % 60) < 5:
        time.sleep(left)
    for each in (one, other, one):
        each.count('key', 'k')
        each.count('key', 'k')
        share(each)
    rest = one.count('key', 'k')
    assert rest
    assert rest.remaining == 10 - 6 - 1

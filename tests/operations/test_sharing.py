"""The general limits: counted in each process, and shared between them."""

import threading
import time
from typing import Any

import pytest
from django.test import Client
from sample_site.running import StartSite, free_port, launch

from backstay.identity import buckets, throttles
from backstay.identity.buckets import Buckets
from backstay.operations.models import CallCount
from backstay.operations.sharing import forget_counts, share

pytestmark = pytest.mark.urls('sample_site.root')


def wait_for_a_minute(seconds: float) -> None:
    """Wait for the next minute where this one has less time: counts begin anew there."""
    left = buckets.WINDOW - time.time() % buckets.WINDOW
    if left < seconds:
        time.sleep(left)


@pytest.fixture(autouse=True)
def _early_in_a_minute() -> None:
    wait_for_a_minute(5)


@pytest.fixture
def limited(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Buckets:
    """Ten calls in a minute, and nobody has called yet."""
    limits = dict.fromkeys(('calls_by_address', 'calls_by_account', 'calls_by_key'), 10)
    settings.BACKSTAY = settings.BACKSTAY.model_copy(update=limits)
    monkeypatch.setattr(throttles, 'calls', fresh := Buckets())
    return fresh


def ask(address: str = '192.0.2.1', path: str = '/sample/hello/', **headers: str) -> Any:
    return Client(REMOTE_ADDR=address).get(path, headers=headers)


class TestAnAddress:
    def test_has_so_many_calls_in_a_minute(self, limited: Buckets) -> None:
        answers = [ask() for _ in range(12)]
        assert [each.status_code for each in answers] == [200] * 10 + [429] * 2
        left = [int(each['RateLimit-Remaining']) for each in answers]
        assert left == [*range(9, -1, -1), 0, 0]
        assert {each['RateLimit-Limit'] for each in answers} == {'10'}
        last = answers[-1]
        assert last.json()['code'] == 'rate-limited'
        assert 0 < int(last['Retry-After']) <= 60
        assert abs(int(last['RateLimit-Reset']) - int(last['Retry-After'])) <= 1
        assert ask('192.0.2.2').status_code == 200

    def test_is_a_network_of_ipv6(self, limited: Buckets) -> None:
        found = [ask(f'2001:db8::{number:x}').status_code for number in range(11)]
        assert found == [200] * 10 + [429]

    def test_is_not_limited_in_its_probes(self, limited: Buckets) -> None:
        for path in ('/livez', '/__version__', '/__lbheartbeat__'):
            assert {ask(path=path).status_code for _ in range(11)} == {200}

    def test_counts_where_nothing_is_found(self, limited: Buckets) -> None:
        found = [ask(path='/nowhere/').status_code for _ in range(11)]
        assert found == [404] * 10 + [429]

    def test_has_no_limit_at_0(self, limited: Buckets, settings: Any) -> None:
        settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'calls_by_address': 0})
        answers = [ask() for _ in range(15)]
        assert {each.status_code for each in answers} == {200}
        assert 'RateLimit-Limit' not in answers[0]


def test_a_call_costs_microseconds(limited: Buckets, settings: Any) -> None:
    settings.BACKSTAY = settings.BACKSTAY.model_copy(update={'calls_by_address': 10**9})
    times = []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(2_000):
            limited.count('address', '192.0.2.1')
        times.append((time.perf_counter() - began) / 2_000)
    assert min(times) < 50e-6


def test_more_names_than_a_process_counts_are_let_through(
    limited: Buckets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(buckets, 'MAX_NAMES', 3)
    for number in range(5):
        for _ in range(3):
            limited.count('address', str(number))
    assert limited.take()[1] == {f'address {number}': 3 for number in range(3)}


def test_calls_at_the_same_moment_are_all_counted(limited: Buckets) -> None:
    passed: list[bool] = []

    def call() -> None:
        for _ in range(10):
            rest = limited.count('address', 'a')
            assert rest
            passed.append(rest.remaining >= 0)

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(passed) == 10


@pytest.mark.django_db
class TestSharing:
    def test_tells_each_process_what_the_others_counted(self, limited: Buckets) -> None:
        other = Buckets()
        for _ in range(4):
            limited.count('address', 'a')
            other.count('address', 'a')
        limited.count('address', 'b')
        for each in (limited, other, limited):
            each.count('address', 'a')
            share(each)
        rest = limited.count('address', 'a')
        assert rest
        assert rest.remaining == 10 - (4 + 4 + 3) - 1
        assert CallCount.objects.count() == 2
        assert '192' not in ''.join(CallCount.objects.values_list('key', flat=True))

    def test_that_fails_loses_no_call_here(
        self, limited: Buckets, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(4):
            limited.count('address', 'a')
        limited.take()  # as it is when the database then does not answer
        rest = limited.count('address', 'a')
        assert rest
        assert rest.remaining == 5

    def test_forgets_the_minutes_that_are_over(self, limited: Buckets) -> None:
        now = int(time.time() // 60)
        for minute in (now - 5, now - 2, now - 1, now):
            CallCount.objects.create(key=str(minute), minute=minute, calls=1)
        assert forget_counts() == 2

    def test_begins_anew_with_each_minute(self, limited: Buckets) -> None:
        limited.count('address', 'a')
        share(limited)
        CallCount.objects.update(minute=1, calls=99)
        limited.count('address', 'a')
        share(limited)
        assert CallCount.objects.get().calls == 1


@pytest.mark.engine_free
def test_processes_of_a_site_share_their_counts(
    start_site: StartSite, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp('shared')
    (folder / 'var').mkdir()
    migrate = launch(folder, 'migrate', free_port(), {'ENV': 'test'})
    assert migrate.process.wait(timeout=60) == 0, migrate.output()
    limits = {'BACKSTAY_CALLS_BY_ADDRESS': '300', 'BACKSTAY_PROCESSES': '2'}
    site = start_site('serve', base_dir=folder, ENV='test', **limits)
    wait_for_a_minute(30)
    for _ in range(40):  # new connections, which the kernel spreads over the processes
        site.get('/sample/hello/')
    time.sleep(2.5)
    site.get('/sample/hello/')
    time.sleep(1.5)
    left = {int(site.get('/sample/hello/').headers['RateLimit-Remaining']) for _ in range(4)}
    assert max(left) <= 300 - 42

"""Whether the time of an answer tells that there is such an account or key: `make bench-timing`.

Each pair of requests differs in nothing but that; they take turns, so that the machine is the same
for both. The medians may differ by 5 %. Run it on a quiet machine.
"""

import json
import logging
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

TRIES = int(os.environ.get('BENCH_TRIES', '400'))
ALLOWED = 0.05
PASSWORD = 'correct horse battery'

os.environ.setdefault('ENV', 'test')
os.environ.setdefault('DATABASE_URL', 'sqlite:///var/timing.sqlite3')
os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'config.settings')

Ask = Callable[[bool, int], Any]


def main() -> int:
    """Measure every pair and print a line for each; return 1 if one of them tells."""
    import django

    django.setup()
    from django.conf import settings
    from django.core.cache import cache
    from django.test.utils import get_runner, setup_test_environment

    from backstay.identity.models import Account, Counter

    logging.disable(logging.CRITICAL)
    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    account = Account.objects.create_user('ann@example.com', PASSWORD)
    for number in range(1_000):  # a table in which a look-up has something to find
        Account.objects.create(username=f'user{number}', email=f'user{number}@example.com')
    told = []
    for name, ask in _pairs(account).items():
        times: dict[bool, list[float]] = {True: [], False: []}
        for number in range(2 * TRIES + 20):
            known = bool(number % 2)
            cache.clear()
            Counter.objects.all().delete()
            begin = time.perf_counter()
            answer = ask(known, number)
            taken = time.perf_counter() - begin
            assert answer.status_code in (200, 401, 400), answer.content
            if number >= 20:
                times[known].append(taken)
        known_ms, unknown_ms = (statistics.median(times[each]) * 1000 for each in (True, False))
        difference = known_ms / unknown_ms - 1
        print(
            f'{name:12} known {known_ms:8.2f} ms  unknown {unknown_ms:8.2f} ms  {difference:+.1%}'
        )
        told += [name] if abs(difference) > ALLOWED else []
    runner.teardown_databases(databases)
    print('told by time:', ', '.join(told) or 'nothing')
    return 1 if told else 0


def _pairs(account: Any) -> dict[str, Ask]:
    from django.test import Client

    from backstay.identity.keys import create_key

    _, shown = create_key(account, 'x')
    prefix = shown.partition('.')[0]

    def post(path: str, body: dict[str, str]) -> Any:
        return Client().post(
            f'/auth/app/v1/{path}', json.dumps(body), content_type='application/json'
        )

    def address(known: bool, number: int) -> str:
        return 'ann@example.com' if known else f'new{number:04}@example.com'

    def key(known: bool, number: int) -> Any:
        asked = prefix if known else f'cak_{number:012}'
        return Client().get('/auth/me', headers={'X-Api-Key': f'{asked}.{"x" * 43}'})

    return {
        'sign-in': lambda known, number: post(
            'auth/login', {'email': address(known, number), 'password': 'wrong'}
        ),
        'reset': lambda known, number: post(
            'auth/password/request', {'email': address(known, number)}
        ),
        'sign-up': lambda known, number: post(
            'auth/signup', {'email': address(known, number), 'password': PASSWORD}
        ),
        'key': key,
    }


if __name__ == '__main__':
    sys.exit(main())

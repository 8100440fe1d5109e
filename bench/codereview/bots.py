"""Many bots that publish at once while others read, as they do it: a connection for each call."""

import base64
import random
import statistics
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import md5
from http.client import HTTPConnection
from json import dumps, loads
from typing import Any
from uuid import uuid4

#: Begins the title of every revision that bots make.
TITLE = 'Made by the bench'
#: Calls before all others, after which each process knows the password.
WARM_UP = 12
_HG = 'https://hg.mozilla.org'


@dataclass(slots=True)
class Outcome:
    """What became of all calls."""

    #: Milliseconds by kind of call.
    taken: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    #: Answers that were not as they should be, with how often.
    wrong: Counter[str] = field(default_factory=Counter)
    seconds: float = 0
    #: Issues that were published, each time.
    issues: int = 0
    #: Keys of the revisions.
    revisions: set[int] = field(default_factory=set)
    lock: Any = field(default_factory=threading.Lock)


class Caller:
    """Somebody who calls the site, signed in or not."""

    def __init__(self, port: int, outcome: Outcome, name: str = '', password: str = '') -> None:
        self.port, self.outcome = port, outcome
        self.headers = {'User-Agent': 'code-review-bot/1.0', 'Content-Type': 'application/json'}
        if name:
            pair = base64.b64encode(f'{name}:{password}'.encode()).decode()
            self.headers['Authorization'] = f'Basic {pair}'

    def call(
        self, kind: str, method: str, path: str, body: Any = None, expected: Sequence[int] = (200,)
    ) -> Any:
        """The answer's JSON; what is not expected is counted as wrong, and is None."""
        sent = None if body is None else dumps(body)
        started = time.perf_counter()
        try:
            with closing(HTTPConnection('127.0.0.1', self.port, timeout=60)) as client:
                client.request(method, path, sent, self.headers)
                response = client.getresponse()
                content, status = response.read(), response.status
        except OSError as error:
            content, status = str(error).encode(), 0
        took = 1e3 * (time.perf_counter() - started)
        with self.outcome.lock:
            self.outcome.taken[kind].append(took)
            if status not in expected:
                self.outcome.wrong[f'{kind}: {status} {content[:200]!r}'] += 1
        return loads(content) if status in expected else None


class Bot(Caller):
    """Publishes one revision after the other."""

    def publish(self, draw: random.Random, bulks: int, size: int) -> None:
        """A revision, its diff, and its issues in chunks, some of which others have too."""
        changeset = draw.randbytes(20).hex()
        number = draw.randrange(1, 10**6)
        revision = self.call(
            'revision',
            'POST',
            '/v1/revision/',
            {
                'provider': 'phabricator',
                'provider_id': 10**9 + draw.randrange(10**9),
                'title': f'{TITLE} {number}',
                'bugzilla_id': number,
                'base_repository': f'{_HG}/mozilla-central',
                'head_repository': f'{_HG}/try',
                'base_changeset': 'default',
                'head_changeset': changeset,
            },
            (200, 201),
        )
        if revision is None:
            return
        diffs = revision['diffs_url'].partition(f':{self.port}')[2]
        issues = revision['issues_bulk_url'].partition(f':{self.port}')[2]
        name = f'PHID-DIFF-{uuid4().hex[:20]}'
        self.call('diff?', 'GET', f'{diffs}{10**12 + number}/', expected=(404,))
        self.call(
            'diff',
            'POST',
            diffs,
            {
                'id': 10**12 + number,
                'provider_id': name,
                'mercurial_hash': changeset,
                'repository': f'{_HG}/try',
                'review_task_id': uuid4().hex[:22],
            },
            (201,),
        )
        for _ in range(bulks):
            elements = [_element(draw) for _ in range(size)]
            body = {'diff_provider_id': name, 'issues': elements}
            answer = self.call('bulk', 'POST', issues, body, (201,))
            sent = [each['hash'] for each in elements]
            with self.outcome.lock:
                self.outcome.revisions.add(revision['id'])
                if answer is not None:
                    self.outcome.issues += size
                    if [each['hash'] for each in answer['issues']] != sent:
                        self.outcome.wrong['bulk: other issues than were sent'] += 1


def _element(draw: random.Random) -> dict[str, Any]:
    """An issue as the bot sends it; every second is one of 2 000 that all bots find."""
    number = draw.randrange(2_000) if draw.random() < 0.5 else draw.randrange(10**12)
    return {
        'analyzer': f'source-test-mozlint-{("eslint", "ruff", "clippy")[number % 3]}',
        'path': f'browser/components/bench/Module{number % 500}.mjs',
        'line': number % 1_000 + 1,
        'nb_lines': 1,
        'column': 7,
        'check': f'check-{number % 20}',
        'level': ('error', 'warning')[number % 2],
        'message': f"'name{number}' is assigned a value but never used.",
        'in_patch': number % 3 == 0,
        'validates': True,
        'publishable': True,
        'hash': md5(f'bench {number}'.encode()).hexdigest(),
        'fix': None,
    }


_READS = (
    '/v1/diff/',
    '/v1/diff/?repository=try&issues=publishable',
    '/v1/check/stats/',
    '/v1/check/history/',
    '/v1/issues/try/?path=browser/components/bench/Module7.mjs',
    '/v1/revision/?limit=20',
)


def publish(
    port: int,
    *,
    name: str,
    password: str,
    bots: int,
    readers: int = 4,
    seconds: float,
    bulks: int = 3,
    size: int = 100,
) -> Outcome:
    """Let bots publish and readers read for so many seconds; each ends what it has begun."""
    for _ in range(WARM_UP):
        Caller(port, Outcome(), name, password).call('first', 'GET', '/v1/')
    outcome = Outcome()
    until = time.perf_counter() + seconds

    def run_bot(number: int) -> None:
        draw = random.Random(f'{number} {uuid4()}')
        bot = Bot(port, outcome, name, password)
        while time.perf_counter() < until:
            bot.publish(draw, bulks, size)

    def run_reader(number: int) -> None:
        reader = Caller(port, outcome)
        while time.perf_counter() < until:
            path = _READS[number % len(_READS)]
            reader.call('read', 'GET', path)
            number += 1

    started = time.perf_counter()
    _at_once([(run_bot, each) for each in range(bots)] + [(run_reader, n) for n in range(readers)])
    outcome.seconds = time.perf_counter() - started
    return outcome


def _at_once(calls: Sequence[tuple[Callable[[int], None], int]]) -> None:
    threads = [threading.Thread(target=call, args=(number,)) for call, number in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def report(outcome: Outcome) -> str:
    """A table of calls a second, medians and p99, and what was wrong."""
    lines = ['| call | a second | median, ms | p99, ms |', '|---|--:|--:|--:|']
    for kind, taken in sorted(outcome.taken.items()):
        cuts = statistics.quantiles(taken, n=100) if len(taken) > 1 else taken * 99
        rate = len(taken) / outcome.seconds
        lines.append(f'| {kind} | {rate:.0f} | {cuts[49]:.0f} | {cuts[98]:.0f} |')
    total = f'{outcome.issues / outcome.seconds:,.0f} issues a second'.replace(',', ' ')
    lines += ['', f'{total}; wrong answers: {sum(outcome.wrong.values())}']
    lines += [f'  {count} times {what}' for what, count in outcome.wrong.most_common(5)]
    return '\n'.join(lines)

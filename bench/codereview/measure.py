"""The measuring loop: one client on one connection, ours and the peer in turn."""

import random
import statistics
import time
from collections.abc import Mapping
from contextlib import closing, nullcontext
from dataclasses import dataclass, field
from http.client import HTTPConnection

from bench.codereview.cases import BASIC, Case, unequal
from bench.codereview.site import ask
from bench.codereview.stored import without_triggers

#: Blocks of each contender and case, and seconds of all of them.
PARTS, SECONDS = 4, 1.6
#: Requests of a block at least, and of all blocks at most.
LEAST, MOST = 2, 160
#: Requests of a block that do not count: they hash the password and compile plans.
WARM_UP = 2


@dataclass(slots=True)
class Taken:
    """Milliseconds of each request."""

    case: Case
    ours: list[float] = field(default_factory=list)
    peer: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        """Ours."""
        return statistics.median(self.ours)

    @property
    def ratio(self) -> float:
        """How many times as long the peer takes."""
        return statistics.median(self.peer) / self.median


def compared(case: Case, ports: Mapping[str, int], cookie: str) -> Taken:
    """Measure a case; the bench ends where both do not answer the same."""
    headers = {'Cookie': cookie} if case.is_page else {}
    if case.body:
        headers = {'Authorization': BASIC, 'Content-Type': 'application/json'}
    _check(case, ports, headers)
    times: dict[str, list[float]] = {name: [] for name in ports}
    for part in range(PARTS):
        for name in random.Random(part).sample(sorted(ports), len(ports)):
            # The peer has no triggers, so it shall not pay for them.
            with without_triggers() if name == 'peer' and case.body else nullcontext():
                times[name] += _block(ports[name], case, headers)
    return Taken(case, **times)


def _check(case: Case, ports: Mapping[str, int], headers: Mapping[str, str]) -> None:
    for path in case.paths[:5]:
        body = case.body() if case.body else None
        answers = {}
        for name, port in ports.items():
            with closing(HTTPConnection('127.0.0.1', port, timeout=60)) as client:
                status, answers[name] = ask(client, case.method, path, body, headers)
            if status not in (200, 201):
                raise SystemExit(f'{name}, {path}: {status} {answers[name][:500]!r}')
        if wrong := unequal(answers['ours'], answers['peer'], case):
            raise SystemExit(f'the answers differ: {wrong}')


def _block(port: int, case: Case, headers: Mapping[str, str]) -> list[float]:
    """Milliseconds of requests one after the other, on one connection, so to one process."""
    found: list[float] = []
    begun = 0.0
    with closing(HTTPConnection('127.0.0.1', port, timeout=60)) as client:
        for number in range(-WARM_UP, MOST // PARTS):
            if number == 0:
                begun = time.perf_counter()
            if number >= LEAST and time.perf_counter() - begun > SECONDS / PARTS:
                break
            body = case.body() if case.body else None
            path = case.paths[number % len(case.paths)]
            started = time.perf_counter()
            status, content = ask(client, case.method, path, body, headers)
            if number >= 0:
                found.append(1e3 * (time.perf_counter() - started))
            if status not in (200, 201):
                raise SystemExit(f'{path}: {status} {content[:500]!r}')
    return found

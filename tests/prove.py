"""`make prove`: the long proofs on both engines, and a table of what they checked and found.

    make prove                  all of them, as long as they are
    make prove PROVE=0.01       a hundredth of each
    make prove ARGS='leaks kills'   those whose names have one of the words

Each proof runs on both engines at once. Its output, and the matrix of non-interference, is kept
under `var/prove`.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from xml.etree import ElementTree

from backstay.testing.postgres import find_or_start

FOLDER = Path('var/prove')
#: Seconds between two lines of progress.
_PROGRESS = 60


@dataclass(frozen=True, slots=True)
class Proof:
    """What is proved, and the tests that prove it."""

    name: str
    tests: tuple[str, ...]


PROOFS = (
    Proof('planted leaks are found', ('tests/rights/test_planted_leaks.py',)),
    Proof(
        'nothing hidden shows',
        ('tests/rights/test_non_interference.py', 'tests/rights/test_worlds_tell_nothing.py'),
    ),
    Proof('answers equal serializers', ('tests/resources/test_equality.py',)),
    Proof(
        'answers are as documents describe',
        (
            'tests/resources/http/test_generated_requests.py',
            'tests/identity/test_openapi.py',
            'tests/test_openapi_conformance.py',
            'services/codereview/tests/test_document.py',
            'services/contributors/tests/test_document.py',
        ),
    ),
    Proof('callers in threads get what each gets alone', ('tests/threads/test_endpoints.py',)),
    Proof(
        'bodies that mean harm change nothing',
        (
            'tests/writes/test_hostile.py',
            'tests/identity/test_hostile_bodies.py',
            'tests/identity/test_passkeys.py',
        ),
    ),
    Proof('each row shows what its highest grant says', ('tests/rights/test_grants.py',)),
    Proof('kills of servers', ('tests/writes/test_kill.py',)),
    Proof('kills of workers', ('tests/tasks/test_processes.py', '-k', 'killed')),
    Proof('kills of deliveries', ('tests/events/test_processes.py', '-k', 'killed')),
    Proof('every verb on every column', ('tests/columns',)),
    Proof(
        'forged headers',
        ('tests/operations/test_forged_headers.py', 'tests/operations/test_behind_proxies.py'),
    ),
    Proof('four large bodies', ('tests/operations/test_bodies_in_flight.py',)),
    Proof('slow clients', ('tests/operations/test_slow_clients.py',)),
    Proof('encrypted columns', ('tests/encryption',)),
    Proof(
        'hostile requests to identity and the admin', ('tests/security/test_hostile_requests.py',)
    ),
    Proof('limits over processes', ('tests/operations/test_several_processes.py',)),
    Proof('a database that stops', ('tests/operations/test_lost_database.py',)),
    Proof('state machine of writes', ('tests/writes/test_state_machine.py',)),
    Proof('updates lose nothing', ('tests/template/test_update_loses_nothing.py',)),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One proof on one engine."""

    proof: Proof
    engine: str
    process: subprocess.Popen[bytes]
    begun: float

    @property
    def stem(self) -> Path:
        """Its files without their suffix."""
        return _stem(self.proof, self.engine)


def main(words: Sequence[str]) -> int:
    """Run the proofs whose names have one of the words, all without any; 0 when all hold."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    server = urlsplit(find_or_start())
    databases = {
        'sqlite': 'sqlite://:memory:',
        'postgresql': server._replace(path=f'/backstay_prove_{os.getpid()}').geturl(),
    }
    lines: list[tuple[str, ...]] = []
    failed = False
    for proof in PROOFS:
        if words and not any(word in proof.name for word in words):
            continue
        for run in [_start(proof, engine, url) for engine, url in databases.items()]:
            code = _wait(run)
            failed |= code != 0
            lines += _lines_of(run, code)
    _print_table(lines)
    return int(failed)


def _stem(proof: Proof, engine: str) -> Path:
    return FOLDER / f'{proof.name.replace(" ", "-")}-{engine}'


def _start(proof: Proof, engine: str, url: str) -> Run:
    stem = _stem(proof, engine)
    environment = {'PROVE': '1', **os.environ, 'ENV': 'test', 'DATABASE_URL': url}
    # A proof may take hours: each has its own bounds.
    environment['PYTEST_TIMEOUT'] = '0'
    environment['LOG_LEVEL'] = 'ERROR'  # a line for each request would cost a tenth
    command = [sys.executable, '-m', 'pytest', '-q', '-s', '-p', 'no:cacheprovider']
    command += [*proof.tests, f'--junitxml={stem}.xml']
    with stem.with_suffix('.log').open('w') as log:
        process = subprocess.Popen(  # noqa: S603 our own interpreter and arguments
            command, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
    print(f'{proof.name} on {engine}: {stem}.log', flush=True)  # noqa: T201 a command prints
    return Run(proof, engine, process, time.monotonic())


def _wait(run: Run) -> int:
    while True:
        try:
            return run.process.wait(timeout=_PROGRESS)
        except subprocess.TimeoutExpired:
            minutes = (time.monotonic() - run.begun) / 60
            said = run.stem.with_suffix('.log').read_text(errors='replace').strip()
            last = said.rpartition('\n')[2][-100:]
            print(f'  {run.engine}, {minutes:.0f} min: {last}', flush=True)  # noqa: T201


def _lines_of(run: Run, code: int) -> Iterator[tuple[str, ...]]:
    """The proof, engine, seconds, what was checked, and what was found."""
    report = run.stem.with_suffix('.xml')
    cases = ElementTree.parse(report).iter('testcase') if report.exists() else ()  # noqa: S314 our own
    said = False
    for case in cases:
        told = {each.get('name'): each.get('value', '') for each in case.iter('property')}
        failure = case.find('failure') if case.find('failure') is not None else case.find('error')
        if failure is None and 'checked' not in told:
            continue
        said = True
        found = told.get('found', '')
        if failure is not None:
            found = f'FAILED: {failure.get("message", "")[:200]}'
        seconds = f'{float(case.get("time", "0")):.0f}'
        yield run.proof.name, run.engine, seconds, told.get('checked', case.get('name', '')), found
    if not said:
        yield run.proof.name, run.engine, '', '', f'pytest ended with {code}: see {run.stem}.log'


def _print_table(lines: Sequence[tuple[str, ...]]) -> None:
    print('\n| proof | engine | seconds | checked | found |\n|---|---|---|---|---|')  # noqa: T201
    for line in lines:
        cells = (cell.replace('\n', ' ').replace('|', '/') for cell in line)
        print(f'| {" | ".join(cells)} |')  # noqa: T201


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))

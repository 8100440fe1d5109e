"""`python -m bench.against_writes`: the writes of this tree and of another, in one run.

Two processes, one for each tree, write by turns in an order that is drawn for each round: 1 000 new
rows in one request, and 200 requests that change one row each. The figure is CPU, of application
and database together; the ratio is the other's over ours, so less than 1 says that ours is slower.
"""

import argparse
import contextlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from django.db import connections

from bench import compare, data, database

WARM_UP = 2
TITLES = {'bulk': 'bulk, 1 000 new rows', 'patch': 'PATCH of one row, 200 times'}
ROOT = Path(__file__).resolve().parent.parent


class Writer:
    """The process that writes for one tree, on a copy of the data of its own."""

    def __init__(self, tree: Path, copy: dict[str, str]) -> None:
        paths = os.pathsep.join((str(tree), str(tree / 'src')))
        self._process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name('written.py'))],
            cwd=tree,
            env=os.environ | {'PYTHONPATH': paths, 'PYTHONSAFEPATH': '1', **copy},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._said()

    def write(self, case: str) -> float:
        """Do a case; return the seconds of CPU that it took."""
        assert self._process.stdin
        self._process.stdin.write(f'{case}\n')
        self._process.stdin.flush()
        return float(self._said())

    def stop(self) -> None:
        """End it: it stops when nothing more can come."""
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(30)

    def _said(self) -> str:
        assert self._process.stdout
        if line := self._process.stdout.readline():
            return line
        raise SystemExit('the process that writes has ended; see what it said above')


@contextlib.contextmanager
def copied(name: str) -> Iterator[dict[str, str]]:
    """A copy of the data for as long as the block runs: the variables that lead to it."""
    if database.engine() == 'sqlite':
        copy = database.OUTPUT / f'{name}.sqlite3'
        shutil.copy(database.SQLITE_FILE, copy)
        yield {'BENCH_SQLITE_COPY': str(copy)}
        copy.unlink()
        return
    parts = urlsplit(database.url())
    own = f'{parts.path.lstrip("/")}_{name}'
    with psycopg.connect(parts._replace(path='/postgres').geturl(), autocommit=True) as session:
        session.execute(f'DROP DATABASE IF EXISTS "{own}"')
        session.execute(f'CREATE DATABASE "{own}" TEMPLATE "{parts.path.lstrip("/")}"')
        yield {'BENCH_DATABASE_URL': parts._replace(path=f'/{own}').geturl()}
        session.execute(f'DROP DATABASE "{own}" WITH (FORCE)')


def main() -> None:
    """Measure by turns, print the ratios."""
    parser = argparse.ArgumentParser(prog='python -m bench.against_writes', description=__doc__)
    parser.add_argument('--rounds', type=int, default=15)
    rounds = parser.parse_args().rounds
    other = Path(os.environ['BENCH_AGAINST'])
    database.OUTPUT.mkdir(parents=True, exist_ok=True)
    data.ensure()
    connections.close_all()  # a database with sessions cannot be copied
    draw = random.Random(1)
    with contextlib.ExitStack() as stack:
        writers: dict[str, Writer] = {}
        for name, tree in (('ours', ROOT), ('other', other)):
            writers[name] = Writer(tree, stack.enter_context(copied(name)))
            stack.callback(writers[name].stop)
        print(f'| {database.engine()} | ours, ms of CPU | other ÷ ours |\n|---|--:|--:|')
        for case, title in TITLES.items():
            taken: dict[str, list[float]] = {name: [] for name in writers}
            for at in range(WARM_UP + rounds):
                for name in draw.sample(list(writers), len(writers)):
                    seconds = writers[name].write(case)
                    if at >= WARM_UP:
                        taken[name].append(seconds)
            pairs = zip(taken['other'], taken['ours'], strict=True)
            ratio = compare.ratio([theirs / ours for theirs, ours in pairs])
            middle = sorted(taken['ours'])[rounds // 2] * 1e3
            print(f'| {title} | {middle:.0f} | {ratio} |', flush=True)


if __name__ == '__main__':
    main()

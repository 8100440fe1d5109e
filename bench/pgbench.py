"""Contenders without a server: PostgreSQL's own load generator runs a statement, prepared."""

import json
import os
import re
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from bench import cases, data, database, statements
from bench.cases import Case
from bench.load import Load
from bench.options import Options


@dataclass(frozen=True, slots=True, kw_only=True)
class Pgbench:
    """A contender that is only a statement for each case."""

    name: str
    title: str
    statements: Mapping[str, str]
    #: Whether the statement's columns are the JSON of the answer.
    writes_json: bool
    #: Settings of its sessions.
    session: Mapping[str, str] = field(default_factory=lambda: statements.SESSION)
    engines: tuple[str, ...] = ('postgresql',)
    tuning: str = ''

    @property
    def flags(self) -> str:
        """The settings of its sessions, as libpq takes them."""
        return ' '.join(f'-c {name}={value}' for name, value in self.session.items())

    def start(self, options: Options) -> 'RunningPgbench':
        """Nothing runs between blocks; `pgbench` must be there."""
        program = shutil.which('pgbench')
        if program is None:
            raise RuntimeError('pgbench is not installed (Debian, Ubuntu: postgresql-contrib)')
        return RunningPgbench(self, program, options)


@dataclass(frozen=True, slots=True)
class RunningPgbench:
    """Ready to drive."""

    contender: Pgbench
    program: str
    options: Options

    def check(self, case: Case) -> str | None:
        """Runs the statement for each path; None when what comes back is the answer."""
        text = statements.named(self.contender.statements[case.name])
        with psycopg.connect(database.url(), options=self.contender.flags) as connection:
            for path in case.paths[:32]:
                found = connection.execute(text, values(path)).fetchall()
                wanted = case.answer(path)
                rows = len(wanted.get('results', [0]))
                if self.contender.writes_json:
                    right = json_of(found[0]) == wanted.get('results', wanted)
                else:
                    right = len({row[1] for row in found} if rows > 1 else found) == rows
                if not right:
                    return f'{path}: {str(found)[:600]}'
        return None

    def drive(self, case: Case, seconds: float) -> Load:
        """A block of load; opening its connections is part of it."""
        with tempfile.TemporaryDirectory() as place:
            script = Path(place, 'script.sql')
            script.write_text(draws(case) + self.contender.statements[case.name].strip() + ';\n')
            command = [self.program, '--no-vacuum', '--protocol=prepared', '--log']
            command += [f'--client={self.options.connections}', '--define=status=active']
            command += [f'--time={max(1, round(seconds))}', f'--log-prefix={place}/log']
            command += [f'--file={script}', database.url().replace('postgres:', 'postgresql:', 1)]
            environment = os.environ | {'PGOPTIONS': self.contender.flags}
            done = subprocess.run(command, env=environment, capture_output=True, text=True)
            return report(done, Path(place))

    def cpu(self) -> float:
        """The generator is no application."""
        return 0.0

    def stop(self) -> None:
        """Nothing runs."""


def values(path: str) -> dict[str, object]:
    """The values that a path asks with."""
    if match := re.search(r'offset=(\d+)', path):
        return {'status': 'active', 'limit': cases.LIMIT, 'offset': int(match[1])}
    return {'id': int(path.split('/')[2])}


def json_of(row: tuple[object, ...]) -> object:
    """What the last column of a row says."""
    return json.loads(str(row[-1]))


def draws(case: Case) -> str:
    """pgbench's lines that draw the values of a request."""
    if case.name == 'object':
        return f'\\set id random(1, {data.PRODUCTS})\n'
    whens = ' '.join(f'when :n = {at} then {offset}' for at, offset in enumerate(cases.OFFSETS))
    return (
        f'\\set limit {cases.LIMIT}\n\\set n random(0, {len(cases.OFFSETS) - 1})\n'
        f'\\set offset case {whens} end\n'
    )


def report(done: subprocess.CompletedProcess[str], place: Path) -> Load:
    """The load that pgbench tells of; latencies are in its log."""
    taken = sorted(
        int(line.split()[2]) / 1000
        for log in place.glob('log.*')
        for line in log.read_text().splitlines()
    )
    rate = re.search(r'tps = ([\d.]+)', done.stdout)
    if not rate or len(taken) < 2:
        raise RuntimeError(done.stderr[-1000:])
    cuts = statistics.quantiles(taken, n=100)
    return Load(
        requests=len(taken),
        seconds=len(taken) / float(rate[1]),
        errors=0 if done.returncode == 0 else 1,
        p50=cuts[49],
        p99=cuts[98],
    )

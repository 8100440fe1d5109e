"""Tables for `bench/README.md`, between its markers, and a picture, from the stored blocks."""

import json
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import compare, database, measure
from bench.compare import Summary
from bench.measure import Block
from bench.picture import picture
from bench.suites import SUITES, Suite

README = Path(__file__).with_name('README.md')
START, END = '<!-- results -->', '<!-- end of results -->'
ENGINES = {'postgresql': 'PostgreSQL', 'sqlite': 'SQLite'}


@dataclass(frozen=True, slots=True)
class Results:
    """A stored run."""

    suite: Suite
    machine: dict[str, Any]
    blocks: list[Block]

    def summaries(self, case: str) -> list[Summary]:
        """The contenders of a case."""
        return compare.summaries(self.blocks, case, self.suite.reference)

    @property
    def titles(self) -> dict[str, str]:
        """What each contender is called."""
        return {one.name: one.title for one in self.suite.contenders}


def stored_at(suite: Suite, engine: str) -> Path:
    """Where the last run of a suite is kept."""
    return database.OUTPUT / f'{suite.name}-{engine}.json'


def read(suite: Suite, engine: str) -> Results:
    """The last run of a suite."""
    stored = json.loads(stored_at(suite, engine).read_text())
    blocks = [measure.from_json(block) for block in stored['blocks']]
    return Results(suite, stored['machine'], blocks)


def write() -> None:
    """Rewrites what stands between the markers of the README, and the pictures."""
    parts = [
        section(read(suite, engine), engine)
        for suite in SUITES
        if suite.name != 'against'  # which is of the day, and of nobody else's interest
        for engine in ENGINES
        if stored_at(suite, engine).exists()
    ]
    if not parts:
        raise SystemExit('no results: run `python -m bench reads` first')
    head, _, rest = README.read_text().partition(START)
    body = '\n\n'.join(parts)
    README.write_text(f'{head}{START}\n{body}\n{END}{rest.partition(END)[2]}')
    print(f'wrote {README}')


def section(results: Results, engine: str) -> str:
    """All that is said of one run; its picture is written on the way."""
    name = f'{results.suite.name}-{engine}.svg'
    drawn = picture(results.summaries, results.titles, results.machine['database'])
    README.with_name(name).write_text(drawn)
    return '\n\n'.join(
        (
            f'## {results.suite.title}, {ENGINES[engine]}',
            described(results),
            f'![CPU for 1 000 requests]({name})',
            table(results),
            losses(results),
        )
    )


def described(results: Results) -> str:
    """Machine, versions and flags in a paragraph."""
    machine, options = results.machine, results.machine['options']
    packages = ', '.join(f'{name} {version}' for name, version in machine['packages'].items())
    foreign = statistics.median(b.foreign / b.load.seconds for b in results.blocks)
    void = sum(block.void for block in results.blocks)
    return (
        f'`python -m bench {results.suite.name} --engine {options["engine"]}` at commit '
        f'`{machine["commit"]}`. '
        f'{machine["processor"]}, {machine["cores"]} cores, Linux {machine["kernel"]}, '
        f'{machine["database"]}, Python {machine["python"]}, load by {machine["generator"]}; '
        f'{packages}. {options["rounds"]} rounds of {options["seconds"]:g} s, {options["workers"]} '
        f'processes, {options["connections"]} database connections, {options["clients"]} clients. '
        f'Void blocks: {void} of {len(results.blocks)}. Other work on the machine took '
        f'{foreign:.2f} cores (median of all blocks).'
    )


def table(results: Results) -> str:
    """A table for each case."""
    parts = []
    for case in results.suite.cases:
        if found := results.summaries(case.name):
            parts.append(f'### {case.title[0].upper()}{case.title[1:]}\n\n{rows(found, results)}')
    return '\n\n'.join(parts)


def rows(found: list[Summary], results: Results) -> str:
    """The table of one case."""
    head = (
        '| | requests/s | p50 ms | p99 ms | application CPU s | database CPU s '
        '| requests/s, **bold** ÷ this | CPU, this ÷ **bold** |\n'
        '|---|--:|--:|--:|--:|--:|--:|--:|'
    )
    return '\n'.join([head, *(row(one, results) for one in found)])


def row(one: Summary, results: Results) -> str:
    """A line of a table; CPU is for 1 000 requests."""
    ours = one.contender == results.suite.reference
    title = results.titles[one.contender]
    database_cpu = '-' if one.database is None else f'{one.database:.3f}'
    return (
        f'| {f"**{title}**" if ours else title} | {one.rate:,.0f} | {one.p50:.2f} '
        f'| {one.p99:.2f} | {one.application:.3f} | {database_cpu} '
        f'| {1 if ours else one.rate_ratio} | {1 if ours else one.cpu_ratio} |'
    )


def losses(results: Results) -> str:
    """Where somebody does better than we do, in requests or in either part of the CPU."""
    lines = []
    for case in results.suite.cases:
        found = {one.contender: one for one in results.summaries(case.name)}
        ours = found.pop(results.suite.reference, None)
        if ours:
            lines += [
                f'* {case.title}: {results.titles[one.contender]} {text}.'
                for one in found.values()
                if (text := better(one, ours))
            ]
    return '\n'.join(['### What we lose at\n', *(lines or ['Nothing that was measured here.'])])


def better(theirs: Summary, ours: Summary) -> str:
    """In which figures a contender is ahead by more than the interval, in words."""
    said = []
    if theirs.rate_ratio and theirs.rate_ratio.high < 1:
        said.append(f'answers {theirs.rate / ours.rate:.2f} times as many requests per second')
    if 0 < theirs.application < 0.97 * ours.application:
        said.append(f'takes {theirs.application / ours.application:.0%} of our application CPU')
    if theirs.database and ours.database and theirs.database < 0.97 * ours.database:
        said.append(f'takes {theirs.database / ours.database:.0%} of our database CPU')
    return ', '.join(said)

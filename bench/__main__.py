"""`reads` and `shapes` measure, `report` writes the tables and the pictures, `seed` only seeds."""

import argparse
import contextlib
import json
import os
import signal
from collections.abc import Iterator

from bench import data, database, load, machine, measure, report
from bench.contenders import Contender
from bench.measure import Running
from bench.options import Options, add_flags, parse
from bench.suites import SUITES, Suite


def main() -> None:
    """Runs the command that is asked for."""
    parser = argparse.ArgumentParser(prog='python -m bench', description=__doc__)
    commands = parser.add_subparsers(dest='command', required=True)
    suites = {suite.name: suite for suite in SUITES}
    for suite in SUITES:
        add_flags(commands.add_parser(suite.name, help=f'seed if needed, measure: {suite.title}'))
    add_flags(commands.add_parser('seed', help='seed if needed'))
    commands.add_parser('report', help='write README.md and the pictures from the last results')
    arguments = parser.parse_args()
    if arguments.command == 'report':
        report.write()
        return
    options = parse(arguments)
    os.environ['BENCH_ENGINE'] = options.engine
    # A terminated harness still stops the servers that it started.
    signal.signal(signal.SIGTERM, lambda *_: exit(143))
    database.OUTPUT.mkdir(parents=True, exist_ok=True)
    data.ensure()
    if arguments.command in suites:
        run(suites[arguments.command], options)


def run(suite: Suite, options: Options) -> None:
    """Checks and measures the contenders of a suite, and stores every block."""
    if not load.installed():
        print(f'{load.HOW_TO_INSTALL}; going on with the client in Python', flush=True)
    cases = [case for case in suite.cases if not options.cases or case.name in options.cases]
    with started(suite.taking_part(options.engine, options.contenders), options) as running:
        if wrong := measure.differing(running, cases):
            raise SystemExit('answers differ, nothing was measured\n' + '\n'.join(wrong))
        print(f'answers are equal: {len(running)} contenders, {len(cases)} cases', flush=True)
        blocks = measure.measured(running, cases, options)
    stored = {'machine': machine.described(options), 'blocks': list(map(measure.as_json, blocks))}
    place = report.stored_at(suite, options.engine)
    place.write_text(json.dumps(stored, indent=1))
    print(report.table(report.read(suite, options.engine)))


@contextlib.contextmanager
def started(taking_part: list[Contender], options: Options) -> Iterator[list[Running]]:
    """The contenders, running; all are stopped at the end."""
    with contextlib.ExitStack() as stack:
        running: list[Running] = []
        for contender in taking_part:
            try:
                running.append(contender.start(options))
            except RuntimeError as error:
                raise SystemExit(f'{contender.name}: {error}') from error
            stack.callback(running[-1].stop)
            print(f'started {contender.name}', flush=True)
        yield running


if __name__ == '__main__':
    main()

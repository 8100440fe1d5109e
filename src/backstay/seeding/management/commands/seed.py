"""`backstay seed [service...] --size small --seed 42`: rows for trying, showing and measuring."""

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from backstay.seeding.errors import SeedError
from backstay.seeding.loading import (
    Loaded,
    earlier_arguments,
    load,
    reset,
    total,
    verify,
)
from backstay.seeding.plan import EPOCH, SeedPlan, make_plan, seeds_of
from backstay.services import mounted


class Command(BaseCommand):
    """Write the rows of `Service.seeds`; the same arguments give the same rows."""

    help = __doc__ or ''

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments; `handle` reports invalid values, in one line."""
        parser.add_argument('services', nargs='*', help='names of services; all that have seeds')
        parser.add_argument('--size', help='a size that the seeds declare (default: small)')
        parser.add_argument('--seed', help='a whole number; another gives other rows (default: 42)')
        parser.add_argument(
            '--until', help=f'the day that stands for today (default: {EPOCH:%Y-%m-%d})'
        )
        asked = parser.add_mutually_exclusive_group()
        asked.add_argument(
            '--verify', action='store_true', help='compare the rows that are there; write nothing'
        )
        asked.add_argument(
            '--reset', action='store_true', help='first delete all rows of the seeded models'
        )
        parser.add_argument(
            '--allow-production', action='store_true', help='write although ENV=production'
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Write or verify the rows; raises CommandError with the reason when that fails."""
        quiet = options['verbosity'] == 0
        try:
            defaults = {'size': 'small', 'seed': '42', 'until': f'{EPOCH:%Y-%m-%d}'}
            given = {name: value for name, value in options.items() if value is not None}
            plan = _plan({**defaults, **given})
            is_open = all(options[name] is None for name in ('size', 'seed', 'until'))
            earlier = earlier_arguments(plan) if is_open and not options['reset'] else None
            if earlier:
                plan = _plan({**options, **earlier})
            if options['verify']:
                self._tell(plan, verify(plan, quiet=quiet))
                return
            if settings.BACKSTAY.env == 'production' and not options['allow_production']:
                raise SeedError(
                    'ENV=production: these rows are invented; say --allow-production if that is '
                    'meant'
                )
            if options['reset']:
                reset(plan)
            loaded = load(plan, quiet=quiet)
            self._tell(plan, loaded)
            if earlier and not any(each.written for each in loaded):
                self.stdout.write(
                    'All of it was there, from `make run` or an earlier seeding. `--reset` writes '
                    'it anew, with another --size, --seed or --until if you give one.'
                )
        except SeedError as error:
            raise CommandError(str(error)) from None
        except DatabaseError as error:
            line = str(error).partition('\n')[0]
            raise CommandError(f'{line}; has `backstay migrate` been run?') from error
        except KeyboardInterrupt:
            raise CommandError(
                'stopped; the same command goes on where it ended', returncode=130
            ) from None

    def _tell(self, plan: SeedPlan, loaded: list[Loaded]) -> None:
        """Print a line for each model and one for all; raises CommandError for a difference."""
        width = max((len(each.label) for each in loaded), default=0)
        for each in loaded:
            speed = f'{each.written / each.seconds:9,.0f} rows/s' if each.written else ' ' * 16
            line = f'{each.label:{width}} {each.rows:11,} rows {speed}  {each.checksum}'
            self.stdout.write(f'{line}  {each.difference}'.rstrip())
        rows = sum(each.rows for each in loaded)
        written, seconds = sum(e.written for e in loaded), sum(e.seconds for e in loaded)
        done = f'wrote {written:,} in {seconds:.1f} s' if written else 'wrote nothing'
        self.stdout.write(
            f'{rows:,} rows of --size {plan.size} --seed {plan.seed} '
            f'--until {plan.until:%Y-%m-%d}, {done}'
        )
        self.stdout.write(f'checksum {total(loaded)}')
        if different := [each.label for each in loaded if each.difference]:
            raise CommandError(f'not what the seed would write: {", ".join(different)}')


def _plan(options: dict[str, Any]) -> SeedPlan:
    """Return the plan of the arguments. Raises SeedError for an invalid one."""
    names, number, day = options['services'], options['seed'], options['until']
    having = {each.name: each for each in mounted() if each.seeds}
    known = f'services with seeds: {", ".join(sorted(having)) or "none"}'
    if unknown := [name for name in names if name not in having]:
        raise SeedError(f'no seeds for {", ".join(unknown)}; {known}')
    if not having:
        raise SeedError(f'nothing to seed; {known}')
    seeds = seeds_of([having[name] for name in dict.fromkeys(names or having)])
    if not number.isdecimal() or int(number) >= 2**63:
        raise SeedError(f'--seed {number}: give a whole number from 0 to 2**63 - 1')
    try:
        until = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), dt.UTC)
    except ValueError:
        raise SeedError(f'--until {day}: give a day such as {EPOCH:%Y-%m-%d}') from None
    return make_plan(seeds, size=options['size'], seed=int(number), until=until)

"""`backstay seed [service...] --size small --seed 42`: rows for trying, showing and measuring."""

import datetime as dt
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from backstay.seeding.errors import SeedError
from backstay.seeding.loading import Loaded, load, reset, total, verify
from backstay.seeding.plan import EPOCH, SeedPlan, make_plan, seeds_of
from backstay.services import Service, mounted


class Command(BaseCommand):
    """Writes what services declare as `Service.seeds`; the same arguments give the same rows."""

    help = __doc__ or ''

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What may be asked; what is wrong with a value is told by `handle`, in one line."""
        parser.add_argument('services', nargs='*', help='names of services; all that have seeds')
        parser.add_argument('--size', default='small', help='a size that the seeds declare')
        parser.add_argument('--seed', default='42', help='a whole number; another gives other rows')
        parser.add_argument(
            '--until', default=f'{EPOCH:%Y-%m-%d}', help='the day that stands for today'
        )
        asked = parser.add_mutually_exclusive_group()
        asked.add_argument(
            '--verify', action='store_true', help='compare what is there; no writing'
        )
        asked.add_argument(
            '--reset', action='store_true', help='first delete all rows of the seeded models'
        )
        parser.add_argument(
            '--allow-production', action='store_true', help='write although ENV=production'
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Do it; what cannot be done is told in words."""
        quiet = options['verbosity'] == 0
        try:
            plan = make_plan(
                seeds_of(_chosen(options['services'])),
                size=options['size'],
                seed=_number(options['seed']),
                until=_day(options['until']),
            )
            if options['verify']:
                self._tell(plan, verify(plan, quiet=quiet))
                return
            _refuse_production(allowed=options['allow_production'])
            if options['reset']:
                reset(plan)
            self._tell(plan, load(plan, quiet=quiet))
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
        """A line for each model, and one for all; raises CommandError where something differs."""
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


def _chosen(names: list[str]) -> list[Service]:
    having = {each.name: each for each in mounted() if each.seeds}
    known = f'services with seeds: {", ".join(sorted(having)) or "none"}'
    if unknown := [name for name in names if name not in having]:
        raise SeedError(f'no seeds for {", ".join(unknown)}; {known}')
    if not having:
        raise SeedError(f'nothing to seed; {known}')
    return [having[name] for name in dict.fromkeys(names)] or list(having.values())


def _number(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**63:
        raise SeedError(f'--seed {text}: give a whole number from 0 to 2**63 - 1')
    return int(text)


def _day(text: str) -> dt.datetime:
    try:
        return dt.datetime.combine(dt.date.fromisoformat(text), dt.time(), dt.UTC)
    except ValueError:
        raise SeedError(f'--until {text}: give a day such as {EPOCH:%Y-%m-%d}') from None


def _refuse_production(*, allowed: bool) -> None:
    if settings.BACKSTAY.env == 'production' and not allowed:
        raise SeedError(
            'ENV=production: these rows are invented; say --allow-production if that is meant'
        )

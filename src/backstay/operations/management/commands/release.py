"""`backstay release`: prepare the database and the static files for a new version, once."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from backstay.operations.poolers import refuse_pooler
from backstay.operations.releasing import Patience, ending, release_database
from backstay.operations.static_files import outdated

_USUAL = Patience()


class Command(BaseCommand):
    """Migrates and collects the static files, where any are missing."""

    help = 'Apply missing migrations without standing in the way, and collect static files.'

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the options of its patience with others, and of the static files."""
        parser.add_argument(
            '--lock-timeout',
            type=float,
            default=_USUAL.lock_timeout,
            help=f'seconds that a statement waits for a lock; {_USUAL.lock_timeout:g}',
        )
        parser.add_argument(
            '--tries', type=int, default=_USUAL.tries, help=f'how often; {_USUAL.tries}'
        )
        parser.add_argument(
            '--pause',
            type=float,
            default=_USUAL.pause,
            help=f'seconds between two tries; {_USUAL.pause:g}',
        )
        parser.add_argument(
            '--no-static', action='store_true', help='leave the static files as they are'
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Apply the missing migrations, then collect the static files; SIGTERM ends it."""
        before = signal.signal(signal.SIGTERM, ending)
        try:
            self._release(options)
        finally:
            signal.signal(signal.SIGTERM, before)

    def _release(self, options: dict[str, Any]) -> None:
        """Raise CommandError for what has to change before it can be tried again."""
        refuse_pooler()
        patience = Patience(**{name: options[name] for name in ('lock_timeout', 'tries', 'pause')})
        if patience.lock_timeout <= 0 or patience.tries < 1 or patience.pause < 0:
            raise CommandError('--lock-timeout and --tries must be above 0, --pause not below it')
        applied = release_database(patience, self.stderr.write)
        self.stdout.write(f'Migrations: {applied} applied.')
        if options['no_static']:
            return
        done = 'found where they are'
        if settings.BACKSTAY.is_deployed:
            missing = outdated()
            if missing:
                call_command('collectstatic', verbosity=0, interactive=False, skip_checks=True)
            done = f'{len(missing)} collected' if missing else 'collected already'
        self.stdout.write(f'Static files: {done}.')

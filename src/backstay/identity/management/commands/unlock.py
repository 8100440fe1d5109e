"""`backstay unlock NAME`: open a name that too many wrong passwords have locked."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backstay.identity.attempts import unlock
from backstay.identity.loading import account_called


class Command(BaseCommand):
    """Opens the name of an account."""

    help = __doc__ or ''

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the name."""
        parser.add_argument('name', help='user name or e-mail address of the account')

    def handle(self, *_: Any, **options: Any) -> None:
        """Open every name by which the account signs in."""
        account = account_called(options['name'])
        if account is None:
            raise CommandError(f'there is no account called {options["name"]!r}')
        unlock(account)
        self.stdout.write(f'{account} may be tried again.')

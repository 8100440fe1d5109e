"""`backstay personal_data export|erase ACCOUNT`: what is held about an account, told or erased."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from backstay.identity.loading import account_called
from backstay.identity.personal_data import as_json, erase, export


class Command(BaseCommand):
    """Exports or erases what is held about an account."""

    help = __doc__ or ''

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the verb and the account."""
        parser.add_argument('verb', choices=['export', 'erase'])
        parser.add_argument('account', help='its user name or e-mail address')
        parser.add_argument('--yes', action='store_true', help='erase without being asked again')

    def handle(self, *_: Any, **options: Any) -> None:
        """Print the export, or erase after the name was typed again."""
        account = account_called(options['account'])
        if account is None:
            raise CommandError(f'There is no account {options["account"]!r}.')
        if options['verb'] == 'export':
            for text in as_json(export(account.pk)):
                self.stdout.write(text, ending='')
            self.stdout.write('')
            return
        asked = f'Type {account.username} to erase what is held about it: '
        if not options['yes'] and input(asked) != account.username:
            raise CommandError('Nothing was erased.')
        erase(account.pk)
        self.stdout.write(f'Account {account.pk} is erased.')

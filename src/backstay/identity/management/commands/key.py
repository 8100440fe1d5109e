"""`backstay key create|list|revoke|rotate`: API keys from the command line."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from backstay.caller import Held
from backstay.errors import Problem
from backstay.identity.keys import active_keys, create_key, revoke_key, rotate_key
from backstay.identity.loading import account_called
from backstay.identity.models import ApiKey


class Command(BaseCommand):
    """Makes, lists, revokes and replaces API keys."""

    help = __doc__ or ''

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add one sub-command for each verb."""
        verbs = parser.add_subparsers(
            dest='verb', required=True, metavar='create|list|revoke|rotate'
        )
        create = verbs.add_parser('create', help='make a key and print it; it is shown once')
        create.add_argument('account', help='user name of its creator, whose rights bound it')
        create.add_argument('name', help='what it is for')
        create.add_argument('--level', type=int, help="the most it may do; its creator's level")
        create.add_argument(
            '--scope',
            action='append',
            metavar='OVER:ID:LEVEL',
            help="such as companies:7:2, or companies:*:2 for all; all of its creator's",
        )
        create.add_argument('--days', type=int, default=30, help='how long it lives: up to 365')
        create.add_argument('--from', action='append', default=[], help='a network it is used from')
        listed = verbs.add_parser('list', help='the keys that can be used')
        listed.add_argument('account', help='user name of their creator')
        for verb, text in (('revoke', 'end a key'), ('rotate', 'replace a key and print the new')):
            verbs.add_parser(verb, help=text).add_argument('prefix', help='its first 12 characters')

    def handle(self, *_: Any, **options: Any) -> None:
        """Run the verb; report errors in words."""
        try:
            getattr(self, f'_{options["verb"]}')(options)
        except ValidationError as error:
            raise CommandError('; '.join(error.messages)) from None
        except Problem as error:
            raise CommandError(error.detail) from None

    def _create(self, options: dict[str, Any]) -> None:
        scopes = options['scope']
        _, shown = create_key(
            _account(options['account']),
            options['name'],
            level=options['level'],
            scopes=None if scopes is None else [_scope(each) for each in scopes],
            expires_at=timezone.now() + timedelta(days=options['days']),
            ip_allow=options['from'],
        )
        self.stdout.write(shown)

    def _list(self, options: dict[str, Any]) -> None:
        for key in active_keys(_account(options['account'])):
            used = f'{key.last_used_at:%Y-%m-%d %H:%M}' if key.last_used_at else 'never'
            line = f'{key.prefix}  level {key.level}  until {key.expires_at:%Y-%m-%d}'
            self.stdout.write(f'{line}  used {used}  {key.name}')

    def _revoke(self, options: dict[str, Any]) -> None:
        revoke_key(_key(options['prefix']))

    def _rotate(self, options: dict[str, Any]) -> None:
        _, shown = rotate_key(_key(options['prefix']))
        self.stdout.write(shown)


def _account(name: str) -> Any:
    account = account_called(name)
    if account is None:
        raise CommandError(f'there is no account called {name!r}')
    return account


def _key(prefix: str) -> ApiKey:
    key = ApiKey.objects.select_related('creator').filter(
        prefix=prefix.removeprefix('cak_').partition('.')[0], revoked_at=None
    )
    found = key.first()
    if found is None:
        raise CommandError(f'there is no key {prefix[:16]!r} that is not revoked')
    return found


def _scope(text: str) -> Held:
    over, _, rest = text.partition(':')
    key, _, level = rest.rpartition(':')
    if not (over and key and level.isdecimal()):
        raise CommandError(f'--scope {text}: give OVER:ID:LEVEL, such as companies:7:2')
    thing = None if key == '*' else json.loads(key) if key.isdecimal() else key
    return Held(over=over, id=thing, level=int(level))

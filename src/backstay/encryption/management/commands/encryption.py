"""`backstay encryption status|rewrap|renew|reseal|sweep|destroyed|destroy`: keys and rotation."""

import json
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from tqdm import tqdm  # type: ignore[import-untyped]

from backstay.encryption import rotation
from backstay.encryption.declared import EncryptedField, all_encrypted_fields
from backstay.encryption.erasure import destroy_owner
from backstay.encryption.errors import EncryptionError
from backstay.encryption.keyring import keyring
from backstay.encryption.models import DataKey
from backstay.encryption.owners import Owner


class Command(BaseCommand):
    """Rotates keys, in steps that may be killed and repeated; lists and destroys them."""

    help = __doc__ or ''

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add one sub-command for each verb."""
        parser.add_argument('--database', default='default', help='alias of the database')
        parser.add_argument('--step', type=int, default=200, help='rows of one transaction; 200')
        parser.add_argument('--quiet', action='store_true', help='show no progress')
        verbs = parser.add_subparsers(dest='verb', required=True)
        verbs.add_parser('status', help='how many keys each master key wraps')
        verbs.add_parser('rewrap', help='wrap data keys with the newest master key')
        renew = verbs.add_parser('renew', help='give every owner a next data key')
        renew.add_argument('--before', default='', help='only for keys made before this moment')
        renew.add_argument('--indexes', action='store_true', help='the keys of blind indexes')
        verbs.add_parser('reseal', help='encrypt anew what is not under the newest key')
        verbs.add_parser('sweep', help='delete keys that no value has used for a day')
        verbs.add_parser('destroyed', help='print the owners of destroyed keys, as JSON lines')
        destroy = verbs.add_parser('destroy', help='destroy keys again, after a restored backup')
        destroy.add_argument('file', type=Path, help='what `destroyed` printed')

    def handle(self, *_: Any, **options: Any) -> None:
        """Run the verb; report errors in words."""
        try:
            getattr(self, f'_{options["verb"]}')(options)
        except EncryptionError as error:
            raise CommandError(str(error)) from None

    def _status(self, options: dict[str, Any]) -> None:
        keys = DataKey.objects.using(options['database'])
        newest = keyring().newest
        alive = keys.filter(wrapped__isnull=False)
        for master in sorted({newest, *alive.values_list('master', flat=True).distinct()}):
            kind = 'newest' if master == newest else 'older'
            count = alive.filter(master=master).count()
            self.stdout.write(f'{master} ({kind}): wraps {count} data keys')
        self.stdout.write(f'destroyed: {keys.filter(wrapped=None).count()}')

    def _rewrap(self, options: dict[str, Any]) -> None:
        using = options['database']
        with _bar('keys', rotation.to_rewrap(using).count(), options) as progress:
            done = rotation.rewrap(using, step=options['step'], progress=progress)
        self.stdout.write(f'rewrapped {done} data keys with {keyring().newest}')

    def _renew(self, options: dict[str, Any]) -> None:
        using, indexes = options['database'], options['indexes']
        before = _moment(options['before'])
        count = rotation.to_renew(using, before, indexes=indexes).count()
        with _bar('keys', count, options) as progress:
            done = rotation.renew(
                using, before, indexes=indexes, step=options['step'], progress=progress
            )
        self.stdout.write(f'renewed {done} data keys')

    def _reseal(self, options: dict[str, Any]) -> None:
        unreadable: list[str] = []
        for field in all_encrypted_fields():
            found = self._reseal_column(field, options)
            unreadable += found.unreadable
            self.stdout.write(
                f'{field.context}: encrypted {found.changed} values anew, '
                f'{found.destroyed} are destroyed'
            )
        if unreadable:
            raise CommandError('cannot be decrypted: ' + ', '.join(unreadable))

    def _reseal_column(self, field: EncryptedField, options: dict[str, Any]) -> rotation.Resealed:
        using = options['database']
        rows = field.model._base_manager.using(using).filter(**{f'{field.name}__isnull': False})
        with _bar(field.context, rows.count(), options) as progress:
            return rotation.reseal(field, using, step=options['step'], progress=progress)

    def _sweep(self, options: dict[str, Any]) -> None:
        self.stdout.write(f'deleted {rotation.sweep(options["database"])} data keys')

    def _destroyed(self, options: dict[str, Any]) -> None:
        keys = DataKey.objects.using(options['database']).filter(wrapped=None)
        for owner, owner_id in sorted({*keys.values_list('owner', 'owner_id')}):
            self.stdout.write(json.dumps({'owner': owner, 'owner_id': owner_id}))

    def _destroy(self, options: dict[str, Any]) -> None:
        count = 0
        for line in options['file'].read_text().splitlines():
            owner = json.loads(line)
            count += destroy_owner(Owner(owner['owner'], owner['owner_id']), options['database'])
        self.stdout.write(f'destroyed {count} data keys')


def _moment(text: str) -> datetime:
    moment = parse_datetime(text) if text else timezone.now()
    if moment is None:
        raise CommandError(f'--before {text}: give a moment such as 2026-11-30T20:00:00Z')
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


@contextmanager
def _bar(unit: str, total: int, options: dict[str, Any]) -> Iterator[rotation.Progress]:
    """Yield what moves a progress bar on standard error."""
    interval = 0.1 if sys.stderr.isatty() else 5
    with tqdm(total=total, desc=unit, disable=options['quiet'], mininterval=interval) as bar:
        yield bar.update

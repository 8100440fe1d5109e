"""`backstay rotate_secrets`: encrypt what is stored with the newest secret key."""

from typing import Any

from django.core.management.base import BaseCommand

from backstay.secret_keys import rotations


class Command(BaseCommand):
    """Encrypts secrets anew, so that older keys can leave SECRET_KEY_FALLBACKS."""

    help = __doc__ or ''

    def handle(self, *_: Any, **_options: Any) -> None:
        """Encrypt them, and report the numbers. It may be killed and repeated."""
        for name, rotate in sorted(rotations.items()):
            self.stdout.write(f'{rotate()} {name} encrypted anew.')

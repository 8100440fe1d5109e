"""Passwords that are known from breaches, looked up in a file on this machine.

The file is that of Have I Been Pwned: lines `SHA-1 in hex:count`, sorted by hash. It has some
tens of gigabytes, so it is searched where it lies. https://haveibeenpwned.com/Passwords
"""

import hashlib
import mmap
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError

_log: structlog.stdlib.BoundLogger = structlog.get_logger('backstay.identity')
_DIGITS = 40


def is_listed(password: str, file: Path) -> bool:
    """Whether the file has the password: some 30 reads, however long it is.

    Raises OSError and ValueError for a file that cannot be read or is empty.
    """
    digest = hashlib.sha1(password.encode('utf-8', 'surrogatepass'), usedforsecurity=False)
    wanted = digest.hexdigest().upper().encode()
    with file.open('rb') as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as lines:
        low, high = 0, len(lines)
        while low < high:
            middle = (low + high) // 2
            start = max(low, lines.rfind(b'\n', low, middle) + 1)
            end = lines.find(b'\n', middle)
            end = high if end < 0 else end
            found = lines[start : min(end, start + _DIGITS)].upper()
            if found == wanted:
                return True
            low, high = (end + 1, high) if found < wanted else (low, start)
    return False


class BreachedPasswordValidator:
    """Rejects passwords that the file of `BACKSTAY_BREACHED_PASSWORDS` has; all pass without one.

    A file that cannot be read is told in the log, and keeps nobody from choosing a password.
    """

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError for a password that is known from a breach."""
        named = settings.BACKSTAY.breached_passwords
        if not named:
            return
        try:
            listed = is_listed(password, settings.BASE_DIR / named)
        except (OSError, ValueError) as error:
            _log.error('breached-passwords-unreadable', error=type(error).__name__)
            return
        if listed:
            raise ValidationError(
                'This password is known from a breach of another site; choose another.',
                code='password_breached',
            )

    def get_help_text(self) -> str:
        """Return the sentence that forms show."""
        return 'Your password may not be known from a breach of another site.'

"""Passwords that are known from breaches, looked up in a file on this machine or at a service.

The file is that of Have I Been Pwned: lines `SHA-1 in hex:count`, sorted by hash. It has some
tens of gigabytes, so it is searched where it lies. https://haveibeenpwned.com/Passwords

The service is told five digits of the hash, which some 2 000 breached passwords share, and answers
with the rest of each. https://haveibeenpwned.com/API/v3#SearchingPwnedPasswordsByRange
"""

import hashlib
import mmap
import time
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import structlog
from django.conf import settings
from django.core.exceptions import ValidationError

_log: structlog.stdlib.BoundLogger = structlog.get_logger('backstay.identity')
_DIGITS = 40
#: Digits that the service is told.
_TOLD = 5
#: Bytes of an answer that are read; the longest have some 50 KB.
_LONGEST = 1_000_000


def is_listed(password: str, file: Path) -> bool:
    """Whether the file has the password: some 30 reads, however long it is.

    Raises OSError and ValueError for a file that cannot be read or is empty.
    """
    wanted = _digest(password).encode()
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


def _digest(password: str) -> str:
    data = password.encode('utf-8', 'surrogatepass')
    return hashlib.sha1(data, usedforsecurity=False).hexdigest().upper()


class BreachService:
    """A service that is asked whether it knows a password, within a second and a half in all.

    One that does not answer is left alone for ten seconds. It is asked from threads of its own,
    as nothing else bounds the time that a name server or an answer that drips may take.
    """

    seconds = 1.5
    rest = 10.0

    def __init__(self) -> None:
        self._rests_until = 0.0
        self._threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix='breaches')

    def knows(self, password: str, url: str) -> bool:
        """Return whether the service at `url` knows it. Raises OSError, httpx.HTTPError."""
        digest = _digest(password)
        if time.monotonic() < self._rests_until:
            raise TimeoutError('the service did not answer a moment ago')
        minute = int(time.time() // 60)
        asked = self._threads.submit(_ends_of, f'{url}{digest[:_TOLD]}', minute)
        try:
            return digest[_TOLD:] in asked.result(self.seconds)
        except (OSError, httpx.HTTPError):
            self._rests_until = time.monotonic() + self.rest
            raise


breach_service = BreachService()


@lru_cache(maxsize=16)
def _ends_of(url: str, _minute: int) -> frozenset[str]:
    """Return the rests of the hashes that begin alike; kept, as a sign-up asks twice."""
    headers = {'Add-Padding': 'true', 'User-Agent': 'backstay'}
    text = b''
    with httpx.stream('GET', url, headers=headers, timeout=BreachService.seconds) as answer:
        if answer.status_code != 200:  # a redirect would lead elsewhere
            raise OSError(f'the service answered {answer.status_code}')
        for chunk in answer.iter_bytes():
            text += chunk
            if len(text) > _LONGEST:
                raise OSError('the answer of the service has no end')
    lines = (line.partition(':') for line in text.decode('ascii', 'replace').upper().split())
    # Lines without a count fill the answer, so that its length tells nothing.
    return frozenset(end for end, _, count in lines if count.strip('0'))


class BreachedPasswordValidator:
    """Rejects passwords that a file or a service of the site knows; all pass without either.

    They are those of `BACKSTAY_BREACHED_PASSWORDS` and `BACKSTAY_BREACHED_PASSWORDS_URL`. What
    cannot be asked is told in the log, and keeps nobody from choosing a password.
    """

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError for a password that is known from a breach."""
        site = settings.BACKSTAY
        known = False
        try:
            if site.breached_passwords:
                known = is_listed(password, settings.BASE_DIR / site.breached_passwords)
        except (OSError, ValueError) as error:
            _log.error('breached-passwords-unreadable', error=type(error).__name__)
        try:
            if site.breached_passwords_url and not known:
                known = breach_service.knows(password, site.breached_passwords_url)
        except (OSError, httpx.HTTPError) as error:
            _log.warning('breached-passwords-unavailable', error=type(error).__name__)
        if known:
            raise ValidationError(
                'This password is known from a breach of another site; choose another.',
                code='password_breached',
            )

    def get_help_text(self) -> str:
        """Return the sentence that forms show."""
        return 'Your password may not be known from a breach of another site.'

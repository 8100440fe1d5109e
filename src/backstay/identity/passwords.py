"""Passwords: checked in one place for the sign-in pages, the admin and Basic authentication.

An unknown name takes as long as a wrong password, and every attempt is counted.
"""

import hmac
import re
import time
import unicodedata
from collections import OrderedDict
from hashlib import sha256
from threading import Lock
from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from backstay.audit import record
from backstay.identity.addresses import address_of
from backstay.identity.attempts import password_attempt
from backstay.identity.limits import PASSWORDS
from backstay.identity.loading import account_called, account_with_key
from backstay.identity.mails import send_soon
from backstay.identity.second_factor import code_in, find_factor
from backstay.secret_keys import derived_keys
from backstay.services import mounted


class PasswordBackend(AuthenticationBackend):
    """Django's authentication backend: one look-up and one hash, even for unknown accounts."""

    def get_user(self, user_id: Any) -> Any:
        """Return the account of a session with its scopes: one statement."""
        account = account_with_key(user_id)
        return account if account is not None and account.is_active else None

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> Any:
        name = credentials.get('username') or credentials.get('email') or ''
        account = verified_account(request, name, credentials['password'], code_in(request))
        self._did_check_password = True  # or as good as that
        if account is not None and not account.is_active:
            self._stash_user(account)
            return None
        return account


def verified_account(
    request: HttpRequest | None,
    name: str,
    password: str,
    code: str = '',
    *,
    by_program: bool = False,
) -> Any:
    """Return the account of a name and its password; None otherwise, after the same time.

    It may be blocked: callers must check that. `code` is one of a second factor, which opens
    a name that is locked after too many wrong passwords; `by_program` says that no person is asked
    for one. Raises SignInThrottled.
    """
    name = get_user_model().normalize_username(name)
    with password_attempt(request, name, has_code=bool(code), by_program=by_program) as attempt:
        account = account_called(name)
        if account is None:
            make_password(password)
        is_right = account is not None and account.has_password(password)
        has_factor = bool(code) and find_factor(request, account if is_right else None, code)
        attempt.succeeded = is_right and (has_factor or not attempt.is_locked)
    if not attempt.succeeded:
        found = account.pk if account is not None else None
        record(
            'sign-in-locked' if attempt.has_locked else 'sign-in', account_id=found, refused=True
        )
    if attempt.has_locked and account is not None and account.email:
        context = {
            'limit': PASSWORDS.amount,
            'minutes': PASSWORDS.seconds // 60,
            'site': request.get_host() if request is not None else 'this site',
            'address': str(address_of(request) or 'unknown') if request is not None else 'the site',
        }
        send_soon('locked', account.email, context)
    return account if attempt.succeeded else None


class MaximumLengthValidator:
    """Rejects passwords that are longer than anybody types: each attempt costs their hash."""

    def __init__(self, max_length: int = 128) -> None:
        self.max_length = max_length

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError for a password that is too long."""
        if len(password) > self.max_length:
            raise ValidationError(self.get_help_text(), code='password_too_long')

    def get_help_text(self) -> str:
        """Return the sentence that forms show."""
        return f'Your password may have {self.max_length} characters.'


class SiteWordsValidator:
    """Rejects passwords that are little more than words of the site, which are tried first.

    They are `BACKSTAY_PASSWORD_WORDS`, the names and titles of services, and the site's hosts.
    """

    #: Letters that a word has to have, and characters that a password has to have besides them.
    least_letters, least_besides = 4, 8

    def validate(self, password: str, user: Any = None) -> None:
        """Raise ValidationError for a password that has too little besides these words."""
        whole = besides = unicodedata.normalize('NFKC', password).lower()
        for word in sorted(self.words(), key=len, reverse=True):
            besides = besides.replace(word, '')
        if besides != whole and len(besides) < self.least_besides:
            raise ValidationError(self.get_help_text(), code='password_of_the_site')

    def words(self) -> set[str]:
        """Return the words of the site, in small letters."""
        site = settings.BACKSTAY
        names = (f'{each.name} {each.title}' for each in mounted())
        texts = ('backstay', *names, *site.allowed_hosts, *site.password_words)
        words = re.findall(r'\w+', unicodedata.normalize('NFKC', ' '.join(texts)).lower())
        return {word for word in words if len(word) >= self.least_letters}

    def get_help_text(self) -> str:
        """Return the sentence that forms show."""
        return 'Your password may not be made of words of this site alone.'


class VerifiedPasswords:
    """Credentials that were right a moment ago, kept so that few requests cost a hash.

    Kept in memory as HMACs, for at most 60 s, at most 1024 of them. An entry counts only for the
    password that the account has now.
    """

    seconds = 60.0
    capacity = 1024

    def __init__(self) -> None:
        self._until: OrderedDict[bytes, float] = OrderedDict()
        self._lock = Lock()

    def knows(self, account: Any, password: str) -> bool:
        """Whether this was the account's password within the last 60 s, and still is."""
        key = self._key(account, password)
        with self._lock:
            return self._until.get(key, 0.0) > time.monotonic()

    def remember(self, account: Any, password: str) -> None:
        """Record that this is the account's password."""
        key = self._key(account, password)
        with self._lock:
            self._until[key] = time.monotonic() + self.seconds
            self._until.move_to_end(key)
            while len(self._until) > self.capacity:
                self._until.popitem(last=False)

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._until.clear()

    def _key(self, account: Any, password: str) -> bytes:
        """Return a key that changes with the account's password and with the one that is tried."""
        parts = (str(account.pk), account.password, account.status, password)
        message = b''.join(sha256(part.encode('utf-8', 'surrogatepass')).digest() for part in parts)
        return hmac.digest(derived_keys('verified-password')[0], message, 'sha256')


verified_passwords = VerifiedPasswords()

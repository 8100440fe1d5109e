"""Where sessions are kept: under hashes of their keys, and encrypted.

Whoever reads the database cannot use a session: its key stands nowhere, and neither does what it
holds, mailed codes among it. Browsers show keys in a cookie, apps in `X-Session-Token`; the keys
of apps begin with `cst_`, and neither is taken for the other.
"""

import time
from base64 import urlsafe_b64encode
from datetime import timedelta
from hashlib import sha256
from typing import Any

from allauth.usersessions.models import UserSession
from asgiref.sync import sync_to_async
from cryptography.fernet import InvalidToken
from django.contrib.sessions.backends import base, db
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.utils import timezone
from django.utils.crypto import get_random_string

from backstay.identity.models import TokenPair
from backstay.secret_keys import ciphers

#: How long the key of an app is taken; a refresh of its tokens brings a new one.
APP_KEY_LIFE = timedelta(days=1)

_APP = 'cst_'
#: The use of the keys that encrypt what sessions hold.
_USE = 'session'
#: Hexadecimal digits of the second in which the key of an app was made.
_MADE_AT = slice(len(_APP), len(_APP) + 8)
#: Characters of what is random in a key.
_LEAST = 32
#: What else has the stored key of a session.
_WITH_KEYS: tuple[type[Model], ...] = (UserSession, TokenPair)


class StoredKey(str):
    """A session's key as the database has it. No text of a client is ever made one."""

    __slots__ = ()


def stored(key: str) -> StoredKey:
    """Return what is stored of a key: 240 bits of its SHA-256, which open nothing.

    A key has 165 random bits, so nothing slower is needed.
    """
    if isinstance(key, StoredKey):
        return key
    digest = sha256(key.encode('utf-8', 'surrogatepass')).digest()
    return StoredKey(urlsafe_b64encode(digest[:30]).decode())


class SessionStore(db.SessionStore):
    """The sessions of browsers. Those of which only the stored key is known open with that."""

    @property
    def stored_key(self) -> StoredKey | None:
        """The key under which the session is stored; None for one that has not been saved."""
        return stored(self.session_key) if self.session_key else None

    def encode(self, session_dict: Any) -> str:
        """Return the text that is stored of what a session holds."""
        return ciphers(_USE).encrypt(self.serializer().dumps(session_dict)).decode()

    def decode(self, session_data: bytes | str) -> dict[str, Any]:
        """Return what a session holds: nothing, where it was stored with another secret key."""
        try:
            held: dict[str, Any] = self.serializer().loads(ciphers(_USE).decrypt(session_data))
        except (InvalidToken, ValueError):
            return {}
        return held

    def create_model_instance(self, data: dict[str, Any]) -> Any:
        """Return the row to be saved."""
        row: Any = super().create_model_instance(data)
        row.session_key = stored(row.session_key)
        return row

    def load(self) -> dict[str, Any]:
        """Return what the session holds: one statement."""
        rows = Session.objects.filter(pk=self.stored_key, expire_date__gt=timezone.now())
        row = rows.first()
        if row is None:
            self._session_key = None
        return self.decode(row.session_data) if row else {}

    def exists(self, session_key: str) -> bool:
        """Return whether a session is stored under a key."""
        return super().exists(stored(session_key))

    def delete(self, session_key: str | None = None) -> None:
        """Delete the session of a key, or this one."""
        super().delete(stored(session_key) if session_key else self.stored_key)

    def cycle_key(self) -> None:
        """Give the session a new key; its tokens and its line in the list of sessions follow.

        Raises UpdateError where it has been ended meanwhile, which else would bring it back.
        """
        self.keys()  # they are loaded, which drops the key of none
        before = self.stored_key
        with transaction.atomic():
            if before:
                # Whoever ends sessions locks their lines first.
                list(UserSession.objects.select_for_update().filter(session_key=before))
                if not self.exists(before):
                    raise base.UpdateError
            super().cycle_key()
            for model in _WITH_KEYS if before else ():
                model._base_manager.filter(session_key=before).update(session_key=self.stored_key)

    def flush(self) -> None:
        """End the session, with its line in the list; its tokens are refused from now on."""
        before = self.stored_key
        with transaction.atomic():
            super().flush()
            if before:
                UserSession.objects.filter(session_key=before).delete()

    # Django's own would look for keys that are stored nowhere.
    aload, aexists = base.SessionBase.aload, base.SessionBase.aexists
    acreate, asave = base.SessionBase.acreate, base.SessionBase.asave
    adelete = base.SessionBase.adelete

    async def acycle_key(self) -> None:
        """Do as `cycle_key` does."""
        await sync_to_async(self.cycle_key)()

    async def aflush(self) -> None:
        """Do as `flush` does."""
        await sync_to_async(self.flush)()

    def _validate_session_key(self, key: str | None) -> bool:
        return isinstance(key, StoredKey) or bool(key and len(key) >= _LEAST and self._is_own(key))

    def _is_own(self, key: str) -> bool:
        return not key.startswith(_APP)


class AppSessionStore(SessionStore):
    """The sessions of apps, whose keys are taken for a day."""

    def _is_own(self, key: str) -> bool:
        try:
            made_at = int(key[_MADE_AT], 16)
        except ValueError:
            return False
        return key.startswith(_APP) and time.time() < made_at + APP_KEY_LIFE.total_seconds()

    def _get_new_session_key(self) -> str:
        key = get_random_string(_LEAST, base.VALID_KEY_CHARS)
        return f'{_APP}{int(time.time()):08x}{key}'


def lines_of_ended_sessions() -> QuerySet[UserSession]:
    """Return the lines of sessions that are stored no more."""
    session = Session.objects.filter(session_key=OuterRef('session_key'))
    # A sign-in writes the line before the session itself.
    made = timezone.now() - timedelta(hours=1)
    ended: QuerySet[UserSession] = UserSession.objects.filter(~Exists(session), created_at__lt=made)
    return ended

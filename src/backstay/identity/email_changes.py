"""Changes of an account's e-mail address, each of which the old address can undo.

A thief of an account may change its address more than once, so each change can be undone by itself.
Undoing one forgets the later ones: their addresses may be the thief's.
"""

import hashlib
import secrets
from datetime import timedelta
from typing import Any

from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from backstay.audit import record
from backstay.identity.models import EmailChange, TokenPair
from backstay.identity.problems import EmailTaken, UndoExpired
from backstay.identity.session_limits import end

UNDO_LIFE = timedelta(hours=72)

_PREFIX = 'ceu_'


def remember_change(account: Any, old_email: str) -> str:
    """Record a change of address; return the text that undoes it, for the old address alone."""
    undo = f'{_PREFIX}{secrets.token_urlsafe(32)}'
    EmailChange.objects.create(account=account, old_email=old_email, undo_hash=_hash(undo))
    return undo


def undo_change(undo: str) -> None:
    """Give the account its old address back, verified, and end all its sessions.

    Raises UndoExpired, EmailTaken.
    """
    live = EmailChange.objects.filter(changed_at__gt=timezone.now() - UNDO_LIFE)
    with transaction.atomic():
        change = live.select_for_update().filter(undo_hash=_hash(undo)).first()
        if change is None:
            raise UndoExpired('It is unknown, has been used, or is older than 72 hours.')
        accounts = get_user_model()._default_manager
        account = accounts.select_for_update().get(pk=change.account_id)
        try:
            with transaction.atomic():
                account.email = change.old_email
                account.save(update_fields=['email'])
                EmailAddress.objects.filter(user_id=account.pk).delete()
                account.vouch_for_email()
        except IntegrityError:
            raise EmailTaken('The address belongs to another account by now.') from None
        EmailChange.objects.filter(account=account, changed_at__gte=change.changed_at).delete()
        end_sessions(account)
        record('email-undo', account_id=account.pk)


def end_sessions(account: Any) -> None:
    """Sign the account out everywhere."""
    end(UserSession.objects.filter(user_id=account.pk))
    TokenPair.objects.filter(account=account).delete()


def _hash(undo: str) -> str:
    return hashlib.sha256(undo.encode('utf-8', 'surrogatepass')).hexdigest()


def old_changes() -> QuerySet[EmailChange]:
    """Return the changes that can no longer be undone."""
    return EmailChange.objects.filter(changed_at__lte=timezone.now() - UNDO_LIFE)

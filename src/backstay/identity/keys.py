"""API keys: made, used, replaced and revoked.

A key is `cak_<prefix>.<secret>`: the prefix finds it and may be shown; only a hash of the secret is
kept. Its rights are computed at each use: its own level and scopes, lowered to those that its
creator holds at that moment (rule R12).
"""

import hashlib
import hmac
import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import lru_cache
from ipaddress import ip_network
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from limits import RateLimitItemPerMinute

from backstay.audit import record
from backstay.caller import Caller, Held
from backstay.engine.statements import Statement, text_slot
from backstay.errors import Problem
from backstay.identity.addresses import address_of, lies_in, network_of
from backstay.identity.callers import caller_of_account
from backstay.identity.counters import limiter
from backstay.identity.limits import KEYS_FROM, refuse_token
from backstay.identity.loading import account_columns, account_from
from backstay.identity.mails import plain_name, send_soon
from backstay.identity.models import ApiKey
from backstay.identity.problems import AddressNotAllowed, TokenExpired, TokenInvalid
from backstay.identity.scopes import provider_paths, scope_columns, within

PREFIX = 'cak_'
DEFAULT_LIFE = timedelta(days=30)
LONGEST_LIFE = timedelta(days=365)
MAX_ACTIVE_KEYS = 50

_ALPHABET = string.ascii_lowercase + string.digits
#: Refused uses of a key that the audit tells.
_TOLD = RateLimitItemPerMinute(1, namespace='key-refused')
#: The precision of `last_used_at`: it is written at most that often.
_USE_STEP = timedelta(minutes=1)
_COLUMNS = (
    'pk',
    'prefix',
    'secret_hash',
    'creator_id',
    'level',
    'scopes',
    'ip_allow',
    'expires_at',
    'last_used_at',
    'revoked_at',
)


#: How long a key that has ended can still be looked up.
_ENDED_KEPT = timedelta(days=90)


class TooManyKeys(Problem):
    """409: the creator has as many keys as anybody may have."""

    code = 'too-many-keys'


def create_key(creator: Any, name: str, **options: Any) -> tuple[ApiKey, str]:
    """Return a saved key and its full text, which is never shown again.

    `options` are those of `new_key`. Raises its errors, and TooManyKeys beyond 50 active ones.
    """
    key, shown = new_key(creator, name, **options)
    store_key(key)
    return key, shown


def new_key(
    creator: Any,
    name: str,
    *,
    level: int | None = None,
    scopes: Sequence[Held] | None = None,
    expires_at: datetime | None = None,
    ip_allow: Sequence[str] = (),
) -> tuple[ApiKey, str]:
    """Return a key that is not saved yet, and its full text.

    `level` is the most that it may do anywhere: that of its creator unless given, as are `scopes`.
    Raises ValidationError for what exceeds the creator's rights or 365 days.
    """
    caller = caller_of_account(creator)
    prefix = ''.join(secrets.choice(_ALPHABET) for _ in range(12))
    secret = secrets.token_urlsafe(32)
    key = ApiKey(
        creator=creator,
        name=name,
        prefix=prefix,
        secret_hash=_hash(secret),
        level=caller.standing().level if level is None else level,
        scopes=None if scopes is None else [asdict(each) for each in scopes],
        expires_at=expires_at or timezone.now() + DEFAULT_LIFE,
        ip_allow=list(ip_allow),
    )
    _check(key, scopes, caller)
    key.full_clean()
    return key, f'{PREFIX}{prefix}.{secret}'


def store_key(key: ApiKey) -> None:
    """Save a new key, and tell its owner by mail. Raises TooManyKeys."""
    with transaction.atomic():
        # The creator's row is the lock: two keys at once must not both be the fiftieth.
        accounts = get_user_model()._default_manager
        list(accounts.select_for_update().filter(pk=key.creator_id).values_list('pk'))
        if active_keys(key.creator).count() >= MAX_ACTIVE_KEYS:
            raise TooManyKeys(f'An account may have {MAX_ACTIVE_KEYS} active keys.')
        key.save()
        _record('key-create', key, level=key.level, expires_at=key.expires_at.isoformat())
    if key.creator.email:
        context = {
            'name': plain_name(key.name),
            'prefix': f'{PREFIX}{key.prefix}',
            'level': key.level,
            'expires_at': f'{key.expires_at:%Y-%m-%d %H:%M}',
        }
        send_soon('key_made', key.creator.email, context)


def _check(key: ApiKey, scopes: Sequence[Held] | None, creator: Caller) -> None:
    """Raise ValidationError when the key would exceed its creator, or live too long."""
    faults: dict[str, str] = {}
    if key.level > creator.standing().level:
        faults['level'] = 'A key cannot have a higher level than its creator.'
    if scopes is not None and not all(each in within([each], creator.scopes) for each in scopes):
        faults['scopes'] = 'A key cannot have scopes that its creator does not hold.'
    if key.expires_at > timezone.now() + LONGEST_LIFE:
        faults['expires_at'] = f'A key may live {LONGEST_LIFE.days} days.'
    if key.expires_at <= timezone.now():
        faults['expires_at'] = 'Give a moment to come.'
    for network in key.ip_allow:
        try:
            ip_network(network)
        except ValueError:
            faults['ip_allow'] = 'Give networks such as 192.0.2.0/24 or 2001:db8::/32.'
    if faults:
        raise ValidationError(faults)


def active_keys(creator: Any) -> QuerySet[ApiKey]:
    """Return the keys of an account that can still be used."""
    now = timezone.now()
    return ApiKey.objects.filter(creator=creator, revoked_at=None, expires_at__gt=now)


def revoke_key(key: ApiKey) -> None:
    """End the key; it is rejected from the next request on."""
    with transaction.atomic():
        live = ApiKey.objects.filter(pk=key.pk, revoked_at=None)
        if live.update(revoked_at=timezone.now()):
            _record('key-revoke', key)


def _record(action: str, key: ApiKey, **detail: Any) -> None:
    record(action, account_id=key.creator_id, key=f'{PREFIX}{key.prefix}', **detail)


def revoke_keys_of(creator: Any) -> int:
    """End all keys of an account; return how many there were."""
    keys = list(active_keys(creator))
    for key in keys:
        revoke_key(key)
    return len(keys)


def rotate_key(key: ApiKey) -> tuple[ApiKey, str]:
    """Return a new key with the rights and the life span of the old one, which is revoked."""
    scopes = None if key.scopes is None else [_read(each) for each in key.scopes]
    life = min(key.expires_at - key.created_at, LONGEST_LIFE)
    with transaction.atomic():
        revoke_key(key)
        return create_key(
            key.creator,
            key.name,
            level=key.level,
            scopes=scopes,
            expires_at=timezone.now() + life,
            ip_allow=key.ip_allow,
        )


def caller_of_key(key: str, request: HttpRequest) -> Caller:
    """Return the caller of a key, which costs one statement.

    At most once a minute another notes its use. Raises TokenInvalid, TokenExpired and
    AddressNotAllowed.
    """
    prefix, _, secret = key.removeprefix(PREFIX).partition('.')
    row = _statement(provider_paths()).first(prefix) if '\x00' not in prefix else None
    # Hashed in any case, so that the time does not reveal whether the prefix exists.
    given = _hash(secret)
    if row is None:
        if limiter().hit(_TOLD, network_of(request)):  # as much work as for a prefix that exists
            record('key-use', refused=True, why=TokenInvalid.default_code)
        refuse_token(KEYS_FROM, request, 'The key is not valid.')
    found = dict(zip(_COLUMNS, row, strict=False))
    try:
        return _caller_of(found, row[len(_COLUMNS) :], given, request)
    except (TokenInvalid, TokenExpired, AddressNotAllowed) as error:
        # A program that goes on asking must not fill the audit.
        if limiter().hit(_TOLD, prefix):
            creator, shown, why = found['creator_id'], f'{PREFIX}{prefix}', error.default_code
            record('key-use', account_id=creator, refused=True, key=shown, why=why)
        raise


def _caller_of(
    found: Mapping[str, Any], columns: Sequence[Any], given: str, request: HttpRequest
) -> Caller:
    """Return the caller of a key that was found. Raises as `caller_of_key`."""
    if not hmac.compare_digest(given, found['secret_hash']):
        refuse_token(KEYS_FROM, request, 'The key is not valid.')
    count = len(account_columns())
    creator = account_from(columns[:count], columns[count:])
    if found['revoked_at'] is not None or not creator.is_active:
        raise TokenInvalid('The key is not valid.')
    if found['expires_at'] <= timezone.now():
        raise TokenExpired('The key has expired.')
    if found['ip_allow'] and not lies_in(address_of(request), found['ip_allow']):
        raise AddressNotAllowed
    _note_use(found)
    # Never more than the creator holds now, nor above the key's own level.
    own = creator.held if found['scopes'] is None else map(_read, found['scopes'])
    wanted = (replace(each, level=min(each.level, found['level'])) for each in own)
    return Caller(
        kind='key',
        name=f'{PREFIX}{found["prefix"]}',
        level=min(found['level'], creator.level),
        scopes=within(wanted, creator.held),
        facts={'key_id': found['pk'], 'creator_id': creator.pk},
    )


def _note_use(found: Mapping[str, Any]) -> None:
    now = timezone.now()
    last = found['last_used_at']
    if last is None or last < now - _USE_STEP:
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - _USE_STEP)
        ApiKey.objects.filter(stale, pk=found['pk']).update(last_used_at=now)


@lru_cache(maxsize=8)
def _statement(_providers: tuple[str, ...]) -> Statement:
    def rows() -> Any:
        keys = ApiKey.objects.filter(prefix=text_slot(0)).order_by()
        columns: Any = (*_COLUMNS, *account_columns('creator__'), *scope_columns('creator_id'))
        return keys.values_list(*columns)

    return Statement(rows)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode('utf-8', 'surrogatepass')).hexdigest()


def _read(written: Mapping[str, Any]) -> Held:
    return Held(**written)


def old_keys() -> QuerySet[ApiKey]:
    """Return the keys that ended so long ago that nobody looks for them."""
    ended = timezone.now() - _ENDED_KEPT
    return ApiKey.objects.filter(Q(expires_at__lt=ended) | Q(revoked_at__lt=ended))

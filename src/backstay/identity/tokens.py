"""Bearer tokens of API clients: a short-lived access token and a refresh token that is used once.

allauth's own JWT strategy rotates refresh tokens too, but treats one that comes a second time as
any wrong one, although it is the sign of a theft. Here it ends the session.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from allauth.core import context as allauth_context
from allauth.core.internal.sessionkit import get_session_user
from allauth.headless.tokens.strategies.base import AbstractTokenStrategy
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils import timezone

from backstay.audit import record
from backstay.engine.statements import Statement, text_slot
from backstay.identity.addresses import network_of
from backstay.identity.limits import REFRESHES_FROM, TOKENS_FROM, refuse_token
from backstay.identity.loading import account_columns, account_from
from backstay.identity.models import TokenPair
from backstay.identity.problems import (
    AccountBlocked,
    SessionRevoked,
    TokenExpired,
    TokenInvalid,
    answered_as_problems,
)
from backstay.identity.scopes import provider_paths, scope_columns
from backstay.identity.session_limits import (
    SessionLimits,
    expire,
    is_within_limits,
    limits_of,
)
from backstay.identity.session_store import AppSessionStore, StoredKey, stored
from backstay.secret_keys import is_mac_of, mac_of

ACCESS_LIFE = timedelta(minutes=15)
#: The time for which a refresh may be repeated after its answer was lost.
GRACE = timedelta(seconds=30)

_SELECTOR = 22
#: The digits at the end of a refresh token that show that it was issued here.
_SEAL = 32
#: The uses of the keys that hash tokens, and that seal refresh tokens.
_USE, _ISSUED = 'token', 'refresh-token'
#: The attribute of a request with the key that it showed.
_SHOWN = '_backstay_shown_key'
_PAIR = (
    'pk',
    'access_hash',
    'access_expires_at',
    'access_used',
    'password_mark',
    'session_key',
    'started_at',
    'consumed_at',
)


class TokenStrategy(AbstractTokenStrategy):
    """allauth's sessions for clients that are not browsers, with our tokens on top."""

    def get_session_token(self, request: HttpRequest) -> str | None:
        """Return the session's key of `X-Session-Token`, or the stored one of the access token."""
        if request.resolver_match and request.resolver_match.url_name == 'refresh':
            return None  # the refresh token says which; what else is sent may have expired
        if not hasattr(request, _SHOWN):  # allauth asks again when it answers
            key: Any = super().get_session_token(request)
            scheme, _, token = request.META.get('HTTP_AUTHORIZATION', '').partition(' ')
            if key is None and scheme.lower() == 'bearer':
                with answered_as_problems():
                    key = account_of_access_token(token, request).session_key
            setattr(request, _SHOWN, key)
        shown: str | None = getattr(request, _SHOWN)
        return shown

    def lookup_session(self, session_token: str) -> AppSessionStore | None:
        """Return the session, unless it has ended."""
        session = AppSessionStore(session_token)
        account = get_session_user(session)  # which loads it, and drops the key of none
        request = allauth_context.request
        if account is not None and not is_within_limits(request, session, account):
            return None
        return session if session.session_key else None

    def create_session_token(self, request: Any) -> str:
        """Return the key of the session; save a session that has none."""
        if not request.session.session_key:
            request.session.save()
        key: str = request.session.session_key
        return key

    def create_access_token_payload(self, request: HttpRequest) -> dict[str, Any] | None:
        """Return the tokens that the answer to a sign-in carries beside the session."""
        self.create_session_token(request)
        session: Any = request.session
        made = start_pair(request.user, session.stored_key)
        limits = limits_of(request.user)
        idle = int(min(limits.idle, limits.life).total_seconds())
        return {
            'access_token': made.access,
            'access_expires_in': min(int(ACCESS_LIFE.total_seconds()), idle),
            'refresh_token': made.refresh,
            'refresh_expires_in': idle,
        }

    def refresh_token(self, refresh_token: str) -> tuple[str, str] | None:
        """Return a new pair for the refresh token; raise the errors of `refresh`."""
        request = allauth_context.request
        with answered_as_problems():
            made, session = refresh(refresh_token, request)
        request.session = session  # so that allauth adds its new key to the answer
        return made.access, made.refresh


@dataclass(frozen=True, slots=True)
class Tokens:
    """An access and a refresh token, as the client gets them: once."""

    access: str
    refresh: str

    def __repr__(self) -> str:
        return 'Tokens(…)'


def start_pair(account: Any, session_key: str) -> Tokens:
    """Return the first pair of a session."""
    pair = TokenPair(
        account=account,
        selector=secrets.token_urlsafe(16),
        session_key=session_key,
        password_mark=account.get_session_auth_hash(),
    )
    TokenPair.objects.filter(session_key=session_key).delete()
    return _renew(pair, limits_of(account))


def _renew(pair: TokenPair, limits: SessionLimits) -> Tokens:
    """Give the pair new tokens, save it, and return them."""
    now = timezone.now()
    refresh_text = f'{pair.selector}{secrets.token_urlsafe(32)}'
    made = Tokens(
        f'cat_{pair.selector}{secrets.token_urlsafe(32)}',
        f'crt_{refresh_text}{mac_of(_ISSUED, refresh_text)[:_SEAL]}',
    )
    pair.access_hash, pair.refresh_hash = mac_of(_USE, made.access), mac_of(_USE, made.refresh)
    pair.access_used = False
    pair.refresh_expires_at = min(now + limits.idle, pair.started_at + limits.life)
    pair.access_expires_at = min(now + ACCESS_LIFE, pair.refresh_expires_at)
    pair.save()
    return made


def _is_current(mark: str, account: Any) -> bool:
    """Whether the account still has the password of a mark, under any secret key."""
    marks = (account.get_session_auth_hash(), *account.get_session_auth_fallback_hash())
    return any(hmac.compare_digest(mark, each) for each in marks)


def account_of_access_token(token: str, request: HttpRequest) -> Any:
    """Return the account that signed in, its scopes in `held` and its session in `session_key`.

    One statement, and one more at the first use of a token. Raises TokenInvalid, TokenExpired,
    SessionRevoked, AccountBlocked.
    """
    selector = _selector_of(token)
    row = _statement(provider_paths()).first(selector) if selector else None
    if row is None or not is_mac_of(_USE, token, row[1]):
        refuse_token(TOKENS_FROM, request)
    pk, _, expires_at, used, mark, session_key, started_at, refreshed_at, is_alive, *rest = row
    if expires_at <= timezone.now():
        raise TokenExpired
    count = len(account_columns())
    account = account_from(rest[:count], rest[count:])
    if not is_alive or not _is_current(mark, account):
        raise SessionRevoked
    if not account.is_active:
        raise AccountBlocked
    if why := limits_of(account).passed(started_at, refreshed_at or started_at):
        expire(session_key, why)
        raise SessionRevoked
    if not used:
        TokenPair.objects.filter(pk=pk).update(access_used=True)
    account.session_key = StoredKey(session_key)
    return account


def _selector_of(token: str) -> str:
    """Return the part of a token that finds its pair; '' if it cannot be one."""
    selector = token[4 : 4 + _SELECTOR]
    return selector if selector.isascii() and '\x00' not in selector else ''


@lru_cache(maxsize=8)
def _statement(_providers: tuple[str, ...]) -> Statement:
    def rows() -> Any:
        columns: Any = (
            *_PAIR,
            _is_alive(),
            *account_columns('account__'),
            *scope_columns('account_id'),
        )
        return TokenPair.objects.filter(selector=text_slot(0)).values_list(*columns)

    return Statement(rows)


def _is_alive() -> Exists:
    """Whether the session behind the pair has not ended."""
    return Exists(
        Session.objects.filter(session_key=OuterRef('session_key'), expire_date__gt=Now())
    )


def refresh(token: str, request: HttpRequest) -> tuple[Tokens, AppSessionStore]:
    """Return a new pair in place of the refresh token's own, and the session under a new key.

    A token that has been used before ends the session, unless the answer to that use was lost:
    then its tokens are unused and it is at most 30 s old, and they are replaced. Raises
    TokenInvalid, TokenExpired, SessionRevoked, SignInThrottled.
    """
    here = network_of(request)
    if not REFRESHES_FROM.has_room(here):
        REFRESHES_FROM.refuse(here)
    try:
        with transaction.atomic():
            made = _refresh(token)
        if made is None:
            raise SessionRevoked
    except (TokenInvalid, TokenExpired, SessionRevoked):
        if not REFRESHES_FROM.hit(here):
            REFRESHES_FROM.refuse(here)
        raise
    return made


def _refresh(token: str) -> tuple[Tokens, AppSessionStore] | None:
    """Return what `refresh` does; None when the session has just ended, which must be committed."""
    pair = (
        TokenPair.objects.select_for_update(of=('self',))
        .select_related('account')
        .filter(selector=_selector_of(token))
        .first()
    )
    if pair is None or not token.startswith('crt_'):
        raise TokenInvalid
    # Asked behind the lock: a refresh that was waited for has given the session another key.
    session_rows = Session.objects.filter(session_key=pair.session_key, expire_date__gt=Now())
    is_alive = session_rows.exists() and pair.account.is_active
    if not is_alive or not _is_current(pair.password_mark, pair.account):
        raise SessionRevoked
    now, limits = timezone.now(), limits_of(pair.account)
    if is_mac_of(_USE, token, pair.refresh_hash):
        if pair.refresh_expires_at <= now:
            raise TokenExpired
        if why := limits.passed(pair.started_at, pair.consumed_at or pair.started_at):
            expire(pair.session_key, why)
            return None
        pair.consumed_hash, pair.consumed_at = mac_of(_USE, token), now
    elif not is_mac_of(_ISSUED, token[4:-_SEAL], token[-_SEAL:]):
        raise TokenInvalid  # it was never one of the session's: whoever sends it has seen none
    elif not _was_lost(pair, token, now):  # somebody has a refresh token that was another's
        record(
            'refresh-reuse', account_id=pair.account_id, session_key=pair.session_key, refused=True
        )
        UserSession.objects.filter(session_key=pair.session_key).delete()
        Session.objects.filter(session_key=pair.session_key).delete()
        return None
    # Whoever ends sessions locks these rows: what has just been ended stays so.
    if not UserSession.objects.filter(session_key=pair.session_key).update(last_seen_at=now):
        raise SessionRevoked
    session = AppSessionStore(StoredKey(pair.session_key))
    session.cycle_key()
    pair.session_key = stored(session.session_key or '')
    pair.password_mark = pair.account.get_session_auth_hash()
    return _renew(pair, limits), session


def _was_lost(pair: TokenPair, token: str, now: datetime) -> bool:
    """Whether the answer to the refresh with this token seems to have been lost."""
    return (
        pair.consumed_at is not None
        and not pair.access_used
        and now - pair.consumed_at <= GRACE
        and is_mac_of(_USE, token, pair.consumed_hash)
    )


def follow_session(request: Any, user: Any, **_: Any) -> None:
    """Keep the tokens of this session after a change of the password; all others end.

    A receiver of allauth's `password_changed` and `password_set`.
    """
    TokenPair.objects.filter(session_key=request.session.stored_key).update(
        password_mark=user.get_session_auth_hash()
    )


def dead_pairs() -> QuerySet[TokenPair]:
    """Return the pairs that can neither be used nor refreshed."""
    return TokenPair.objects.filter(refresh_expires_at__lt=timezone.now())

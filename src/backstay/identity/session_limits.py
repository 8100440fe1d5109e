"""How long a session may be idle and last, by kind of account, and when it was used last.

The use of a session is written down in steps, so that few requests cost a statement: a process
remembers which sessions it has seen within the step. A session may thus end one step early.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock
from typing import Any

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth.middleware import get_user
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.models import Session
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from backstay.audit import record
from backstay.caller import Caller
from backstay.identity.demanded_factors import refusal_of
from backstay.identity.ladder import level_of
from backstay.identity.recent import signed_in_at
from backstay.settings.spans import span_for

#: The longest step in which uses are written down; the step of short limits is a part of them.
_LONGEST_STEP, _PART = timedelta(minutes=5), 30
#: Who ends a session that is over.
_ITSELF = Caller(kind='command', name='backstay')


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionLimits:
    """The limits of the sessions of one account."""

    idle: timedelta
    life: timedelta

    def passed(self, started_at: datetime, used_at: datetime) -> str:
        """Return which limit a session has passed, `idle` or `life`; '' while it has none."""
        now = timezone.now()
        if now >= started_at + self.life:
            return 'life'
        return 'idle' if now >= used_at + self.idle else ''

    @property
    def step(self) -> timedelta:
        """The precision with which uses are written down."""
        return min(_LONGEST_STEP, self.idle / _PART)


def limits_of(account: Any) -> SessionLimits:
    """Return the limits of an account; one statement if it was loaded without its scopes."""
    kind: Any = {
        'level': level_of(account),
        'is_staff': account.is_staff or account.is_superuser,
    }
    site = settings.BACKSTAY
    return SessionLimits(
        idle=span_for(site.session_idle, **kind), life=span_for(site.session_life, **kind)
    )


def end(sessions: QuerySet[UserSession], action: str = 'session-end', **detail: Any) -> int:
    """End these sessions, which voids their tokens, and record it; return how many they were."""
    rows = UserSession.objects.select_for_update().order_by('pk')
    with transaction.atomic():
        # Their keys may change until they are locked.
        rows = rows.filter(pk__in=list(sessions.values_list('pk', flat=True)))
        ended = list(rows.values_list('user_id', 'session_key'))
        keys = [key for _, key in ended]
        Session.objects.filter(session_key__in=keys).delete()
        UserSession.objects.filter(session_key__in=keys).delete()
        for account_id, key in ended:
            record(action, account_id=account_id, session_key=key, **detail)
    return len(ended)


def expire(session_key: str, why: str) -> None:
    """End a session that has passed a limit."""
    end(UserSession.objects.filter(session_key=session_key), 'session-expire', by=_ITSELF, why=why)


class SeenSessions:
    """When sessions were seen last, as far as this process knows; at most 10 000 of them."""

    capacity = 10_000

    def __init__(self) -> None:
        self._seen: OrderedDict[str, datetime] = OrderedDict()
        self._lock = Lock()

    def knows(self, key: str, since: datetime) -> bool:
        """Whether the session was seen after this moment."""
        seen = self._seen.get(key)
        return seen is not None and seen > since

    def remember(self, key: str, moment: datetime) -> None:
        """Note when the session was seen."""
        with self._lock:
            self._seen[key] = moment
            self._seen.move_to_end(key)
            while len(self._seen) > self.capacity:
                self._seen.popitem(last=False)

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._seen.clear()


seen_sessions = SeenSessions()


def is_within_limits(request: HttpRequest, session: Any, account: Any) -> bool:
    """Whether the session of a request goes on, which then is a use; else it has been ended.

    Two statements once in a step, none in between.
    """
    if (key := session.stored_key) is None:  # it begins with this request
        return True
    limits, now = limits_of(account), timezone.now()
    started_at = datetime.fromtimestamp(signed_in_at(session), UTC)
    why = limits.passed(started_at, now)
    if not why and seen_sessions.knows(key, now - limits.step):
        return True
    rows = UserSession.objects.filter(session_key=key)
    used_at = rows.values_list('last_seen_at', flat=True).first()
    why = why or limits.passed(started_at, used_at or now)
    if why:
        expire(key, why)
        return False
    if used_at is None:  # it began without a signal of its sign-in
        _add_row(request, key, account)
    elif used_at <= now - limits.step:
        rows.update(last_seen_at=now)
    else:
        now = used_at
    seen_sessions.remember(key, now)
    return True


def note_start(request: Any, user: Any, **_: Any) -> None:
    """Note that the session is used now; a receiver of Django's `user_logged_in`."""
    if not request.session.session_key:
        request.session.save()
    key = request.session.stored_key
    _add_row(request, key, user)
    seen_sessions.remember(key, timezone.now())


def _add_row(request: HttpRequest, key: str, account: Any) -> None:
    address = get_adapter().get_client_ip(request)
    agent = request.META.get('HTTP_USER_AGENT', '')[:200]
    UserSession.objects.get_or_create(
        session_key=key, defaults={'user_id': account.pk, 'ip': address, 'user_agent': agent}
    )


class SessionLimitMiddleware:
    """Makes nobody of the user whose session is over, when it is first asked who that is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponseBase:
        request.user = SimpleLazyObject(lambda: _user_of(request))
        request.auser = sync_to_async(partial(_user_of, request))
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponse | None:
        """Refuse a browser whose account must add a second factor first."""
        return refusal_of(request)


def _user_of(request: Any) -> Any:
    user: Any = get_user(request)
    if user.is_authenticated and not is_within_limits(request, request.session, user):
        request.session.flush()
        user = request._cached_user = AnonymousUser()
    return user

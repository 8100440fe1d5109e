"""Writing the audit: one row for each thing that happened, told as an event like any change.

It is written in the caller's transaction where there is one, so that a change and its line come
together or not at all. What was refused is recorded after the transaction that refused it.
"""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from structlog.contextvars import get_contextvars

from backstay.audit.actions import ACTIONS
from backstay.audit.models import EventOutcome, SecurityEvent
from backstay.caller import Caller
from backstay.journal.recording import Step
from backstay.journal.recording import record as record_steps

_log: structlog.stdlib.BoundLogger = structlog.get_logger('backstay.audit')
#: What a line is called as an event.
EVENT_TYPE = 'securityevent.created'
#: Whether anybody is to be told of events of a type; whoever tells them appends how it finds out.
told_by: list[Callable[[str], bool]] = []
#: The longest description of itself that a client leaves here.
_LONGEST_AGENT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a request comes from, and how to find out who asks."""

    address: str | None = None
    agent: str = ''
    caller: Callable[[], Caller]


#: Outside of requests nobody asks but the site itself.
_ITSELF = Origin(caller=lambda: Caller(kind='command', name='backstay'))
_origin: ContextVar[Origin] = ContextVar('backstay_origin', default=_ITSELF)


@contextmanager
def coming_from(origin: Origin) -> Iterator[None]:
    """Note during a request where it comes from."""
    token = _origin.set(origin)
    try:
        yield
    finally:
        _origin.reset(token)


def record(
    action: str,
    *,
    account_id: Any = None,
    by: Caller | None = None,
    refused: bool = False,
    session_key: str | None = None,
    resource: str = '',
    **detail: Any,
) -> None:
    """Record what happened, and to which account.

    `by` is the caller of the request unless given; who has not signed in yet is the account itself.
    `detail` is stored as JSON: it must hold no secret. Raises KeyError for an unknown action.
    """
    ACTIONS[action]
    origin = _origin.get()
    by = by or origin.caller()
    if by.kind == 'guest' and account_id is not None and not refused:
        by = Caller(kind='account', account_id=account_id, name='')
    event = SecurityEvent(
        action=action,
        outcome=EventOutcome.REFUSED if refused else EventOutcome.DONE,
        account_id=account_id,
        actor=by.key[:300],
        actor_name=by.name[:300],
        address=origin.address,
        agent=origin.agent[:_LONGEST_AGENT],
        request_id=get_contextvars().get('request_id', ''),
        session=hashlib.sha256(session_key.encode()).hexdigest()[:16] if session_key else '',
        resource=resource,
        detail=detail,
    )
    with transaction.atomic():
        event.save(force_insert=True)
        # Nobody is told of reads one by one. Lines stand in the journal for who is told, else here.
        if action != 'read' and any(is_told(EVENT_TYPE) for is_told in told_by):
            record_steps(by, [_step(event)])
    (_log.warning if refused else _log.info)(action, account=account_id, by=by.key)


def _step(event: SecurityEvent) -> Step:
    """The event of the line. Where somebody was stays in the table, where it can be erased."""
    names = ('action', 'outcome', 'account_id')
    return Step(
        verb='create',
        aggregate=SecurityEvent._meta.label_lower,
        resource=SecurityEvent.__name__,
        object_id=str(event.pk),
        after={'id': event.pk, 'at': event.at, **{each: getattr(event, each) for each in names}},
        pending=True,
    )


def old_events(kept: timedelta) -> QuerySet[SecurityEvent]:
    """Return what is older than this."""
    return SecurityEvent.objects.filter(at__lt=timezone.now() - kept)

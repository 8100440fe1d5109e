"""What the platform deletes by itself: rows that are over, and no other."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.db import models
from django.utils import timezone

from backstay.audit.models import SecurityEvent
from backstay.identity.models import Account, ApiKey, Counter, EmailChange, TokenPair
from backstay.operations.tasks import forget_ended_sign_ins, forget_old_audit
from backstay.resources.models import IdempotencyKey
from backstay.resources.tasks import forget_idempotency_keys
from backstay.tasks.metrics import FORGOTTEN

pytestmark = pytest.mark.django_db

NOW = timezone.now()
Make = Callable[[Account, str, timedelta], models.Model]


def key_that_ended(field: str) -> Make:
    def make(account: Account, name: str, ago: timedelta) -> models.Model:
        ends = {'expires_at': NOW + timedelta(days=9), field: NOW - ago}
        return ApiKey(creator=account, name=name, prefix=name, secret_hash='', **ends)

    return make


def device(account: Account, name: str, ago: timedelta) -> models.Model:
    row = UserSession(user=account, session_key=name, ip='192.0.2.1', user_agent='')
    row.created_at = NOW - ago
    return row


#: What makes a row that ended some time ago, and how long ago counts as over.
OVER: dict[str, tuple[Make, timedelta]] = {
    'sessions': (
        lambda _, name, ago: Session(session_key=name, session_data='', expire_date=NOW - ago),
        timedelta(),
    ),
    'devices': (device, timedelta(hours=1)),
    'tokens': (
        lambda account, name, ago: TokenPair(
            account=account,
            selector=name,
            session_key=name,
            access_expires_at=NOW,
            refresh_expires_at=NOW - ago,
        ),
        timedelta(),
    ),
    'counters': (
        lambda _, name, ago: Counter(key=name, hits=b'', expires_at=(NOW - ago).timestamp()),
        timedelta(),
    ),
    'changes of address': (
        lambda account, name, ago: EmailChange(
            account=account, undo_hash=name, changed_at=NOW - ago
        ),
        timedelta(hours=72),
    ),
    'expired keys': (key_that_ended('expires_at'), timedelta(days=90)),
    'revoked keys': (key_that_ended('revoked_at'), timedelta(days=90)),
    'lines of the audit': (
        lambda _, name, ago: SecurityEvent(action='sign-in', actor=name, at=NOW - ago),
        timedelta(days=400),
    ),
    'answers': (
        lambda _, name, ago: IdempotencyKey(
            id=name, leased_until=NOW, expires_at=NOW - ago, attempt='', body=''
        ),
        timedelta(),
    ),
}


@pytest.mark.parametrize('what', OVER)
def test_what_is_over_goes_and_what_is_not_stays(what: str) -> None:
    make, limit = OVER[what]
    account = Account.objects.create_user('ann')
    rows = [make(account, 'live', limit - timedelta(hours=1))]
    rows += [make(account, f'over-{number}', limit + timedelta(hours=1)) for number in range(3)]
    for row in rows:
        created_at = getattr(row, 'created_at', None)
        row.save(force_insert=True)
        if created_at is not None:  # allauth writes the present
            type(row)._default_manager.filter(pk=row.pk).update(created_at=created_at)
    model = type(rows[0])
    figure = FORGOTTEN.labels(model._meta.label_lower)
    before = figure._value.get()

    for task in (forget_ended_sign_ins, forget_old_audit, forget_idempotency_keys):
        task.call()

    left = model._default_manager.filter(pk__in=[each.pk for each in rows])
    assert [each.pk for each in left] == [rows[0].pk]
    assert figure._value.get() == before + 3


def test_many_go_in_steps_in_which_no_other_is_lost(
    django_assert_max_num_queries: Callable[..., Any],
) -> None:
    over = NOW.timestamp() - 60
    Counter.objects.bulk_create(
        [Counter(key=f'{number}', hits=b'', expires_at=over) for number in range(1_200)]
    )
    Counter.objects.create(key='live', hits=b'', expires_at=over + 3600)

    with django_assert_max_num_queries(30):  # three steps of two, and an empty look at each table
        assert forget_ended_sign_ins.call()['identity.counter'] == 1_200
    assert Counter.objects.get().key == 'live'

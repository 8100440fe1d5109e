"""Deletes what is over of the parts that know no tasks: identity, audit and journal."""

from datetime import timedelta

from django.conf import settings
from django.contrib.sessions.models import Session
from django.db.models import Exists, OuterRef
from django.utils import timezone

from backstay.audit.recording import old_events
from backstay.events.models import Delivery
from backstay.identity.counters import old_counters
from backstay.identity.email_changes import old_changes
from backstay.identity.keys import old_keys
from backstay.identity.session_store import lines_of_ended_sessions
from backstay.identity.tokens import dead_pairs
from backstay.journal.retention import old_entries
from backstay.tasks import forget, periodic, task


@periodic(every=timedelta(hours=1))
@task
def forget_ended_sign_ins() -> dict[str, int]:
    """Delete ended sessions, tokens, counters, keys and changes of address; return the numbers."""
    over = (
        Session.objects.filter(expire_date__lt=timezone.now()),
        lines_of_ended_sessions(),
        dead_pairs(),
        old_counters(),
        old_changes(),
        old_keys(),
    )
    return {rows.model._meta.label_lower: forget(rows) for rows in over}


@periodic(daily='03:10')
@task
def forget_old_audit() -> int:
    """Delete lines of the audit older than `BACKSTAY_AUDIT_DAYS`; return the number deleted."""
    return forget(old_events(timedelta(days=settings.BACKSTAY.audit_days)))


@periodic(daily='03:20')
@task
def forget_old_entries() -> int:
    """Delete entries of the journal older than `BACKSTAY_JOURNAL_DAYS`; return their number.

    Those that a delivery posts, or says what a receiver knows by, stay as long as it does.
    """
    days = settings.BACKSTAY.journal_days
    if not days:
        return 0
    old = old_entries(timezone.now() - timedelta(days=days))
    delivered = Exists(Delivery.objects.filter(entry=OuterRef('pk')))
    return forget(old.filter(~delivered), in_order=True)

"""The tasks of the events, gathered where workers look for them."""

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from backstay.events.delivering import deliver, mail_disabled
from backstay.events.models import SAYS_WHAT_IS_KNOWN, Delivery, State
from backstay.events.relaying import relay, wake_forgotten
from backstay.tasks import forget, periodic, task

__all__ = ['deliver', 'forget_old_deliveries', 'mail_disabled', 'relay', 'wake_forgotten']

#: How long the log of deliveries reaches back.
KEPT = timedelta(days=30)


@periodic(daily='03:40')
@task
def forget_old_deliveries() -> int:
    """Delete old deliveries that were done or withheld; return the number deleted.

    Of each object the last one stays that says whether the owner of a webhook knows of it, because
    that decides about its deletion. Dead letters stay until somebody delivers them again.
    """
    later = Delivery.objects.filter(
        SAYS_WHAT_IS_KNOWN,
        target=OuterRef('target'),
        subject=OuterRef('subject'),
        pk__gt=OuterRef('pk'),
    )
    says_nothing = Q(webhook=None) | Q(entry__verb='delete') | ~SAYS_WHAT_IS_KNOWN
    old = Delivery.objects.filter(
        says_nothing | Exists(later),
        state__in=(State.DONE, State.WITHHELD),
        created_at__lt=timezone.now() - KEPT,
    )
    return forget(old)

"""What the resources do for themselves."""

from datetime import timedelta

from django.utils import timezone

from backstay.resources.models import IdempotencyKey
from backstay.tasks import forget, periodic, task


@periodic(every=timedelta(hours=1))
@task
def forget_idempotency_keys() -> int:
    """Delete stored answers to requests that nobody may repeat any more; return their number."""
    return forget(IdempotencyKey.objects.filter(expires_at__lte=timezone.now()))

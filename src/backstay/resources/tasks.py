"""What the resources do for themselves."""

from datetime import timedelta

from django.utils import timezone

from backstay.resources.models import IdempotencyKey
from backstay.tasks import periodic, task


@periodic(every=timedelta(hours=1))
@task
def forget_idempotency_keys() -> int:
    """Delete what is stored of requests that nobody may repeat any more; how many they were."""
    gone: int = IdempotencyKey.objects.filter(expires_at__lte=timezone.now()).delete()[0]
    return gone

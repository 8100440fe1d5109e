"""What the tasks do for themselves."""

from datetime import timedelta

from django.utils import timezone

from backstay.tasks.declaration import task
from backstay.tasks.forgetting import forget
from backstay.tasks.schedules import periodic

#: How long one can look up how a call ended. Dead letters stay until somebody decides.
KEPT = timedelta(days=1)


@periodic(every=timedelta(hours=1))
@task
def forget_finished_jobs() -> int:
    """Delete the jobs that were done a day ago; return the number deleted."""
    from backstay.tasks.models import HAS_ENDED, Job, JobState

    finished = Job.objects.filter(HAS_ENDED, state__in=(JobState.DONE, JobState.MERGED))
    return forget(finished.filter(finished_at__lt=timezone.now() - KEPT))

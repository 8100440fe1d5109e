"""What the tasks do for themselves."""

from datetime import timedelta

from django.utils import timezone

from backstay.tasks.declaration import task
from backstay.tasks.schedules import periodic

#: How long one can look up how a call ended. Dead letters stay until somebody decides.
KEPT = timedelta(days=1)


@periodic(every=timedelta(hours=1))
@task
def forget_finished_jobs() -> int:
    """Delete the jobs that were done a day ago; how many they were."""
    from backstay.tasks.models import Job, JobState

    finished = Job.objects.filter(state__in=(JobState.DONE, JobState.MERGED))
    return finished.filter(finished_at__lt=timezone.now() - KEPT).delete()[0]

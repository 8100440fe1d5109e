"""Tasks in tests: run here what a worker would run there."""

from datetime import datetime

from django.utils import timezone

from backstay.tasks.claiming import claim, due
from backstay.tasks.running import run

#: Jobs that one call runs; a task that enqueues itself for ever is a mistake of the test.
MOST = 1000


def run_tasks(*, at: datetime | None = None) -> int:
    """Run everything that is due, in this process and on its connection; how many jobs ran.

    What the tasks enqueue runs too. With `at`, what is due at that moment counts: delayed calls,
    and the next tries of those that failed. The first failure is recorded, as a worker records it,
    and raised, so that the test fails.
    """
    for ran in range(MOST):
        moment = at or timezone.now()
        jobs = claim(due(at=moment), worker='run_tasks', lease=3600, limit=1, at=moment)
        if not jobs:
            return ran
        if failure := run(jobs[0], lease=3600):
            raise failure
    raise RuntimeError(f'{MOST} tasks ran, and more are due')

"""The clock of the periodic tasks: one row for each, locked by whoever enqueues its call."""

from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import autodiscover_modules

from backstay.tasks import upkeep  # noqa: F401 its tasks are periodic
from backstay.tasks.models import PeriodicTask
from backstay.tasks.schedules import PERIODIC, registered


def register_periods() -> None:
    """Store every periodic task that this version of the code has; a new schedule counts anew.

    Tasks are found in the module `tasks` of each app, and wherever else something imported them.
    """
    autodiscover_modules('tasks')
    now = timezone.now()
    rows = [
        PeriodicTask(name=name, schedule=str(schedule), next_run_at=schedule.after(now))
        for name, (_, schedule) in registered.items()
    ]
    PeriodicTask.objects.bulk_create(rows, ignore_conflicts=True)
    for row in rows:
        PeriodicTask.objects.filter(pk=row.pk).exclude(schedule=row.schedule).update(
            schedule=row.schedule, next_run_at=row.next_run_at
        )


def tick() -> int:
    """Enqueue a call of each periodic task that is due, in the transaction that moves its clock."""
    now = timezone.now()
    due = PeriodicTask.objects.filter(pk__in=[*registered], next_run_at__lte=now)
    if not due.exists():  # a look takes no lock
        return 0
    with transaction.atomic():
        rows = list(due.select_for_update(skip_locked=True))
        for row in rows:
            task, schedule = registered[row.pk]
            task.using(key=PERIODIC).enqueue()
            row.last_run_at, row.next_run_at = now, schedule.after(now)
            row.save(update_fields=['last_run_at', 'next_run_at'])
    return len(rows)

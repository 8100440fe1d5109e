"""Calls of tasks in the admin: to look at, and dead letters to try again."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import QuerySet
from django.http import HttpRequest

from backstay.tasks.models import Job, JobState, PeriodicTask


class _ShownAlone(admin.ModelAdmin):
    """Pages that show, and change nothing."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 Django's
        """Code adds them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only by actions on the list."""
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, *_: Any, **__: Any) -> bool:
        """They go by themselves, or by `backstay tasks discard`."""
        return False


@admin.register(Job)
class JobAdmin(_ShownAlone):
    """The queue, what ran in the last day, and the dead letters."""

    list_display = (
        'id',
        'task',
        'state',
        'queue',
        'priority',
        'attempts',
        'due_at',
        'enqueued_at',
        'finished_at',
    )
    list_filter = ('state', 'queue', 'task', 'enqueued_at')
    search_fields = ('task', 'key', 'request_id', 'exception', 'arguments')
    search_help_text = 'By task, key, request id, exception or arguments'
    actions = ('retry',)

    @admin.action(description='Retry the selected dead letters', permissions=('change',))
    def retry(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        """They are queued anew with all their tries; what is not dead stays as it is."""
        dead = list(jobs.filter(state=JobState.DEAD))
        count = Job.retry(Job.objects.filter(pk__in=[job.pk for job in dead]))
        if dead:
            who: Any = request.user.pk
            LogEntry.objects.log_actions(who, dead, CHANGE, change_message='Queued anew.')
        self.message_user(request, f'{count} queued.')


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(_ShownAlone):
    """When each periodic task is enqueued next."""

    list_display = ('name', 'schedule', 'last_run_at', 'next_run_at')

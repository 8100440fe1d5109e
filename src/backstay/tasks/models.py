"""Models of tasks: their calls, and the times at which the periodic ones are next due."""

import json
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.module_loading import import_string

from backstay.tasks.arguments import load_call
from backstay.tasks.declaration import LONGEST_KEY, Task
from backstay.tasks.django_api import TaskError, TaskResult, TaskResultStatus


class JobState(models.TextChoices):
    """The state of a call."""

    QUEUED = 'queued'
    #: Celery has been told about it.
    HANDED_OVER = 'handed over'
    RUNNING = 'running'
    DONE = 'done'
    #: Failed at its last try; it stays until somebody retries or discards it.
    DEAD = 'dead'
    #: Another call with its key did its work too.
    MERGED = 'merged'


#: The states of calls that have not ended.
OPEN = (JobState.QUEUED, JobState.HANDED_OVER, JobState.RUNNING)
ENDED = (JobState.DONE, JobState.DEAD, JobState.MERGED)


class Constant(models.Value):
    """A text that is written into the statement.

    SQLite plans a statement before it knows the bound values, so it takes an index that has a
    condition only where the same condition stands in the statement as text.
    """

    def as_sql(self, *_: Any, **__: Any) -> tuple[str, tuple[str | int, ...]]:
        """Return the text in quotes; ours alone come here, and none of them holds a quote."""
        return f"'{self.value}'", ()


#: The conditions of the indexes below, as statements have to say them.
IS_OPEN = Q(state__in=[Constant(state.value) for state in OPEN])
HAS_ENDED = Q(state__in=[Constant(state.value) for state in ENDED])
HAS_KEY = ~Q(key=Constant(''))

_STATUS = {
    JobState.RUNNING: TaskResultStatus.RUNNING,
    JobState.DONE: TaskResultStatus.SUCCESSFUL,
    JobState.DEAD: TaskResultStatus.FAILED,
}


class Job(models.Model):
    """One call of a task."""

    task = models.CharField(max_length=200)
    queue = models.CharField(max_length=32)
    state = models.CharField(max_length=11, choices=JobState, default=JobState.QUEUED)
    priority = models.SmallIntegerField(default=0)
    #: When a worker may take it: its time while it waits, the end of the lease while it runs.
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveIntegerField(default=0)
    key = models.CharField(max_length=LONGEST_KEY, blank=True)
    arguments = models.TextField(help_text='JSON: [positional, by name]')
    #: JSON of what the task returned; empty until it is done.
    returned = models.TextField(blank=True)
    exception = models.CharField(max_length=200, blank=True, help_text='Class of the last failure.')
    traceback = models.TextField(blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    enqueued_by = models.CharField(max_length=300, blank=True)
    #: The worker that took it last, which alone may record its end.
    worker = models.CharField(max_length=64, blank=True)
    enqueued_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    merged_into = models.BigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ('-pk',)
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=['-priority', 'due_at', 'id'],
                name='tasks_job_next',
                condition=Q(state__in=OPEN),
            ),
            models.Index(
                fields=['task', 'key'],
                name='tasks_job_key',
                condition=Q(state__in=OPEN) & ~Q(key=''),
            ),
            # Of ended jobs alone: a claim on SQLite would read all open ones by it, and sort them.
            models.Index(
                fields=['state', 'finished_at'],
                name='tasks_job_ended',
                condition=Q(state__in=ENDED),
            ),
        ]

    def __str__(self) -> str:
        return f'{self.task} #{self.pk}'

    def definition(self) -> Task[..., Any]:
        """Return the called task. Raises ImportError if this version of the code lacks it."""
        found = import_string(self.task)
        if not isinstance(found, Task):
            raise ImportError(f'{self.task} is no task')
        return found

    def call(self) -> tuple[list[Any], dict[str, Any]]:
        """Return the positional and the named arguments of the call."""
        return load_call(self.arguments)

    def result(self) -> TaskResult:
        """Return the call as Django's task API shows it."""
        args, kwargs = self.call()
        failure = TaskError(exception_class_path=self.exception, traceback=self.traceback)
        result: TaskResult = TaskResult(
            task=self.definition().using(priority=self.priority, queue_name=self.queue),
            id=str(self.pk),
            status=_STATUS.get(JobState(self.state), TaskResultStatus.READY),
            enqueued_at=self.enqueued_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
            last_attempted_at=self.started_at,
            args=args,
            kwargs=kwargs,
            backend='default',
            errors=[failure] if self.exception else [],
            worker_ids=[self.worker] * self.attempts,
        )
        returned = json.loads(self.returned) if self.returned else None
        object.__setattr__(result, '_return_value', returned)  # as Django's own back ends do
        return result

    @classmethod
    def retry(cls, jobs: 'models.QuerySet[Job]') -> int:
        """Queue the dead letters among these anew, with all their tries; return their number."""
        return jobs.filter(state=JobState.DEAD).update(
            state=JobState.QUEUED, due_at=Now(), attempts=0, finished_at=None
        )


class PeriodicTask(models.Model):
    """The time of the next call of a periodic task. Workers lock the row to enqueue it."""

    name = models.CharField(max_length=200, primary_key=True)
    schedule = models.CharField(max_length=100)
    next_run_at = models.DateTimeField()
    last_run_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ('name',)

    def __str__(self) -> str:
        return self.name

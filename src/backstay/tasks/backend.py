"""The back end that keeps calls in the database: a row in the transaction of the caller.

No model is imported at the top: tasks are declared before Django has loaded the apps.
"""

from inspect import signature
from typing import TYPE_CHECKING, Any

from structlog.contextvars import get_contextvars

from backstay.tasks.arguments import ArgumentsError, dump_call
from backstay.tasks.declaration import LONGEST_KEY, Task
from backstay.tasks.django_api import (
    Backend,
    DjangoTask,
    TaskResult,
    TaskResultDoesNotExist,
    task_enqueued,
)
from backstay.tasks.standing import caller_key

if TYPE_CHECKING:
    from backstay.tasks.models import Job


class DatabaseBackend(Backend):
    """Tasks wait in a table, and `backstay work` runs them."""

    task_class = Task
    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True

    def validate_task(self, task: DjangoTask) -> None:
        """Refuse, where it is declared or changed, a task that could not be stored."""
        super().validate_task(task)
        key, backoff = getattr(task, 'key', ''), getattr(task, 'backoff', ())
        if len(task.module_path) > 200 or len(task.queue_name) > 32:
            raise ValueError(f'{task.module_path}: give it, and its queue, a shorter name')
        if len(key) > LONGEST_KEY or not key.isprintable():
            raise ArgumentsError(f'key: use up to {LONGEST_KEY} printable characters')
        if any(not 0 <= pause <= 366 * 86400 for pause in backoff):
            raise ValueError(f'{task.module_path}: its backoff are seconds, up to a year')

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> TaskResult:
        """Store the call; nobody sees it before the transaction of the caller is committed."""
        self.validate_task(task)
        job = self._store(self._job(task, args, kwargs))
        result = job.result()
        task_enqueued.send(type(self), task_result=result)
        return result

    def get_result(self, result_id: str) -> TaskResult:
        """What became of a call; of one that another did too, what became of that."""
        from backstay.tasks.models import Job

        job = Job.objects.filter(pk=result_id).first() if result_id.isdecimal() else None
        if job is None:
            raise TaskResultDoesNotExist(result_id)
        return self.get_result(str(job.merged_into)) if job.merged_into else job.result()

    def _job(self, task: Task[..., Any], args: Any, kwargs: Any) -> 'Job':
        from backstay.tasks.models import Job

        _refuse_other_arguments(task, args, kwargs)
        job = Job(
            task=task.module_path,
            queue=task.queue_name,
            priority=task.priority,
            key=task.key,
            arguments=dump_call(task.module_path, args, kwargs),
            request_id=str(get_contextvars().get('request_id', ''))[:64],
            enqueued_by=caller_key(),
        )
        if task.run_after is not None:
            job.due_at = task.run_after
        return job

    def _store(self, job: 'Job') -> 'Job':
        job.save(force_insert=True)
        return job


def _refuse_other_arguments(task: DjangoTask, args: Any, kwargs: Any) -> None:
    """Raises ArgumentsError now for a call that would fail at each of its tries."""
    context = (None,) if task.takes_context else ()
    try:
        signature(task.func).bind(*context, *args, **kwargs)
    except TypeError as error:
        raise ArgumentsError(f'{task.module_path}: {error}') from None

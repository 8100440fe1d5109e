"""The back end that stores calls in the database, in the transaction of their caller.

No model is imported at the top: tasks are declared before Django has loaded the apps.
"""

from datetime import datetime, timedelta
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any

from django.utils import timezone
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

#: The greatest distance of a moment from now. Pages show moments in zones, where later overflow.
FARTHEST = timedelta(days=36525)


class DatabaseBackend(Backend):
    """Tasks wait in a table, and `backstay work` runs them."""

    task_class = Task
    supports_defer = True
    supports_async_task = True
    supports_get_result = True
    supports_priority = True

    def validate_task(self, task: DjangoTask) -> None:
        """Refuse a task that could not be stored, when it is declared or changed."""
        key, backoff = getattr(task, 'key', ''), getattr(task, 'backoff', ())
        _refuse_other_types(task, key)
        super().validate_task(task)
        if len(task.module_path) > 200 or not 0 < len(task.queue_name) <= 32:
            raise ValueError(f'{task.module_path}: give it, and its queue, a shorter name')
        if not task.queue_name.isprintable():
            raise ValueError(f'{task.module_path}: use printable characters for its queue')
        if len(key) > LONGEST_KEY or not key.isprintable():
            raise ArgumentsError(f'key: use up to {LONGEST_KEY} printable characters')
        if any(not 0 <= pause <= 366 * 86400 for pause in backoff):
            raise ValueError(f'{task.module_path}: its backoff are seconds, up to a year')
        if task.run_after is not None and abs(task.run_after - timezone.now()) > FARTHEST:
            raise ArgumentsError('run_after: use a moment within a hundred years from now')

    def enqueue(self, task: Any, args: Any, kwargs: Any) -> TaskResult:
        """Store the call, which nobody sees before the transaction of the caller is committed."""
        from backstay.tasks.models import Job

        self.validate_task(task)
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
        self.store(job)
        result = job.result()
        task_enqueued.send(type(self), task_result=result)
        return result

    def store(self, job: 'Job') -> None:
        """Save a new job; a back end that hands jobs over replaces it."""
        job.save(force_insert=True)

    def get_result(self, result_id: str) -> TaskResult:
        """Return the result of a call; for a merged one, the result of the call that did it."""
        from backstay.tasks.models import Job

        job = Job.objects.filter(pk=result_id).first() if result_id.isdecimal() else None
        if job is None:
            raise TaskResultDoesNotExist(result_id)
        return self.get_result(str(job.merged_into)) if job.merged_into else job.result()


def _refuse_other_types(task: DjangoTask, key: Any) -> None:
    """Raise ArgumentsError for values that a column would take and a page would fail over."""
    given: dict[str, tuple[Any, type]] = {
        'priority': (task.priority, int),
        'queue_name': (task.queue_name, str),
        'key': (key, str),
    }
    if task.run_after is not None:
        given['run_after'] = (task.run_after, datetime)
    for name, (value, wanted) in given.items():
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise ArgumentsError(
                f'{name}: use a value of type {wanted.__name__}, not {type(value).__name__}'
            )


def _refuse_other_arguments(task: DjangoTask, args: Any, kwargs: Any) -> None:
    """Raise ArgumentsError now for a call that would fail at each of its tries."""
    context = (None,) if task.takes_context else ()
    parameters = signature(task.func)
    try:
        bound = parameters.bind(*context, *args, **kwargs)
    except TypeError as error:
        raise ArgumentsError(f'{task.module_path}: {error}') from None
    for name, value in bound.arguments.items():
        wanted = parameters.parameters[name]
        if wanted.kind is Parameter.POSITIONAL_OR_KEYWORD and not _fits(value, wanted.annotation):
            raise ArgumentsError(
                f'{task.module_path}: {name} is of type {wanted.annotation.__name__},'
                f' not {type(value).__name__}'
            )


def _fits(value: Any, wanted: Any) -> bool:
    """Whether a value fits one of JSON's own types; other annotations accept any value.

    >>> _fits(1, int), _fits(1, float), _fits('1', int), _fits(True, int), _fits('1', 'int')
    (True, True, False, False, True)
    """
    if wanted not in (bool, int, float, str, list, dict):
        return True
    if isinstance(value, bool):
        return wanted is bool
    return isinstance(value, (int, float) if wanted is float else wanted)

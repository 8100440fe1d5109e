"""The declaration of a task: Django's, with pauses between tries and a key."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Concatenate, Generic, Literal, ParamSpec, Self, TypeVar, overload

from django.utils import timezone

from backstay.tasks.arguments import ArgumentsError
from backstay.tasks.django_api import DjangoTask, TaskContext, TaskResult

P = ParamSpec('P')
T = TypeVar('T')

#: Seconds between the tries of a task that says nothing else: five tries in 37 minutes.
BACKOFF = (10.0, 60.0, 300.0, 1800.0)
LONGEST_KEY = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(DjangoTask, Generic[P, T]):
    """A function that a worker runs. `task` makes it."""

    #: Seconds to wait after each failed try but the last, give or take a fifth.
    backoff: tuple[float, ...] = BACKOFF
    #: Calls of the task that wait with the same key are run as one; empty for no such thing.
    key: str = ''

    @property
    def tries(self) -> int:
        """How often it is tried before it is a dead letter."""
        return len(self.backoff) + 1

    def using(
        self,
        *,
        priority: int | None = None,
        queue_name: str | None = None,
        run_after: datetime | timedelta | None = None,
        backend: str | None = None,
        key: str | None = None,
    ) -> Self:
        """Return the task with other values for the next call: a key, a moment, a priority.

        Raises ArgumentsError for a value that cannot be stored, and for a moment that is not within
        a hundred years from now.
        """
        if isinstance(run_after, timedelta):
            try:
                run_after = timezone.now() + run_after
            except OverflowError:
                raise ArgumentsError(
                    'run_after: use a moment within a hundred years from now'
                ) from None
        changes: dict[str, Any] = {
            'priority': priority,
            'queue_name': queue_name,
            'run_after': run_after,
            'backend': backend,
            'key': key,
        }
        return replace(self, **{name: new for name, new in changes.items() if new is not None})

    def enqueue(self, *args: P.args, **kwargs: P.kwargs) -> 'TaskResult[T]':
        """Have it run once the transaction of the caller is committed; `aenqueue` does the same.

        Raises ArgumentsError when the function does not take these arguments, when they are not
        JSON, or when they are too large.
        """
        return self.get_backend().enqueue(self, args, kwargs)


@overload
def task(function: Callable[P, T], /) -> Task[P, T]: ...
@overload
def task(
    *,
    priority: int = ...,
    queue_name: str = ...,
    backoff: Sequence[float] = ...,
    takes_context: Literal[False] = ...,
) -> Callable[[Callable[P, T]], Task[P, T]]: ...
@overload
def task(
    *,
    priority: int = ...,
    queue_name: str = ...,
    backoff: Sequence[float] = ...,
    takes_context: Literal[True],
) -> Callable[[Callable[Concatenate[TaskContext, P], T]], Task[P, T]]: ...


def task(
    function: Callable[..., Any] | None = None,
    /,
    *,
    priority: int = 0,
    queue_name: str = 'default',
    backoff: Sequence[float] = BACKOFF,
    takes_context: bool = False,
) -> Any:
    """Make a function a task; with or without arguments.

    `backoff` are the seconds to wait after the first failed try, the second, and so on: it is tried
    once more than there are pauses. A task that takes its context has `context` as its first
    parameter, which knows the `attempt`.
    """

    def declare(declared: Callable[..., Any]) -> Task[..., Any]:
        return Task(
            func=declared,
            priority=priority,
            queue_name=queue_name,
            backend='default',
            run_after=None,
            takes_context=takes_context,
            backoff=tuple(backoff),
        )

    return declare if function is None else declare(function)

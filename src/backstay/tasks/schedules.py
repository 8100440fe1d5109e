"""Schedules of periodic tasks: at an interval, or once a day."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from inspect import Parameter, signature
from typing import Any, ParamSpec, TypeVar

from backstay.tasks.declaration import Task

P = ParamSpec('P')
T = TypeVar('T')

#: The key of calls that a schedule makes: they wait for an earlier one that still runs.
PERIODIC = 'periodic'

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Every:
    """A tick at each multiple of the interval since 1970, so that workers agree."""

    interval: timedelta

    def after(self, moment: datetime) -> datetime:
        """Return the first tick after the moment.

        >>> Every(timedelta(minutes=5)).after(datetime(2026, 1, 1, 12, 3, tzinfo=UTC)).minute
        5
        """
        return _EPOCH + ((moment - _EPOCH) // self.interval + 1) * self.interval

    def __str__(self) -> str:
        return f'every {self.interval}'


@dataclass(frozen=True, slots=True)
class Daily:
    """A tick each day at this time, UTC."""

    time: time

    def after(self, moment: datetime) -> datetime:
        """Return the first tick after the moment.

        >>> Daily(time(3, 30)).after(datetime(2026, 1, 1, 12, tzinfo=UTC)).isoformat()
        '2026-01-02T03:30:00+00:00'
        """
        today = datetime.combine(moment.astimezone(UTC), self.time, tzinfo=UTC)
        return today if today > moment else today + timedelta(days=1)

    def __str__(self) -> str:
        return f'daily at {self.time:%H:%M} UTC'


Schedule = Every | Daily

#: Every periodic task that was imported: its path to the task and its schedule.
registered: dict[str, tuple[Task[..., Any], Schedule]] = {}


def periodic(
    *, every: timedelta | None = None, daily: str | None = None
) -> Callable[[Task[P, T]], Task[P, T]]:
    """Enqueue a task at the interval `every`, or `daily` at a time of UTC such as '03:30'.

    It stands above `@task`. One tick is one call, whatever the number of workers; one call makes up
    for all missed ticks. A call never runs beside an earlier one.
    """
    schedule: Schedule
    if every is not None and daily is None:
        if every < timedelta(seconds=1):
            raise ValueError(f'every={every!r}: a second is the least')
        schedule = Every(every)
    elif daily is not None and every is None:
        schedule = Daily(datetime.strptime(daily, '%H:%M').time())
    else:
        raise TypeError("give periodic either every=timedelta(...) or daily='HH:MM'")

    def register(declared: Task[P, T]) -> Task[P, T]:
        parameters = [*signature(declared.func).parameters.values()][declared.takes_context :]
        if any(each.default is Parameter.empty for each in parameters):
            raise TypeError(f'{declared.module_path}: a periodic task is called without arguments')
        registered[declared.module_path] = (declared, schedule)
        return declared

    return register

"""When schedules tick."""

import doctest
from datetime import UTC, datetime, timedelta, timezone

import pytest

from backstay.tasks import schedules
from backstay.tasks.schedules import Daily, Every

pytestmark = pytest.mark.engine_free
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_the_examples_hold() -> None:
    assert doctest.testmod(schedules).failed == 0


@pytest.mark.parametrize(
    ('interval', 'moment', 'expected'),
    [
        (timedelta(hours=1), NOON, NOON + timedelta(hours=1)),
        (timedelta(hours=1), NOON - timedelta(microseconds=1), NOON),
        (timedelta(days=1), NOON, NOON + timedelta(hours=12)),
        (timedelta(seconds=90), NOON + timedelta(seconds=1), NOON + timedelta(seconds=90)),
    ],
)
def test_every_ticks_at_multiples_of_its_interval(
    interval: timedelta, moment: datetime, expected: datetime
) -> None:
    assert Every(interval).after(moment) == expected


@pytest.mark.parametrize(
    ('moment', 'expected'),
    [
        (NOON, NOON + timedelta(days=1)),
        (NOON - timedelta(seconds=1), NOON),
        (NOON + timedelta(seconds=1), NOON + timedelta(days=1)),
        # Somewhere else it is tomorrow already.
        (
            (NOON + timedelta(hours=1)).astimezone(timezone(timedelta(hours=13))),
            NOON + timedelta(1),
        ),
    ],
)
def test_daily_ticks_once_a_day(moment: datetime, expected: datetime) -> None:
    assert Daily(NOON.time()).after(moment) == expected

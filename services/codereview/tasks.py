"""What runs now and then: the ledger of counts is summed up."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, QuerySet, Window

from backstay.tasks import periodic, task
from services.codereview.models import Tally

_KEY = ('repository_id', 'analyzer', 'analyzer_check', 'day')
_SUMS = ('first', 'last', 'publishable')


#: Entries that one transaction looks at.
_AT_ONCE = 50_000


@periodic(every=timedelta(minutes=5))
@task
def sum_tallies() -> int:
    """Put one entry in the place of several of the same key, or none where they come to nothing.

    Counts stay as they are, also for whoever reads meanwhile. How many entries are gone.
    """
    gone = 0
    while True:
        seen, kept = _sum_some()
        gone += seen - kept
        if seen < _AT_ONCE:
            return gone


@transaction.atomic
def _sum_some() -> tuple[int, int]:
    """Sum up the first entries that have others of their key; how many they were and are."""
    entries = list(_several().select_for_update().values_list('pk', *_KEY, *_SUMS))
    sums: dict[tuple[Any, ...], list[int]] = {}
    for _, *values in entries:
        key, amounts = tuple(values[: len(_KEY)]), values[len(_KEY) :]
        held = sums.setdefault(key, [0] * len(_SUMS))
        sums[key] = [one + other for one, other in zip(held, amounts, strict=True)]
    for start in range(0, len(entries), 10_000):  # SQLite bounds its parameters
        Tally.objects.filter(pk__in=[pk for pk, *_ in entries[start : start + 10_000]]).delete()
    kept = [
        Tally(**dict(zip((*_KEY, *_SUMS), (*key, *amounts), strict=True)))
        for key, amounts in sums.items()
        if any(amounts)
    ]
    Tally.objects.bulk_create(kept, batch_size=1_000)
    return len(entries), len(kept)


def _several() -> QuerySet[Tally]:
    """Entries of which there are others of the same key, side by side."""
    counted = Tally.objects.annotate(others=Window(Count('pk'), partition_by=[*_KEY]))
    several = counted.filter(others__gt=1).order_by(*_KEY)[:_AT_ONCE]
    return Tally.objects.filter(pk__in=several.values('pk'))

"""What runs now and then: the ledger of counts is summed up."""

from datetime import timedelta

from django.db import connection, transaction

from backstay.tasks import periodic, task
from services.codereview.models import Tally

#: Entries that one transaction sums up. On SQLite others wait for it to end.
_AT_ONCE = 1_000
_KEY = 'repository_id, analyzer, analyzer_check, day'
_SUMS = ('first', 'last', 'publishable', 'found', 'found_publishable')


@periodic(every=timedelta(minutes=5))
@task
def sum_tallies() -> int:
    """Add entries of the ledger to the sums of their keys; return how many entries are gone.

    Counts stay as they are, also for whoever reads meanwhile. The work is in proportion to what was
    written since the task last ran, however many sums there are.
    """
    gone = 0
    while seen := _sum_some():
        gone += seen
    return gone


@transaction.atomic
def _sum_some() -> int:
    """Sum up the oldest entries; return how many they were."""
    entries = Tally.objects.filter(is_sum=False).order_by('id').select_for_update(skip_locked=True)
    keys = list(entries.values_list('pk', flat=True)[:_AT_ONCE])
    if not keys:
        return 0
    summed = ', '.join(f'sum({name})' for name in _SUMS)
    more = ', '.join(f'{name} = codereview_tally.{name} + excluded.{name}' for name in _SUMS)
    marks = ', '.join(['%s'] * len(keys))
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO codereview_tally ({_KEY}, is_sum, {", ".join(_SUMS)}) '  # noqa: S608
            f'SELECT {_KEY}, %s, {summed} FROM codereview_tally WHERE id IN ({marks}) '
            f'GROUP BY {_KEY} ORDER BY {_KEY} '
            "ON CONFLICT (COALESCE(repository_id, 0), analyzer, COALESCE(analyzer_check, ''), "
            'COALESCE(LENGTH(analyzer_check), -1), day) WHERE is_sum '
            f'DO UPDATE SET {more} RETURNING id, {", ".join(_SUMS)}',
            [True, *keys],
        )
        nothing = [key for key, *sums in cursor.fetchall() if not any(sums)]
    Tally.objects.filter(pk__in=[*keys, *nothing]).delete()
    return len(keys)
